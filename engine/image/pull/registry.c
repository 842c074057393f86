/*
 * registry.c - see registry.h.  Runs in reconcile-pull, the only program that
 * sees a registry credential; all answers are hostile.
 *
 * Invariants: (1) the credential goes to the registry itself (Basic) or to the
 * token issuer that it names over TLS (Bearer), never elsewhere; (2) what is
 * sent behind a redirect to another origin has no Authorization header, nor has
 * anything after it in the chain (CVE-2020-15157, row E48); (3) the scope asked
 * for is this repository, pull only, whatever the challenge says.
 */
#include "engine/image/pull/registry.h"

#include "engine/image/challenge.h"
#include "lib/buf.h"
#include "lib/encode.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define REDIRECTS_MAX 5
#define TOKEN_ANSWER_MAX 65536
#define AUTHORIZATION_BYTES (CHALLENGE_TOKEN_BYTES + 16)

struct registry {
	const struct image_ref *ref;
	struct http *http;
	struct registry_credential credential;
	bool insecure_http;
	char authorization[AUTHORIZATION_BYTES]; /* "" if none yet */
};

int registry_new(const struct image_ref *ref, const struct http_config *config,
		 const struct registry_credential *credential,
		 struct registry **out, struct err *err)
{
	struct registry *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return err_set(err, ERR_NOMEM, "out of memory");
	r->ref = ref;
	r->credential = *credential;
	r->insecure_http = config->insecure_http;
	ret = http_new(config, &r->http, err);
	if (ret < 0) {
		free(r);
		return ret;
	}
	*out = r;
	return 0;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	http_free(r->http);
	explicit_bzero(r, sizeof(*r));
	free(r);
}

/* "Basic base64(user:password)" into out. */
static int basic(const struct registry_credential *c, char *out, size_t len,
		 struct err *err)
{
	struct buf plain, text;
	int r;

	buf_init(&plain, 4096);
	buf_init(&text, 8192);
	buf_put(&plain, c->username, c->username_len);
	buf_putc(&plain, ':');
	buf_put(&plain, c->password, c->password_len);
	buf_puts(&text, "Basic ");
	encode_base64(&text, plain.data, plain.len);
	if (plain.failed || text.failed || text.len >= len)
		r = err_set(err, ERR_LIMIT, "registry credential is too long");
	else {
		memcpy(out, text.data, text.len + 1);
		r = 0;
	}
	if (plain.data)
		explicit_bzero(plain.data, plain.len);
	if (text.data)
		explicit_bzero(text.data, text.len);
	buf_release(&plain);
	buf_release(&text);
	return r;
}

static int to_buf(void *ctx, const char *bytes, size_t len, struct err *err)
{
	buf_put(ctx, bytes, len);
	return buf_check(ctx, err);
}

static void put_query(struct buf *url, const char *key, const char *value)
{
	const char *p;

	buf_putc(url, strchr(url->data, '?') ? '&' : '?');
	buf_puts(url, key);
	buf_putc(url, '=');
	for (p = value; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-._~", c))
			buf_putc(url, *p);
		else
			buf_printf(url, "%%%02X", c);
	}
}

static int token_url(const struct registry *r, const struct challenge *c,
		     struct buf *url, struct err *err)
{
	char scope[IMAGE_REF_PATH_BYTES + 32];

	if (!r->insecure_http && strncmp(c->realm, "https://", 8) != 0)
		return err_set(err, ERR_TRUST,
			       "token issuer: want an https:// realm");
	(void)snprintf(scope, sizeof(scope), "repository:%s:pull",
		       r->ref->path);
	buf_puts(url, c->realm);
	if (c->service[0])
		put_query(url, "service", c->service);
	put_query(url, "scope", scope);
	return buf_check(url, err);
}

static int status_error(long status, const char *what, struct err *err)
{
	int code = ERR_INPUT;

	if (status == 401 || status == 403)
		code = ERR_DENIED;
	else if (status == 404)
		code = ERR_NOTFOUND;
	else if (status == 429 || status >= 500)
		code = ERR_AGAIN;
	return err_set(
		err, code, "%s: want status 200, have %ld%s", what, status,
		code == ERR_NOTFOUND
			? " (the registry does not have it: push it, or "
			  "correct name and digest)"
		: code == ERR_DENIED ? " (the registry wants other credentials)"
				     : "");
}

static int get_token(struct registry *r, const struct challenge *c,
		     struct err *err)
{
	char auth[8192] = "";
	struct http_answer *answer = malloc(sizeof(*answer));
	struct buf url, body;
	struct http_sink sink = {
		.write = to_buf, .ctx = &body, .max = TOKEN_ANSWER_MAX};
	int ret = 0;

	buf_init(&url, HTTP_URL_BYTES - 1);
	buf_init(&body, TOKEN_ANSWER_MAX);
	if (!answer)
		ret = err_set(err, ERR_NOMEM, "out of memory");
	if (ret == 0)
		ret = token_url(r, c, &url, err);
	if (ret == 0 && r->credential.username_len)
		ret = basic(&r->credential, auth, sizeof(auth), err);
	if (ret == 0)
		ret = http_get(r->http, url.data, auth[0] ? auth : NULL, NULL,
			       &sink, answer, err);
	if (ret == 0 && answer->status != 200)
		ret = status_error(answer->status, "token issuer", err);
	if (ret == 0) {
		memcpy(r->authorization, "Bearer ", 7);
		ret = challenge_token(body.data ? body.data : "", body.len,
				      r->authorization + 7, err);
	}
	if (ret < 0)
		r->authorization[0] = '\0';
	explicit_bzero(auth, sizeof(auth));
	if (body.data)
		explicit_bzero(body.data, body.len);
	buf_release(&url);
	buf_release(&body);
	free(answer);
	return ret;
}

/* Answers a 401: Bearer is preferred, Basic needs a credential. */
static int authenticate(struct registry *r, const struct http_answer *a,
			struct err *err)
{
	struct challenge best = {0};
	size_t i;
	int ret;

	r->authorization[0] = '\0';
	for (i = 0; i < a->n_challenges; i++) {
		struct challenge c;

		ret = challenge_parse(a->challenges[i], &c, err);
		if (ret < 0)
			return ret;
		if (c.scheme > best.scheme)
			best = c;
	}
	if (best.scheme == CHALLENGE_BEARER)
		return get_token(r, &best, err);
	if (best.scheme == CHALLENGE_NONE)
		return err_set(err, ERR_DENIED,
			       "registry asks for an authentication scheme "
			       "that is not Basic or Bearer");
	if (!r->credential.username_len)
		return err_set(err, ERR_DENIED,
			       "registry wants a user name and a password, "
			       "none is configured");
	return basic(&r->credential, r->authorization, sizeof(r->authorization),
		     err);
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 ||
	       status == 307 || status == 308;
}

/* One request with its redirects; a->status is the last answer's. */
static int get_following(struct registry *r, const char *first,
			 const char *const *accept,
			 const struct http_sink *sink, struct http_answer *a,
			 struct err *err)
{
	char url[HTTP_URL_BYTES], next[HTTP_URL_BYTES];
	bool home = true;
	int hops;
	int ret;

	(void)snprintf(url, sizeof(url), "%s", first);
	for (hops = 0; hops <= REDIRECTS_MAX; hops++) {
		const char *auth = r->authorization;

		ret = http_get(r->http, url, home && *auth ? auth : NULL,
			       accept, sink, a, err);
		if (ret < 0 || !is_redirect(a->status))
			return ret;
		ret = http_resolve(r->http, url, a->location, next, err);
		if (ret < 0)
			return ret;
#ifndef GUARD_OFF_REDIRECT_AUTH
		home = home && http_same_origin(first, next);
#endif
		memcpy(url, next, sizeof(url));
	}
	return err_set(err, ERR_LIMIT, "over %d redirects", REDIRECTS_MAX);
}

int registry_get(struct registry *r, const char *kind, const char *name,
		 const char *const *accept, const struct http_sink *sink,
		 struct http_answer *out, struct err *err)
{
	char url[HTTP_URL_BYTES], what[64];
	int ret;

	(void)snprintf(url, sizeof(url), "%s://%s/v2/%s/%s/%s",
		       r->insecure_http ? "http" : "https",
		       image_ref_endpoint(r->ref), r->ref->path, kind, name);
	ret = get_following(r, url, accept, sink, out, err);
	if (ret == 0 && out->status == 401) {
		ret = authenticate(r, out, err);
		if (ret == 0)
			ret = get_following(r, url, accept, sink, out, err);
	}
	(void)snprintf(what, sizeof(what), "registry, GET %s", kind);
	if (ret == 0 && out->status != 200)
		ret = status_error(out->status, what, err);
	return ret;
}

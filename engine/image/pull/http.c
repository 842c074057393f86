/*
 * http.c - see http.h.  Runs in reconcile-pull after its sandbox; headers and
 * bodies are hostile.  libcurl follows nothing by itself, so that the rules on
 * who gets a credential are in registry.c alone (row E48).
 */
#include "engine/image/pull/http.h"

#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_MS 10000L
#define IGNORED_BODY_MAX 65536u

struct http {
	CURL *curl;
	struct http_config config;
};

/* One transfer. */
struct transfer {
	struct http *h;
	const struct http_sink *sink;
	struct http_answer *answer;
	struct err *err;
	uint64_t bytes;
	int code;	     /* of the sink */
	bool ignored_enough; /* a body that nobody wants is cut */
};

int http_new(const struct http_config *config, struct http **out,
	     struct err *err)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return err_set(err, ERR_NOMEM, "out of memory");
	h->config = *config;
	h->curl = curl_easy_init();
	if (!h->curl) {
		free(h);
		return err_set(err, ERR_NOMEM, "libcurl does not start");
	}
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	free(h);
}

/* Value of header `name` in a line of n bytes: copied without white space at
 * its ends; false if it is another header or does not fit. */
static bool header_value(const char *line, size_t n, const char *name,
			 char *out, size_t out_len)
{
	size_t k = strlen(name);

	if (n <= k || strncasecmp(line, name, k) != 0 || line[k] != ':')
		return false;
	line += k + 1;
	n -= k + 1;
	while (n && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	while (n && strchr(" \t\r\n", line[n - 1]))
		n--;
	if (n >= out_len || memchr(line, '\0', n))
		return false;
	memcpy(out, line, n);
	out[n] = '\0';
	return true;
}

static void cut_parameters(char *type)
{
	char *p;

	type[strcspn(type, "; \t")] = '\0';
	for (p = type; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
}

static size_t on_header(char *line, size_t one, size_t n, void *ctx)
{
	struct http_answer *a = ((struct transfer *)ctx)->answer;

	(void)one;
	if (n > 5 && strncmp(line, "HTTP/", 5) == 0) {
		*a = (struct http_answer){0};
		return n;
	}
	if (header_value(line, n, "Content-Type", a->content_type,
			 sizeof(a->content_type)))
		cut_parameters(a->content_type);
	(void)header_value(line, n, "Location", a->location,
			   sizeof(a->location));
	(void)header_value(line, n, "Docker-Content-Digest", a->content_digest,
			   sizeof(a->content_digest));
	if (a->n_challenges < HTTP_CHALLENGES_MAX &&
	    header_value(line, n, "WWW-Authenticate",
			 a->challenges[a->n_challenges],
			 sizeof(a->challenges[0])))
		a->n_challenges++;
	return n;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	long status = 0;

	(void)one;
	(void)curl_easy_getinfo(t->h->curl, CURLINFO_RESPONSE_CODE, &status);
	t->bytes += n;
	if (status != 200) {
		t->ignored_enough = t->bytes > IGNORED_BODY_MAX;
		return t->ignored_enough ? 0 : n;
	}
	if (t->bytes > t->sink->max)
		t->code = err_set(t->err, ERR_LIMIT,
				  "want at most %llu bytes, have more",
				  (unsigned long long)t->sink->max);
	else
		t->code = t->sink->write(t->sink->ctx, bytes, n, t->err);
	return t->code < 0 ? 0 : n;
}

static int set_fixed(struct http *h)
{
	const struct http_config *c = &h->config;
	struct curl_blob ca = {
		.data = (void *)(uintptr_t)c->ca_pem,
		.len = c->ca_len,
		.flags = CURL_BLOB_NOCOPY,
	};
	CURL *e = h->curl;
	int bad = 0;

	curl_easy_reset(e);
	bad |= (int)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR,
				     c->insecure_http ? "https,http" : "https");
	bad |= (int)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= (int)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	bad |= (int)curl_easy_setopt(e, CURLOPT_PROXY, "");
	bad |= (int)curl_easy_setopt(e, CURLOPT_NETRC, CURL_NETRC_IGNORED);
	bad |= (int)curl_easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	bad |= (int)curl_easy_setopt(e, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	bad |= (int)curl_easy_setopt(e, CURLOPT_SSLVERSION,
				     CURL_SSLVERSION_TLSv1_2);
	bad |= (int)curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	bad |= (int)curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	if (c->ca_len) {
		bad |= (int)curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
		bad |= (int)curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
		bad |= (int)curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &ca);
	}
	bad |= (int)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	bad |= (int)curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	bad |= (int)curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME,
				     c->stall_seconds);
	bad |= (int)curl_easy_setopt(e, CURLOPT_TIMEOUT, c->total_seconds);
	bad |= (int)curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 262144L);
	bad |= (int)curl_easy_setopt(e, CURLOPT_USERAGENT,
				     "reconcile/" RECONCILE_VERSION);
	bad |= (int)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	bad |= (int)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	return bad;
}

static int add_header(struct curl_slist **list, const char *name,
		      const char *value)
{
	char line[20480];
	struct curl_slist *more;
	int n = snprintf(line, sizeof(line), "%s: %s", name, value);

	if (n < 0 || (size_t)n >= sizeof(line))
		return -1;
	more = curl_slist_append(*list, line);
	explicit_bzero(line, (size_t)n);
	if (!more)
		return -1;
	*list = more;
	return 0;
}

static int build_headers(const char *authorization, const char *const *accept,
			 struct curl_slist **list)
{
	int bad = 0;
	size_t i;

	for (i = 0; accept && accept[i]; i++)
		bad |= add_header(list, "Accept", accept[i]);
	if (authorization)
		bad |= add_header(list, "Authorization", authorization);
	return bad;
}

static void free_headers(struct curl_slist *list)
{
	struct curl_slist *p;

	for (p = list; p; p = p->next)
		explicit_bzero(p->data, strlen(p->data));
	curl_slist_free_all(list);
}

struct failure {
	CURLcode curl;
	int code;
	const char *hint; /* NULL: none */
};

static const struct failure failures[] = {
	{CURLE_COULDNT_RESOLVE_HOST, ERR_AGAIN, NULL},
	{CURLE_COULDNT_CONNECT, ERR_AGAIN, NULL},
	{CURLE_OPERATION_TIMEDOUT, ERR_AGAIN, NULL},
	{CURLE_PARTIAL_FILE, ERR_AGAIN, NULL},
	{CURLE_GOT_NOTHING, ERR_AGAIN, NULL},
	{CURLE_SEND_ERROR, ERR_AGAIN, NULL},
	{CURLE_RECV_ERROR, ERR_AGAIN, NULL},
	{CURLE_HTTP2, ERR_AGAIN, NULL},
	{CURLE_HTTP2_STREAM, ERR_AGAIN, NULL},
	{CURLE_SSL_CONNECT_ERROR, ERR_TRUST, NULL},
	{CURLE_PEER_FAILED_VERIFICATION, ERR_TRUST,
	 " (name its authority: \"registry = HOST ca=FILE\")"},
	{CURLE_SSL_CACERT_BADFILE, ERR_TRUST, NULL},
	{CURLE_URL_MALFORMAT, ERR_INPUT, NULL},
	{CURLE_UNSUPPORTED_PROTOCOL, ERR_INPUT, NULL},
	{CURLE_OUT_OF_MEMORY, ERR_NOMEM, NULL},
};

static int explain(CURLcode c, const char *url, const char *detail,
		   struct err *err)
{
	char origin[300], shown[300];
	int code = ERR_SYS;
	const char *hint = "";
	size_t i;

	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (failures[i].curl != c)
			continue;
		code = failures[i].code;
		hint = failures[i].hint ? failures[i].hint : "";
	}
	if (!*detail)
		detail = curl_easy_strerror(c);
	return err_set(
		err, code, "%s: %s%s", http_origin(url, origin, sizeof(origin)),
		text_safe(shown, sizeof(shown), detail, strlen(detail)), hint);
}

int http_get(struct http *h, const char *url, const char *authorization,
	     const char *const *accept, const struct http_sink *sink,
	     struct http_answer *out, struct err *err)
{
	struct transfer t = {.h = h, .sink = sink, .answer = out, .err = err};
	struct curl_slist *headers = NULL;
	char detail[CURL_ERROR_SIZE] = "";
	CURLcode c;
	int r = 0;

	*out = (struct http_answer){0};
	if (set_fixed(h) != 0 ||
	    build_headers(authorization, accept, &headers) != 0 ||
	    curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers) ||
	    curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, detail) ||
	    curl_easy_setopt(h->curl, CURLOPT_HEADERDATA, &t) ||
	    curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &t) ||
	    curl_easy_setopt(h->curl, CURLOPT_URL, url)) {
		r = err_set(err, ERR_SYS, "libcurl refuses an option");
		goto out;
	}
	c = curl_easy_perform(h->curl);
	(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &out->status);
	if (t.code < 0)
		r = t.code;
	else if (c != CURLE_OK && !(c == CURLE_WRITE_ERROR && t.ignored_enough))
		r = explain(c, url, detail, err);
out:
	(void)curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
	(void)curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, NULL);
	free_headers(headers);
	return r;
}

static bool part_is(CURLU *u, CURLUPart part, const char *want)
{
	char *have = NULL;
	bool same;

	if (curl_url_get(u, part, &have, 0) != CURLUE_OK)
		return false;
	same = strcasecmp(have, want) == 0;
	curl_free(have);
	return same;
}

static bool has_part(CURLU *u, CURLUPart part)
{
	char *have = NULL;
	bool has = curl_url_get(u, part, &have, 0) == CURLUE_OK;

	curl_free(have);
	return has;
}

int http_resolve(const struct http *h, const char *base, const char *location,
		 char out[HTTP_URL_BYTES], struct err *err)
{
	CURLU *u = curl_url();
	char *whole = NULL;
	bool base_http = strncmp(base, "http://", 7) == 0;
	int r = 0;

	if (!u)
		return err_set(err, ERR_NOMEM, "out of memory");
	if (curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK ||
	    curl_url_set(u, CURLUPART_URL, location, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_URL, &whole, 0) != CURLUE_OK ||
	    strlen(whole) >= HTTP_URL_BYTES) {
		r = err_set(err, ERR_INPUT, "redirect: not a URL");
		goto out;
	}
	if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
		r = err_set(err, ERR_INPUT, "redirect: credentials in the URL");
	else if (!part_is(u, CURLUPART_SCHEME, "https") &&
		 !(part_is(u, CURLUPART_SCHEME, "http") && base_http &&
		   h->config.insecure_http))
		r = err_set(err, ERR_INPUT,
			    "redirect: want an https:// URL, have another "
			    "scheme");
	else
		memcpy(out, whole, strlen(whole) + 1);
out:
	curl_free(whole);
	curl_url_cleanup(u);
	return r;
}

/* "scheme://host:port", lower case, port always there; "" if not a URL. */
static void origin(const char *url, char *out, size_t len)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL;
	char *p;

	out[0] = '\0';
	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
		    CURLUE_OK)
		(void)snprintf(out, len, "%s://%s:%s", scheme, host, port);
	for (p = out; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
}

bool http_same_origin(const char *a, const char *b)
{
	char x[HTTP_URL_BYTES], y[HTTP_URL_BYTES];

	origin(a, x, sizeof(x));
	origin(b, y, sizeof(y));
	return x[0] && strcmp(x, y) == 0;
}

const char *http_origin(const char *url, char *out, size_t len)
{
	char whole[HTTP_URL_BYTES];

	origin(url, whole, sizeof(whole));
	return text_safe(out, len, whole, strlen(whole));
}

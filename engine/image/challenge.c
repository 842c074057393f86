/*
 * challenge.c - see challenge.h.  Runs in reconcile-pull; hostile input.
 */
#include "engine/image/challenge.h"

#include "lib/json.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define TOKEN_DEPTH_MAX 8
#define TOKEN_DOC_BYTES_MAX 65536

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static size_t token_len(const char *p)
{
	return strcspn(p, " \t,=\"");
}

/* value := token | "quoted" ; out holds CHALLENGE_VALUE_BYTES.  Returns the
 * first byte behind it, NULL when it is broken or too long. */
static const char *read_value(const char *p, char *out)
{
	size_t n = 0;
	bool quoted = *p == '"';

	if (quoted)
		p++;
	while (*p && (quoted ? *p != '"' : !strchr(" \t,", *p))) {
		if (quoted && *p == '\\' && p[1])
			p++;
		if ((unsigned char)*p < 0x20 || *p == 0x7f ||
		    n + 1 >= CHALLENGE_VALUE_BYTES)
			return NULL;
		out[n++] = *p++;
	}
	if (quoted && *p++ != '"')
		return NULL;
	out[n] = '\0';
	return p;
}

static int read_params(const char *p, struct challenge *c, struct err *err)
{
	char value[CHALLENGE_VALUE_BYTES];

	for (p = skip_space(p); *p; p = skip_space(p)) {
		const char *name = p;
		size_t n = token_len(p);

		p = skip_space(p + n);
		if (n == 0 || *p != '=')
			return err_set(err, ERR_INPUT,
				       "WWW-Authenticate: want name=value");
		p = read_value(skip_space(p + 1), value);
		if (!p)
			return err_set(err, ERR_INPUT,
				       "WWW-Authenticate: broken or over-long "
				       "value");
		if (n == 5 && strncasecmp(name, "realm", n) == 0)
			memcpy(c->realm, value, sizeof(value));
		if (n == 7 && strncasecmp(name, "service", n) == 0)
			memcpy(c->service, value, sizeof(value));
		p = skip_space(p);
		if (*p == ',')
			p++;
		else if (*p)
			return err_set(err, ERR_INPUT,
				       "WWW-Authenticate: want ',' between "
				       "parameters");
	}
	return 0;
}

int challenge_parse(const char *value, struct challenge *out, struct err *err)
{
	struct challenge c = {0};
	const char *p = skip_space(value);
	size_t n = token_len(p);
	int r;

	if (n == 5 && strncasecmp(p, "Basic", n) == 0)
		c.scheme = CHALLENGE_BASIC;
	else if (n == 6 && strncasecmp(p, "Bearer", n) == 0)
		c.scheme = CHALLENGE_BEARER;
	if (c.scheme == CHALLENGE_BEARER) {
		r = read_params(p + n, &c, err);
		if (r < 0)
			return r;
		if (strncmp(c.realm, "https://", 8) != 0 &&
		    strncmp(c.realm, "http://", 7) != 0)
			return err_set(err, ERR_INPUT,
				       "WWW-Authenticate: Bearer needs a realm "
				       "with https://");
	}
	*out = c;
	return 0;
}

static bool token_ok(const char *t)
{
	const char *p;

	for (p = t; *p; p++) {
		if (*p <= 0x20 || *p >= 0x7f)
			return false;
	}
	return p != t && p - t < CHALLENGE_TOKEN_BYTES;
}

int challenge_token(const char *json, size_t len,
		    char out[CHALLENGE_TOKEN_BYTES], struct err *err)
{
	json_t *root = NULL;
	const char *t;
	int r;

	/* jansson quotes what it could not read: it could be the token */
	r = json_read(json, len, TOKEN_DOC_BYTES_MAX, TOKEN_DEPTH_MAX, &root,
		      NULL);
	if (r < 0)
		return err_set(err, r,
			       "token answer: not strict JSON of at "
			       "most %d bytes",
			       TOKEN_DOC_BYTES_MAX);
	t = json_string_value(json_object_get(root, "token"));
	if (!t)
		t = json_string_value(json_object_get(root, "access_token"));
	if (!t || !token_ok(t))
		r = err_set(err, ERR_INPUT,
			    "token answer: want \"token\" of visible ASCII");
	else
		memcpy(out, t, strlen(t) + 1);
	json_decref(root);
	return r;
}

/*
 * https_answer.c - see https_answer.h.  Runs in reconcile-fetch after its
 * sandbox; every byte is hostile.  Pure.
 */
#include "reconciler/fetch/https_answer.h"

#include "lib/text.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* The value of header `name` without white space at its ends; false if it is
 * another one or does not fit. */
static bool header_value(const char *line, size_t n, const char *name,
			 char *out, size_t out_len)
{
	size_t k = strlen(name);

	if (n <= k || strncasecmp(line, name, k) != 0 || line[k] != ':')
		return false;
	for (k++; k < n && (line[k] == ' ' || line[k] == '\t'); k++)
		;
	while (n > k && strchr(" \t\r\n", line[n - 1]) != NULL)
		n--;
	if (n - k >= out_len || memchr(line + k, '\0', n - k) != NULL)
		return false;
	memcpy(out, line + k, n - k);
	out[n - k] = '\0';
	return true;
}

int https_answer_header(struct https_answer *a, const char *line, size_t n,
			struct err *err)
{
	a->bytes += n;
#ifndef GUARD_OFF_HEAD
	if (a->bytes > HTTPS_HEAD_BYTES)
		return err_set(err, ERR_LIMIT,
			       "the head of the server's answer is over %u "
			       "bytes",
			       HTTPS_HEAD_BYTES);
#else
	(void)err;
#endif
	(void)header_value(line, n, "Content-Type", a->content_type,
			   sizeof(a->content_type));
	(void)header_value(line, n, "Location", a->location,
			   sizeof(a->location));
	return 0;
}

static const struct {
	long from, to;
	int code;
	const char *what;
} statuses[] = {
	{401, 401, ERR_DENIED,
	 "the server wants a credential, or another one "
	 "(repository.credential_file)"},
	{403, 403, ERR_DENIED, "the server refuses this reader"},
	{404, 404, ERR_NOTFOUND,
	 "no such repository on the server, or not for this reader"},
	{410, 410, ERR_NOTFOUND, "the repository is gone from the server"},
	{408, 408, ERR_AGAIN, "the server is too slow for itself"},
	{429, 429, ERR_AGAIN, "the server wants fewer requests"},
	{500, 599, ERR_AGAIN, "the server is out of order"},
};

static int redirected(const struct https_answer *a, long status,
		      struct err *err)
{
	char shown[400];

	return err_set(err, ERR_INPUT,
		       "the server redirects (status %ld) to \"%s\", which is "
		       "never followed: if that is right, write it as "
		       "repository.url",
		       status,
		       text_safe(shown, sizeof(shown), a->location,
				 strlen(a->location)));
}

int https_answer_check(const struct https_answer *a, long status,
		       const char *want, struct err *err)
{
	char shown[160];
	size_t n = strcspn(a->content_type, "; \t");

	if (status >= 300 && status <= 399)
		return redirected(a, status, err);
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (status >= statuses[i].from && status <= statuses[i].to)
			return err_set(err, statuses[i].code, "%s (status %ld)",
				       statuses[i].what, status);
	if (status != 200)
		return err_set(err, ERR_PROTO, "want status 200, have %ld",
			       status);
#ifndef GUARD_OFF_CONTENT_TYPE
	if (n != strlen(want) || strncasecmp(a->content_type, want, n) != 0)
		return err_set(err, ERR_PROTO,
			       "want content type %s, have \"%s\": this is no "
			       "repository of a git server",
			       want,
			       text_safe(shown, sizeof(shown), a->content_type,
					 strlen(a->content_type)));
#else
	(void)shown;
	(void)want;
	(void)n;
#endif
	return 0;
}

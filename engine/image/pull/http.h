/*
 * http.h - one HTTP GET at a time through libcurl: no redirects followed, no
 * proxy, no cookies, no netrc, no content decoding; TLS 1.2 or newer checked
 * against the given authorities or the system's.
 */
#ifndef ENGINE_IMAGE_PULL_HTTP_H
#define ENGINE_IMAGE_PULL_HTTP_H

#include "lib/err.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_URL_BYTES 8192
#define HTTP_CHALLENGES_MAX 4

struct http_config {
	const void *ca_pem; /* borrowed for the life of the handle */
	size_t ca_len;	    /* 0: the system's */
	bool insecure_http; /* http:// URLs are allowed */
	long stall_seconds;
	long total_seconds; /* one transfer */
};

/* Where the body of a 200 goes; a negative return ends the transfer with that
 * code and err. */
struct http_sink {
	int (*write)(void *ctx, const char *bytes, size_t len, struct err *err);
	void *ctx;
	uint64_t max; /* bytes; more is ERR_LIMIT */
};

struct http_answer {
	long status;
	char content_type[256];	       /* without parameters, lower case */
	char location[HTTP_URL_BYTES]; /* "" if none */
	char content_digest[256];      /* Docker-Content-Digest, "" if none */
	char challenges[HTTP_CHALLENGES_MAX][2048];
	size_t n_challenges;
};

struct http;

int http_new(const struct http_config *config, struct http **out,
	     struct err *err);
void http_free(struct http *h);
/* GET.  authorization: value of that header or NULL (secret, never in a
 * message); accept: n values or NULL.  ERR_AGAIN: not reachable, stalled or
 * cut; ERR_TRUST: TLS; ERR_LIMIT; the sink's code. */
int http_get(struct http *h, const char *url, const char *authorization,
	     const char *const *accept, const struct http_sink *sink,
	     struct http_answer *out, struct err *err);
/* location as seen from base.  ERR_INPUT: not a URL, credentials in it, or a
 * scheme that is not allowed (https; http only if insecure_http and base is
 * http too). */
int http_resolve(const struct http *h, const char *base, const char *location,
		 char out[HTTP_URL_BYTES], struct err *err);
/* Same scheme, host and port. */
bool http_same_origin(const char *a, const char *b);
/* "https://host:port" of a URL for messages: no path, no query. */
const char *http_origin(const char *url, char *out, size_t len);

#endif

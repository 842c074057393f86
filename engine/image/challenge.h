/*
 * challenge.h - the WWW-Authenticate header of a registry (RFC 9110 section
 * 11.6.1; distribution-spec token authentication) and the token answer.  Pure.
 */
#ifndef ENGINE_IMAGE_CHALLENGE_H
#define ENGINE_IMAGE_CHALLENGE_H

#include "lib/err.h"

#include <stddef.h>

enum challenge_scheme {
	CHALLENGE_NONE,
	CHALLENGE_BASIC,
	CHALLENGE_BEARER,
};

#define CHALLENGE_VALUE_BYTES 512

struct challenge {
	enum challenge_scheme scheme;
	char realm[CHALLENGE_VALUE_BYTES];   /* Bearer: URL of the issuer */
	char service[CHALLENGE_VALUE_BYTES]; /* Bearer: may be "" */
};

/* One header value with one challenge in it.  An unknown scheme gives
 * CHALLENGE_NONE; a Bearer without an http(s) realm, a value over
 * CHALLENGE_VALUE_BYTES or broken quoting is ERR_INPUT. */
int challenge_parse(const char *value, struct challenge *out, struct err *err);

#define CHALLENGE_TOKEN_BYTES 16384

/* "token" or "access_token" of the issuer's JSON; visible ASCII only.
 * The token is a secret: the caller wipes out. */
int challenge_token(const char *json, size_t len,
		    char out[CHALLENGE_TOKEN_BYTES], struct err *err);

#endif

/*
 * fuzz_challenge - WWW-Authenticate headers and the token answer of a registry.
 * A realm that is accepted is an http(s) URL; a token is visible ASCII.
 */
#include "engine/image/challenge.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char token[CHALLENGE_TOKEN_BYTES];
	char *text = calloc(1, size + 1);
	struct challenge c;
	struct err err;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	if (challenge_parse(text, &c, &err) == 0 &&
	    c.scheme == CHALLENGE_BEARER &&
	    strncmp(c.realm, "http://", 7) != 0 &&
	    strncmp(c.realm, "https://", 8) != 0)
		abort();
	if (challenge_token(text, size, token, &err) == 0)
		for (const char *p = token; *p; p++)
			if (*p < '!' || *p > '~')
				abort();
	free(text);
	return 0;
}

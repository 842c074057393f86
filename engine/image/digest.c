/*
 * digest.c - see digest.h.  Runs in reconcile-pull, reconcile-unpack and in
 * the agent; the text is hostile (E46: a malformed digest must never become a
 * path).
 */
#include "engine/image/digest.h"

#include "lib/hash.h"
#include "lib/text.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_BYTES 128

bool digest_is_valid(const char *text)
{
	if (!text || strncmp(text, "sha256:", DIGEST_PREFIX_LEN) != 0)
		return false;
	return text_is_hex(text + DIGEST_PREFIX_LEN, 64);
}

int digest_check(const char *text, const char *what, struct err *err)
{
	char shown[SHOWN_BYTES];

	if (!text)
		return err_set(err, ERR_INPUT, "%s: digest is missing", what);
	if (digest_is_valid(text))
		return 0;
	text_safe(shown, sizeof(shown), text, strlen(text));
	if (strncmp(text, "sha512:", 7) == 0 && text_is_hex(text + 7, 128))
		return err_set(err, ERR_INPUT,
			       "%s: want a sha256 digest, have %s", what,
			       shown);
	return err_set(err, ERR_INPUT,
		       "%s: want sha256: and 64 lower-case hex digits, have "
		       "\"%s\"",
		       what, shown);
}

const char *digest_hex(const char *digest)
{
	return digest + DIGEST_PREFIX_LEN;
}

void digest_of(const void *bytes, size_t len, char out[DIGEST_BYTES])
{
	char hex[HASH_HEX];

	hash_sha256_hex(bytes, len, hex);
	(void)snprintf(out, DIGEST_BYTES, "sha256:%s", hex);
}

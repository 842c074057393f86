/*
 * digest.h - the one grammar of content digests (OCI image-spec, descriptor.md
 * "Digests"): "sha256:" and 64 lower-case hex digits.  Pure.  The registered
 * sha512 form is well formed but refused by name: nothing here writes it.
 */
#ifndef ENGINE_IMAGE_DIGEST_H
#define ENGINE_IMAGE_DIGEST_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_BYTES 72 /* "sha256:" + 64 + NUL */
#define DIGEST_PREFIX_LEN 7

/* Exactly the grammar and nothing behind it. */
bool digest_is_valid(const char *text);
/* As digest_is_valid() with a reason; what names the place for the message.
 * ERR_INPUT.  text may be NULL ("missing"). */
int digest_check(const char *text, const char *what, struct err *err);
/* The 64 hex digits; precondition: digest_is_valid().  Borrowed from digest. */
const char *digest_hex(const char *digest);
/* "sha256:..." of bytes. */
void digest_of(const void *bytes, size_t len, char out[DIGEST_BYTES]);

#endif

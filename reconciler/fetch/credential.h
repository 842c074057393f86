/*
 * credential.h - what may be read from a repository behind https, from a file
 * that nobody else can read.  One line:
 *
 *   bearer TOKEN            Authorization: Bearer TOKEN
 *   basic USER:PASSWORD     Authorization: Basic ..., for most forges' tokens
 */
#ifndef RECONCILER_FETCH_CREDENTIAL_H
#define RECONCILER_FETCH_CREDENTIAL_H

#include "lib/err.h"

#include <stddef.h>

#define CREDENTIAL_HEADER_BYTES 8192

/* The whole header into out; the caller wipes it.  ERR_INPUT, ERR_NOTFOUND
 * (no file), ERR_DENIED (others can read it).  No message has its content. */
int credential_read(const char *path, char out[CREDENTIAL_HEADER_BYTES],
		    struct err *err);

#endif

/*
 * blob.h - writing into the blob store: a blob is seen under its digest only
 * when every byte has been hashed and the digest matched (row P/L12).
 */
#ifndef ENGINE_IMAGE_PULL_BLOB_H
#define ENGINE_IMAGE_PULL_BLOB_H

#include "engine/image/digest.h"
#include "lib/err.h"
#include "lib/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob {
	int dir; /* borrowed: folder of the blobs */
	int fd;	 /* temporary file, -1 when none */
	char temp[96];
	char digest[DIGEST_BYTES]; /* wanted */
	uint64_t size;		   /* wanted, bytes */
	uint64_t have;
	struct hash *hash;
};

/* True when a blob of this size is there (its hash was checked when it was
 * written). */
bool blob_exists(int dir, const char *digest, uint64_t size);
/* A locked temporary file in dir. */
int blob_init(struct blob *b, int dir, const char *digest, uint64_t size,
	      struct err *err);
/* ERR_TRUST when there are more than size bytes. */
int blob_write(struct blob *b, const char *bytes, size_t len, struct err *err);
/* Compares size and digest (ERR_TRUST), fsyncs and gives it its name. */
int blob_commit(struct blob *b, struct err *err);
/* Removes what was not committed. */
void blob_release(struct blob *b);

#endif

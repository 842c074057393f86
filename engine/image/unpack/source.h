/*
 * source.h - the uncompressed bytes of a layer, counted and hashed as they
 * pass, so that the diff id covers every byte that the tar reader could see
 * and every byte behind it.
 */
#ifndef ENGINE_IMAGE_UNPACK_SOURCE_H
#define ENGINE_IMAGE_UNPACK_SOURCE_H

#include "engine/image/oci_type.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

struct source_limits {
	uint64_t max_bytes; /* uncompressed */
	uint32_t max_ratio; /* uncompressed : compressed */
};

struct source;

/* fd is borrowed.  ERR_INPUT: the bytes are not what the media type says. */
int source_new(int fd, enum oci_compression compression,
	       const struct source_limits *limits, struct source **out,
	       struct err *err);
void source_free(struct source *s);
/* The next run of bytes, borrowed until the next call; *out_len 0 at the end.
 * ERR_INPUT damaged, ERR_LIMIT over a limit. */
int source_read(struct source *s, const void **out, size_t *out_len,
		struct err *err);
/* Reads to the end and compares; ERR_TRUST when the digest is another. */
int source_finish(struct source *s, const char *diff_id, struct err *err);
uint64_t source_bytes(const struct source *s);

#endif

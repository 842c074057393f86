/*
 * source.c - see source.h.  Runs in reconcile-unpack; hostile input. libarchive
 * decompresses with exactly one filter enabled, that of the media type, and its
 * "raw" format; the tar reader sits on top (layer.c) with no filter at all.
 */
#include "engine/image/unpack/source.h"

#include "engine/image/digest.h"
#include "lib/encode.h"
#include "lib/hash.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES ((size_t)256 * 1024)
/* below this a high ratio harms nobody: honest layers have runs of zeros */
#define RATIO_FLOOR_BYTES ((uint64_t)64 << 20)

struct source {
	int fd;
	struct archive *raw; /* NULL: not compressed */
	struct source_limits limits;
	struct hash *hash;
	char *in; /* READ_BYTES, compressed */
	uint64_t in_bytes;
	uint64_t bytes;
	bool end;
};

static la_ssize_t read_fd(struct source *s)
{
	ssize_t n;

	do {
		n = read(s->fd, s->in, READ_BYTES);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		s->in_bytes += (uint64_t)n;
	return n;
}

static la_ssize_t on_read(struct archive *a, void *ctx, const void **out)
{
	struct source *s = ctx;
	la_ssize_t n = read_fd(s);

	if (n < 0)
		archive_set_error(a, errno, "read of the blob failed");
	*out = s->in;
	return n < 0 ? ARCHIVE_FATAL : n;
}

struct filter {
	const char *name;
	int code;
	int (*enable)(struct archive *a);
};

static const struct filter filters[] = {
	[OCI_COMPRESSION_GZIP] = {"gzip", ARCHIVE_FILTER_GZIP,
				  archive_read_support_filter_gzip},
	[OCI_COMPRESSION_ZSTD] = {"zstd", ARCHIVE_FILTER_ZSTD,
				  archive_read_support_filter_zstd},
};

static int open_raw(struct source *s, const struct filter *f, struct err *err)
{
	struct archive_entry *unused;
	int c;

	s->raw = archive_read_new();
	if (!s->raw)
		return err_set(err, ERR_NOMEM, "out of memory");
	if (f->enable(s->raw) != ARCHIVE_OK ||
	    archive_read_support_format_raw(s->raw) != ARCHIVE_OK)
		return err_set(err, ERR_SYS, "libarchive has no %s", f->name);
	c = archive_read_open(s->raw, s, NULL, on_read, NULL);
	if (c == ARCHIVE_OK && archive_filter_code(s->raw, 0) != f->code)
		return err_set(err, ERR_INPUT,
			       "want %s data as the media type says", f->name);
	/* libarchive would undo the same compression again and again; the
	 * other one that it counts is the plain reader */
	if (c == ARCHIVE_OK && archive_filter_count(s->raw) != 2)
		return err_set(err, ERR_INPUT, "%s data within %s data",
			       f->name, f->name);
	if (c == ARCHIVE_OK)
		c = archive_read_next_header(s->raw, &unused);
	if (c == ARCHIVE_EOF) {
		s->end = true;
		return 0;
	}
	if (c != ARCHIVE_OK)
		return err_set(err, ERR_INPUT, "want %s data: %s", f->name,
			       archive_error_string(s->raw)
				       ? archive_error_string(s->raw)
				       : "damaged");
	return 0;
}

int source_new(int fd, enum oci_compression compression,
	       const struct source_limits *limits, struct source **out,
	       struct err *err)
{
	struct source *s = calloc(1, sizeof(*s));
	int r = 0;

	if (!s)
		return err_set(err, ERR_NOMEM, "out of memory");
	s->fd = fd;
	s->limits = *limits;
	s->hash = hash_new();
	s->in = malloc(READ_BYTES);
	if (!s->in)
		r = err_set(err, ERR_NOMEM, "out of memory");
	else if (compression != OCI_COMPRESSION_NONE)
		r = open_raw(s, &filters[compression], err);
	if (r < 0) {
		source_free(s);
		return r;
	}
	*out = s;
	return 0;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	if (s->raw)
		(void)archive_read_free(s->raw);
	hash_free(s->hash);
	free(s->in);
	free(s);
}

static int check_limits(const struct source *s, struct err *err)
{
	uint64_t ratio = s->limits.max_ratio;

	if (s->bytes > s->limits.max_bytes)
		return err_set(err, ERR_LIMIT,
			       "layer: want at most %llu bytes uncompressed, "
			       "have more",
			       (unsigned long long)s->limits.max_bytes);
#ifndef GUARD_OFF_RATIO
	if (ratio && s->bytes > RATIO_FLOOR_BYTES &&
	    s->bytes / ratio > s->in_bytes)
		return err_set(err, ERR_LIMIT,
			       "layer: expands more than %llu-fold",
			       (unsigned long long)ratio);
#else
	(void)ratio;
#endif
	return 0;
}

static int read_some(struct source *s, const void **out, size_t *out_len,
		     struct err *err)
{
	la_int64_t offset;
	la_ssize_t n;
	int c;

	if (!s->raw) {
		n = read_fd(s);
		if (n < 0)
			return err_sys(err, errno, "read of the blob");
		*out = s->in;
		*out_len = (size_t)n;
		s->end = n == 0;
		return 0;
	}
	c = archive_read_data_block(s->raw, out, out_len, &offset);
	if (c == ARCHIVE_EOF) {
		*out_len = 0;
		s->end = true;
		return 0;
	}
	if (c != ARCHIVE_OK)
		return err_set(err, ERR_INPUT, "damaged data: %s",
			       archive_error_string(s->raw)
				       ? archive_error_string(s->raw)
				       : "no reason given");
	return 0;
}

int source_read(struct source *s, const void **out, size_t *out_len,
		struct err *err)
{
	int r = 0;

	*out_len = 0;
	/* an empty run is not the end for a compressed stream */
	while (r == 0 && !s->end && *out_len == 0)
		r = read_some(s, out, out_len, err);
	if (r < 0)
		return r;
	s->bytes += *out_len;
	hash_add(s->hash, *out, *out_len);
	return check_limits(s, err);
}

int source_finish(struct source *s, const char *diff_id, struct err *err)
{
	uint8_t sum[HASH_BYTES];
	char hex[HASH_HEX];
	const void *unused;
	size_t n;
	int r;

	do {
		r = source_read(s, &unused, &n, err);
	} while (r == 0 && n > 0);
	if (r < 0)
		return r;
	hash_end(s->hash, sum);
	encode_hex(hex, sum, sizeof(sum));
#ifndef GUARD_OFF_DIFF_ID
	if (strcmp(hex, digest_hex(diff_id)) != 0)
		return err_set(err, ERR_TRUST,
			       "layer: want diff id %s, have sha256:%s",
			       diff_id, hex);
#else
	(void)diff_id;
#endif
	return 0;
}

uint64_t source_bytes(const struct source *s)
{
	return s->bytes;
}

/*
 * buf.h - a growable byte buffer with a hard maximum.
 *
 * Life: buf_init() in the caller's storage, buf_release().  Invariants: data is
 * NUL terminated whenever it is not NULL (the NUL is not counted in len); after
 * a failed append `failed` stays true, further appends do nothing, and
 * buf_check() reports it once: callers may append freely and check at the end.
 */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* owned; NULL while empty */
	size_t len;
	size_t cap;
	size_t max; /* len never exceeds it */
	bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
void buf_reset(struct buf *b); /* len = 0, keeps memory */
void buf_put(struct buf *b, const void *bytes, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Room for len more bytes behind the end, NULL if there cannot be; write there,
 * then say with buf_commit() how many were written.  Borrowed until the next
 * call. */
char *buf_reserve(struct buf *b, size_t len);
void buf_commit(struct buf *b, size_t len);
/* 0, or ERR_LIMIT / ERR_NOMEM if any append failed. */
int buf_check(const struct buf *b, struct err *err);
/* Hands the bytes over (caller frees with free()); b is empty afterwards. */
char *buf_steal(struct buf *b, size_t *out_len);

#endif

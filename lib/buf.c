/* buf.c - a growable byte buffer with a hard maximum.  Heap only. */
#include "lib/buf.h"
#include "lib/num.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 64

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

/* After true there is room for `more` bytes and a NUL. */
static bool make_room(struct buf *b, size_t more)
{
	size_t need, cap;
	char *data;

	if (b->failed)
		return false;
	if (!num_add(b->len, more, &need) || need > b->max ||
	    !num_add(need, 1, &need))
		goto fail;
	if (need <= b->cap)
		return true;
	cap = b->cap ? b->cap : FIRST_BYTES;
	while (cap < need)
		if (!num_mul(cap, 2, &cap))
			goto fail;
	data = realloc(b->data, cap);
	if (!data)
		goto fail;
	b->data = data;
	b->cap = cap;
	return true;
fail:
	b->failed = true;
	return false;
}

char *buf_reserve(struct buf *b, size_t len)
{
	return make_room(b, len) ? b->data + b->len : NULL;
}

void buf_commit(struct buf *b, size_t len)
{
	assert(b->data && len < b->cap - b->len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_put(struct buf *b, const void *bytes, size_t len)
{
	if (!make_room(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, bytes, len);
	buf_commit(b, len);
}

void buf_puts(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

void buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!make_room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf_commit(b, (size_t)n);
}

int buf_check(const struct buf *b, struct err *err)
{
	if (!b->failed)
		return 0;
	return err_set(err, ERR_LIMIT,
		       "text of more than %zu bytes, or out of memory", b->max);
}

char *buf_steal(struct buf *b, size_t *out_len)
{
	char *data = b->data;

	if (out_len)
		*out_len = b->len;
	*b = (struct buf){.max = b->max};
	return data;
}

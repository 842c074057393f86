/*
 * arena.c - chunks in a list, the newest first; allocation moves a pointer.
 * Chunks come zeroed from calloc() and are never reused within a run.
 */
#include "lib/arena.h"
#include "lib/num.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)64 * 1024)
#define ALIGN alignof(max_align_t)

struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t data[];
};

struct arena {
	struct chunk *head;
	size_t used, max;
};

struct arena *arena_new(size_t max_bytes)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->max = max_bytes;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->head) {
		struct chunk *next = a->head->next;

		free(a->head);
		a->head = next;
	}
	free(a);
}

static void add_chunk(struct arena *a, size_t size)
{
	size_t want = size > CHUNK_BYTES / 4 ? size : CHUNK_BYTES;
	struct chunk *c;
	size_t bytes;

	if (!num_add(want, sizeof(*c), &bytes))
		abort();
	c = calloc(1, bytes);
	if (!c)
		abort();
	c->size = want;
	/* a big block does not close the chunk that still has room */
	if (a->head && want == size) {
		c->next = a->head->next;
		a->head->next = c;
		return;
	}
	c->next = a->head;
	a->head = c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t bytes;
	struct chunk *c;
	void *p;

	if (!num_add(size ? size : 1, ALIGN - 1, &bytes))
		abort();
	bytes &= ~(ALIGN - 1);
	if (bytes > a->max - a->used)
		abort();
	a->used += bytes;
	c = a->head;
	if (!c || c->size - c->used < bytes) {
		add_chunk(a, bytes);
		c = a->head;
		if (c->size - c->used < bytes)
			c = c->next;
	}
	p = (unsigned char *)c->data + c->used;
	c->used += bytes;
	return p;
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
	size_t bytes;

	if (!num_mul(count, size, &bytes))
		abort();
	return arena_alloc(a, bytes);
}

char *arena_strdup(struct arena *a, const char *text)
{
	return text ? arena_strndup(a, text, strlen(text)) : NULL;
}

char *arena_strndup(struct arena *a, const char *bytes, size_t len)
{
	size_t need;
	char *p;

	if (!num_add(len, 1, &need))
		abort();
	p = arena_alloc(a, need);
	if (len > 0)
		memcpy(p, bytes, len);
	return p;
}

void *arena_memdup(struct arena *a, const void *bytes, size_t len)
{
	void *p = arena_alloc(a, len);

	if (len > 0)
		memcpy(p, bytes, len);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

/*
 * arena.h - memory that lives as long as one run: trees (manifests, plans,
 * specs) are allocated here and nothing in them is freed singly.
 *
 * Allocation never returns NULL: over `max_bytes` or out of memory ends the
 * process with abort(); programs that parse hostile bytes set limits on their
 * input so that this is not reached.
 */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(size_t max_bytes);
void arena_free(struct arena *a); /* NULL allowed */
/* Zeroed, aligned for any type; size 0 gives a unique pointer. Borrowed until
 * arena_free(). */
void *arena_alloc(struct arena *a, size_t size);
void *arena_calloc(struct arena *a, size_t count, size_t size);
char *arena_strdup(struct arena *a, const char *text); /* NULL -> NULL */
char *arena_strndup(struct arena *a, const char *bytes, size_t len);
void *arena_memdup(struct arena *a, const void *bytes, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *a);

#endif

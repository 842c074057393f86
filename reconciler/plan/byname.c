/*
 * byname.c - open addressing over FNV-1a.  Pure.  Half of the slots stay empty,
 * so a search ends.
 */
#include "reconciler/plan/byname.h"

#include <stdbool.h>
#include <string.h>

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)
#define SLOTS_MIN 16

static uint64_t add_text(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * FNV_PRIME;
	return (h ^ '/') * FNV_PRIME;
}

void byname_init(struct byname *x, size_t n, struct arena *arena)
{
	size_t slots = SLOTS_MIN;

	while (slots < 2 * n)
		slots *= 2;
	x->slots = arena_calloc(arena, slots, sizeof(*x->slots));
	x->mask = slots - 1;
}

/* The slot of that name, or the empty one where it belongs. */
static struct byname_slot *find(const struct byname *x, const char *kind,
				const char *namespace, const char *name)
{
	uint64_t h = add_text(FNV_OFFSET, kind);

	h = add_text(add_text(h, namespace), name);
	for (size_t i = (size_t)(h ^ h >> 32) & x->mask;;
	     i = (i + 1) & x->mask) {
		struct byname_slot *s = &x->slots[i];

		if (!s->kind)
			return s;
		if (strcmp(s->name, name) == 0 && strcmp(s->kind, kind) == 0 &&
		    strcmp(s->namespace, namespace) == 0)
			return s;
	}
}

void byname_put(struct byname *x, const char *kind, const char *namespace,
		const char *name, size_t value)
{
	const char *ns = namespace ? namespace : "";
	struct byname_slot *s = find(x, kind, ns, name);

	if (!s->kind)
		*s = (struct byname_slot){kind, ns, name, value};
}

size_t byname_get(const struct byname *x, const char *kind,
		  const char *namespace, const char *name)
{
	const struct byname_slot *s;

	if (!kind || !name)
		return BYNAME_NONE;
	s = find(x, kind, namespace ? namespace : "", name);
	return s->kind ? s->value : BYNAME_NONE;
}

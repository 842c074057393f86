/*
 * byname.h - finds an object by kind, namespace and name in constant time.
 * Private to reconciler/plan.  Filled from the signed set only, so its size is
 * bounded; asked with names from reports too.
 */
#ifndef RECONCILER_PLAN_BYNAME_H
#define RECONCILER_PLAN_BYNAME_H

#include "lib/arena.h"

#include <stddef.h>
#include <stdint.h>

#define BYNAME_NONE SIZE_MAX

struct byname_slot {
	const char *kind, *namespace, *name; /* borrowed; kind NULL: empty */
	size_t value;
};

struct byname {
	struct byname_slot *slots;
	size_t mask; /* slots - 1, a power of two less one */
};

/* Room for n entries. */
void byname_init(struct byname *x, size_t n, struct arena *arena);
/* namespace NULL is the same as "". A second entry of the same name is left. */
void byname_put(struct byname *x, const char *kind, const char *namespace,
		const char *name, size_t value);
/* BYNAME_NONE when absent; NULL arguments are never found (namespace apart). */
size_t byname_get(const struct byname *x, const char *kind,
		  const char *namespace, const char *name);

#endif

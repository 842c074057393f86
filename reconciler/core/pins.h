/* pins.h - images by tag and the digests they stand for (deviation D7). */
#ifndef RECONCILER_CORE_PINS_H
#define RECONCILER_CORE_PINS_H

#include "reconciler/core/core.h"

/* Code of the error that is nobody's fault: try again. */
#define PINS_UNREACHABLE "R403"

/* Resolves every image of want that has no digest, once each, and puts the list
 * into w.  A registry that does not answer: the digest of before (from the
 * store) with warning R401, else error R403 in
 * diags; one that says no: R402. */
int pins_resolve(struct core *c, const struct snapshot *want, struct world *w,
		 struct arena *arena, struct diags *diags, struct err *err);

#endif

/*
 * clockfloor.h - time that does not run backwards: a clock that is set back
 * must not make an expired key or a stale repository good again (A90).
 */
#ifndef RECONCILER_CORE_CLOCKFLOOR_H
#define RECONCILER_CORE_CLOCKFLOOR_H

#include "reconciler/core/core.h"

/* Unix seconds for validity and freshness: the clock, or the latest time that
 * the state remembers, to ten minutes. */
int clockfloor_now(struct core *c, int64_t *out, struct err *err);
/* The clock is right as it is now: part of an operator's re-anchoring, after it
 * was wrong the other way. */
int clockfloor_reset(struct core *c, struct err *err);

#endif

/*
 * savedplan.h - a plan as a file, with digests of everything that it rests on:
 * docs/plan-format.md, "Saved plans".
 *
 * The file is not believed.  Whoever carries it out makes the whole document
 * again, of what is so now, and compares.
 */
#ifndef RECONCILER_CORE_SAVEDPLAN_H
#define RECONCILER_CORE_SAVEDPLAN_H

#include "lib/buf.h"
#include "reconciler/core/pass.h"

/* The document of p, which has a snapshot. */
int savedplan_write(struct core *c, const struct pass_result *p,
		    struct arena *arena, struct buf *out, struct err *err);
/* *out_why: what has changed since saved was written, in words for people, in
 * arena; NULL: nothing.  ERR_INPUT: saved is no such document. */
int savedplan_compare(const struct buf *saved, const struct buf *now,
		      struct arena *arena, const char **out_why,
		      struct err *err);
/* The first change of step that is not in whole; NULL: all are. */
const struct plan_change *savedplan_foreign(const struct plan *whole,
					    const struct plan *step);

#endif

/*
 * pass.h - one pass: fetch, verify, plan, and unless it is a dry run record,
 * apply, and wait until the hosts have converged.
 */
#ifndef RECONCILER_CORE_PASS_H
#define RECONCILER_CORE_PASS_H

#include "reconciler/core/core.h"
#include "reconciler/core/target.h"

#include <signal.h>

struct pass_options {
	bool dry_run;
	bool allow_deletes; /* beyond policy.maxDeletePercent */
	int64_t timeout_s;  /* 0: act, wait for nobody; -1: as configured */
	const struct buf *saved; /* carry out this saved plan, or nothing of
				  * it; NULL: whatever is to be done */
	const volatile sig_atomic_t *stop; /* not 0: end soon; may be NULL */
};

struct pass_result {
	int exit; /* enum core_exit */
	struct pass_target target;
	struct world world;  /* as planned upon */
	struct plan plan;    /* the whole way */
	struct diags diags;  /* of the plan */
	bool acted;	     /* anything was done */
	bool remembered;     /* nothing has changed since the last pass */
	const char *summary; /* one line for people */
};

/* Everything in *out lives in arena.  Returns 0 with out->exit set for all that
 * is decided (also refusals); a negative code when it could not be carried
 * out. */
int pass_run(struct core *c, const struct pass_options *options,
	     struct arena *arena, struct pass_result *out, struct err *err);

#endif

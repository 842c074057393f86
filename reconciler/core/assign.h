/*
 * assign.h - from the store to what each host is told: the whole list of its
 * pods, stamped with an epoch, after the git objects that prove it.
 */
#ifndef RECONCILER_CORE_ASSIGN_H
#define RECONCILER_CORE_ASSIGN_H

#include "reconciler/core/core.h"
#include "reconciler/core/fleet.h"

/* The number after the last epoch given; stored at once. */
int assign_next_epoch(struct core *c, uint64_t *out, struct err *err);
/* Sends host the objects of commit (what it lacks) and its assignment under
 * epoch, and remembers epoch as the host's.  w: the store's world. */
int assign_send(struct core *c, const char *host, const char *commit,
		uint64_t epoch, const struct snapshot *want,
		const struct world *w, struct err *err);
/* True when the host has neither commit nor the epoch that the store gave it.
 */
bool assign_is_stale(struct core *c, const struct world_host *h,
		     const char *commit);

#endif

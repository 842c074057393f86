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
/* Stores epoch as the one that host is to have; in the transaction that changes
 * its pods, before anything is sent: whoever comes after a crash sees that the
 * host is behind. */
int assign_reserve(struct core *c, const char *host, uint64_t epoch,
		   struct err *err);
/* After that transaction, for all of its hosts before the first is sent to:
 * what they have is old from now on. */
void assign_mark(struct core *c, const char *host, uint64_t epoch);
/* Sends host the objects of commit (what it lacks) and its assignment under
 * epoch, which was reserved.  Nothing when it is not connected, or no more: the
 * next turn finds it stale.  w: the store's world. */
int assign_send(struct core *c, const char *host, const char *commit,
		uint64_t epoch, const struct snapshot *want,
		const struct world *w, struct err *err);
/* True when the host has neither commit nor the epoch that the store gave it.
 */
bool assign_is_stale(struct core *c, const struct world_host *h,
		     const char *commit);
/* True when its newest assignment was sent in this session already. */
bool assign_is_given(const struct fleet_host *l, const char *commit);

#endif

/* observe.h - the world: the store and the hosts' reports, laid over each
 * other. */
#ifndef RECONCILER_CORE_OBSERVE_H
#define RECONCILER_CORE_OBSERVE_H

#include "reconciler/core/core.h"
#include "reconciler/core/fleet.h"

/* Reads the store into out and lays the reports of the fleet over it: phases
 * and readiness of assigned pods, pods that a host runs without being assigned
 * (assigned false), pods that a host has lost (LOST), states of hosts.  Without
 * a fleet the stored phases stand.  A core that holds the lock stores at once
 * when a pod ended or ceased to be ready; not inside a transaction. */
int observe_world(struct core *c, struct arena *arena, struct world *out,
		  struct err *err);
/* Writes the observed phases of pods and hosts back to the store, so that
 * `status` and --dry-run have them without a channel. */
int observe_store(struct core *c, const struct world *w, struct err *err);
/* Drops the records of Jobs that have run (rows not assigned) and that want
 * does not have any more, or with another template. */
int observe_forget(struct core *c, const struct snapshot *want,
		   const struct world *w, struct err *err);

#endif

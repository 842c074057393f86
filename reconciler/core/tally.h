/* tally.h - why the fleet is not there yet, counted and in words. */
#ifndef RECONCILER_CORE_TALLY_H
#define RECONCILER_CORE_TALLY_H

#include "reconciler/core/core.h"

struct tally {
	size_t behind, lost_with_pods, refused, not_ready;
	const char *first; /* one of them in words; in arena */
};

/* Of the hosts and pods of w on their way to commit. */
void tally_hosts(struct core *c, const struct world *w, const char *commit,
		 struct arena *arena, struct tally *t);

#endif

/* batch.h - the changes that are carried out together, as they enter the store.
 */
#ifndef RECONCILER_CORE_BATCH_H
#define RECONCILER_CORE_BATCH_H

#include "reconciler/core/execution.h"

struct batch { /* changes that are carried out together */
	const struct plan_change **list;
	const char **uids;
	size_t n;
	uint64_t epoch;
	const struct world *w;
	const bool *concerned; /* by host of w */
};

/* One transaction, after the intents are durable and before a host hears of it;
 * scratch from arena.  On failure nothing of it is in the store. */
int batch_store(struct execution *x, const struct batch *b, struct arena *arena,
		struct err *err);

#endif

/* podindex.h - the pods of a world by uid and host. */
#ifndef RECONCILER_CORE_PODINDEX_H
#define RECONCILER_CORE_PODINDEX_H

#include "reconciler/world.h"

#include <stddef.h>

/* The n_pods pods of w in order of their uid; free() it, NULL when there is no
 * memory.  A uid may be there twice: on its host, and on one that lies. */
const struct world_pod **podindex_new(const struct world *w);
/* NULL when host has no such pod. */
const struct world_pod *podindex_find(const struct world_pod *const *index,
				      size_t n, const char *uid,
				      const char *host);

#endif

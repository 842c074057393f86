/*
 * fetcher.h - the manager's side of reconcile-fetch: which commit the followed
 * ref names, its objects in the mirror, and packs for hosts.
 *
 * A single pass starts one reconcile-fetch, which finds out in one round trip
 * whether there is anything to bring.  A daemon keeps one (struct core's
 * fetcher) that looks on a kept connection, and starts another to bring what is
 * new.
 */
#ifndef RECONCILER_CORE_FETCHER_H
#define RECONCILER_CORE_FETCHER_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "reconciler/core/core.h"

struct fetcher; /* one that is kept */

struct fetcher *fetcher_new(void);
void fetcher_free(struct fetcher *f);
/* Commit of the followed ref, in the arena; it is in the mirror then. */
int fetcher_head(const struct core *core, struct arena *arena,
		 const char **out_commit, struct err *err);
/* Packs everything reachable from want and not from have (NULL allowed). */
int fetcher_pack(const struct core_conf *conf, const char *libexec,
		 const char *want, const char *have, struct buf *out,
		 struct err *err);

#endif

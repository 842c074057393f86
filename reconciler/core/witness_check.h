/*
 * witness_check.h - is the log on disk what the hosts cosigned?  Reads the
 * store and the log's folder, for `reconcile audit verify`.
 */
#ifndef RECONCILER_CORE_WITNESS_CHECK_H
#define RECONCILER_CORE_WITNESS_CHECK_H

#include "lib/arena.h"
#include "lib/err.h"
#include "reconciler/state/state.h"

#include <stddef.h>
#include <stdint.h>

struct witness_tally {
	size_t known;	 /* hosts with a pinned key that are not revoked */
	size_t cosigned; /* of them, the newest cosigned checkpoint */
	uint64_t size;	 /* entries of that checkpoint; 0: there is none */
};

/* dirfd: the log's folder; vkey: text of its key.  ERR_AUDIT names a host whose
 * cosigned checkpoint the log does not extend. */
int witness_check(struct state *s, int dirfd, const char *vkey,
		  struct arena *arena, struct witness_tally *out,
		  struct err *err);

#endif

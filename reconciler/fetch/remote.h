/*
 * remote.h - mirroring over a wire: the git protocol of version 0 spoken by
 * libgit2's smart transport, which sees nothing but the wire's bytes.
 */
#ifndef RECONCILER_FETCH_REMOTE_H
#define RECONCILER_FETCH_REMOTE_H

#include "lib/err.h"
#include "reconciler/fetch/wire.h"

#include <git2.h>
#include <git2/sys/transport.h>

/* Reads the ref; if it is not *have, also its objects into the store.  Once a
 * process.  ERR_NOTFOUND (ref), ERR_LIMIT, ERR_AGAIN, or what the wire says. */
int remote_fetch(struct wire *wire, const char *store_path, const char *ref,
		 const git_oid *have, git_oid *out_id, struct err *err);

#endif

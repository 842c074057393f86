/* address.h - cluster addresses of Services and pod blocks of hosts.  Pure. */
#ifndef RECONCILER_CORE_ADDRESS_H
#define RECONCILER_CORE_ADDRESS_H

#include "lib/arena.h"
#include "lib/err.h"
#include "manifest/manifest.h"
#include "reconciler/world.h"

/* Gives every ClusterIP Service of set an address of cidr: the one it has in
 * old, the literal one, else a free one near the hash of its name.  Diagnostics
 * R301 (literal outside the pool) and R302 (two Services claim one address). */
int address_services(const struct objects *set, const struct world *old,
		     const char *cidr, struct arena *arena, struct diags *diags,
		     struct world_service **out, size_t *out_n,
		     struct err *err);
/* The index-th /24 of cidr as "a.b.c.0/24" in the arena; ERR_LIMIT when the
 * pool is used up. */
int address_host_block(const char *cidr, int64_t index, struct arena *arena,
		       const char **out, struct err *err);

#endif

/* join.h - a host asks to become one of ours; see membership.h. */
#ifndef RECONCILER_CORE_JOIN_H
#define RECONCILER_CORE_JOIN_H

#include "reconciler/core/core.h"

/* Answers a join request that the channel passed on (packed JoinRequest). */
int join_request(struct core *c, uint64_t id, const void *request, size_t len,
		 const char *address, struct err *err);

#endif

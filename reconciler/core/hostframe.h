/* hostframe.h - the frames of agent.proto that hosts send to the manager. */
#ifndef RECONCILER_CORE_HOSTFRAME_H
#define RECONCILER_CORE_HOSTFRAME_H

#include "reconciler/core/fleet.h"

/* One frame of a connected host; types that a host may not send were refused by
 * the channel and are ignored here.  ERR_AUDIT: its record could not be
 * written.  h is borrowed and not kept. */
int hostframe_handle(struct core *c, struct fleet_host *h, uint32_t type,
		     const uint8_t *bytes, size_t len, struct err *err);

#endif

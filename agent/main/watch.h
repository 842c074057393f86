/* watch.h - small things that watch.c, act.c and logs.c share. */
#ifndef AGENT_MAIN_WATCH_H
#define AGENT_MAIN_WATCH_H

#include "agent/main/agent.h"

/* Something of the pod was removed behind our back: reported, not repaired. */
void watch_lost(struct pod *p, const char *message);
/* Appends at most max bytes of the last n lines of a container's log, as the
 * container wrote them. */
int logs_tail(struct agent_pod *io, const char *container, unsigned int n,
	      size_t max, struct buf *out);

#endif

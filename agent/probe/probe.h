/*
 * probe.h - liveness, readiness and startup probes: when to ask, and what the
 * answers mean.  Pure: time comes in, no socket here (agent/main asks).
 *
 * Kubernetes v1 Probe: startup gates the other two; a liveness or startup
 * probe that failed failureThreshold times in a row has the container killed.
 */
#ifndef AGENT_PROBE_PROBE_H
#define AGENT_PROBE_PROBE_H

#include "manifest/types.h"

#include <stdbool.h>
#include <stdint.h>

enum probe_role { PROBE_STARTUP, PROBE_LIVENESS, PROBE_READINESS, PROBE_ROLES };

struct probe_state {
	int64_t next_ms;      /* 0: never */
	unsigned int ok, bad; /* in a row */
	bool asking;
	bool passed;
};

enum probe_verdict { PROBE_SAME, PROBE_PASSED, PROBE_FAILED };

const struct probe *probe_of(const struct container *c, enum probe_role role);
/* The container has started. */
void probe_begin(const struct container *c, struct probe_state s[PROBE_ROLES],
		 int64_t now_ms);
/* A role that is to be asked now, or -1; *out_wake_ms gets the earliest later
 * time (untouched when there is none earlier). */
int probe_due(const struct container *c,
	      const struct probe_state s[PROBE_ROLES], bool started,
	      int64_t now_ms, int64_t *out_wake_ms);
/* An answer has come. */
enum probe_verdict probe_answer(const struct probe *p, enum probe_role role,
				struct probe_state *s, bool ok, int64_t now_ms);

#endif

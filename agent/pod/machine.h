/*
 * machine.h - the life of a pod as decisions: what to do next.  Pure.
 *
 *   images -> prepare -> monitor -> sandbox -> network
 *     -> init containers, one after the other -> containers
 *     -> (all ended for good: final) or (not assigned any more: stopping)
 *     -> TERM, grace, KILL -> remains deleted -> sandbox -> network -> monitor
 *     -> clean
 *
 * machine_next() looks at the pod and the time; the program does the act and
 * tells the outcome by the machine_*() events, or by the flags of struct pod.
 * A pod whose act is under way gets no second one (struct pod.busy); its
 * containers have each their own state.
 */
#ifndef AGENT_POD_MACHINE_H
#define AGENT_POD_MACHINE_H

#include "agent/pod/pod.h"

#include <signal.h>

enum machine_act {
	MACHINE_WAIT, /* nothing now; look again at *wake_ms */
	MACHINE_PULL, /* c */
	MACHINE_PREPARE,
	MACHINE_MONITOR,
	MACHINE_SANDBOX,
	MACHINE_ATTACH,
	MACHINE_RUN,	     /* c */
	MACHINE_KILL,	     /* c, signal */
	MACHINE_DELETE,	     /* c */
	MACHINE_SANDBOX_END, /* kill and delete it */
	MACHINE_DETACH,
	MACHINE_MONITOR_END,
	MACHINE_CLEAN,
};

struct machine_do {
	enum machine_act act;
	struct pod_container *c;
	int signal;
};

#define MACHINE_BACKOFF_FIRST_MS 10000
#define MACHINE_BACKOFF_MAX_MS 300000
#define MACHINE_BACKOFF_RESET_MS 600000
#define MACHINE_GONE_CHECK_MS 25

/* *wake_ms is lowered to the next time at which something may be due. */
struct machine_do machine_next(struct pod *p, int64_t now_ms, int64_t *wake_ms);
void machine_started(struct pod *p, struct pod_container *c, int pid,
		     int64_t now_ms);
/* The first process ended by itself or by our signal. */
void machine_exited(struct pod *p, struct pod_container *c, int exit_code,
		    int signal, bool oom, int64_t now_ms);
/* The engine's remains are gone. */
void machine_deleted(struct pod *p, struct pod_container *c, int64_t now_ms);
/* The engine or the agent could not start it. */
void machine_start_failed(struct pod *p, struct pod_container *c,
			  const char *why, const char *message, int64_t now_ms);
/* An act on the whole pod went well. */
void machine_done(struct pod *p);
/* An act on the whole pod failed; it is tried again later. */
void machine_failed(struct pod *p, const char *why, const char *message,
		    int64_t now_ms);
/* A liveness or startup probe gave up on it. */
void machine_unhealthy(struct pod *p, struct pod_container *c, const char *why,
		       int64_t now_ms);
/* To be removed from this host. */
void machine_stop(struct pod *p, int64_t now_ms);
/* Delay before start number n after a failure: 0, 10 s, 20 s ... 300 s. */
int64_t machine_backoff_ms(unsigned int fails);

#endif

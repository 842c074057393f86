/*
 * execution.h - carrying out the changes that are allowed now, and following
 * them to their outcome.
 */
#ifndef RECONCILER_CORE_EXECUTION_H
#define RECONCILER_CORE_EXECUTION_H

#include "reconciler/core/pass.h"

struct pending {	  /* an intent without outcome yet */
	const char *type; /* "pod.start" */
	bool pod, start;  /* start: of a pod; both false: an object */
	char change[48];
	char uid[40];
	char object[700]; /* "pod namespace/name" */
	char host[256];
	int64_t since_ms;
	const char *result; /* execution_settle()'s own */
};

enum execution_end {
	EXECUTION_GOES_ON,
	EXECUTION_CONVERGED,
	EXECUTION_STOPPED,
	EXECUTION_FAILED /* a step of the pass itself failed */
};

struct execution {
	struct core *core;
	const struct pass_target *target;
	bool objects_done;	 /* object changes of this pass are under way */
	bool open;		 /* the store says that intents are open */
	struct pending *pending; /* owned */
	size_t n_pending, cap_pending;
	size_t n_started, n_stopped, n_failed;
	unsigned int round;
};

/* A fact for the audit log when a pass before this one was killed between an
 * intent and its outcome. */
int execution_resume(struct core *c, const char *commit, struct err *err);
void execution_init(struct execution *x, struct core *core,
		    const struct pass_target *target);
void execution_release(struct execution *x);
/* Intents durable, then store, then hosts.  *out_done: number of changes.  When
 * it fails, what has an intent is followed: settle it as EXECUTION_FAILED. */
int execution_apply(struct execution *x, const struct plan *step,
		    const struct world *w, size_t *out_done, struct err *err);
/* Records the outcomes that w shows; at the end, of all that is left. */
int execution_settle(struct execution *x, const struct world *w,
		     enum execution_end end, struct err *err);
/* Brings hosts that lack the commit or the epoch up to date. */
int execution_refresh(struct execution *x, const struct world *w,
		      size_t *out_sent, struct err *err);

#endif

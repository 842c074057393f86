/*
 * record.h - what the core writes to the audit log: intents before, outcomes
 * after, facts in between.  The table of event types is docs/audit-format.md.
 */
#ifndef RECONCILER_CORE_RECORD_H
#define RECONCILER_CORE_RECORD_H

#include "lib/err.h"
#include "reconciler/core/core.h"

enum record_phase { RECORD_INTENT, RECORD_OUTCOME, RECORD_FACT };

struct record {
	const char *type;   /* "pod.start", "commit.accept", "host.join" ... */
	int phase;	    /* enum record_phase */
	const char *actor;  /* principal, "host:NAME" or "reconcile"; NULL */
	const char *object; /* "Deployment default/web", NULL */
	const char *commit; /* NULL */
	const char *host;   /* NULL */
	const char *change; /* joins intent and outcome; NULL */
	const char *result; /* detail "result": "ok", "refused" ...; NULL */
	const char *reason; /* detail "reason"; NULL */
};

/* Durable when it returns 0; ERR_AUDIT otherwise: then nothing of what was
 * intended may be done (exit 9). */
int record_put(struct core *c, const struct record *items, size_t n,
	       struct err *err);
/* One fact. */
int record_fact(struct core *c, const char *type, const char *object,
		const char *host, const char *result, const char *reason,
		struct err *err);

struct record_act { /* an act about a host, between intent and outcome */
	const char *type, *host; /* borrowed */
	char change[96];
};

/* The intent; ERR_AUDIT: do not act. */
int record_begin(struct core *c, const char *type, const char *host,
		 const char *reason, struct record_act *out, struct err *err);
/* The outcome of an act that returned r and filled err.  Returns r, or
 * ERR_AUDIT when the outcome could not be written. */
int record_end(struct core *c, const struct record_act *act, int r,
	       struct err *err);

#endif

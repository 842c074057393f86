/*
 * event.h - what is recorded: plain data, made by the programs that act and
 * read by `reconcile audit show`.  Values may be hostile text: the record
 * escapes them, so that one event is always one line.
 */
#ifndef AUDIT_EVENT_H
#define AUDIT_EVENT_H

#include <stddef.h>
#include <stdint.h>

enum audit_phase {
	AUDIT_FACT,    /* something that happened, with no act of ours */
	AUDIT_INTENT,  /* about to be done; durable before it is */
	AUDIT_OUTCOME, /* how it ended; same change id as its intent */
};

struct audit_pair {
	const char *key; /* [a-z][a-z0-9_.-]{0,63}, each once */
	const char *value;
};

#define AUDIT_TYPE_MAX 64
#define AUDIT_TEXT_MAX 4096	     /* bytes of actor, object, ... */
#define AUDIT_DETAIL_MAX 64	     /* pairs */
#define AUDIT_DETAIL_BYTES_MAX 32768 /* all keys and values */
#define AUDIT_BATCH_MAX 4096	     /* events */

/* NULL and "" are the same: none.  All borrowed. */
struct audit_event {
	const char *type; /* "host.join": [a-z][a-z0-9.-]*; "log." is ours */
	enum audit_phase phase;
	const char *actor;  /* who: signer, operator, program */
	const char *object; /* on what: "default/Deployment/web" */
	const char *commit; /* object id that asked for it */
	const char *host;
	const char *change; /* id that joins intent and outcome */
	const struct audit_pair *detail;
	size_t n_detail;
};

#endif

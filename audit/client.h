/*
 * client.h - asking the writer (program reconcile-audit, started here as a
 * sibling) to record.  Used by the manager and by the agent.
 *
 * The rule it serves: append the intent, wait for success, act, append the
 * outcome.  An append that returns anything but 0 means: do not act.
 */
#ifndef AUDIT_CLIENT_H
#define AUDIT_CLIENT_H

#include "audit/event.h"
#include "audit/witness_state.h"
#include "lib/err.h"

#include <stdint.h>

struct audit_client;

/* Starts the writer on the log in folder dir (made, 0700, if missing).  libexec
 * NULL: proc_libexec().  key_path: made by audit_key_generate(); read by the
 * writer alone.  origin: name of this log, fixed by its first entry, e.g.
 * "reconcile/prod/manager".  *out owned.  Every failure is ERR_AUDIT: bad key,
 * other origin, another writer, a log that does not match its checkpoint. */
int audit_client_open(const char *libexec, const char *dir,
		      const char *key_path, const char *origin,
		      struct audit_client **out, struct err *err);
/* One batch, one fsync; blocking.  0 only when all n are durable; *out_last_seq
 * (may be NULL) is the last one's number.  ERR_AUDIT: none may be relied on.
 * ERR_INPUT: an event breaks event.h's limits; nothing was written. */
int audit_client_append(struct audit_client *c,
			const struct audit_event *events, size_t n,
			uint64_t *out_last_seq, struct err *err);
/* Signs the log as it is.  *out_note (may be NULL) owned: free(). */
int audit_client_checkpoint(struct audit_client *c, char **out_note,
			    struct err *err);
/* Verifier key text of the cosignatures that this writer makes; borrowed. */
const char *audit_client_witness_key(const struct audit_client *c);
/* Has the writer cosign a checkpoint of another log; blocking, one fsync when
 * it does.  0 when there is an answer: out->verdict; *out_line owned (free()),
 * the signature line with its newline, NULL unless COSIGNED.  ERR_AUDIT:
 * nothing was cosigned. */
int audit_client_witness(struct audit_client *c,
			 const struct audit_witness_ask *ask,
			 struct audit_witness_answer *out, char **out_line,
			 struct err *err);
/* Tells the writer to end (it signs a last checkpoint) and waits for it; NULL
 * allowed. */
void audit_client_close(struct audit_client *c);

#endif

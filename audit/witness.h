/*
 * witness.h - hosts that remember the log's size and root and cosign only what
 * extends them (C2SP tlog-witness, cosignature/v1).  To rewrite history one has
 * to own the log's key and every witness.
 */
#ifndef AUDIT_WITNESS_H
#define AUDIT_WITNESS_H

#include "audit/key.h"
#include "audit/proof.h"
#include "lib/buf.h"

#include <stddef.h>
#include <stdint.h>

struct audit_witness_state { /* what the witness keeps per log; zeroed: new */
	uint64_t size;
	uint8_t root[32];
};

enum audit_witness_verdict {
	AUDIT_WITNESS_COSIGNED,
	AUDIT_WITNESS_STALE,	/* the proof is not from the size it knows */
	AUDIT_WITNESS_ROLLBACK, /* fewer entries than it cosigned */
	AUDIT_WITNESS_FORK,	/* does not extend what it cosigned */
	AUDIT_WITNESS_UNSIGNED, /* no note that the log's key signed */
};

struct audit_witness_ask { /* all borrowed; all of it hostile */
	const char *note;
	const char *log_key; /* text of the log's verifier key */
	uint64_t old_size;   /* where proof begins */
	const struct audit_proof *proof;
};

/* Checks note (signed by log) against *state with a consistency proof from
 * state->size to the note's size, and appends one cosignature line to *out.
 * state is updated only on success: make it durable before the line is sent.
 * ERR_TRUST: not signed by log.  ERR_CONFLICT: smaller than before, same size
 * with another root, or a proof that does not hold: a fork. */
int audit_witness_sign(struct audit_witness_state *state, const char *note,
		       const struct audit_vkey *log,
		       const struct audit_proof *proof,
		       const struct audit_key *key, const char *name,
		       int64_t unix_s, struct buf *out, struct err *err);
/* How many of n different witnesses cosigned note (whose log signature is
 * checked too: ERR_TRUST).  A key that is given twice counts once. */
int audit_witness_count(const char *note, const struct audit_vkey *log,
			const struct audit_vkey *witnesses, size_t n,
			size_t *out_count, struct err *err);

#endif

/*
 * witness_state.h - a witness that remembers: audit/witness.h with its state in
 * files "witness.DIGEST" of a log folder, one for each log that it watches.
 */
#ifndef AUDIT_WITNESS_STATE_H
#define AUDIT_WITNESS_STATE_H

#include "audit/key.h"
#include "audit/witness.h"
#include "lib/buf.h"
#include "lib/err.h"

#include <stdint.h>

struct audit_witness_answer {
	enum audit_witness_verdict verdict;
	uint64_t size; /* cosigned last, this one included; 0 none */
	char why[512]; /* "" with COSIGNED */
};

/* Answers ask under the name `name` with key.  With COSIGNED the signature line
 * is appended to line, and what was cosigned is durable in dirfd.  Returns 0
 * when there is an answer; ERR_AUDIT when the state cannot be read or written:
 * then nothing was cosigned. */
int audit_witness_state_answer(int dirfd, const struct audit_witness_ask *ask,
			       const struct audit_key *key, const char *name,
			       int64_t unix_s, struct buf *line,
			       struct audit_witness_answer *out,
			       struct err *err);

#endif

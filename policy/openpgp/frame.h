/*
 * frame.h - frames between reconcile-verify and reconcile-openpgp (lib/msg.h
 * around them), on a socketpair.  Both are of one build: fields as they lie in
 * memory.
 *
 *   FRAME_CHECK   struct frame_check, then signature, payload, certificates
 *   FRAME_ANSWER  struct frame_answer, then what sqv printed
 *   FRAME_FAILED  a reason: sqv could not be run
 */
#ifndef POLICY_OPENPGP_FRAME_H
#define POLICY_OPENPGP_FRAME_H

#include "policy/trust/openpgp.h"

#include <stdint.h>

enum { FRAME_CHECK = 1, FRAME_ANSWER, FRAME_FAILED };

#define FRAME_BYTES_MAX ((size_t)8 << 20)

struct frame_check {
	int64_t not_before, not_after; /* unix s, both included */
	uint64_t signature, payload;   /* lengths */
	uint64_t n_certificates;
	uint64_t certificates[OPENPGP_CERTS_MAX];
};

struct frame_answer {
	int64_t status;
};

#endif

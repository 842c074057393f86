/*
 * proof.h - inclusion and consistency proofs (RFC 9162 section 2.1) over a log
 * file, and their checks, which need no file.
 */
#ifndef AUDIT_PROOF_H
#define AUDIT_PROOF_H

#include "audit/merkle.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define AUDIT_PROOF_MAX 128 /* 2 * 64 levels */

struct audit_proof {
	uint8_t hashes[AUDIT_PROOF_MAX][AUDIT_HASH_BYTES];
	size_t n;
};

/* Reads the first `size` entries of the log in dirfd.  seq is 1..size. */
int audit_proof_inclusion(int dirfd, uint64_t seq, uint64_t size,
			  struct audit_proof *out, struct err *err);
/* 0 <= old_size <= size. */
int audit_proof_consistency(int dirfd, uint64_t old_size, uint64_t size,
			    struct audit_proof *out, struct err *err);
/* 0, or ERR_CONFLICT if the proof does not hold. */
int audit_proof_check_inclusion(const struct audit_proof *proof, uint64_t seq,
				uint64_t size,
				const uint8_t leaf[AUDIT_HASH_BYTES],
				const uint8_t root[AUDIT_HASH_BYTES],
				struct err *err);
int audit_proof_check_consistency(const struct audit_proof *proof,
				  uint64_t old_size,
				  const uint8_t old_root[AUDIT_HASH_BYTES],
				  uint64_t size,
				  const uint8_t root[AUDIT_HASH_BYTES],
				  struct err *err);

#endif

/*
 * merkle.h - the Merkle tree of RFC 9162 section 2.1.1 built from left to
 * right: only the roots of the complete subtrees at its right edge are kept.
 */
#ifndef AUDIT_MERKLE_H
#define AUDIT_MERKLE_H

#include "lib/hash.h"

#include <stddef.h>
#include <stdint.h>

#define AUDIT_HASH_BYTES HASH_BYTES
#define AUDIT_MERKLE_LEVELS 64

struct audit_merkle { /* plain data; zeroed: empty */
	uint64_t size;
	size_t n; /* complete subtrees, largest first: one per bit of size */
	uint8_t edge[AUDIT_MERKLE_LEVELS][AUDIT_HASH_BYTES];
};

/* h: a running digest of the caller, used and reset. */
void audit_merkle_leaf(struct hash *h, const void *bytes, size_t len,
		       uint8_t out[AUDIT_HASH_BYTES]);
void audit_merkle_node(struct hash *h, const uint8_t left[AUDIT_HASH_BYTES],
		       const uint8_t right[AUDIT_HASH_BYTES],
		       uint8_t out[AUDIT_HASH_BYTES]);
void audit_merkle_add(struct audit_merkle *m, struct hash *h,
		      const uint8_t leaf[AUDIT_HASH_BYTES]);
/* Root over m->size leaves; of the empty tree SHA-256(""). */
void audit_merkle_root(const struct audit_merkle *m, struct hash *h,
		       uint8_t out[AUDIT_HASH_BYTES]);

#endif

/*
 * merkle.c - RFC 9162 section 2.1.1: leaves and nodes have different prefixes,
 * so that neither can be taken for the other.
 */
#include "audit/merkle.h"

#include <assert.h>
#include <string.h>

static const uint8_t leaf_prefix = 0x00;
static const uint8_t node_prefix = 0x01;

void audit_merkle_leaf(struct hash *h, const void *bytes, size_t len,
		       uint8_t out[AUDIT_HASH_BYTES])
{
	hash_add(h, &leaf_prefix, 1);
	hash_add(h, bytes, len);
	hash_end(h, out);
}

void audit_merkle_node(struct hash *h, const uint8_t left[AUDIT_HASH_BYTES],
		       const uint8_t right[AUDIT_HASH_BYTES],
		       uint8_t out[AUDIT_HASH_BYTES])
{
	uint8_t both[1 + 2 * AUDIT_HASH_BYTES];

	both[0] = node_prefix;
	memcpy(both + 1, left, AUDIT_HASH_BYTES);
	memcpy(both + 1 + AUDIT_HASH_BYTES, right, AUDIT_HASH_BYTES);
	hash_add(h, both, sizeof(both));
	hash_end(h, out);
}

void audit_merkle_add(struct audit_merkle *m, struct hash *h,
		      const uint8_t leaf[AUDIT_HASH_BYTES])
{
	uint8_t node[AUDIT_HASH_BYTES];

	assert(m->size < UINT64_MAX);
	memcpy(node, leaf, AUDIT_HASH_BYTES);
	/* as in adding one to a binary number: each carry joins two trees */
	for (uint64_t bits = m->size; bits & 1; bits >>= 1) {
		m->n--;
		audit_merkle_node(h, m->edge[m->n], node, node);
	}
	memcpy(m->edge[m->n++], node, AUDIT_HASH_BYTES);
	m->size++;
}

void audit_merkle_root(const struct audit_merkle *m, struct hash *h,
		       uint8_t out[AUDIT_HASH_BYTES])
{
	if (m->n == 0) {
		hash_end(h, out);
		return;
	}
	memcpy(out, m->edge[m->n - 1], AUDIT_HASH_BYTES);
	for (size_t i = m->n - 1; i > 0; i--)
		audit_merkle_node(h, m->edge[i - 1], out, out);
}

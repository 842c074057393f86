/*
 * node.h - the tree between bytes and typed objects: what the YAML loader and
 * the reader of canonical JSON both make, and what the decoder walks.
 *
 * Nodes live in a scratch arena, their texts in the caller's.  Invariants: (1)
 * keys of a map are scalars, different from each other unless a diagnostic said
 * so; (2) text is NUL terminated, valid UTF-8 and has no NUL inside; (3) height
 * and size count what aliases expand to.
 */
#ifndef MANIFEST_NODE_H
#define MANIFEST_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum node_type { NODE_SCALAR, NODE_SEQ, NODE_MAP };

struct node;

struct node_pair {
	const struct node *key;
	const struct node *value;
};

struct node {
	uint8_t type;	       /* enum node_type */
	bool plain;	       /* scalar without quotes: its text decides */
	bool missing;	       /* no such node in the text (a made-up place) */
	uint16_t height;       /* 1 for a scalar */
	uint32_t line, column; /* 1-based; 0 unknown */
	uint32_t size;	       /* nodes of the subtree, itself included */
	uint32_t n;	       /* items or pairs; bytes of text */
	size_t bytes;	       /* of all texts of the subtree, aliases too */
	union {
		const char *text;
		const struct node *const *items;
		const struct node_pair *pairs;
	};
};

/* Value of key in a map; NULL if absent or n is no map. */
const struct node *node_get(const struct node *n, const char *key);
/* True for an unquoted null: "", ~, null, Null, NULL. */
bool node_is_null(const struct node *n);
/* Text of a scalar, NULL for the others. */
const char *node_text(const struct node *n);
/* "a list", "an object", "a string", "an integer" ...: for messages. */
const char *node_kind(const struct node *n);

#endif

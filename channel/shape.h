/*
 * shape.h - what a message of agent.proto may look like beyond its protobuf
 * types: one rule a field (grammar, longest length, most entries), one table a
 * message.  A frame is unpacked with a bounded allocator, every field is held
 * against its rule, and it is packed again, so that only canonical bytes get
 * past the program that did the parsing.
 *
 * Runs in reconcile-channel and reconcile-link, both without a capability;
 * the bytes are hostile.  Pure: no input or output.  docs/channel-protocol.md,
 * "Shapes".
 *
 * Invariants: (1) rules[i] belongs to desc->fields[i] (a unit test walks this);
 * (2) fields that the descriptor does not know are dropped, never forwarded;
 * (3) a message without unknown fields must have been packed canonically.
 */
#ifndef CHANNEL_SHAPE_H
#define CHANNEL_SHAPE_H

#include "lib/buf.h"
#include "lib/err.h"

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

enum shape_kind {
	SHAPE_NUMBER,	 /* any number of the type, or bool */
	SHAPE_NOT_NEG,	 /* signed, zero or above */
	SHAPE_NOT_ZERO,	 /* unsigned, above zero */
	SHAPE_ENUM,	 /* a value that the descriptor names */
	SHAPE_BYTES,	 /* any bytes */
	SHAPE_BYTES_16,	 /* exactly 16 */
	SHAPE_BYTES_32,	 /* exactly 32 */
	SHAPE_TEXT,	 /* UTF-8, no control character but \n and \t */
	SHAPE_LABEL,	 /* RFC 1123 label */
	SHAPE_SUBDOMAIN, /* RFC 1123 subdomain */
	SHAPE_SUBDOMAIN_OR_EMPTY,
	SHAPE_POD_OR_EMPTY,	/* namespace/name */
	SHAPE_COMMIT,		/* 40 or 64 hex */
	SHAPE_COMMIT_OR_EMPTY,	/* the same, or "" */
	SHAPE_UID,		/* 32 hex */
	SHAPE_WORD_OR_EMPTY,	/* letters, digits and ._- */
	SHAPE_DIGEST_OR_EMPTY,	/* sha256: and 64 hex */
	SHAPE_ADDRESS_OR_EMPTY, /* IPv4 or IPv6, numeric */
	SHAPE_CIDR_OR_EMPTY,	/* address/prefix */
	SHAPE_MESSAGE,		/* see sub */
};

struct shape;

struct shape_rule {
	const char *field; /* name in the .proto file */
	enum shape_kind kind;
	uint32_t max_len;   /* bytes of a string or of bytes */
	uint32_t max_count; /* entries of a repeated field; 0: not repeated */
	const struct shape *sub;
};

struct shape {
	const ProtobufCMessageDescriptor *desc;
	const struct shape_rule *rules;
	size_t n_rules; /* desc->n_fields; a field without a rule ends us */
};

#define SHAPE_OF(desc, rules)                                                  \
	{                                                                      \
		&(desc), (rules), sizeof(rules) / sizeof((rules)[0])           \
	}

/* Unpacks len hostile bytes and checks them.  *out_msg owned: shape_close().
 * ERR_PROTO with the field's name; ERR_LIMIT when a length, a count or the
 * memory for it is over its bound. */
int shape_open(const struct shape *shape, const void *bytes, size_t len,
	       ProtobufCMessage **out_msg, struct err *err);
void shape_close(ProtobufCMessage *msg); /* NULL allowed */
/* Appends the packed message to out.  ERR_LIMIT, ERR_NOMEM. */
int shape_pack(const ProtobufCMessage *msg, struct buf *out, struct err *err);
/* Whether text (NUL terminated) is of kind; for other checks of names. */
bool shape_text_ok(enum shape_kind kind, const char *text);

#endif

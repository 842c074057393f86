/*
 * wire.h - reading the SSH wire encoding (RFC 4251 section 5).  Pure; the
 * input is hostile.  Spans are borrowed from the bytes that were given.
 */
#ifndef POLICY_TRUST_WIRE_H
#define POLICY_TRUST_WIRE_H

#include "lib/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_span {
	const uint8_t *bytes;
	size_t len;
};

struct wire {
	const uint8_t *at;
	size_t left;
};

/* Each is false, and *out untouched, when the bytes run out. */
bool wire_u8(struct wire *w, uint8_t *out);
bool wire_u32(struct wire *w, uint32_t *out);
bool wire_u64(struct wire *w, uint64_t *out);
bool wire_string(struct wire *w, struct wire_span *out);
/* Positive mpint in its shortest form; the sign byte is taken off. */
bool wire_mpint(struct wire *w, struct wire_span *out);

struct wire wire_of(const struct wire_span *s);
bool wire_is(const struct wire_span *s, const char *text);
bool wire_equal(const struct wire_span *a, const struct wire_span *b);
void wire_put_string(struct buf *out, const void *bytes, size_t len);

#endif

/* encode.h - hex and base64 (RFC 4648 section 4), strict in both directions. */
#ifndef LIB_ENCODE_H
#define LIB_ENCODE_H

#include "lib/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* dst holds 2*len+1 bytes; lower case, NUL terminated. */
void encode_hex(char *dst, const void *bytes, size_t len);
/* hex_len even, lower case only; dst holds hex_len/2. */
bool encode_unhex(void *dst, const char *hex, size_t hex_len);
void encode_base64(struct buf *out, const void *bytes, size_t len);
/* Canonical base64 only (padding present, unused bits zero, no white space).
 * Appends to out; false if not canonical (out is then unchanged). */
bool encode_unbase64(struct buf *out, const char *text, size_t len);

#endif

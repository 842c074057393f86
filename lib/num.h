/* num.h - checked arithmetic and strict number parsing (no errno, no locale).
 */
#ifndef LIB_NUM_H
#define LIB_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *out = a + b / a * b; false on overflow (out untouched). */
bool num_add(size_t a, size_t b, size_t *out);
bool num_mul(size_t a, size_t b, size_t *out);
/* Whole of text (len bytes) as decimal; no sign, no space, no leading zero
 * (except "0"); false if not, or above max. */
bool num_parse_u64(const char *text, size_t len, uint64_t max, uint64_t *out);
/* As above with an optional leading '-'. */
bool num_parse_i64(const char *text, size_t len, int64_t min, int64_t max,
		   int64_t *out);

#endif

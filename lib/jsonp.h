/*
 * jsonp.h - reading JSON (RFC 8259) straight into one's own structs: a pull
 * parser over borrowed bytes.  No tree is built and nothing is allocated but
 * the strings that are asked for, in the caller's arena.
 *
 * Strict: valid UTF-8 only, no NUL in a string, depth capped, one value and
 * nothing behind it.  Integers are whole from -2^63 to 2^64-1.  The first error
 * stays: every later call fails too, so a caller may check late.
 */
#ifndef LIB_JSONP_H
#define LIB_JSONP_H

#include "lib/arena.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum jsonp_type {
	JSONP_OBJECT,
	JSONP_ARRAY,
	JSONP_STRING,
	JSONP_NUMBER,
	JSONP_TRUE,
	JSONP_FALSE,
	JSONP_NULL,
	JSONP_BAD /* end of the bytes, or none of these */
};

struct jsonp {
	const char *begin, *at, *end; /* borrowed */
	struct arena *arena;	      /* borrowed: for strings */
	struct err *err;	      /* borrowed, NULL allowed */
	uint64_t lists; /* bit n: what was entered at depth n is a list */
	int depth, max_depth;
	int failed; /* code of the first error */
	bool fresh; /* just entered: no comma before the first member */
};

/* An integer, by its size and sign. */
struct jsonp_int {
	uint64_t size;
	bool negative;
};

#define JSONP_DEPTH_MAX 63

/* max_depth: 1 to JSONP_DEPTH_MAX. */
void jsonp_init(struct jsonp *p, const char *bytes, size_t len, int max_depth,
		struct arena *arena, struct err *err);
/* Type of the value that comes next; moves nothing but over white space. */
enum jsonp_type jsonp_peek(struct jsonp *p);
/*
 * Into the object or list that comes next: jsonp_enter(), then jsonp_next()
 * before each member until it says false in *out.  For an object jsonp_key()
 * follows each true.
 */
int jsonp_enter(struct jsonp *p, enum jsonp_type type);
int jsonp_next(struct jsonp *p, bool *out);
int jsonp_key(struct jsonp *p, char **out);
/* Values; *out in the arena. */
int jsonp_string(struct jsonp *p, char **out);
int jsonp_integer(struct jsonp *p, struct jsonp_int *out);
int jsonp_bool(struct jsonp *p, bool *out);
/* Fails at where the parser is, for a caller that wants something else. */
int jsonp_fail(struct jsonp *p, int code, const char *what);
/* Over any value, checked all the same. */
int jsonp_skip(struct jsonp *p);
/* ERR_INPUT if anything but white space is left. */
int jsonp_end(struct jsonp *p);

#endif

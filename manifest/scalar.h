/*
 * scalar.h - what a plain (unquoted) scalar is to the Kubernetes API, before
 * the type of the field decides (manifests.md 6.5): YAML 1.1 as the API server
 * reads it, booleans such as "yes" included.
 */
#ifndef MANIFEST_SCALAR_H
#define MANIFEST_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scalar_class {
	SCALAR_STRING,
	SCALAR_NULL,	  /* "", ~, null */
	SCALAR_BOOL,	  /* true, false in three spellings */
	SCALAR_BOOL_WORD, /* yes, no, on, off, y, n: refused everywhere */
	SCALAR_INT,	  /* decimal without leading zero */
	SCALAR_OCTAL,	  /* 0644, 0o644 */
	SCALAR_INT_ODD,	  /* 0x1F, 0b1, 1_000, +5, 1:30: refused */
	SCALAR_FLOAT,	  /* 1.20, 1e3, .inf, .nan */
};

enum scalar_class scalar_class(const char *text, size_t len);
/* "an integer", "a boolean" ... for messages. */
const char *scalar_class_name(enum scalar_class c);
/* Of SCALAR_BOOL. */
bool scalar_bool(const char *text);
/* Of SCALAR_OCTAL; false over max. */
bool scalar_octal(const char *text, size_t len, int64_t max, int64_t *out);

#endif

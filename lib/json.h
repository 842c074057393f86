/*
 * json.h - reading JSON into a tree, strictly (jansson: duplicates refused,
 * depth and size capped before it).  Writing is jsonw.h; jsonp.h reads without
 * a tree.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include "lib/err.h"
#include "lib/jsonw.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One JSON value and nothing else.  *out owned: json_decref(). ERR_INPUT with
 * line:column, ERR_LIMIT over max_bytes or max_depth. */
int json_read(const char *bytes, size_t len, size_t max_bytes, int max_depth,
	      json_t **out, struct err *err);

#endif

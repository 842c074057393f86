/*
 * jsonw.h - writing canonical JSON: keys in the order given by the caller, no
 * white space, RFC 8785 string escapes.
 */
#ifndef LIB_JSONW_H
#define LIB_JSONW_H

#include "lib/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A writer over a buf; misuse asserts. */
struct jsonw {
	struct buf *out;
	uint8_t depth;
	bool more[64]; /* a comma is due at this depth */
	bool key;      /* a key was just written */
	/* set after init: characters that text.h calls hidden are written as
	 * \u escapes too, so that the text is inert on a terminal */
	bool inert;
};

void jsonw_init(struct jsonw *w, struct buf *out);
void jsonw_obj(struct jsonw *w);
void jsonw_obj_end(struct jsonw *w);
void jsonw_arr(struct jsonw *w);
void jsonw_arr_end(struct jsonw *w);
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_str(struct jsonw *w, const char *text); /* NULL -> null */
void jsonw_strn(struct jsonw *w, const char *text, size_t len);
void jsonw_int(struct jsonw *w, int64_t v);
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
void jsonw_raw(struct jsonw *w, const char *json, size_t len); /* one value */
/* key and value in one call */
void jsonw_kstr(struct jsonw *w, const char *key, const char *text);
void jsonw_kint(struct jsonw *w, const char *key, int64_t v);
void jsonw_kbool(struct jsonw *w, const char *key, bool v);

#endif

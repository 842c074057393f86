/*
 * form.h - the canonical form of an object: its text, its hashes, and back.
 */
#ifndef MANIFEST_FORM_H
#define MANIFEST_FORM_H

#include "manifest/jsonread.h"
#include "manifest/manifest.h"

#define FORM_TEXT_BYTES_MAX ((size_t)8 << 20)

/* Fills canonical, hash and the template's hash of o (its own texts in arena).
 * tmp is any buffer, reset here. */
int form_finish(struct object *o, struct arena *arena, struct buf *tmp,
		struct err *err);
/* Decodes canonical text; hashes and o->canonical are left to the caller.
 * text is changed, see jsonread_parse(). */
int form_decode(struct jsonread *r, char *text, size_t len, const char *path,
		struct arena *arena, struct arena *scratch, struct object *out,
		struct err *err);
/* First error of diags as err. */
int form_first_error(const struct diags *d, struct err *err);

/* Kind, namespace, name: for qsort() and bsearch() over struct object. */
int form_order(const void *a, const void *b);

#endif

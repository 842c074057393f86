/*
 * value.h - one field's value: node to struct member, and its default.
 */
#ifndef MANIFEST_VALUE_H
#define MANIFEST_VALUE_H

#include "manifest/decode.h"

/* base: the struct that f->offset counts from.  n is not null. */
void value_decode(struct decode *d, const struct field *f, const struct node *n,
		  void *base);
/* Writes the default, or "unset". */
void value_fallback(struct decode *d, const struct field *f, void *base);

#endif

/*
 * jsonread.h - canonical JSON to a tree, for bytes that a sibling program made:
 * quick, strict, bounded.  Keys must ascend, so there are no duplicates.
 */
#ifndef MANIFEST_JSONREAD_H
#define MANIFEST_JSONREAD_H

#include "lib/arena.h"
#include "lib/err.h"
#include "manifest/node.h"

#define JSONREAD_DEPTH_MAX 40

struct jsonread;

struct jsonread *jsonread_new(void);
void jsonread_free(struct jsonread *r); /* NULL allowed */
/*
 * One value.  text is changed in place (strings are unescaped and NUL
 * terminated) and must outlive what borrows from the tree; text[len] is
 * writable.  Nodes go to scratch.  ERR_INPUT.
 */
int jsonread_parse(struct jsonread *r, char *text, size_t len,
		   struct arena *scratch, const struct node **out,
		   struct err *err);

#endif

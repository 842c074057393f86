/*
 * canon.h - typed object to canonical JSON: sorted keys, defaults included, no
 * white space, unset members left out.  The text of a Secret holds its values
 * (base64): it goes into frames between siblings, never to a terminal.
 */
#ifndef MANIFEST_CANON_H
#define MANIFEST_CANON_H

#include "lib/buf.h"
#include "lib/json.h"
#include "manifest/field.h"

struct canon {
	struct jsonw w;
	const char *kind;	     /* text of a "kind" field; NULL */
	const struct table *mark;    /* note where this table's value stands */
	size_t mark_start, mark_end; /* offsets in w.out; equal: never */
};

void canon_init(struct canon *c, struct buf *out);
/* One JSON object. */
void canon_table(struct canon *c, const struct table *t, const void *obj);

#endif

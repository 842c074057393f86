/*
 * poll.h - which commit a ref names, asked again and again with one round trip
 * each: `ls-refs` of protocol version 2 on a kept connection.  A server that
 * does not speak it lists every ref instead; over ssh that ends the connection.
 */
#ifndef RECONCILER_FETCH_POLL_H
#define RECONCILER_FETCH_POLL_H

#include "lib/err.h"
#include "reconciler/fetch/lsrefs.h"
#include "reconciler/fetch/origin.h"

#include <stdbool.h>

struct poll {
	struct origin *origin; /* borrowed */
	const char *ref;       /* borrowed */
	bool v2, object_format;
	bool asked;    /* the server has said what it speaks */
	struct buf in; /* bytes that are not a whole line yet */
};

void poll_init(struct poll *p, struct origin *origin, const char *ref);
/* Hex id of the ref.  ERR_NOTFOUND: there is no such ref; ERR_PROTO; or what
 * the wire says. */
int poll_ask(struct poll *p, char out_id[LSREFS_ID], struct err *err);
/* May poll_ask() be called again? */
bool poll_goes_on(const struct poll *p);
void poll_release(struct poll *p);

#endif

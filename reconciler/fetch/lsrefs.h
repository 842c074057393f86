/*
 * lsrefs.h - one ref in what a git server answers: its advertisement (protocol
 * v2: capabilities; v0: every ref), and the answer to v2's ls-refs.
 *
 *   ADVERT --"# service="--> SERVICE --flush--> ADVERT
 *   ADVERT --"version 2"---> CAPS ----flush--> done, v2 is set
 *   ADVERT --"ID NAME\0..."-> REFS ----flush--> done, v0
 *   LIST   --"ID NAME ...".............flush--> done
 *
 * Only what is asked for is understood: no symref, no peeled id, no shallow
 * line, no bundle, no packfile URI is ever asked for or followed (A72).  Pure.
 */
#ifndef RECONCILER_FETCH_LSREFS_H
#define RECONCILER_FETCH_LSREFS_H

#include "lib/err.h"
#include "reconciler/fetch/pktline.h"

#include <stdbool.h>

#define LSREFS_ID 41 /* hex, NUL */
#define LSREFS_LINES_MAX 2000000u
#define LSREFS_REQUEST_BYTES 512

enum lsrefs_state {
	LSREFS_ADVERT,
	LSREFS_SERVICE,
	LSREFS_CAPS,
	LSREFS_REFS,
	LSREFS_LIST,
	LSREFS_DONE,
};

struct lsrefs {
	const char *ref; /* borrowed */
	enum lsrefs_state state;
	bool service;	    /* its line has been */
	bool v2;	    /* the server speaks it, and ls-refs */
	bool object_format; /* and names object formats */
	bool found;
	char id[LSREFS_ID];
	unsigned int lines;
};

/* state: LSREFS_ADVERT or LSREFS_LIST, what is expected. */
void lsrefs_init(struct lsrefs *l, const char *ref, enum lsrefs_state state);
/* Takes the next line; 1 when it was the last, 0 before.  ERR_PROTO,
 * ERR_LIMIT, ERR_INPUT (an object format that is not sha1), or what the
 * server's own error line stands for: ERR_NOTFOUND, ERR_DENIED, ERR_AGAIN. */
int lsrefs_take(struct lsrefs *l, const struct pktline *p, struct err *err);
/* The request for the one ref, into out; returns its length. */
size_t lsrefs_request(const struct lsrefs *l, char out[LSREFS_REQUEST_BYTES]);

#endif

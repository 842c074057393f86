/*
 * origin.h - where a ref is followed: a folder, or a server over a wire.
 * Opened before the sandbox, read inside.
 */
#ifndef RECONCILER_FETCH_ORIGIN_H
#define RECONCILER_FETCH_ORIGIN_H

#include "lib/err.h"
#include "reconciler/fetch/budget.h"
#include "reconciler/fetch/fetch.pb-c.h"
#include "reconciler/fetch/https.h"
#include "reconciler/fetch/ssh.h"
#include "reconciler/fetch/url.h"

#define ORIGIN_PATH_BYTES 4096

struct origin {
	struct url url;
	struct budget budget;
	char folder[ORIGIN_PATH_BYTES]; /* of a file:// URL, else "" */
	union {
		struct ssh ssh;
		struct https https;
	} as;
	struct wire *wire; /* into as; NULL for a folder */
};

/* poll: only the ref will be asked for, as often as wanted. */
int origin_open(const Fetch__MirrorRequest *req, bool poll, struct origin *out,
		struct err *err);
void origin_release(struct origin *o);

#endif

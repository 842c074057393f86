/*
 * inforce.h - the trust policies of a line of history, by the id of the file:
 * each is read once.  Pure.
 */
#ifndef POLICY_TRUST_INFORCE_H
#define POLICY_TRUST_INFORCE_H

#include "policy/trust/line.h"

struct inforce_policy {
	struct commit_id blob;
	struct people *people; /* NULL: it is not acceptable, and why */
	struct verdict why;
	char digest[PEOPLE_DIGEST];
	struct inforce_policy *next;
};

struct inforce {
	const struct line_source *src;
	struct arena *arena;
	struct inforce_policy *list; /* the newest first */
};

/* *out borrowed until inforce_release(); T141, T144, T173. */
int inforce_read(struct inforce *f, const struct commit_id *blob,
		 const struct inforce_policy **out, struct verdict *v);
void inforce_release(struct inforce *f);

#endif

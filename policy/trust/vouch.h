/*
 * vouch.h - who vouches for one step of a line, and whether they are enough.
 *
 * Pure.  A step goes from one place of the line to a later one; when commits
 * lie between, it is joined.  Who counts for a path:
 *
 *   single step   the signer of its commit; approvals; in a clean merge the
 *                 signer of the merged commit that last changed the path, when
 *                 that gave it what the merged branch ends with
 *   joined step   approvals; and the same two of the commit that last changed
 *                 the path
 */
#ifndef POLICY_TRUST_VOUCH_H
#define POLICY_TRUST_VOUCH_H

#include "policy/trust/approved.h"
#include "policy/trust/line.h"

struct vouch {
	const struct line_source *src;
	const struct line_ask *ask;
	struct chain *chain;
	struct approved *approved;
	struct arena *arena; /* of what outlives a step */
	const struct signature_by *last_by;
	size_t verified;
};

struct vouch_step {
	size_t a, b;		     /* places; a < b */
	const struct people *people; /* in force at a */
	const struct people *next;   /* at b; NULL: there is none */
	bool same_policy;	     /* the file did not change */
	bool in_force;		     /* it still is at the target */
	bool report; /* fill requirements also when all are met */
};

struct vouch_result {
	bool good;
	struct verdict verdict; /* why the step is impossible; code 0 */
	const struct chain_commit *refused;    /* and by which commit; NULL: the
						* whole of a proposal */
	struct line_requirement *requirements; /* in vouch.arena */
	size_t n_requirements;
};

/* 0 when it was judged; ERR_TRUST when an object cannot be had. */
int vouch_step(struct vouch *w, const struct vouch_step *step,
	       struct vouch_result *out, struct verdict *v);
/* The signature of a commit by a policy; kept in the commit. */
int vouch_signature(struct vouch *w, struct chain_commit *c,
		    const struct people *people, struct verdict *v);

#endif

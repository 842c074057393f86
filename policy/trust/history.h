/*
 * history.h - which commits must be trusted, and whether they are.
 *
 * Pure: objects come through a callback.  New commits are those reachable from
 * the target and not from the last accepted one, through every parent of every
 * merge; each must pass signature_check().  The target must descend from the
 * accepted commit.  Without an accepted one the whole history down to its root
 * is new; with head_only, or when target is the accepted commit, only the
 * target's own signature is checked (again).
 *
 * Which commits are new is found by walk.h.
 */
#ifndef POLICY_TRUST_HISTORY_H
#define POLICY_TRUST_HISTORY_H

#include "policy/trust/commit.h"
#include "policy/trust/signature.h"
#include "policy/trust/walk.h"

#define HISTORY_REFUSED_MAX 32
#define HISTORY_COMMITS_MAX 1000000

struct history_ask {
	struct commit_id target, accepted;
	bool has_accepted;
	bool head_only;
	int64_t now;	    /* unix seconds */
	size_t max_commits; /* 0: HISTORY_COMMITS_MAX */
	/* Is told of each commit that is looked at; NULL: nobody.  why NULL: it
	 * passed; c NULL: it has no grammar. */
	void (*each)(void *ctx, const struct commit_id *id,
		     const struct signature_by *by, const struct verdict *why,
		     const struct commit *c);
	void *each_ctx;
};

struct history_refused {
	struct commit_id id;
	struct signature_by by;
	struct verdict verdict;
};

struct history_result {
	size_t verified;	  /* commits that passed */
	struct signature_by head; /* of the target, when it passed */
	bool head_passed;
	struct commit_id tree;	 /* of the target */
	struct commit_id parent; /* its first */
	bool has_parent;
	int64_t commit_time;
	struct history_refused refused[HISTORY_REFUSED_MAX];
	size_t n_refused; /* 0: everything passed */
};

/* 0 when it ran to the end (then out->n_refused decides); ERR_TRUST with a
 * verdict when history as a whole is refused: T140, T141, T143, T144. */
int history_check(const struct walk_source *src, const struct signers *s,
		  const struct history_ask *ask, struct history_result *out,
		  struct verdict *v);
/* Parts of it for who judges otherwise: keeps a refusal (the first
 * HISTORY_REFUSED_MAX), the facts of the target, and the verdict T140. */
void history_refuse(struct history_result *out, const struct commit_id *id,
		    const struct signature_by *by, const struct verdict *v);
void history_note_head(struct history_result *out, const struct commit *c);
int history_not_descendant(const struct commit_id *accepted, struct verdict *v);

#endif

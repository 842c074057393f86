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
 * Dates only order the walk: a date that lies can make more commits be
 * looked at, never fewer.
 */
#ifndef POLICY_TRUST_HISTORY_H
#define POLICY_TRUST_HISTORY_H

#include "policy/trust/commit.h"
#include "policy/trust/signature.h"

#define HISTORY_REFUSED_MAX 32
#define HISTORY_COMMITS_MAX 1000000

struct history_source {
	/* Raw bytes of commit `id`, borrowed until the next call; T141, T144,
	 * T102. */
	int (*read)(void *ctx, const struct commit_id *id, const char **out,
		    size_t *out_len, struct verdict *v);
	void *ctx;
};

struct history_ask {
	struct commit_id target, accepted;
	bool has_accepted;
	bool head_only;
	int64_t now;	    /* unix seconds */
	size_t max_commits; /* 0: HISTORY_COMMITS_MAX */
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
int history_check(const struct history_source *src, const struct signers *s,
		  const struct history_ask *ask, struct history_result *out,
		  struct verdict *v);

#endif

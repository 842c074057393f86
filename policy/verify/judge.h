/*
 * judge.h - what a commit says, and whether policy lets it run: policy file,
 * binding to repository and ref, manifests, references, admission, snapshot.
 *
 * Two policies judge: the commit's own and that of its first parent, so that a
 * commit cannot use what it allows itself (A62).
 */
#ifndef POLICY_VERIFY_JUDGE_H
#define POLICY_VERIFY_JUDGE_H

#include "manifest/manifest.h"
#include "policy/verify/store.h"

struct judge_ask {
	struct commit_id commit, tree;
	const struct commit_id *before[2]; /* commits whose policy may also
					    * judge: first parent, accepted;
					    * NULL: none */
	const char *repository_id;	   /* NULL: not bound (untrusted) */
	const char *ref;
	const char *signer; /* NULL: untrusted */
	int64_t commit_time;
	bool want_snapshot;
};

struct judge_result {
	bool trust_failed;   /* binding: T150, T151, T152 */
	struct buf snapshot; /* owned; empty unless wanted and whole: an object
			      * that policy refuses is in it */
};

/* 0 when it ran to the end (diags decide); ERR_TRUST with a verdict when the
 * store fails; other codes in err.  diags are sorted. */
int judge_commit(struct store *store, const struct judge_ask *ask,
		 struct arena *arena, struct diags *diags,
		 struct judge_result *out, struct verdict *v, struct err *err);

struct judge_binding { /* what a commit says it is for; NULL: nothing */
	const char *repository_id, *ref;
};
int judge_read_binding(struct store *store, const struct commit_id *commit,
		       struct arena *arena, struct judge_binding *out,
		       struct verdict *v);

#endif

/*
 * chain.h - the new commits of a history, in the order in which a trust policy
 * looks at them: the line of first parents, and behind each merge on it what it
 * brings in.
 *
 * Pure.  It reads objects and remembers; it decides nothing but whether the
 * line reaches from where trust is to the target (T140, T145).
 */
#ifndef POLICY_TRUST_CHAIN_H
#define POLICY_TRUST_CHAIN_H

#include "policy/trust/approval.h"
#include "policy/trust/people.h"
#include "policy/trust/walk.h"

struct chain_commit {
	struct commit_id id, tree;
	const struct commit_id *parents; /* arena */
	size_t n_parents;
	int64_t when;
	const char *subject; /* escaped; NULL unless wanted */
	bool on_line, taken; /* taken: belongs to the line or to a merge */
	/* The signature, by the policy of `judge`.  Grammar that is broken is a
	 * verdict without a judge. */
	const struct people *judge;
	const struct signature_by *by; /* shared, but for the payload */
	const struct verdict *verdict; /* NULL: good */
	uint8_t payload[HASH_BYTES];
};

/* A place on the line: after a commit, or before the first one. */
struct chain_place {
	struct chain_commit *commit; /* NULL: before the root commit */
	struct commit_id id, tree;   /* also of the start, which is not new */
	bool is_nothing;	     /* before the root commit */
	int64_t when;
	size_t side, n_side; /* of chain.sides: merged here, latest
			      * first */
	struct commit_id policy, approvals, content;
	bool has_policy, has_approvals, has_content;
};

struct chain {
	struct chain_place *line; /* [0] is where trust is */
	size_t n;		  /* at least 1 */
	struct chain_commit **sides;
	size_t n_sides;
	struct chain_commit *commits; /* all new ones, as they were met */
	size_t n_commits;
	const struct chain_place **by_content; /* chain_sort() */
	bool off_line; /* a proposal that does not begin at BASE: every new
			* commit is in sides */
	struct chain_work *work;
};

struct chain_ask {
	struct commit_id target;
	struct commit_id start, anchor; /* start: accepted, or the anchor */
	bool has_start, has_anchor;	/* has_anchor: it may stand above start
					 * and is then where trust is */
	bool may_be_off_line;
	bool want_subjects;
	size_t max_commits;
};

/* T140, T141, T143..T145.  Lists in the arena; chain_release(). */
int chain_read(const struct walk_source *commits,
	       const struct approval_source *trees, const struct chain_ask *ask,
	       struct arena *arena, struct chain *out, struct verdict *v);
void chain_release(struct chain *c);
/* Whether a commit was there before after all: its date lied (exact, slow the
 * first time). */
int chain_is_old(struct chain *c, const struct chain_commit *commit,
		 bool *out_old, struct verdict *v);
/* Fills policy and approvals of a place: the ids of .reconcile/trust.yaml and
 * .reconcile/approvals. */
int chain_read_place(struct chain *c, struct chain_place *place,
		     struct verdict *v);
/* The tree of any commit, accepted long ago or not. */
int chain_read_tree(const struct chain *c, const struct commit_id *commit,
		    struct commit_id *out, struct verdict *v);
/* Fills content. */
int chain_read_content(struct chain *c, struct chain_place *place,
		       struct verdict *v);
/* Fills by_content, when every place has its content. */
void chain_sort(struct chain *c, struct arena *arena);
/* The first of by_content that is not below this content; n: none. */
size_t chain_seek(const struct chain *c, const struct commit_id *content);

#endif

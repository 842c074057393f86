/*
 * approved.h - the approvals that a line of history carries.
 *
 * Pure.  They are gathered from every commit on the line, and only those whose
 * folder names a tree that is wanted are read: what has served stays unread.
 * One that does not count is no error, because anybody who may commit could put
 * it there; why it does not is kept, so that nothing is passed over in silence.
 */
#ifndef POLICY_TRUST_APPROVED_H
#define POLICY_TRUST_APPROVED_H

#include "policy/trust/chain.h"

#define APPROVED_MAX 50000
#define APPROVED_BYTES_MAX ((size_t)64 << 20) /* of all files */

struct approved_item {
	struct approval approval;
	bool malformed;	  /* verdict says why */
	const char *path; /* escaped */
	int64_t when;	  /* date of the commit that brought it */
	struct commit_id blob;
	const struct people *judge; /* whose answer by and verdict are */
	struct signature_by by;
	struct verdict verdict;
	struct approved_item *next; /* about the same tree */
};

struct approved_tree { /* that is wanted, and what is about it */
	struct commit_id id;
	struct commit_id folder; /* that was read last */
	struct approved_item *items;
};

struct approved {
	struct approved_tree *trees; /* by id; arena */
	size_t n_trees, n_items, bytes;
};

struct approved_ask {
	const struct diff_source *trees;
	int (*blob)(void *ctx, const struct commit_id *id, const char **out,
		    size_t *out_len, struct verdict *v);
	void *ctx;
	const struct commit_id *wanted; /* content trees */
	size_t n_wanted;
};

/* Every place of the line must have its approvals (chain_read_place()) up to
 * n places.  T141, T144, T173. */
int approved_gather(const struct approved_ask *ask, const struct chain *chain,
		    size_t n, struct arena *arena, struct approved *out,
		    struct verdict *v);
/* What is about a change to this tree, the latest first; NULL. */
struct approved_item *approved_to(const struct approved *a,
				  const struct commit_id *to);
/* Whether it begins at this tree; NULL: at nothing. */
bool approved_from(const struct approved_item *item,
		   const struct commit_id *from);

#endif

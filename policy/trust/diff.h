/*
 * diff.h - which paths differ between two trees, by their raw objects.
 *
 * Pure: objects come through a callback.  Folders with equal ids are skipped
 * unread.  Where a name comes in, every name of that folder must be harmless
 * and none may clash (tree.h), so that a path means one thing to a rule.  What
 * stands there already may be anything, else it could never be taken away: a
 * slash in such a name becomes a backslash, which no harmless name has.
 */
#ifndef POLICY_TRUST_DIFF_H
#define POLICY_TRUST_DIFF_H

#include "lib/arena.h"
#include "policy/trust/tree.h"

#define DIFF_DEPTH_MAX 32
#define DIFF_PATHS_MAX 100000
#define DIFF_MEMORY_MAX ((size_t)192 << 20) /* of the arena */

struct diff_source {
	/* Raw bytes of tree `id`, borrowed until the next call; T141, T144,
	 * T173. */
	int (*read)(void *ctx, const struct commit_id *id, const char **out,
		    size_t *out_len, struct verdict *v);
	void *ctx;
};

struct diff_change {
	const char *path; /* from the root; a folder without entries is one,
			   * with a slash at its end */
	enum tree_mode before, after; /* 0: it is not there */
	struct commit_id before_id, after_id;
};

struct diff {
	struct diff_change *items; /* by the bytes of the path; arena */
	size_t n;
};

/* before or after NULL: nothing.  Of an arena that holds 256 MiB or more.
 * T171..T173, T175 and what the source says. */
int diff_trees(const struct diff_source *src, const struct commit_id *before,
	       const struct commit_id *after, struct arena *arena,
	       struct diff *out, struct verdict *v);
/* The change of a path; NULL. */
const struct diff_change *diff_find(const struct diff *d, const char *path);

#endif

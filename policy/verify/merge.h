/*
 * merge.h - what merging two commits gives, computed in memory (A32).
 *
 * libgit2 merges, with rename detection as git has it; it is given a repository
 * without a place on disk: objects are read from the store, what the merge
 * makes is kept in memory, configuration is empty and there are no attributes,
 * so no driver or filter of anybody runs.  Nothing is written.
 */
#ifndef POLICY_VERIFY_MERGE_H
#define POLICY_VERIFY_MERGE_H

#include "policy/verify/store.h"

#define MERGE_BLOB_MAX ((size_t)32 << 20)
#define MERGE_MADE_BYTES ((size_t)256 << 20) /* kept in memory */

/* The tree of merging theirs into ours.  keep: the store has afterwards, in
 * memory, the objects that the merge made.  *out_clean false, and *out
 * untouched, when they conflict, have not exactly one merge base, or are over a
 * limit. T141, T144. */
int merge_commits(struct store *store, const struct commit_id *ours,
		  const struct commit_id *theirs, bool keep, bool *out_clean,
		  struct commit_id *out, struct verdict *v);

#endif

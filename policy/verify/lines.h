/*
 * lines.h - the objects of a store, for judging a line by the trust policy that
 * stands in it: bytes, merges, roles.
 */
#ifndef POLICY_VERIFY_LINES_H
#define POLICY_VERIFY_LINES_H

#include "policy/trust/line.h"
#include "policy/verify/store.h"

/* line_check() on a store; ask->access is set here. */
int lines_check(struct store *store, struct line_ask *ask, struct arena *arena,
		struct history_result *history, struct line_result *out,
		struct verdict *v);
/* Whether the tree of a commit has .reconcile/trust.yaml, of whatever kind. */
int lines_has_policy(struct store *store, const struct commit_id *tree,
		     bool *out, struct verdict *v);

#endif

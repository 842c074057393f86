/*
 * subjects.h - whom the roles and bindings of a commit are about: are they in
 * force, and does the trust policy know the people and groups that they name?
 */
#ifndef POLICY_VERIFY_SUBJECTS_H
#define POLICY_VERIFY_SUBJECTS_H

#include "manifest/manifest.h"
#include "policy/verify/store.h"

/* Fills rbac and groups of *io from the trust policy in the tree; warnings
 * T156 and T157 about its objects.  A trust policy that does not decode is none
 * here: it is refused elsewhere.  T141, T144 when the store fails. */
int subjects_check(struct store *store, const struct commit_id *tree,
		   struct arena *arena, struct diags *diags,
		   struct snapshot *io, struct verdict *v);

#endif

/*
 * roles.h - RBAC along a line of history: which objects a step makes, changes
 * and deletes, and whether the roles before it let a person do that
 * (docs/trust.md, RBAC).
 *
 * An object is who it is (kind, namespace, name) and what it says (its
 * canonical form): one that moves to another file unchanged is not changed.
 * Runs in reconcile-verify below its sandbox; blobs are hostile.
 *
 * Invariants: (1) roles of the step itself never count for it; a step from
 * nothing alone is judged by its own; (2) a file that does not decode takes the
 * right to do everything, before and after; what is in it is not in force;
 * (3) an object that is defined twice is not in force.
 */
#ifndef POLICY_VERIFY_ROLES_H
#define POLICY_VERIFY_ROLES_H

#include "policy/trust/line.h"
#include "policy/verify/store.h"

struct roles;

struct roles *roles_new(struct store *store);
void roles_free(struct roles *r);
/* What line_check() asks; borrows r. */
void roles_hook(struct roles *r, struct line_access *out);

#endif

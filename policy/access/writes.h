/*
 * writes.h - may somebody make, change or delete an object?  Pure.
 *
 * Escalation is refused as in Kubernetes: who writes a role holds all that it
 * gives, or may escalate; who writes a binding holds all of its role, or may
 * bind it; who says what a ClusterRole sums up may do anything.
 */
#ifndef POLICY_ACCESS_WRITES_H
#define POLICY_ACCESS_WRITES_H

#include "policy/access/access.h"

#define WRITES_WHY_BYTES 512

/* before NULL: create, after NULL: delete. */
struct writes_one {
	const struct object *before, *after;
};

/* By the roles before the change (a); `after`: those that it leaves behind, of
 * which a binding gives one.  A binding that gives another role than before is
 * a delete and a create.  why: what is not allowed, to stand behind "may not";
 * NULL: not wanted. */
bool writes_may(const struct access *a, const struct access *after,
		const struct access_who *who, const struct writes_one *w,
		char *why);

#endif

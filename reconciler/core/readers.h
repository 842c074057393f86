/*
 * readers.h - what somebody may see who runs `reconcile` through sudo: the
 * roles of the accepted commit decide (docs/trust.md, RBAC).
 *
 * The manager keeps the roles and bindings of the commit that it accepted last,
 * when authorization is RBAC.  Root, the manager's own user and whoever can
 * read the state folder are not bound: this is about what sudo hands out.
 */
#ifndef RECONCILER_CORE_READERS_H
#define RECONCILER_CORE_READERS_H

#include "policy/access/access.h"
#include "reconciler/core/core.h"

struct readers {
	bool bound;	       /* false: everything may be seen */
	struct snapshot *kept; /* in the arena */
	struct access access;
	struct access_who who;
};

/* Remembers the roles of the commit in force. */
int readers_note(struct core *c, const struct snapshot *want,
		 struct arena *arena, struct err *err);
/* unix_user: who called sudo; NULL: nobody, so nothing is bound.  ERR_DENIED
 * when roles are in force and access.user does not map them. */
int readers_open(struct state *state, const struct core_conf *conf,
		 const char *unix_user, struct arena *arena,
		 struct readers *out, struct err *err);
bool readers_may(const struct readers *r, const struct access_ask *ask);
/* In at least one namespace, or in the cluster; ask's namespace does not
 * count. */
bool readers_may_somewhere(const struct readers *r,
			   const struct access_ask *ask);
/* ERR_DENIED (T158) that says who, and what they may not. */
int readers_refuse(const struct readers *r, const struct access_ask *ask,
		   struct err *err);

#endif

/*
 * access.h - RBAC as Kubernetes has it: Role, ClusterRole and their bindings
 * say which verbs a person may use on which objects.  Pure.
 *
 * Nothing is allowed that no rule allows; no name and no group stands above the
 * rules.  Who writes a role or a binding must hold everything that it gives, or
 * be allowed to escalate or bind (Kubernetes, "Privilege escalation
 * prevention").  A request without namespace is about the cluster: bindings of
 * a namespace do not count for it.
 */
#ifndef POLICY_ACCESS_ACCESS_H
#define POLICY_ACCESS_ACCESS_H

#include "lib/arena.h"
#include "manifest/manifest.h"

struct access_who {
	const char *name;	   /* subject User */
	const char *const *groups; /* subjects Group; borrowed */
	size_t n_groups;
};

struct access_ask { /* members are never NULL; "": none */
	const char *verb, *group, *resource, *subresource;
	const char *namespace; /* "": the cluster */
	const char *name;      /* "": not known; always so with create, list */
};

/* What a role gives: its own rules, or those of all that it sums up. */
struct access_role {
	const struct rbac_role **parts;
	size_t n_parts;
};

/* The roles in force.  set is sorted (manifest_load) and, as arena, outlives
 * it; kinds that are not of RBAC are passed over. */
struct access {
	const struct objects *set;
	struct access_role *roles; /* same order */
};
void access_init(struct access *a, const struct objects *set,
		 struct arena *arena);

bool access_allows(const struct access *a, const struct access_who *who,
		   const struct access_ask *ask);

/* May `who` do anything with anything? */
bool access_may_all(const struct access *a, const struct access_who *who);

/* What a binding gives; NULL when its role is not there. */
const struct access_role *access_role(const struct access *a,
				      const struct object *binding);
/* One verb on one resource. */
struct access_atom {
	const char *verb, *group, *resource;
	const char *name; /* NULL: all */
};
/* Does `who` hold all that the role gives, in the namespace ("": the cluster)?
 * *out_missing: the first thing that is not held; borrowed. */
bool access_holds(const struct access *a, const struct access_who *who,
		  const char *namespace, const struct access_role *role,
		  struct access_atom *out_missing);
/* Do the rules of `have` allow all that those of `want` allow? */
bool access_covers(const struct rbac_role *have, const struct rbac_role *want,
		   struct access_atom *out_missing);

#endif

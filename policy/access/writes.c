/*
 * writes.c - see writes.h.
 */
#include "policy/access/writes.h"

#include "lib/text.h"

#include <stdio.h>
#include <string.h>

#define RBAC_GROUP_NAME "rbac.authorization.k8s.io"

struct write {
	const struct access *a, *after;
	const struct access_who *who;
	const struct writes_one *w;
	const struct object *o; /* the one that is there */
	const char *ns;
	char *why; /* or NULL */
};

static void put_place(char *out, size_t len, const char *ns, const char *name)
{
	(void)snprintf(out, len, "%s%s%s%s%s",
		       *ns != '\0' ? " in namespace " : "", ns,
		       *ns == '\0' ? " in the cluster" : "",
		       *name != '\0' ? ", name " : "", name);
}

static bool refuse(const struct write *x, const char *before,
		   const struct access_atom *w, const char *ns)
{
	char verb[40], resource[80], name[80], group[80], place[180];

	if (x->why == NULL)
		return false;
	text_safe(verb, sizeof(verb), w->verb, strlen(w->verb));
	text_safe(group, sizeof(group), w->group, strlen(w->group));
	text_safe(resource, sizeof(resource), w->resource, strlen(w->resource));
	text_safe(name, sizeof(name), w->name == NULL ? "" : w->name,
		  w->name == NULL ? 0 : strlen(w->name));
	put_place(place, sizeof(place), ns, name);
	(void)snprintf(x->why, WRITES_WHY_BYTES, "%s%s %s%s%s%s", before, verb,
		       resource, *group != '\0' ? "." : "", group, place);
	return false;
}

/* As for Kubernetes a Namespace lies in itself, once it is there. */
static const char *place_of(const struct writes_one *w, const struct object *o)
{
	if (o->kind == MANIFEST_NAMESPACE && w->before != NULL)
		return o->meta.name;
	return o->meta.namespace == NULL ? "" : o->meta.namespace;
}

static bool allowed(const struct write *x, const char *verb)
{
	struct access_ask q = {
		.verb = verb,
		.group = manifest_kind_group(x->o->kind),
		.resource = manifest_kind_resource(x->o->kind),
		.subresource = "",
		.namespace = x->ns,
		.name = x->o->meta.name,
	};
	struct access_atom w = {verb, q.group, q.resource, q.name};

	return access_allows(x->a, x->who, &q) || refuse(x, "", &w, x->ns);
}

static bool same_strings(const struct strings *a, const struct strings *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->items[i], b->items[i]) == 0;
	return same;
}

static bool same_selector(const struct selector *a, const struct selector *b)
{
	bool same = a->match_labels.n == b->match_labels.n &&
		    a->n_exprs == b->n_exprs;

	for (size_t i = 0; same && i < a->match_labels.n; i++)
		same = strcmp(a->match_labels.items[i].key,
			      b->match_labels.items[i].key) == 0 &&
		       strcmp(a->match_labels.items[i].value,
			      b->match_labels.items[i].value) == 0;
	for (size_t i = 0; same && i < a->n_exprs; i++)
		same = strcmp(a->exprs[i].key, b->exprs[i].key) == 0 &&
		       a->exprs[i].op == b->exprs[i].op &&
		       same_strings(&a->exprs[i].values, &b->exprs[i].values);
	return same;
}

static bool same_aggregation(const struct rbac_role *a,
			     const struct rbac_role *b)
{
	bool same = a->n_aggregate == b->n_aggregate;

	for (size_t i = 0; same && i < a->n_aggregate; i++)
		same = same_selector(&a->aggregate[i], &b->aggregate[i]);
	return same;
}

/* Who writes a role holds all of it, or may escalate.  What a sum of roles will
 * hold nobody knows: to say what it sums up takes everything. */
static bool may_role(const struct write *x)
{
	static const struct rbac_role nothing = {0};
	const struct object *o = x->w->after;
	struct access_ask q = {.verb = "escalate",
			       .group = RBAC_GROUP_NAME,
			       .resource = manifest_kind_resource(o->kind),
			       .subresource = "",
			       .namespace = x->ns,
			       .name = x->w->before == NULL ? ""
							    : o->meta.name};
	const struct object *in_force = manifest_find(
		x->after->set, o->kind, o->meta.namespace, o->meta.name);
	const struct rbac_role *own = &o->role;
	struct access_role role = {&own, 1};
	struct access_atom missing = {"*", "*", "*", NULL};

	if (access_allows(x->a, x->who, &q))
		return true;
	if (o->kind == MANIFEST_CLUSTERROLE &&
	    !same_aggregation(x->w->before == NULL ? &nothing
						   : &x->w->before->role,
			      &o->role) &&
	    !access_may_all(x->a, x->who))
		return refuse(x,
			      "write an aggregationRule without the right "
			      "to ",
			      &missing, "");
	if (in_force != NULL)
		role = x->after->roles[in_force - x->after->set->items];
	return access_holds(x->a, x->who, x->ns, &role, &missing) ||
	       refuse(x, "give what they do not hold: ", &missing, x->ns);
}

/* Who binds a role holds all of it, or may bind it. */
static bool may_bind(const struct write *x)
{
	const struct object *o = x->w->after;
	const struct rbac_binding *b = &o->binding;
	const char *roles =
		b->role_kind == RBAC_ROLE ? "roles" : "clusterroles";
	struct access_ask q = {.verb = "bind",
			       .group = RBAC_GROUP_NAME,
			       .resource = roles,
			       .subresource = "",
			       .namespace = x->ns,
			       .name = b->role};
	struct access_atom missing = {"bind", RBAC_GROUP_NAME, roles, b->role};
	const struct access_role *role = NULL;

	if (access_allows(x->a, x->who, &q))
		return true;
	role = access_role(x->after, o);
	if (role == NULL)
		return refuse(x,
			      "bind a role that is not there without the "
			      "right to ",
			      &missing, x->ns);
	return access_holds(x->a, x->who, x->ns, role, &missing) ||
	       refuse(x, "give what they do not hold: ", &missing, x->ns);
}

static bool gives_another_role(const struct writes_one *w)
{
	return w->before != NULL && w->after != NULL &&
	       (w->before->binding.role_kind != w->after->binding.role_kind ||
		strcmp(w->before->binding.role, w->after->binding.role) != 0);
}

static bool is_binding(enum manifest_kind kind)
{
	return kind == MANIFEST_ROLEBINDING ||
	       kind == MANIFEST_CLUSTERROLEBINDING;
}

bool writes_may(const struct access *a, const struct access *after,
		const struct access_who *who, const struct writes_one *w,
		char *why)
{
	const struct object *o = w->after != NULL ? w->after : w->before;
	struct write x = {
		.a = a,
		.after = after,
		.who = who,
		.w = w,
		.o = o,
		.ns = place_of(w, o),
		.why = why,
	};
	bool good;

	if (is_binding(o->kind) && gives_another_role(w))
		good = allowed(&x, "delete") && allowed(&x, "create");
	else
		good = allowed(&x, w->before == NULL  ? "create"
				   : w->after == NULL ? "delete"
						      : "update");
#ifndef GUARD_OFF_ACCESS_ESCALATION
	if (good && w->after != NULL && is_binding(o->kind))
		good = may_bind(&x);
	else if (good && w->after != NULL &&
		 (o->kind == MANIFEST_ROLE || o->kind == MANIFEST_CLUSTERROLE))
		good = may_role(&x);
#else
	(void)may_bind;
	(void)may_role;
#endif
	return good;
}

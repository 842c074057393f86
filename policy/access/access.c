/*
 * access.c - see access.h.  Roles come from signed commits: their size is
 * bounded by the decoder, their content is not to be trusted.
 */
#include "policy/access/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- which roles apply ---------------------------------------------------- */

static bool is_aggregated(const struct rbac_role *to, const struct meta *from)
{
	for (size_t i = 0; i < to->n_aggregate; i++)
		if (manifest_selector_matches(&to->aggregate[i], &from->labels))
			return true;
	return false;
}

/* Adds role `i` and, if it is a sum, all that it sums up; a sum of sums may
 * lead back to itself. */
static void add_parts(const struct objects *set, size_t i, bool *seen,
		      struct access_role *out)
{
	const struct rbac_role *role = &set->items[i].role;

	if (seen[i])
		return;
	seen[i] = true;
	if (role->n_aggregate == 0)
		out->parts[out->n_parts++] = role;
	for (size_t k = 0; role->n_aggregate > 0 && k < set->n; k++)
		if (set->items[k].kind == MANIFEST_CLUSTERROLE &&
		    is_aggregated(role, &set->items[k].meta))
			add_parts(set, k, seen, out);
}

static size_t count_clusterroles(const struct objects *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		n += set->items[i].kind == MANIFEST_CLUSTERROLE;
	return n;
}

void access_init(struct access *a, const struct objects *set,
		 struct arena *arena)
{
	size_t n_cluster = count_clusterroles(set);

	*a = (struct access){.set = set};
	a->roles = arena_calloc(arena, set->n + 1, sizeof(*a->roles));
	for (size_t i = 0; i < set->n; i++) {
		const struct object *o = &set->items[i];
		size_t n = o->role.n_aggregate > 0 ? n_cluster : 1;

		if (o->kind != MANIFEST_ROLE && o->kind != MANIFEST_CLUSTERROLE)
			continue;
		a->roles[i].parts =
			arena_calloc(arena, n, sizeof(struct rbac_role *));
		add_parts(set, i, arena_calloc(arena, set->n, sizeof(bool)),
			  &a->roles[i]);
	}
}

/* The role that a binding gives; NULL when there is none. */
const struct access_role *access_role(const struct access *a,
				      const struct object *binding)
{
	const struct rbac_binding *b = &binding->binding;
	bool local = b->role_kind == RBAC_ROLE;
	const struct object *o = manifest_find(
		a->set, local ? MANIFEST_ROLE : MANIFEST_CLUSTERROLE,
		local ? binding->meta.namespace : NULL, b->role);

	return o == NULL ? NULL : &a->roles[o - a->set->items];
}

static bool has_group(const struct access_who *who, const char *group)
{
	for (size_t i = 0; i < who->n_groups; i++)
		if (strcmp(who->groups[i], group) == 0)
			return true;
	return false;
}

static bool is_bound(const struct rbac_binding *b, const struct access_who *who)
{
	for (size_t i = 0; i < b->n_subjects; i++) {
		const struct rbac_subject *s = &b->subjects[i];

		if (s->kind == RBAC_USER ? strcmp(s->name, who->name) == 0
					 : has_group(who, s->name))
			return true;
	}
	return false;
}

/* Does the binding count for requests in the namespace ("": the cluster)? */
static bool reaches(const struct object *o, const char *namespace)
{
	if (o->kind == MANIFEST_CLUSTERROLEBINDING)
		return true;
#ifdef GUARD_OFF_ACCESS_NAMESPACE
	return o->kind == MANIFEST_ROLEBINDING;
#endif
	return o->kind == MANIFEST_ROLEBINDING && *namespace != '\0' &&
	       strcmp(o->meta.namespace, namespace) == 0;
}

/* Does a rule of somebody satisfy? */
typedef bool rule_test(const struct rbac_rule *r, const void *what);

static bool any_rule(const struct access *a, const struct access_who *who,
		     const char *namespace, rule_test *test, const void *what)
{
	for (size_t i = 0; i < a->set->n; i++) {
		const struct object *o = &a->set->items[i];
		const struct access_role *role = NULL;

		if (!reaches(o, namespace) || !is_bound(&o->binding, who))
			continue;
		role = access_role(a, o);
		for (size_t p = 0; role != NULL && p < role->n_parts; p++)
			for (size_t k = 0; k < role->parts[p]->n_rules; k++)
				if (test(&role->parts[p]->rules[k], what))
					return true;
	}
	return false;
}

/* --- one request ---------------------------------------------------------- */

static bool has(const struct strings *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

static bool has_or_any(const struct strings *list, const char *text)
{
	return has(list, "*") || has(list, text);
}

/* Resources of a rule: "*", "pods", "pods/log", or "*" + "/log" for the
 * subresource of every kind. */
static bool has_resource(const struct strings *list, const char *resource,
			 const char *subresource)
{
	size_t n = strlen(resource);

	for (size_t i = 0; i < list->n; i++) {
		const char *have = list->items[i];
		bool named = strncmp(have, resource, n) == 0;

		if (strcmp(have, "*") == 0)
			return true;
		if (*subresource == '\0' && named && have[n] == '\0')
			return true;
		if (*subresource == '\0')
			continue;
		if (named && have[n] == '/' &&
		    strcmp(have + n + 1, subresource) == 0)
			return true;
		if (strncmp(have, "*/", 2) == 0 &&
		    strcmp(have + 2, subresource) == 0)
			return true;
	}
	return false;
}

static bool allows(const struct rbac_rule *r, const void *what)
{
	const struct access_ask *q = what;

	return has_or_any(&r->verbs, q->verb) &&
	       has_or_any(&r->groups, q->group) &&
	       has_resource(&r->resources, q->resource, q->subresource) &&
	       (r->names.n == 0 ||
		(*q->name != '\0' && has(&r->names, q->name)));
}

bool access_allows(const struct access *a, const struct access_who *who,
		   const struct access_ask *ask)
{
	struct access_ask q = *ask;

	/* of what is made or listed the name is not known */
	if (strcmp(q.verb, "create") == 0 || strcmp(q.verb, "list") == 0)
		q.name = "";
	return any_rule(a, who, q.namespace, allows, &q);
}

/* --- rules that cover rules ----------------------------------------------- */

static bool covers(const struct rbac_rule *r, const void *what)
{
	const struct access_atom *w = what;
	const char *slash = strchr(w->resource, '/');
	char any[280];

	if (!has_or_any(&r->verbs, w->verb) ||
	    !has_or_any(&r->groups, w->group))
		return false;
	/* all names are covered by a rule for all names alone */
	if (r->names.n > 0 && (w->name == NULL || !has(&r->names, w->name)))
		return false;
	if (has_or_any(&r->resources, w->resource))
		return true;
	if (slash == NULL || strlen(slash) + 2 > sizeof(any))
		return false;
	(void)snprintf(any, sizeof(any), "*%s", slash);
	return has(&r->resources, any);
}

/* The rules of which each verb, group, resource and name is looked for. */
struct holder {
	const struct rbac_rule **rules; /* owned */
	size_t n, cap;
};

static bool take_rule(const struct rbac_rule *r, const void *what)
{
	struct holder *h = *(struct holder *const *)what;

	if (h->n == h->cap) {
		h->cap = h->cap > 0 ? h->cap * 2 : 64;
		h->rules = reallocarray(h->rules, h->cap, sizeof(*h->rules));
		if (h->rules == NULL)
			abort();
	}
	h->rules[h->n++] = r;
	return false;
}

static bool holds_atom(const struct holder *h, const struct access_atom *w)
{
	for (size_t i = 0; i < h->n; i++)
		if (covers(h->rules[i], w))
			return true;
	return false;
}

static bool holds_rule(const struct holder *h, const struct rbac_rule *r,
		       struct access_atom *out)
{
	size_t n_names = r->names.n > 0 ? r->names.n : 1;
	size_t n = r->verbs.n * r->groups.n * r->resources.n * n_names;

	for (size_t i = 0; i < n; i++) {
		size_t k = i / n_names;
		struct access_atom w = {
			.name = r->names.n > 0 ? r->names.items[i % n_names]
					       : NULL,
			.resource = r->resources.items[k % r->resources.n],
		};

		k /= r->resources.n;
		w.group = r->groups.items[k % r->groups.n];
		w.verb = r->verbs.items[k / r->groups.n];
		if (holds_atom(h, &w))
			continue;
		*out = w;
		return false;
	}
	return true;
}

static bool holds_role(const struct holder *h, const struct access_role *role,
		       struct access_atom *out)
{
	for (size_t p = 0; p < role->n_parts; p++)
		for (size_t i = 0; i < role->parts[p]->n_rules; i++)
			if (!holds_rule(h, &role->parts[p]->rules[i], out))
				return false;
	return true;
}

bool access_covers(const struct rbac_role *have, const struct rbac_role *want,
		   struct access_atom *out_missing)
{
	struct access_role role = {&want, 1};
	struct holder h = {0};
	struct holder *to = &h;
	bool good;

	for (size_t i = 0; i < have->n_rules; i++)
		(void)take_rule(&have->rules[i], &to);
	good = holds_role(&h, &role, out_missing);
	free(h.rules);
	return good;
}

bool access_holds(const struct access *a, const struct access_who *who,
		  const char *namespace, const struct access_role *role,
		  struct access_atom *out_missing)
{
	struct holder h = {0};
	struct holder *to = &h;
	bool good;

	(void)any_rule(a, who, namespace, take_rule, &to);
	good = holds_role(&h, role, out_missing);
	free(h.rules);
	return good;
}

bool access_may_all(const struct access *a, const struct access_who *who)
{
	static const struct access_atom all = {"*", "*", "*", NULL};

	return any_rule(a, who, "", covers, &all);
}

/*
 * kind_rbac.c - Role, ClusterRole and their bindings
 * (rbac.authorization.k8s.io/v1).  Subjects are people and roles of the trust
 * policy.  A rule that grants nothing here is said to; pure.
 */
#include "manifest/kind.h"

#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define RULES_MAX 256
#define SUBJECTS_MAX 1024
/* Verbs times groups times resources times names: escalation looks at each. */
#define COMBINATIONS_MAX 4096

/* --- rules ---------------------------------------------------------------- */

#define API_GROUP "rbac.authorization.k8s.io"

static const char *const verbs[] = {"*",   "bind",     "create", "delete",
				    "get", "escalate", "list",	 "update"};

/* What is read and is no manifest: `reconcile status`, `logs`, `audit show`. */
static const struct {
	const char *group, *resource;
} readable[] = {
	{"", "*/log"},
	{"", "nodes"},
	{"", "pods/log"},
	{"reconcile", "audits"},
};

static bool is_verb(const char *text)
{
	for (size_t i = 0; i < FIELD_COUNT(verbs); i++)
		if (strcmp(verbs[i], text) == 0)
			return true;
	return false;
}

static bool is_resource(const char *group, const char *resource)
{
	bool any = strcmp(group, "*") == 0;

	if (strcmp(resource, "*") == 0)
		return true;
	for (int i = 0; i < MANIFEST_KIND_COUNT; i++) {
		const struct kind_row *row = kind_get((enum manifest_kind)i);

		if ((any || strcmp(row->group, group) == 0) &&
		    strcmp(row->resource, resource) == 0)
			return true;
	}
	for (size_t i = 0; i < FIELD_COUNT(readable); i++)
		if ((any || strcmp(readable[i].group, group) == 0) &&
		    strcmp(readable[i].resource, resource) == 0)
			return true;
	return false;
}

static void say_nothing(struct decode *d, const struct node *n, const char *key,
			const char *what, const char *text)
{
	char safe[80];

	decode_say(d, CODE_NO_EFFECT, DIAG_WARNING, node_get(n, key), key, NULL,
		   "%s %s does not exist here: the rule grants nothing by it",
		   what, text_safe(safe, sizeof(safe), text, strlen(text)));
}

static void check_verbs(struct decode *d, const struct node *n,
			const struct rbac_rule *r)
{
	for (size_t i = 0; i < r->verbs.n; i++)
		if (!is_verb(r->verbs.items[i]))
			say_nothing(d, n, "verbs", "verb", r->verbs.items[i]);
	if (r->names.n > 0 && r->verbs.n == 1 &&
	    strcmp(r->verbs.items[0], "create") == 0)
		decode_say(d, CODE_NO_EFFECT, DIAG_WARNING, n, "resourceNames",
			   "delete resourceNames, or give create a rule of its "
			   "own",
			   "create cannot be limited to names: the rule grants "
			   "nothing");
}

static void check_resources(struct decode *d, const struct node *n,
			    const struct rbac_rule *r)
{
	for (size_t i = 0; i < r->resources.n; i++) {
		bool known = false;

		for (size_t k = 0; k < r->groups.n && !known; k++)
			known = is_resource(r->groups.items[k],
					    r->resources.items[i]);
		if (!known)
			say_nothing(d, n, "resources",
				    "in these apiGroups, resource",
				    r->resources.items[i]);
	}
}

static void check_filled(struct decode *d, const struct node *n,
			 const char *key, const struct strings *list)
{
	const struct node *at = node_get(n, key);

	if (at && list->n == 0)
		decode_say(d, CODE_REQUIRED, DIAG_ERROR, at, key, NULL,
			   "want at least one item in %s, have none", key);
}

static void check_size(struct decode *d, const struct node *n,
		       const struct rbac_rule *r)
{
	const struct strings *lists[] = {&r->verbs, &r->groups, &r->resources,
					 &r->names};
	size_t product = 1;

	for (size_t i = 0; i < FIELD_COUNT(lists); i++) {
		product *= lists[i]->n > 0 ? lists[i]->n : 1;
		if (product <= COMBINATIONS_MAX)
			continue;
		decode_say(d, CODE_SIZE, DIAG_ERROR, n, NULL, "split the rule",
			   "want at most %d combinations of verbs, groups, "
			   "resources and names, have more",
			   COMBINATIONS_MAX);
		return;
	}
}

static void check_length(struct decode *d, const struct node *n,
			 const char *key, size_t have, size_t max)
{
	if (have > max)
		decode_say(d, CODE_SIZE, DIAG_ERROR, n, key, NULL,
			   "want at most %zu %s, have %zu", max, key, have);
}

static void finish_rule(struct decode *d, const struct node *n, void *obj)
{
	const struct rbac_rule *r = obj;

	check_filled(d, n, "verbs", &r->verbs);
	check_filled(d, n, "apiGroups", &r->groups);
	check_filled(d, n, "resources", &r->resources);
	check_size(d, n, r);
	check_verbs(d, n, r);
	check_resources(d, n, r);
}

static const struct field rule_fields[] = {
	FIELD_AT(FIELD_STRS, "apiGroups", rbac_rule, groups, FIELD_REQ,
		 .doc = "\"\", apps, batch, rbac.authorization.k8s.io, "
			"reconcile, or * for all."),
	FIELD_NEVER("nonResourceURLs",
		    "nothing is served under a URL here: write apiGroups and "
		    "resources"),
	FIELD_AT(FIELD_STRS, "resourceNames", rbac_rule, names,
		 .check = check_nonempty,
		 .doc = "Only objects of these names; absent: all. create and "
			"list cannot be limited so."),
	FIELD_AT(FIELD_STRS, "resources", rbac_rule, resources, FIELD_REQ,
		 .check = check_nonempty,
		 .doc = "Kinds in plural and lower case, * for all; and what "
			"the command line shows: pods/log, nodes (hosts), "
			"audits (of group reconcile)."),
	FIELD_AT(FIELD_STRS, "verbs", rbac_rule, verbs, FIELD_REQ,
		 .check = check_nonempty,
		 .doc = "create, update, delete; get and list of the command "
			"line; bind and escalate; * for all."),
};
static const struct table rule_table = {
	.name = "PolicyRule",
	.fields = rule_fields,
	.n = FIELD_COUNT(rule_fields),
	.size = sizeof(struct rbac_rule),
	.finish = finish_rule,
};

/* --- Role and ClusterRole ------------------------------------------------- */

static void finish_aggregation(struct decode *d, const struct node *n,
			       void *obj)
{
	const struct object *o = obj;

	if (o->role.n_aggregate == 0)
		decode_say(d, CODE_REQUIRED, DIAG_ERROR, n, NULL,
			   "add clusterRoleSelectors, or delete it",
			   "want at least one selector, have none");
}

static const struct field aggregation_fields[] = {
	FIELD_LIST_AT(FIELD_OBJS, "clusterRoleSelectors", object,
		      role.aggregate, role.n_aggregate,
		      .table = &kind_meta_selector_table,
		      .doc = "The rules of every ClusterRole that one of them "
			     "matches."),
};
static const struct table aggregation_table = {
	.name = "AggregationRule",
	.fields = aggregation_fields,
	.n = FIELD_COUNT(aggregation_fields),
	.finish = finish_aggregation,
};

static void finish_role(struct decode *d, const struct node *n, void *obj)
{
	const struct object *o = obj;

	check_length(d, n, "rules", o->role.n_rules, RULES_MAX);
}

/* Kubernetes would write over rules that stand beside an aggregationRule. */
static void finish_clusterrole(struct decode *d, const struct node *n,
			       void *obj)
{
	const struct object *o = obj;

	finish_role(d, n, obj);
	if (o->role.n_aggregate > 0 && o->role.n_rules > 0)
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, "rules",
			   "put them into a ClusterRole that is aggregated",
			   "want rules or aggregationRule, have both");
}

#define ROLE_RULES                                                             \
	FIELD_LIST_AT(FIELD_OBJS, "rules", object, role.rules, role.n_rules,   \
		      .table = &rule_table,                                    \
		      .doc = "What one of them allows is allowed; there is "   \
			     "no denying rule.")

static const struct field role_fields[] = {
	FIELD_NEVER("aggregationRule", "only a ClusterRole has one; delete it"),
	KIND_API_VERSION,
	KIND_KIND,
	KIND_METADATA(kind_meta_table),
	ROLE_RULES,
};
const struct table kind_rbac_role_table = {
	.name = "Role",
	.fields = role_fields,
	.n = FIELD_COUNT(role_fields),
	.finish = finish_role,
};

static const struct field clusterrole_fields[] = {
	FIELD_INTO("aggregationRule", &aggregation_table,
		   .doc = "The role is the sum of others; instead of rules."),
	KIND_API_VERSION,
	KIND_KIND,
	KIND_METADATA(kind_meta_cluster_table),
	ROLE_RULES,
};
const struct table kind_rbac_clusterrole_table = {
	.name = "ClusterRole",
	.fields = clusterrole_fields,
	.n = FIELD_COUNT(clusterrole_fields),
	.finish = finish_clusterrole,
};

/* --- bindings ------------------------------------------------------------- */

static const struct field subject_fields[] = {
	FIELD_CHECKED(FIELD_STR, "apiGroup", .class = FIELD_INERT,
		      .values = FIELD_VALUES(API_GROUP), .doc = "May be left."),
	FIELD_AT(FIELD_ENUM, "kind", rbac_subject, kind, FIELD_REQ,
		 .values = FIELD_VALUES("User", "Group"),
		 .hint = "no pod acts here: name a person (User) or a role "
			 "(Group) of the trust policy",
		 .doc = "User: a person of the trust policy; Group: a role "
			"of it. ServiceAccount is refused, because no pod "
			"acts here."),
	FIELD_AT(FIELD_STR, "name", rbac_subject, name, FIELD_REQ,
		 .check = check_nonempty,
		 .doc = "As it stands in the trust policy."),
	FIELD_NEVER("namespace", "people belong to no namespace; delete it"),
};
static const struct table subject_table = {
	.name = "Subject",
	.fields = subject_fields,
	.n = FIELD_COUNT(subject_fields),
	.size = sizeof(struct rbac_subject),
};

#define REF_FIELDS(values_, doc_)                                              \
	FIELD_CHECKED(FIELD_STR, "apiGroup", .class = FIELD_INERT,             \
		      .values = FIELD_VALUES(API_GROUP),                       \
		      .doc = "May be left."),                                  \
		FIELD_AT(FIELD_ENUM, "kind", rbac_binding, role_kind,          \
			 FIELD_REQ, .values = values_, .doc = doc_),           \
		FIELD_AT(FIELD_STR, "name", rbac_binding, role, FIELD_REQ,     \
			 .check = check_dns_subdomain,                         \
			 FIELD_POS(rbac_binding, role_pos),                    \
			 .doc = "Must be in the same commit.")

static const struct field ref_fields[] = {
	REF_FIELDS(FIELD_VALUES("ClusterRole", "Role"),
		   "Role: of the same namespace."),
};
static const struct table ref_table = {
	.name = "RoleRef",
	.fields = ref_fields,
	.n = FIELD_COUNT(ref_fields),
};
static const struct field cluster_ref_fields[] = {
	REF_FIELDS(FIELD_VALUES("ClusterRole"), "Only ClusterRole."),
};
static const struct table cluster_ref_table = {
	.name = "RoleRef",
	.fields = cluster_ref_fields,
	.n = FIELD_COUNT(cluster_ref_fields),
};

static void finish_binding(struct decode *d, const struct node *n, void *obj)
{
	const struct object *o = obj;

	check_length(d, n, "subjects", o->binding.n_subjects, SUBJECTS_MAX);
}

#define BINDING_FIELDS(meta_, ref_)                                            \
	KIND_API_VERSION, KIND_KIND, KIND_METADATA(meta_),                     \
		FIELD_AT(FIELD_OBJ, "roleRef", object, binding, FIELD_REQ,     \
			 .table = &(ref_), .doc = "The role that is given."),  \
		FIELD_LIST_AT(FIELD_OBJS, "subjects", object,                  \
			      binding.subjects, binding.n_subjects,            \
			      .table = &subject_table,                         \
			      .doc = "To whom; none: to nobody.")

static const struct field binding_fields[] = {
	BINDING_FIELDS(kind_meta_table, ref_table),
};
const struct table kind_rbac_binding_table = {
	.name = "RoleBinding",
	.fields = binding_fields,
	.n = FIELD_COUNT(binding_fields),
	.finish = finish_binding,
};
static const struct field clusterbinding_fields[] = {
	BINDING_FIELDS(kind_meta_cluster_table, cluster_ref_table),
};
const struct table kind_rbac_clusterbinding_table = {
	.name = "ClusterRoleBinding",
	.fields = clusterbinding_fields,
	.n = FIELD_COUNT(clusterbinding_fields),
	.finish = finish_binding,
};

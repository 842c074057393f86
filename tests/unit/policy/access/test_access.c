/* RBAC as Kubernetes has it.  The tables hold the cases that its own tests of
 * authorizer, rule match and comparison of rules know (T10), without those of
 * URLs, which no manifest here can write. */
#include "tests/unit/policy/access/fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	const char *who, *ask;
	bool allowed;
};

static void check_rows(struct arena *a, const char *yaml,
		       const struct row *rows, size_t n)
{
	struct objects set = load(a, yaml);
	struct access access;

	access_init(&access, &set, a);
	for (size_t i = 0; i < n; i++) {
		struct access_who who = person(a, rows[i].who);
		struct access_ask q = ask(a, rows[i].ask);

		if (access_allows(&access, &who, &q) != rows[i].allowed)
			fail_msg("row %zu: %s, %s", i, rows[i].who,
				 rows[i].ask);
	}
}

#define BOUND_IN_NS1(rule_)                                                    \
	RBAC "kind: ClusterRole\n"                                             \
	     "metadata: {name: admin}\n"                                       \
	     "rules: [" rule_ "]\n"                                            \
	     "---\n" RBAC "kind: RoleBinding\n"                                \
	     "metadata: {name: b, namespace: ns1}\n"                           \
	     "roleRef: {kind: ClusterRole, name: admin}\n"                     \
	     "subjects: [{kind: User, name: admin},"                           \
	     " {kind: Group, name: admins}]\n"

static void T10_a_binding_of_a_namespace(void **state)
{
	static const struct row rows[] = {
		{"admin", "get - Pods ns1", true},
		{"admin", "watch - Pods ns1", true},
		{"admin,group1", "watch - Foobar ns1", true},
		{"joe,admins", "watch - Foobar ns1", true},
		{"joe,group1,admins", "watch - Foobar ns1", true},
		{"admin", "GET - Pods ns2", false},
		{"admin", "GET - Nodes -", false},
		{"admin,admins", "GET - Pods ns2", false},
		{"admin,admins", "GET - Nodes -", false},
		/* and more: nobody else, and no group above the rules */
		{"joe", "get - Pods ns1", false},
		{"admins", "get - Pods ns1", false},
		{"joe,admin", "get - Pods ns1", false},
		{"joe,system:masters", "get - Pods ns1", false},
		{"joe,system:masters,cluster-admin", "get - Pods -", false},
	};

	check_rows(*state,
		   BOUND_IN_NS1("{verbs: ['*'], apiGroups: ['*'], "
				"resources: ['*']}"),
		   rows, COUNT(rows));
}

static void T10_a_resource_is_not_its_subresource(void **state)
{
	static const struct row of_pods[] = {
		{"admin", "get - pods ns1", true},
		{"admin", "get - pods/status ns1", false},
		{"admin", "get - pod ns1", false},
		{"admin", "get - podsx ns1", false},
	};
	static const struct row of_status[] = {
		{"admin", "get - pods/status ns1", true},
		{"admin", "get - pods ns1", false},
		{"admin", "get - pods/statu ns1", false},
		{"admin", "get - pods/statusx ns1", false},
	};
	static const struct row of_any_status[] = {
		{"admin", "get - pods/status ns1", true},
		{"admin", "get apps deployments/status ns1", true},
		{"admin", "get - pods ns1", false},
		{"admin", "get - pods/log ns1", false},
		{"admin", "get - status ns1", false},
	};

	check_rows(*state,
		   BOUND_IN_NS1("{verbs: ['*'], apiGroups: ['*'], "
				"resources: [pods]}"),
		   of_pods, COUNT(of_pods));
	check_rows(*state,
		   BOUND_IN_NS1("{verbs: ['*'], apiGroups: ['*'], "
				"resources: [pods/status]}"),
		   of_status, COUNT(of_status));
	check_rows(*state,
		   BOUND_IN_NS1("{verbs: ['*'], apiGroups: ['*'], "
				"resources: ['*/status']}"),
		   of_any_status, COUNT(of_any_status));
}

/* What one rule, bound in the whole cluster, says of 2 x 2 x 2 requests. */
static void T10_one_rule(void **state)
{
	static const struct {
		const char *rule;
		const char *resource[2];
		/* verb, resource, group; the last turns fastest */
		const char *allowed;
	} cases[] = {
		{"{verbs: ['*'], apiGroups: [group1], resources: [resource1]}",
		 {"resource1", "resource2"},
		 "10001000"},
		{"{verbs: [verb1], apiGroups: ['*'], resources: [resource1]}",
		 {"resource1", "resource2"},
		 "11000000"},
		{"{verbs: [verb1], apiGroups: [group1], resources: ['*']}",
		 {"resource1", "resource2"},
		 "10100000"},
		{"{verbs: [verb1, verb2], apiGroups: [group1, group2], "
		 "resources: [resource1, resource2]}",
		 {"resource1", "resource2"},
		 "11111111"},
		{"{verbs: ['*'], apiGroups: ['*'], "
		 "resources: [resource1/subresource1]}",
		 {"resource1/subresource1", "resource2/subresource1"},
		 "11001100"},
		{"{verbs: ['*'], apiGroups: ['*'], "
		 "resources: [resource1/subresource1]}",
		 {"resource1/subresource2", "resource1"},
		 "00000000"},
	};
	struct arena *a = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct row rows[8];
		const char *yaml = arena_printf(
			a,
			RBAC "kind: ClusterRole\nmetadata: {name: r}\nrules: "
			     "[%s]\n---\n" RBAC
			     "kind: ClusterRoleBinding\nmetadata: {name: b}\n"
			     "roleRef: {kind: ClusterRole, name: r}\n"
			     "subjects: [{kind: User, name: u}]\n",
			cases[i].rule);

		for (size_t k = 0; k < 8; k++)
			rows[k] = (struct row){
				"u",
				arena_printf(a, "verb%zu group%zu %s ns",
					     k / 4 + 1, k % 2 + 1,
					     cases[i].resource[k / 2 % 2]),
				cases[i].allowed[k] == '1'};
		check_rows(a, yaml, rows, 8);
	}
}

#define NAMED                                                                  \
	RBAC "kind: Role\n"                                                    \
	     "metadata: {name: r, namespace: ns}\n"                            \
	     "rules:\n"                                                        \
	     "- {verbs: ['*'], apiGroups: [''], resources: [secrets], "        \
	     "resourceNames: [tls, key]}\n"                                    \
	     "---\n" RBAC "kind: RoleBinding\n"                                \
	     "metadata: {name: b, namespace: ns}\n"                            \
	     "roleRef: {kind: Role, name: r}\n"                                \
	     "subjects: [{kind: User, name: u}]\n"

static void T10_names_limit_all_but_create_and_list(void **state)
{
	static const struct row rows[] = {
		{"u", "update - secrets ns tls", true},
		{"u", "delete - secrets ns key", true},
		{"u", "get - secrets ns key", true},
		{"u", "update - secrets ns other", false},
		{"u", "update - secrets ns -", false},
		{"u", "create - secrets ns tls", false},
		{"u", "list - secrets ns tls", false},
		{"u", "update - secrets other tls", false},
		{"u", "update - secrets - tls", false},
		{"u", "update - configmaps ns tls", false},
	};

	check_rows(*state, NAMED, rows, COUNT(rows));
}

/* Sums of sums, one that leads back, one that matches nothing. */
#define SUMS                                                                   \
	RBAC "kind: ClusterRole\n"                                             \
	     "metadata: {name: admin}\n"                                       \
	     "aggregationRule: {clusterRoleSelectors: [{matchLabels: "         \
	     "{to-admin: x}}]}\n"                                              \
	     "---\n" RBAC "kind: ClusterRole\n"                                \
	     "metadata: {name: edit, labels: {to-admin: x}}\n"                 \
	     "aggregationRule: {clusterRoleSelectors: [{matchLabels: "         \
	     "{to-edit: x}}, {matchExpressions: [{key: more, operator: "       \
	     "Exists}]}]}\n"                                                   \
	     "---\n" RBAC "kind: ClusterRole\n"                                \
	     "metadata: {name: part, labels: {to-edit: x}}\n"                  \
	     "rules: [{verbs: [update], apiGroups: [''], resources: "          \
	     "[pods]}]\n"                                                      \
	     "---\n" RBAC "kind: ClusterRole\n"                                \
	     "metadata: {name: part2, labels: {more: ''}}\n"                   \
	     "rules: [{verbs: [delete], apiGroups: [''], resources: "          \
	     "[pods]}]\n"                                                      \
	     "---\n" RBAC "kind: ClusterRole\n"                                \
	     "metadata: {name: round, labels: {to-edit: x}}\n"                 \
	     "aggregationRule: {clusterRoleSelectors: [{matchLabels: "         \
	     "{to-admin: x}}]}\n"                                              \
	     "---\n" RBAC "kind: ClusterRole\n"                                \
	     "metadata: {name: apart}\n"                                       \
	     "rules: [{verbs: [create], apiGroups: [''], resources: "          \
	     "[pods]}]\n"                                                      \
	     "---\n" RBAC "kind: ClusterRoleBinding\n"                         \
	     "metadata: {name: b}\n"                                           \
	     "roleRef: {kind: ClusterRole, name: admin}\n"                     \
	     "subjects: [{kind: User, name: u}]\n"                             \
	     "---\n" RBAC "kind: ClusterRoleBinding\n"                         \
	     "metadata: {name: c}\n"                                           \
	     "roleRef: {kind: ClusterRole, name: round}\n"                     \
	     "subjects: [{kind: User, name: v}]\n"                             \
	     "---\n" RBAC "kind: ClusterRoleBinding\n"                         \
	     "metadata: {name: d}\n"                                           \
	     "roleRef: {kind: ClusterRole, name: gone}\n"                      \
	     "subjects: [{kind: User, name: w}]\n"

static void T10_a_role_that_sums_up_others(void **state)
{
	static const struct row rows[] = {
		{"u", "update - pods ns", true},
		{"u", "delete - pods -", true},
		{"u", "create - pods ns", false},
		{"v", "update - pods ns", true},
		{"v", "create - pods ns", false},
		{"w", "update - pods ns", false},
	};

	check_rows(*state, SUMS, rows, COUNT(rows));
}

/* A Role counts in its namespace, and only where the binding is. */
static void T10_a_role_of_another_namespace_is_not_found(void **state)
{
	static const struct row rows[] = {
		{"u", "update - pods a", true},
		{"u", "update - pods b", false},
		{"u", "update - pods -", false},
	};

	check_rows(*state,
		   RBAC "kind: Role\nmetadata: {name: r, namespace: a}\n"
			"rules: [{verbs: [update], apiGroups: [''], resources: "
			"[pods]}]\n---\n" RBAC
			"kind: RoleBinding\nmetadata: {name: x, namespace: a}\n"
			"roleRef: {kind: Role, name: r}\n"
			"subjects: [{kind: User, name: u}]\n---\n" RBAC
			"kind: RoleBinding\nmetadata: {name: x, namespace: b}\n"
			"roleRef: {kind: Role, name: r}\n"
			"subjects: [{kind: User, name: u}]\n",
		   rows, COUNT(rows));
}

/* --- rules that cover rules ----------------------------------------------- */

static const struct {
	const char *have, *want;
	bool covered;
	const char *missing; /* verb group resource name */
} cover_cases[] = {
	{"get v1 builds", "get v1 builds", true, ""},
	{"delete v1 deployments\ndelete v1 builds\n"
	 "update v1 builds,deployments",
	 "delete,update v1 builds,deployments", true, ""},
	{"delete group1 deployments\ndelete group1 builds\n"
	 "update group1 builds,deployments\n"
	 "delete group2 deployments\ndelete group2 builds\n"
	 "update group2 builds,deployments",
	 "delete,update group1,group2 builds,deployments", true, ""},
	{"delete,update group1,group2 builds,deployments",
	 "delete group1 deployments\ndelete group1 builds\n"
	 "update group1 builds,deployments\n"
	 "delete group2 deployments\ndelete group2 builds\n"
	 "update group2 builds,deployments",
	 true, ""},
	{"delete,update v1 builds,deployments\ndelete v1 pods",
	 "delete,update v1 builds,deployments,pods", false, "update v1 pods *"},
	{"get * roles", "get group1,group2 roles", true, ""},
	{"get dummy-group roles", "get * roles", false, "get * roles *"},
	{"get * roles", "get * roles", true, ""},
	{"* v1 roles", "watch,list v1 roles", true, ""},
	{"get,list,watch,create,update,delete,exec v1 roles", "* v1 roles",
	 false, "* v1 roles *"},
	{"* v1 roles", "* v1 roles", true, ""},
	{"get v1 *", "get v1 resourcegroup:deployments", true, ""},
	{"get v1 roles,resourcegroup:deployments", "get v1 *", false,
	 "get v1 * *"},
	{"get v1 *", "get v1 *", true, ""},
	{"get v1 pods", "get v1 pods foo,bar", true, ""},
	{"get v1 pods foo,bar", "get v1 pods", false, "get v1 pods *"},
	/* and more */
	{"get v1 pods foo", "get v1 pods foo,bar", false, "get v1 pods bar"},
	{"get v1 pods foo\nget v1 pods bar", "get v1 pods foo,bar", true, ""},
	{"get v1 */log", "get v1 pods/log", true, ""},
	{"get v1 */log", "get v1 pods", false, "get v1 pods *"},
	{"get v1 pods/log", "get v1 */log", false, "get v1 */log *"},
	{"get v1 pods", "get v1 pods/log", false, "get v1 pods/log *"},
	{"get v1 *", "get v1 pods/log", true, ""},
	{"get v1 *", "get v1 */log", true, ""},
	{"", "get v1 pods", false, "get v1 pods *"},
	{"", "", true, ""},
	{"* * *", "* * *", true, ""},
	{"create,update,delete,get,list,escalate,bind - *", "* - *", false,
	 "* - * *"},
};

static void T10_rules_cover_rules(void **state)
{
	struct arena *a = *state;

	for (size_t i = 0; i < COUNT(cover_cases); i++) {
		struct rbac_role have = role(a, cover_cases[i].have);
		struct rbac_role want = role(a, cover_cases[i].want);
		struct access_atom m = {0};
		char text[200];

		if (access_covers(&have, &want, &m) != cover_cases[i].covered)
			fail_msg("case %zu: %s", i, cover_cases[i].want);
		if (cover_cases[i].covered)
			continue;
		(void)snprintf(text, sizeof(text), "%s %s %s %s", m.verb,
			       *m.group != '\0' ? m.group : "-", m.resource,
			       m.name == NULL ? "*" : m.name);
		assert_string_equal(text, cover_cases[i].missing);
	}
}

/* --- what must hold for all rules ----------------------------------------- */

static const char *const words[4][5] = {
	{"get", "list", "create", "update", "*"},
	{"", "apps", "batch", "*", "*"},
	{"pods", "pods/log", "*/log", "jobs", "*"},
	{"a", "b", "c", "a", "b"},
};

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

static struct strings some(struct arena *a, uint32_t *seed, size_t what,
			   size_t least)
{
	struct strings out = {arena_calloc(a, 3, sizeof(char *)), 0};
	size_t n = least + next(seed) % 2;

	while (out.n < n)
		out.items[out.n++] = words[what][next(seed) % 5];
	return out;
}

static struct rbac_role random_role(struct arena *a, uint32_t *seed)
{
	struct rbac_role out = {.n_rules = 1 + next(seed) % 3};

	out.rules = arena_calloc(a, out.n_rules, sizeof(*out.rules));
	for (size_t i = 0; i < out.n_rules; i++) {
		out.rules[i].verbs = some(a, seed, 0, 1);
		out.rules[i].groups = some(a, seed, 1, 1);
		out.rules[i].resources = some(a, seed, 2, 1);
		out.rules[i].names = some(a, seed, 3, 0);
	}
	return out;
}

/* One ClusterRole that `u` has everywhere. */
static struct access give(struct arena *a, struct rbac_role role_)
{
	struct rbac_subject *s = arena_calloc(a, 1, sizeof(*s));
	struct objects *set = arena_calloc(a, 1, sizeof(*set));
	struct access out;

	*s = (struct rbac_subject){RBAC_USER, "u"};
	set->items = arena_calloc(a, 2, sizeof(*set->items));
	set->n = 2;
	set->items[0] = (struct object){
		.kind = MANIFEST_CLUSTERROLE, .meta.name = "r", .role = role_};
	set->items[1] =
		(struct object){.kind = MANIFEST_CLUSTERROLEBINDING,
				.meta.name = "b",
				.binding = {RBAC_CLUSTERROLE, "r", s, 1, {0}}};
	access_init(&out, set, a);
	return out;
}

static bool asked(const struct access *x, uint32_t code)
{
	static const char *const resources[] = {"pods", "pods", "jobs",
						"other"};
	static const char *const subs[] = {"", "log", "", "log"};
	struct access_who who = {"u", NULL, 0};
	struct access_ask q = {
		.verb = code % 5 == 4 ? "other" : words[0][code % 5],
		.group = code / 5 % 4 == 3 ? "other" : words[1][code / 5 % 4],
		.resource = resources[code / 20 % 4],
		.subresource = subs[code / 20 % 4],
		.namespace = "ns",
		.name = code / 80 % 4 == 3 ? "" : words[3][code / 80 % 4],
	};

	return access_allows(x, &who, &q);
}

/* Covered means: no request is allowed by the one and not by the other. */
static void T10_covered_means_nothing_more_is_allowed(void **state)
{
	size_t n_covered = 0, n_not = 0;
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct arena *a = arena_new((size_t)1 << 20);
		struct rbac_role have = random_role(a, &seed);
		struct rbac_role want = random_role(a, &seed);
		struct access_atom missing;
		struct access x, y;

		assert_true(access_covers(&have, &have, &missing));
		if (!access_covers(&have, &want, &missing)) {
			n_not++;
			arena_free(a);
			continue;
		}
		n_covered++;
		x = give(a, have);
		y = give(a, want);
		for (uint32_t code = 0; code < 320; code++)
			if (asked(&y, code))
				assert_true(asked(&x, code));
		arena_free(a);
	}
	assert_true(n_covered > 500);
	assert_true(n_not > 500);
}

/* Everything is one rule that says so, bound in the cluster. */
static void T10_everything(void **state)
{
	static const struct {
		const char *rules;
		bool all;
	} cases[] = {
		{"* * *", true},
		{"create,update,delete,get,list,bind,escalate * *", false},
		{"* -,apps,batch,reconcile,rbac.authorization.k8s.io *", false},
		{"* * * a", false},
		{"* * */log", false},
		{"", false},
	};
	struct arena *a = *state;
	struct access_who who = {"u", NULL, 0};
	struct access_who other = {"v", NULL, 0};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct access x = give(a, role(a, cases[i].rules));

		assert_int_equal(access_may_all(&x, &who), cases[i].all);
		assert_false(access_may_all(&x, &other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(T10_a_binding_of_a_namespace,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			T10_a_resource_is_not_its_subresource, setup, teardown),
		cmocka_unit_test_setup_teardown(T10_one_rule, setup, teardown),
		cmocka_unit_test_setup_teardown(
			T10_names_limit_all_but_create_and_list, setup,
			teardown),
		cmocka_unit_test_setup_teardown(T10_a_role_that_sums_up_others,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			T10_a_role_of_another_namespace_is_not_found, setup,
			teardown),
		cmocka_unit_test_setup_teardown(T10_rules_cover_rules, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			T10_covered_means_nothing_more_is_allowed, setup,
			teardown),
		cmocka_unit_test_setup_teardown(T10_everything, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

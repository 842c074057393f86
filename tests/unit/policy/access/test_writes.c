/* Writes of objects and the refusal of escalation (T10, K25). */
#include "tests/unit/policy/access/fixture.h"

#include "policy/access/writes.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * root   everything
 * ada    everything in namespace a, by a RoleBinding to a ClusterRole
 * roles  writes roles and bindings in a, and reads pods there
 * esc    as roles, may escalate in a; escn: only the role "one"
 * bind   as roles, may bind any role; bindn: only the ClusterRole "admin"
 * wide   writes ClusterRoles and their bindings, nothing else
 */
#define CAST                                                                   \
	RBAC "kind: ClusterRole\nmetadata: {name: admin}\n"                    \
	     "rules: [{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]\n"   \
	     "---\n" RBAC "kind: ClusterRoleBinding\nmetadata: {name: root}\n" \
	     "roleRef: {kind: ClusterRole, name: admin}\n"                     \
	     "subjects: [{kind: Group, name: rooters}]\n"                      \
	     "---\n" RBAC                                                      \
	     "kind: RoleBinding\nmetadata: {name: ada, namespace: a}\n"        \
	     "roleRef: {kind: ClusterRole, name: admin}\n"                     \
	     "subjects: [{kind: User, name: ada}]\n"                           \
	     "---\n" RBAC                                                      \
	     "kind: Role\nmetadata: {name: writer, namespace: a}\n"            \
	     "rules:\n"                                                        \
	     "- {verbs: [create, update, delete], resources: [roles, "         \
	     "rolebindings], apiGroups: [rbac.authorization.k8s.io]}\n"        \
	     "- {verbs: [get, list], resources: [pods], apiGroups: ['']}\n"    \
	     "---\n" RBAC                                                      \
	     "kind: RoleBinding\nmetadata: {name: writer, namespace: a}\n"     \
	     "roleRef: {kind: Role, name: writer}\n"                           \
	     "subjects: [{kind: User, name: roles}, {kind: User, name: esc}, " \
	     "{kind: User, name: escn}, {kind: User, name: bind}, "            \
	     "{kind: User, name: bindn}]\n"                                    \
	     "---\n" RBAC "kind: Role\nmetadata: {name: esc, namespace: a}\n"  \
	     "rules: [{verbs: [escalate], resources: [roles], apiGroups: "     \
	     "['*']}]\n"                                                       \
	     "---\n" RBAC                                                      \
	     "kind: RoleBinding\nmetadata: {name: esc, namespace: a}\n"        \
	     "roleRef: {kind: Role, name: esc}\n"                              \
	     "subjects: [{kind: User, name: esc}]\n"                           \
	     "---\n" RBAC "kind: Role\nmetadata: {name: escn, namespace: a}\n" \
	     "rules: [{verbs: [escalate], resources: [roles], apiGroups: "     \
	     "['*'], resourceNames: [one]}]\n"                                 \
	     "---\n" RBAC                                                      \
	     "kind: RoleBinding\nmetadata: {name: escn, namespace: a}\n"       \
	     "roleRef: {kind: Role, name: escn}\n"                             \
	     "subjects: [{kind: User, name: escn}]\n"                          \
	     "---\n" RBAC "kind: Role\nmetadata: {name: bind, namespace: a}\n" \
	     "rules: [{verbs: [bind], resources: [roles, clusterroles], "      \
	     "apiGroups: ['*']}]\n"                                            \
	     "---\n" RBAC                                                      \
	     "kind: RoleBinding\nmetadata: {name: bind, namespace: a}\n"       \
	     "roleRef: {kind: Role, name: bind}\n"                             \
	     "subjects: [{kind: User, name: bind}]\n"                          \
	     "---\n" RBAC                                                      \
	     "kind: Role\nmetadata: {name: bindn, namespace: a}\n"             \
	     "rules: [{verbs: [bind], resources: [clusterroles], "             \
	     "apiGroups: ['*'], resourceNames: [admin]}]\n"                    \
	     "---\n" RBAC                                                      \
	     "kind: RoleBinding\nmetadata: {name: bindn, namespace: a}\n"      \
	     "roleRef: {kind: Role, name: bindn}\n"                            \
	     "subjects: [{kind: User, name: bindn}]\n"                         \
	     "---\n" RBAC "kind: ClusterRole\nmetadata: {name: wide}\n"        \
	     "rules: [{verbs: [create, update, delete], apiGroups: ['*'], "    \
	     "resources: [clusterroles, clusterrolebindings]}]\n"              \
	     "---\n" RBAC "kind: ClusterRoleBinding\nmetadata: {name: wide}\n" \
	     "roleRef: {kind: ClusterRole, name: wide}\n"                      \
	     "subjects: [{kind: User, name: wide}]\n"                          \
	     "---\n" RBAC "kind: Role\nmetadata: {name: one, namespace: a}\n"  \
	     "rules: [{verbs: [get], resources: [pods], apiGroups: ['']}]\n"   \
	     "---\n" RBAC                                                      \
	     "kind: RoleBinding\nmetadata: {name: one, namespace: a}\n"        \
	     "roleRef: {kind: Role, name: one}\n"                              \
	     "subjects: [{kind: User, name: guest}]\n"                         \
	     "---\n" RBAC "kind: ClusterRole\nmetadata: {name: sum, labels: "  \
	     "{plain: x}}\naggregationRule: {clusterRoleSelectors: "           \
	     "[{matchLabels: {sum: x}}]}\n"

/* The set with the objects of yaml put in, or their names taken out. */
static struct objects apply(struct arena *a, const struct objects *before,
			    const char *yaml, bool gone, struct writes_one *out)
{
	struct objects one = load(a, yaml);
	struct objects set = {
		arena_calloc(a, before->n + 1, sizeof(*set.items)), 0};
	const struct object *o = &one.items[0];
	bool put = gone;

	assert_int_equal(one.n, 1);
	*out = (struct writes_one){
		.before = manifest_find(before, o->kind, o->meta.namespace,
					o->meta.name),
		.after = gone ? NULL : o,
	};
	for (size_t i = 0; i < before->n; i++) {
		struct objects rest = {&before->items[i], 1};

		if (manifest_find(&rest, o->kind, o->meta.namespace,
				  o->meta.name) == NULL) {
			set.items[set.n++] = before->items[i];
		} else if (!put) {
			set.items[set.n++] = *o;
			put = true;
		}
	}
	if (!put) /* new ones are sorted in by loading them with the rest */
		set.items[set.n++] = *o;
	return set;
}

static int by_identity(const void *pa, const void *pb)
{
	const struct object *x = pa, *y = pb;
	const char *m = x->meta.namespace == NULL ? "" : x->meta.namespace;
	const char *n = y->meta.namespace == NULL ? "" : y->meta.namespace;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(m, n) != 0 ? strcmp(m, n)
				 : strcmp(x->meta.name, y->meta.name);
}

static bool may(struct arena *a, const char *who_, const char *yaml, bool gone,
		char *why)
{
	struct objects before = load(a, CAST), after;
	struct access_who who = person(a, who_);
	struct access x, y;
	struct writes_one w;

	after = apply(a, &before, yaml, gone, &w);
	qsort(after.items, after.n, sizeof(*after.items), by_identity);
	access_init(&x, &before, a);
	access_init(&y, &after, a);
	why[0] = '\0';
	return writes_may(&x, &y, &who, &w, why);
}

struct row {
	const char *who, *yaml;
	const char *why; /* "": allowed */
};

static void check_rows(struct arena *a, const struct row *rows, size_t n,
		       bool gone)
{
	char why[WRITES_WHY_BYTES];

	for (size_t i = 0; i < n; i++) {
		bool good = may(a, rows[i].who, rows[i].yaml, gone, why);

		if (strcmp(why, rows[i].why) != 0 ||
		    good != (rows[i].why[0] == '\0'))
			fail_msg("row %zu (%s): have \"%s\"", i, rows[i].who,
				 why);
	}
}

#define POD_IN(ns_)                                                            \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: " ns_ \
	"}\n"
#define ROLE(name_, ns_, verb_, resource_)                                     \
	RBAC "kind: Role\nmetadata: {name: " name_ ", namespace: " ns_ "}\n"   \
	     "rules: [{verbs: [" verb_ "], resources: [" resource_             \
	     "], apiGroups: ['']}]\n"
#define CLUSTERROLE(meta_, rest_)                                              \
	RBAC "kind: ClusterRole\nmetadata: {" meta_ "}\n" rest_ "\n"
#define BINDING(name_, ns_, kind_, role_)                                      \
	RBAC "kind: RoleBinding\nmetadata: {name: " name_ ", namespace: " ns_  \
	     "}\nroleRef: {kind: " kind_ ", name: " role_                      \
	     "}\nsubjects: [{kind: User, name: me}]\n"
#define CLUSTERBINDING(name_, role_)                                           \
	RBAC "kind: ClusterRoleBinding\nmetadata: {name: " name_               \
	     "}\nroleRef: {kind: ClusterRole, name: " role_                    \
	     "}\nsubjects: [{kind: User, name: me}]\n"
#define NAMESPACE(name_)                                                       \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: " name_ "}\n"

static void T01_an_object_is_asked_for_in_its_place(void **state)
{
	static const struct row rows[] = {
		{"x,rooters", POD_IN("b"), ""},
		{"ada", POD_IN("a"), ""},
		{"ada", POD_IN("b"),
		 "create configmaps in namespace b, name c"},
		{"roles", POD_IN("a"),
		 "create configmaps in namespace a, name c"},
		{"nobody", POD_IN("a"),
		 "create configmaps in namespace a, name c"},
		/* a new Namespace is of the cluster, one that is there lies in
		 * itself */
		{"ada", NAMESPACE("a"),
		 "create namespaces in the cluster, name a"},
		{"x,rooters", NAMESPACE("a"), ""},
	};

	check_rows(*state, rows, COUNT(rows), false);
}

static void K25_who_writes_a_role_holds_it(void **state)
{
	static const struct row rows[] = {
		{"roles", ROLE("new", "a", "get", "pods"), ""},
		{"roles", ROLE("new", "a", "get, list", "pods"), ""},
		{"roles", ROLE("new", "a", "delete", "pods"),
		 "give what they do not hold: delete pods in namespace a"},
		{"roles", ROLE("new", "a", "'*'", "pods"),
		 "give what they do not hold: * pods in namespace a"},
		{"roles", ROLE("new", "a", "get", "pods/log"),
		 "give what they do not hold: get pods/log in namespace a"},
		{"roles", ROLE("one", "a", "get", "secrets"),
		 "give what they do not hold: get secrets in namespace a"},
		{"roles", ROLE("new", "b", "get", "pods"),
		 "create roles.rbac.authorization.k8s.io in namespace b, name "
		 "new"},
		{"ada", ROLE("new", "a", "'*'", "'*'"), ""},
		{"ada", ROLE("new", "b", "get", "pods"),
		 "create roles.rbac.authorization.k8s.io in namespace b, name "
		 "new"},
		/* escalate: all, and one name, which a new role has not */
		{"esc", ROLE("new", "a", "delete", "secrets"), ""},
		{"escn", ROLE("one", "a", "delete", "secrets"), ""},
		{"escn", ROLE("new", "a", "delete", "secrets"),
		 "give what they do not hold: delete secrets in namespace a"},
		/* bind is not escalate */
		{"bind", ROLE("new", "a", "delete", "secrets"),
		 "give what they do not hold: delete secrets in namespace a"},
		/* what one holds in a namespace one cannot give everywhere */
		{"wide",
		 CLUSTERROLE("name: nn", "rules: [{verbs: [get], resources: "
					 "[pods], apiGroups: ['']}]"),
		 "give what they do not hold: get pods in the cluster"},
		{"wide",
		 CLUSTERROLE("name: nn", "rules: [{verbs: [update], resources: "
					 "[clusterroles], apiGroups: ['*']}]"),
		 ""},
		{"ada", CLUSTERROLE("name: nn", "rules: []"),
		 "create clusterroles.rbac.authorization.k8s.io in the "
		 "cluster, name nn"},
	};

	check_rows(*state, rows, COUNT(rows), false);
}

static void K25_who_binds_a_role_holds_it(void **state)
{
	static const struct row rows[] = {
		{"roles", BINDING("nn", "a", "Role", "one"), ""},
		{"roles", BINDING("nn", "a", "Role", "esc"),
		 "give what they do not hold: escalate roles.* in namespace "
		 "a"},
		{"roles", BINDING("nn", "a", "ClusterRole", "admin"),
		 "give what they do not hold: * *.* in namespace a"},
		{"roles", BINDING("one", "a", "Role", "writer"), ""},
		{"ada", BINDING("nn", "a", "ClusterRole", "admin"), ""},
		{"ada", BINDING("nn", "b", "ClusterRole", "admin"),
		 "create rolebindings.rbac.authorization.k8s.io in namespace "
		 "b, name nn"},
		{"bind", BINDING("nn", "a", "ClusterRole", "admin"), ""},
		{"bind", BINDING("nn", "a", "Role", "esc"), ""},
		{"bindn", BINDING("nn", "a", "ClusterRole", "admin"), ""},
		{"bindn", BINDING("nn", "a", "Role", "esc"),
		 "give what they do not hold: escalate roles.* in namespace "
		 "a"},
		{"esc", BINDING("nn", "a", "ClusterRole", "admin"),
		 "give what they do not hold: * *.* in namespace a"},
		/* a role that is not there yet */
		{"roles", BINDING("nn", "a", "Role", "gone"),
		 "bind a role that is not there without the right to bind "
		 "roles.rbac.authorization.k8s.io in namespace a, name gone"},
		{"wide", CLUSTERBINDING("nn", "wide"), ""},
		{"wide", CLUSTERBINDING("nn", "admin"),
		 "give what they do not hold: * *.* in the cluster"},
		{"ada", CLUSTERBINDING("nn", "wide"),
		 "create clusterrolebindings.rbac.authorization.k8s.io in the "
		 "cluster, name nn"},
		{"x,rooters", CLUSTERBINDING("nn", "admin"), ""},
		/* a group of Kubernetes gives nothing */
		{"x,system:masters", CLUSTERBINDING("nn", "admin"),
		 "create clusterrolebindings.rbac.authorization.k8s.io in the "
		 "cluster, name nn"},
	};

	check_rows(*state, rows, COUNT(rows), false);
}

static void K25_sums_of_roles(void **state)
{
#define SUM(label_)                                                            \
	"aggregationRule: {clusterRoleSelectors: [{matchLabels: {" label_ "}}" \
	"]}"
	static const struct row rows[] = {
		{"x,rooters", CLUSTERROLE("name: nn", SUM("any: x")), ""},
		{"wide", CLUSTERROLE("name: nn", SUM("any: x")),
		 "write an aggregationRule without the right to * *.* in the "
		 "cluster"},
		{"wide", CLUSTERROLE("name: sum", SUM("plain: z")),
		 "write an aggregationRule without the right to * *.* in the "
		 "cluster"},
		{"wide", CLUSTERROLE("name: sum", "rules: []"),
		 "write an aggregationRule without the right to * *.* in the "
		 "cluster"},
		/* it says the same, only its labels are new */
		{"wide",
		 CLUSTERROLE("name: sum, labels: {o: x}", SUM("sum: x")), ""},
		/* to be summed up takes what it gives */
		{"wide",
		 CLUSTERROLE("name: nn, labels: {sum: x}",
			     "rules: [{verbs: [get], resources: [pods], "
			     "apiGroups: ['']}]"),
		 "give what they do not hold: get pods in the cluster"},
		/* admin carries the label now: it gives all that it gives */
		{"wide",
		 CLUSTERROLE("name: admin, labels: {sum: x}",
			     "rules: [{verbs: ['*'], resources: ['*'], "
			     "apiGroups: ['*']}]"),
		 "give what they do not hold: * *.* in the cluster"},
	};

	check_rows(*state, rows, COUNT(rows), false);
}

static void K25_deleting_takes_delete_and_no_more(void **state)
{
	static const struct row rows[] = {
		{"roles", ROLE("esc", "a", "get", "pods"), ""},
		{"roles", BINDING("ada", "a", "Role", "one"), ""},
		{"guest", BINDING("ada", "a", "Role", "one"),
		 "delete rolebindings.rbac.authorization.k8s.io in namespace "
		 "a, name ada"},
		{"ada", CLUSTERBINDING("root", "admin"),
		 "delete clusterrolebindings.rbac.authorization.k8s.io in the "
		 "cluster, name root"},
	};

	check_rows(*state, rows, COUNT(rows), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			T01_an_object_is_asked_for_in_its_place, setup,
			teardown),
		cmocka_unit_test_setup_teardown(K25_who_writes_a_role_holds_it,
						setup, teardown),
		cmocka_unit_test_setup_teardown(K25_who_binds_a_role_holds_it,
						setup, teardown),
		cmocka_unit_test_setup_teardown(K25_sums_of_roles, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			K25_deleting_takes_delete_and_no_more, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

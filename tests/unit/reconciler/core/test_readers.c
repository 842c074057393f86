/* test_readers.c - what the roles of the accepted commit let be seen through
 * sudo. */
#include "reconciler/core/readers.h"
#include "tests/unit/policy/access/fixture.h"

#include <stdio.h>
#include <unistd.h>

struct rig {
	struct arena *a;
	char dir[64];
	struct core core;
	struct core_conf conf;
};

static int rig_up(void **state)
{
	static const char *users[] = {"wanda wanda@example.org",
				      "omar\tomar@example.org",
				      "lost nobody@example.org"};
	struct rig *r = calloc(1, sizeof(*r));
	struct err err = {0};

	r->a = arena_new((size_t)1 << 26);
	(void)snprintf(r->dir, sizeof(r->dir), "/tmp/readers.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_int_equal(state_open(r->dir, false, &r->core.state, &err), 0);
	r->conf.access_users = (struct conf_list){users, 3};
	*state = r;
	return 0;
}

static int rig_down(void **state)
{
	static const char *const files[] = {"state.db", "state.db-wal",
					    "state.db-shm"};
	struct rig *r = *state;
	char path[128];

	state_close(r->core.state);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", r->dir, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(r->dir), 0);
	arena_free(r->a);
	free(r);
	return 0;
}

#define ROLES                                                                  \
	RBAC "kind: ClusterRole\nmetadata: {name: view}\n"                     \
	     "rules: [{verbs: [get, list], apiGroups: [''], resources: "       \
	     "[pods, "                                                         \
	     "pods/log]}]\n---\n" RBAC                                         \
	     "kind: RoleBinding\nmetadata: {name: web, namespace: shop}\n"     \
	     "roleRef: {kind: ClusterRole, name: view}\n"                      \
	     "subjects: [{kind: Group, name: web}]\n---\n" RBAC                \
	     "kind: ClusterRoleBinding\nmetadata: {name: ops}\n"               \
	     "roleRef: {kind: ClusterRole, name: view}\n"                      \
	     "subjects: [{kind: User, name: omar@example.org}]\n---\n"         \
	     "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"             \
	     "stringData: {k: canary}\n"

static void note(struct rig *r, bool rbac)
{
	static const char *web[] = {"wanda@example.org"};
	struct trust_role groups[] = {{.name = "none"},
				      {.name = "web", .people = {web, 1}}};
	struct snapshot want = {
		.repository_id = "fleet",
		.ref = "refs/heads/main",
		.commit = "c0ffee",
		.signer = "alice",
		.policy = {.repository_id = "fleet",
			   .ref = "refs/heads/main",
			   .manifests_path = ".",
			   .default_namespace = "default",
			   .pod_security = "baseline",
			   .placement = "spread"},
		.objects = load(r->a, ROLES),
		.rbac = rbac,
		.groups = groups,
		.n_groups = 2,
	};
	struct err err = {0};

	if (readers_note(&r->core, &want, r->a, &err) < 0)
		fail_msg("%s", err.msg);
}

static struct readers open_as(struct rig *r, const char *user)
{
	struct readers out;
	struct err err = {0};

	if (readers_open(r->core.state, &r->conf, user, r->a, &out, &err) < 0)
		fail_msg("%s", err.msg);
	return out;
}

static bool may(struct rig *r, const char *user, const char *text)
{
	struct readers x = open_as(r, user);
	struct access_ask q = ask(r->a, text);

	return readers_may(&x, &q);
}

static void T01_readers_see_what_their_roles_give(void **state)
{
	static const struct {
		const char *user, *ask;
		bool may;
	} rows[] = {
		{"wanda", "list - pods shop", true},
		{"wanda", "get - pods/log shop web-1", true},
		{"wanda", "list - pods other", false},
		{"wanda", "list - pods -", false},
		{"wanda", "list - services shop", false},
		{"wanda", "list - nodes -", false},
		{"omar", "list - pods other", true},
		{"omar", "get - pods/log shop web-1", true},
		{"omar", "list reconcile audits -", false},
		{"lost", "list - pods shop", false},
		/* not through sudo */
		{NULL, "list reconcile audits -", true},
	};
	struct rig *r = *state;

	note(r, true);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (may(r, rows[i].user, rows[i].ask) != rows[i].may)
			fail_msg("row %zu", i);
}

static void T01_whom_nobody_maps_sees_nothing(void **state)
{
	static const char *const users[] = {"root", "wand", "wanda@example.org",
					    ""};
	struct rig *r = *state;
	struct readers out;
	struct err err = {0};

	note(r, true);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(readers_open(r->core.state, &r->conf, users[i],
					      r->a, &out, &err),
				 ERR_DENIED);
		assert_non_null(strstr(err.msg, "T158 roles decide"));
		assert_non_null(strstr(err.msg, "access.user"));
	}
}

static void T01_without_rbac_nobody_is_bound(void **state)
{
	struct rig *r = *state;

	assert_false(open_as(r, "wanda").bound); /* before the first pass */
	note(r, true);
	assert_true(open_as(r, "wanda").bound);
	note(r, false);
	assert_false(open_as(r, "wanda").bound);
	assert_true(may(r, "stranger", "list - pods other"));
}

static void T01_somewhere_is_in_one_namespace(void **state)
{
	struct rig *r = *state;
	struct access_ask pods = {"list", "", "pods", "", "", ""};
	struct access_ask nodes = {"list", "", "nodes", "", "", ""};
	struct err err = {0};
	struct readers x;

	note(r, true);
	x = open_as(r, "wanda");
	assert_true(readers_may_somewhere(&x, &pods));
	assert_false(readers_may_somewhere(&x, &nodes));
	x = open_as(r, "lost");
	assert_false(readers_may_somewhere(&x, &pods));
	pods.namespace = "shop";
	assert_int_equal(readers_refuse(&x, &pods, &err), ERR_DENIED);
	assert_string_equal(err.msg,
			    "T158 nobody@example.org may not list pods in "
			    "namespace shop: have a role bound that gives it, "
			    "by a commit (reconcile(1), READERS)");
}

/* Roles are kept, and nothing else of the commit. */
static void T01_what_is_kept_has_no_secret(void **state)
{
	struct rig *r = *state;
	const char *text = NULL;
	struct err err = {0};

	note(r, true);
	assert_int_equal(state_get(r->core.state, "readers", r->a, &text, &err),
			 0);
	assert_non_null(strstr(text, "\"view\""));
	assert_null(strstr(text, "canary"));
	assert_null(strstr(text, "Secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			T01_readers_see_what_their_roles_give, rig_up,
			rig_down),
		cmocka_unit_test_setup_teardown(
			T01_whom_nobody_maps_sees_nothing, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(
			T01_without_rbac_nobody_is_bound, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(
			T01_somewhere_is_in_one_namespace, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(T01_what_is_kept_has_no_secret,
						rig_up, rig_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The cluster policy's own rules: images, Secrets, host paths, gated fields. */
#include "tests/unit/policy/admission/fixture.h"

/* K19 for the gates: image, digest, privilege escalation. */
static void test_K19_gates_see_init_containers(void **state)
{
	struct fixture *f = *state;
	struct pod_spec *s = &f->pod->pod.spec;

	s->init_containers = arena_memdup(f->a, f->c, sizeof(struct container));
	s->n_init_containers = 1;
	s->init_containers[0].image = "evil.test/x:1";
	s->init_containers[0].security.allow_privilege_escalation = TRI_TRUE;
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P201 P202 P205");
	assert_string_equal(diag_of(f, "P201")->pointer,
			    "/spec/initContainers/0/image");
}

static void test_P201_registry(void **state)
{
	static const char *nothing[] = {""};
	static const char *path[] = {"registry.test/team"};
	struct fixture *f = *state;

	f->s.policy.allowed_registries = (struct strings){nothing, 0};
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P201");
	assert_non_null(strstr(f->diags.items[0].message,
			       "the policy allows no registry yet"));
	assert_non_null(strstr(f->diags.items[0].fix, "allowedRegistries"));
	f->s.policy.allowed_registries = (struct strings){path, 1};
	f->c->image = "registry.test/team/app" MAKE_DIGEST;
	check(f);
	assert_int_equal(f->diags.n, 0);
	f->c->image = "registry.test/teamster/app" MAKE_DIGEST;
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P201");
	f->c->image = "registry.test.evil.test/team/app" MAKE_DIGEST;
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P201");
	f->c->image = "nginx" MAKE_DIGEST;
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P201");
}

static void test_A63_P202_digest(void **state)
{
	struct fixture *f = *state;

	f->c->image = "registry.test/app:1";
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P202");
	assert_string_equal(f->diags.items[0].message,
			    "policy imageDigest: image: want an image by "
			    "digest, name@sha256:..., have "
			    "registry.test/app:1");
	f->s.policy.require_digest = false;
	check(f);
	assert_int_equal(f->diags.n, 0);
	f->c->image = "registry.test/app@sha256:12";
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P208");
}

static void test_P203_plain_secret(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_object(f->a, &f->s, MANIFEST_SECRET, "shop",
				       "key", "canary-7f3a");
	struct keyval kv = {"k", "canary-7f3a", 11};

	o->secret.data = (struct keyvals){&kv, 1};
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P203");
	assert_null(strstr(f->diags.items[0].message, "canary")); /* A99 */
	f->s.policy.allow_plain_secrets = true;
	check(f);
	assert_int_equal(f->diags.n, 0);
}

/* A92: the docker socket, /, /proc and ways around a prefix. */
static void test_A92_P204_host_paths(void **state)
{
	static const char *prefixes[] = {"/srv/data/"};
	static const struct {
		const char *path;
		bool ok;
	} rows[] = {
		{"/srv/data", true},
		{"/srv/data/x/y", true},
		{"/srv/database", false},
		{"/srv/data/../../etc", false},
		{"/srv/data/..", false},
		{"/srv//data", false},
		{"/srv/./data", false},
		{"/srv/data/", false},
		{"srv/data", false},
		{"/", false},
		{"/proc", false},
		{"/var/run/docker.sock", false},
		{"", false},
	};
	struct fixture *f = *state;

	f->s.policy.pod_security = "privileged";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->s.policy.host_path_prefixes = (struct strings){prefixes, 1};
		add_host_path(f, &f->pod->pod.spec, rows[i].path);
		check(f);
		assert_string_equal(codes(f, DIAG_ERROR),
				    rows[i].ok ? "" : "P204");
		f->s.policy.host_path_prefixes.n = 0;
		check(f);
		assert_string_equal(codes(f, DIAG_ERROR), "P204");
	}
}

static void test_P205_P206_P207_gates(void **state)
{
	struct fixture *f = *state;

	f->c->security.allow_privilege_escalation = TRI_TRUE;
	f->pod->pod.spec.host_users = TRI_TRUE;
	f->pod->pod.spec.node_name = "h1";
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P205 P206 P207");
	open_gates(f);
	check(f);
	assert_int_equal(f->diags.n, 0);
}

/* A61: the template inside a workload is what is judged. */
static void test_A61_templates_of_workloads(void **state)
{
	struct fixture *f = *state;
	struct object *o[3];

	f->s.objects.n = 0;
	o[0] = make_deployment(f->a, &f->s, "shop", "a", 1, "v1");
	o[1] = make_daemonset(f->a, &f->s, "shop", "b", "v1");
	o[2] = make_job(f->a, &f->s, "shop", "c", 1, 1, "v1");
	o[0]->deployment.template.spec.host_network = true;
	o[1]->daemonset.template.spec.host_network = true;
	o[2]->job.template.spec.host_network = true;
	check(f);
	assert_int_equal(f->diags.n, 3);
	assert_string_equal(f->diags.items[0].pointer,
			    "/spec/template/spec/hostNetwork");
}

/* A62: the policy of the first parent is given apart. */
static void test_A62_other_policy(void **state)
{
	struct fixture *f = *state;
	struct cluster_policy strict = f->s.policy;
	struct err err = {0};

	f->s.policy.pod_security = "privileged";
	f->c->security.privileged = TRI_TRUE;
	diags_init(&f->diags, f->a, 10);
	assert_int_equal(admission_check_under(&f->s, &strict, &f->diags, &err),
			 0);
	assert_string_equal(codes(f, DIAG_ERROR), "P102");
	strict.pod_security = "none";
	assert_int_equal(admission_check_under(&f->s, &strict, &f->diags, &err),
			 ERR_INPUT);
	assert_non_null(strstr(err.msg, "want privileged, baseline or"));
}

/* K18: hostile text in every quoted field. */
static void test_K18_quotes_are_escaped(void **state)
{
	struct fixture *f = *state;

	f->c->name = "a\x1b]0;x\x07";
	f->c->image = "ev\x1b[31mil\xc2\x9b";
	f->c->security.privileged = TRI_TRUE;
	add_cap(f, f->c, "\x1b[2J");
	add_host_path(f, &f->pod->pod.spec, "/\x1b[2J\xe2\x80\xae");
	f->pod->pod.spec.node_name = "\x1b[2J";
	check(f);
	assert_true(f->diags.n >= 5);
	for (size_t i = 0; i < f->diags.n; i++)
		for (const char *p = f->diags.items[i].message; *p; p++)
			assert_true(*p >= 0x20 && *p < 0x7f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_K19_gates_see_init_containers),
		T(test_P201_registry),
		T(test_A63_P202_digest),
		T(test_P203_plain_secret),
		T(test_A92_P204_host_paths),
		T(test_P205_P206_P207_gates),
		T(test_A61_templates_of_workloads),
		T(test_A62_other_policy),
		T(test_K18_quotes_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Pod Security Standards by level and version, namespace labels, gates. */
#include "policy/admission/pss.h"
#include "tests/unit/policy/admission/fixture.h"

typedef void breaker(struct fixture *f, struct pod_spec *s,
		     struct container *c);

static void annotate(struct fixture *f, const char *key, const char *value)
{
	struct keyvals *kv = &f->pod->pod.meta.annotations;

	kv->items = arena_calloc(f->a, 1, sizeof(struct keyval));
	kv->items[0] = (struct keyval){key, value, strlen(value)};
	kv->n = 1;
}

#define BREAK(name)                                                            \
	static void name(struct fixture *f, struct pod_spec *s,                \
			 struct container *c)
#define UNUSED (void)f, (void)s, (void)c

BREAK(good)
{
	UNUSED;
}
BREAK(host_network)
{
	UNUSED;
	s->host_network = true;
}
BREAK(host_pid)
{
	UNUSED;
	s->host_pid = true;
}
BREAK(host_ipc)
{
	UNUSED;
	s->host_ipc = true;
}
BREAK(privileged)
{
	UNUSED;
	c->security.privileged = TRI_TRUE;
}
BREAK(net_raw)
{
	UNUSED;
	add_cap(f, c, "NET_RAW");
}
BREAK(add_chown)
{
	UNUSED;
	add_cap(f, c, "CHOWN");
}
BREAK(net_bind)
{
	UNUSED;
	add_cap(f, c, "NET_BIND_SERVICE");
}
BREAK(no_drop)
{
	UNUSED;
	c->security.cap_drop.n = 0;
}
BREAK(host_path)
{
	UNUSED;
	add_host_path(f, s, "/srv/data/x");
}
BREAK(probe_http)
{
	UNUSED;
	c->liveness = (struct probe){.kind = PROBE_HTTP, .host = "10.0.0.1"};
}
BREAK(probe_tcp)
{
	UNUSED;
	c->readiness = (struct probe){.kind = PROBE_TCP, .host = "h"};
}
BREAK(probe_startup)
{
	UNUSED;
	c->startup = (struct probe){.kind = PROBE_HTTP, .host = "h"};
}
BREAK(apparmor)
{
	UNUSED;
	annotate(f, "container.apparmor.security.beta.kubernetes.io/app",
		 "unconfined");
}
BREAK(proc_unmasked)
{
	UNUSED;
	c->security.proc_mount = "Unmasked";
}
BREAK(proc_unmasked_host_users)
{
	UNUSED;
	c->security.proc_mount = "Unmasked";
	s->host_users = TRI_TRUE;
}
BREAK(seccomp_pod)
{
	UNUSED;
	s->security.seccomp.type = SECCOMP_UNCONFINED;
}
BREAK(seccomp_container)
{
	UNUSED;
	c->security.seccomp.type = SECCOMP_UNCONFINED;
}
BREAK(seccomp_localhost)
{
	UNUSED;
	c->security.seccomp.type = SECCOMP_LOCALHOST;
}
BREAK(escalation)
{
	UNUSED;
	c->security.allow_privilege_escalation = TRI_TRUE;
}
BREAK(host_users)
{
	UNUSED;
	s->host_users = TRI_TRUE;
}
BREAK(host_users_non_root)
{
	UNUSED;
	s->host_users = TRI_TRUE;
	s->security.run_as_non_root = TRI_TRUE;
}
BREAK(root_pod_false)
{
	host_users_non_root(f, s, c);
	s->security.run_as_non_root = TRI_FALSE;
	c->security.run_as_non_root = TRI_TRUE;
}
BREAK(root_container_false)
{
	host_users_non_root(f, s, c);
	c->security.run_as_non_root = TRI_FALSE;
}
BREAK(root_uid)
{
	host_users_non_root(f, s, c);
	c->security.run_as_user = 0;
}
BREAK(root_uid_pod)
{
	host_users_non_root(f, s, c);
	s->security.run_as_user = 0;
}
BREAK(root_uid_in_userns)
{
	UNUSED;
	s->security.run_as_user = 0;
}

/* T14: what each level says, at the newest version; gates are switched off. */
static const struct {
	const char *name;
	breaker *apply;
	const char *expect[3]; /* privileged, baseline, restricted */
} cases[] = {
	{"good", good, {"", "", ""}},
	{"hostNetwork", host_network, {"", "P101", "P101"}},
	{"hostPID", host_pid, {"", "P101", "P101"}},
	{"hostIPC", host_ipc, {"", "P101", "P101"}},
	{"privileged", privileged, {"", "P102", "P102"}},
	{"add NET_RAW", net_raw, {"", "P103", "P126"}},
	{"add CHOWN", add_chown, {"", "", "P126"}},
	{"add NET_BIND_SERVICE", net_bind, {"", "", ""}},
	{"nothing dropped", no_drop, {"", "", "P126"}},
	{"hostPath", host_path, {"", "P104", "P121"}},
	{"liveness host", probe_http, {"", "P106", "P106"}},
	{"readiness host", probe_tcp, {"", "P106", "P106"}},
	{"startup host", probe_startup, {"", "P106", "P106"}},
	{"apparmor", apparmor, {"", "P107", "P107"}},
	{"procMount, userns", proc_unmasked, {"", "", "P127"}},
	{"procMount, no userns",
	 proc_unmasked_host_users,
	 {"", "P109", "P123 P127"}},
	{"seccomp pod", seccomp_pod, {"", "P110", "P125"}},
	{"seccomp container", seccomp_container, {"", "P110", "P125"}},
	{"seccomp Localhost", seccomp_localhost, {"", "", ""}},
	{"escalation", escalation, {"", "", "P122"}},
	{"root unset, no userns", host_users, {"", "", "P123"}},
	{"non-root, no userns", host_users_non_root, {"", "", ""}},
	{"non-root false in pod", root_pod_false, {"", "", "P123"}},
	{"non-root false in container", root_container_false, {"", "", "P123"}},
	{"uid 0", root_uid, {"", "", "P124"}},
	{"uid 0 of pod", root_uid_pod, {"", "", "P124"}},
	{"uid 0 in userns", root_uid_in_userns, {"", "", ""}},
};
#define N_CASES (sizeof(cases) / sizeof(cases[0]))

/* Runs a case at a level that comes from the policy. */
static const char *run_case(size_t i, int level, bool init)
{
	void *state = NULL;
	struct fixture *f;
	static char result[64];
	struct container *c;

	setup(&state);
	f = state;
	open_gates(f);
	f->s.policy.pod_security = admission_level_name(level);
	c = f->c;
	if (init) {
		struct pod_spec *s = &f->pod->pod.spec;

		s->init_containers =
			arena_memdup(f->a, c, sizeof(struct container));
		s->n_init_containers = 1;
		c = &s->init_containers[0];
	}
	cases[i].apply(f, &f->pod->pod.spec, c);
	check(f);
	(void)snprintf(result, sizeof(result), "%s", codes(f, DIAG_ERROR));
	teardown(&state);
	return result;
}

static void test_T14_every_control_and_level(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++)
		for (int level = 0; level < 3; level++) {
			const char *have = run_case(i, level, false);

			if (strcmp(have, cases[i].expect[level]) != 0)
				print_error("%s at %s: want %s, have %s\n",
					    cases[i].name,
					    admission_level_name(level),
					    cases[i].expect[level], have);
			assert_string_equal(have, cases[i].expect[level]);
		}
}

/* Every row with a predicate is broken by some case, at its own level. */
static void test_T14_no_row_without_case(void **state)
{
	size_t n;
	const struct pss_row *rows = pss_rows(&n);

	(void)state;
	assert_int_equal(n, 19);
	for (size_t r = 0; r < n; r++) {
		bool seen = rows[r].scope == 0;

		for (size_t i = 0; i < N_CASES && !seen; i++)
			seen = strstr(cases[i].expect[rows[r].level],
				      rows[r].code) != NULL;
		if (!seen)
			print_error("no case breaks %s\n", rows[r].id);
		assert_true(seen);
	}
}

/* K19: a container refused among containers is refused among initContainers,
 * by the same codes. */
static void test_K19_init_containers_are_no_way_around(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++)
		for (int level = 0; level < 3; level++)
			assert_string_equal(run_case(i, level, true),
					    cases[i].expect[level]);
}

static void test_versions(void **state)
{
	static const struct {
		const char *level, *version;
		breaker *apply;
		const char *expect;
	} rows[] = {
		{"baseline", "v1.33", probe_http, ""},
		{"baseline", "v1.34", probe_http, "P106"},
		{"baseline", "v1.34", proc_unmasked, "P109"},
		{"baseline", "v1.35", proc_unmasked, ""},
		{"baseline", "v1.18", seccomp_container, ""},
		{"baseline", "v1.19", seccomp_container, "P110"},
		{"restricted", "v1.18", seccomp_container, "P123"},
		{"restricted", "v1.21", net_raw, "P103 P123"},
		{"restricted", "v1.22", net_raw, "P123 P126"},
		{"restricted", "v1.7", escalation, "P123"},
		{"restricted", "v1.8", escalation, "P122 P123"},
		{"restricted", "v1.22", root_uid, ""},
		{"restricted", "v1.23", root_uid, "P124"},
		{"restricted", "v1.34", good, "P123"},
		{"restricted", "v1.35", good, ""},
		{"restricted", "v1.34", proc_unmasked, "P109 P123"},
		{"restricted", "latest", proc_unmasked, "P127"},
		{"restricted", "v1.99", proc_unmasked, "P127"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *own = NULL;
		struct fixture *f;

		setup(&own);
		f = own;
		open_gates(f);
		f->s.policy.pod_security = "privileged";
		rows[i].apply(f, &f->pod->pod.spec, f->c);
		LABELS(f, "enforce", rows[i].level, "enforce-version",
		       rows[i].version);
		check(f);
		if (strcmp(codes(f, DIAG_ERROR), rows[i].expect) != 0)
			print_error("row %zu\n", i);
		assert_string_equal(codes(f, DIAG_ERROR), rows[i].expect);
		teardown(&own);
	}
}

static void test_seccomp_annotation_of_old_versions(void **state)
{
	struct fixture *f = *state;

	f->s.policy.pod_security = "privileged";
	annotate(f, "seccomp.security.alpha.kubernetes.io/pod", "unconfined");
	LABELS(f, "enforce", "baseline", "enforce-version", "v1.18");
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P110");
	annotate(f, "seccomp.security.alpha.kubernetes.io/pod",
		 "docker/default");
	check(f);
	assert_int_equal(f->diags.n, 0);
}

/* A label adds refusals, it never takes one away. */
static void test_label_only_tightens(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++)
		for (int policy = 0; policy < 3; policy++)
			for (int label = 0; label < 3; label++) {
				void *own = NULL;
				struct fixture *f;
				int level = policy > label ? policy : label;

				setup(&own);
				f = own;
				open_gates(f);
				f->s.policy.pod_security =
					admission_level_name(policy);
				cases[i].apply(f, &f->pod->pod.spec, f->c);
				LABELS(f, "enforce",
				       admission_level_name(label));
				check(f);
				if (cases[i].expect[level][0])
					assert_non_null(strstr(
						codes(f, DIAG_ERROR),
						strrchr(cases[i].expect[level],
							'P')));
				else
					assert_string_equal(
						codes(f, DIAG_ERROR), "");
				assert_int_equal(strstr(codes(f, DIAG_WARNING),
							"P211") != NULL,
						 label < policy);
				teardown(&own);
			}
}

static void test_unreadable_label_is_refused_and_strict(void **state)
{
	struct fixture *f = *state;

	f->s.policy.pod_security = "privileged";
	f->c->security.cap_drop.n = 0;
	LABELS(f, "enforce", "Baseline\x1b[2J");
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P210 P126");
	assert_string_equal(diag_of(f, "P210")->message,
			    "Namespace label pod-security.kubernetes.io/"
			    "enforce: want privileged, baseline or restricted, "
			    "have \"Baseline\\x1b[2J\"");
	LABELS(f, "enforce-version", "1.20");
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "P210");
}

static void test_warn_and_audit_warn(void **state)
{
	struct fixture *f = *state;

	f->c->security.cap_drop.n = 0;
	LABELS(f, "warn", "restricted", "audit", "restricted");
	check(f);
	assert_string_equal(codes(f, DIAG_ERROR), "");
	assert_string_equal(codes(f, DIAG_WARNING), "P126");
	assert_int_equal(f->diags.n, 1);
	/* enforced: said once, as an error */
	LABELS(f, "enforce", "restricted", "warn", "restricted");
	check(f);
	assert_int_equal(f->diags.n, 1);
	assert_string_equal(codes(f, DIAG_ERROR), "P126");
}

/* A60: what is not written has the safe value, D1, D2 and D4. */
static void test_A60_defaults_are_judged(void **state)
{
	struct fixture *f = *state;

	f->s.policy.pod_security = "restricted";
	check(f);
	assert_int_equal(f->diags.n, 0);
	assert_int_equal(f->c->security.seccomp.type, SECCOMP_UNSET);
	assert_int_equal(f->c->security.allow_privilege_escalation, TRI_UNSET);
	assert_int_equal(f->pod->pod.spec.host_users, TRI_UNSET);
}

static void test_message_says_where_what_and_instead(void **state)
{
	struct fixture *f = *state;

	f->c->security.privileged = TRI_TRUE;
	f->c->security.pos = (struct manifest_pos){"a.yaml", 7, 3};
	check(f);
	assert_int_equal(f->diags.n, 1);
	assert_string_equal(f->diags.items[0].message,
			    "pod security baseline/privileged: container app: "
			    "want unset or false, have true");
	assert_string_equal(f->diags.items[0].pointer,
			    "/spec/containers/0/securityContext/privileged");
	assert_string_equal(f->diags.items[0].fix,
			    "remove privileged and add the one capability "
			    "that is needed");
	assert_int_equal(f->diags.items[0].pos.line, 7);
}

static void test_explain_every_code(void **state)
{
	static const char *const more[] = {
		"P201", "P202", "P203", "P204", "P205",		 "P206",
		"P207", "P208", "P210", "P211", "hostNamespaces"};
	size_t n;
	const struct pss_row *rows = pss_rows(&n);
	struct buf b;
	struct err err = {0};

	(void)state;
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < n; i++) {
		buf_reset(&b);
		assert_int_equal(admission_explain(rows[i].code, &b, &err), 0);
		assert_non_null(strstr(b.data, rows[i].id));
		assert_non_null(strstr(b.data, rows[i].instead));
	}
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		assert_int_equal(admission_explain(more[i], &b, &err), 0);
	assert_int_equal(admission_explain("P999", &b, &err), ERR_NOTFOUND);
	assert_non_null(strstr(err.msg, "want a code P101 to P211"));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_T14_every_control_and_level),
		T(test_T14_no_row_without_case),
		T(test_K19_init_containers_are_no_way_around),
		T(test_versions),
		T(test_seccomp_annotation_of_old_versions),
		T(test_label_only_tightens),
		T(test_unreadable_label_is_refused_and_strict),
		T(test_warn_and_audit_warn),
		T(test_A60_defaults_are_judged),
		T(test_message_says_where_what_and_instead),
		T(test_explain_every_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Pod Security Standards by level and version, namespace labels, gates. */
#include "policy/admission/admission.h"

#include "policy/admission/pss.h"
#include "tests/sim/make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
	struct arena *a;
	struct snapshot s;
	struct diags diags;
	struct object *pod;
	struct container *c; /* its one container */
};

/* A Pod that every level admits, in namespace "shop". */
static int setup(void **state)
{
	static const char *all[] = {"ALL"};
	struct fixture *f = calloc(1, sizeof(*f));

	f->a = arena_new((size_t)1 << 26);
	f->s = make_snapshot(f->a, 16);
	f->pod = make_pod(f->a, &f->s, "shop", "one", "v1");
	f->c = &f->pod->pod.spec.containers[0];
	f->c->security.cap_drop = (struct strings){all, 1};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->a);
	free(f);
	return 0;
}

static void check(struct fixture *f)
{
	struct err err = {0};

	diags_init(&f->diags, f->a, 1000);
	assert_int_equal(admission_check(&f->s, &f->diags, &err), 0);
}

/* All codes of errors, sorted by appearance, each once: "P101 P204". */
static const char *codes(struct fixture *f, enum diag_severity severity)
{
	const char *text = "";

	for (size_t i = 0; i < f->diags.n; i++) {
		const struct diag *d = &f->diags.items[i];

		if (d->severity == severity && !strstr(text, d->code))
			text = arena_printf(f->a, "%s%s%s", text,
					    text[0] ? " " : "", d->code);
	}
	return text;
}

static const struct diag *diag_of(struct fixture *f, const char *code)
{
	size_t i = 0;

	while (i < f->diags.n && strcmp(f->diags.items[i].code, code) != 0)
		i++;
	assert_true(i < f->diags.n);
	return &f->diags.items[i];
}

static void label_namespace(struct fixture *f, const char *const *kv)
{
	struct object *ns = NULL;
	size_t n = 0;

	for (size_t i = 0; i < f->s.objects.n; i++)
		if (f->s.objects.items[i].kind == MANIFEST_NAMESPACE)
			ns = &f->s.objects.items[i];
	if (!ns) {
		make_object(f->a, &f->s, MANIFEST_NAMESPACE, NULL, "shop", "n");
		make_sorted(&f->s);
		ns = &f->s.objects.items[0];
		f->pod = &f->s.objects.items[1];
	}
	while (kv[2 * n])
		n++;
	ns->meta.labels.items =
		arena_calloc(f->a, n + 1, sizeof(struct keyval));
	ns->meta.labels.n = n;
	for (size_t i = 0; i < n; i++)
		ns->meta.labels.items[i] = (struct keyval){
			arena_printf(f->a, "pod-security.kubernetes.io/%s",
				     kv[2 * i]),
			kv[2 * i + 1], strlen(kv[2 * i + 1])};
}

#define LABELS(f, ...)                                                         \
	label_namespace(f, (const char *const[]){__VA_ARGS__, NULL})

typedef void breaker(struct fixture *f, struct pod_spec *s,
		     struct container *c);

static void add_cap(struct fixture *f, struct container *c, const char *name)
{
	const char **items = arena_calloc(f->a, 1, sizeof(const char *));

	items[0] = name;
	c->security.cap_add = (struct strings){items, 1};
}

static void add_host_path(struct fixture *f, struct pod_spec *s,
			  const char *path)
{
	s->volumes = arena_calloc(f->a, 1, sizeof(struct volume));
	s->volumes[0] = (struct volume){
		.name = "v", .kind = VOLUME_HOSTPATH, .host_path = path};
	s->n_volumes = 1;
}

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

static void open_gates(struct fixture *f)
{
	static const char *prefixes[] = {"/srv/data"};

	f->s.policy.allow_privilege_escalation = true;
	f->s.policy.allow_host_users = true;
	f->s.policy.allow_node_name = true;
	f->s.policy.host_path_prefixes = (struct strings){prefixes, 1};
}

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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_T14_every_control_and_level),
		T(test_T14_no_row_without_case),
		T(test_K19_init_containers_are_no_way_around),
		T(test_K19_gates_see_init_containers),
		T(test_versions),
		T(test_seccomp_annotation_of_old_versions),
		T(test_label_only_tightens),
		T(test_unreadable_label_is_refused_and_strict),
		T(test_warn_and_audit_warn),
		T(test_A60_defaults_are_judged),
		T(test_message_says_where_what_and_instead),
		T(test_P201_registry),
		T(test_A63_P202_digest),
		T(test_P203_plain_secret),
		T(test_A92_P204_host_paths),
		T(test_P205_P206_P207_gates),
		T(test_A61_templates_of_workloads),
		T(test_A62_other_policy),
		T(test_K18_quotes_are_escaped),
		T(test_explain_every_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

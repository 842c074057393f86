/*
 * test_manifest.c - the public face: hashes, canonical form, snapshots,
 * secrets, limits in time.  What the decoder says to whom is in the golden
 * tests.
 */
#include "manifest/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define ARENA_BYTES ((size_t)1 << 30)
#define TEXT_BYTES ((size_t)16 << 20)

#define META(kind_, version_, name_)                                           \
	"apiVersion: " version_ "\nkind: " kind_ "\nmetadata:\n  name: " name_ \
	"\n"
#define PODSPEC(indent_)                                                       \
	indent_ "containers:\n" indent_ "- name: c\n" indent_                  \
		"  image: registry.example:5000/app:1.0\n"
#define DEPLOYMENT(name_, label_)                                              \
	META("Deployment", "apps/v1", name_)                                   \
	"spec:\n  replicas: 2\n  selector:\n    matchLabels: {app: " label_    \
	"}\n  template:\n    metadata:\n      labels: {app: " label_           \
	"}\n    spec:\n" PODSPEC("      ")

struct loaded {
	struct arena *arena;
	struct diags diags;
	struct objects set;
};

static void load(struct loaded *l, const char *text, size_t len)
{
	struct manifest_input in = {.path = "a.yaml",
				    .bytes = text,
				    .len = len,
				    .blob = "b10b",
				    .signer = "alice"};
	struct err err;

	l->arena = arena_new(ARENA_BYTES);
	diags_init(&l->diags, l->arena, 100);
	assert_int_equal(manifest_load(&in, 1, "default", l->arena, &l->diags,
				       &l->set, &err),
			 0);
}

static void load_ok(struct loaded *l, const char *text)
{
	load(l, text, strlen(text));
	if (l->diags.n_errors > 0)
		fail_msg("%s", l->diags.items[0].message);
}

static void hashes_follow_meaning(void **state)
{
	struct loaded a, b, c;

	(void)state;
	load_ok(&a, DEPLOYMENT("d", "x"));
	/* other style, other order, a default written out: the same object */
	load_ok(&b, "kind: Deployment\napiVersion: \"apps/v1\"\n"
		    "spec: {template: {spec: {restartPolicy: Always, "
		    "containers: [{image: 'registry.example:5000/app:1.0', "
		    "name: c}]}, metadata: {labels: {app: x}}}, "
		    "selector: {matchLabels: {app: x}}, replicas: 2}\n"
		    "metadata: {name: d, namespace: default}\n");
	assert_string_equal(a.set.items[0].hash, b.set.items[0].hash);
	assert_string_equal(a.set.items[0].canonical, b.set.items[0].canonical);
	load_ok(&c, META("Pod", "v1",
			 "p") "  labels: {app: x}\nspec:\n" PODSPEC("  "));
	/* a template hashes alike wherever it stands */
	assert_string_equal(manifest_template(&a.set.items[0])->hash,
			    manifest_template(&c.set.items[0])->hash);
	assert_int_equal(strlen(a.set.items[0].hash), 16);
	arena_free(a.arena);
	arena_free(b.arena);
	arena_free(c.arena);
}

static void objects_are_sorted_and_found(void **state)
{
	struct loaded l;

	(void)state;
	load_ok(&l,
		DEPLOYMENT("z", "z") "---\n" DEPLOYMENT("a", "a") "---\n" META(
			"Namespace", "v1",
			"web") "---\n" META("ConfigMap", "v1",
					    "c") "  namespace: web\n");
	assert_int_equal(l.set.n, 4);
	assert_int_equal(l.set.items[0].kind, MANIFEST_NAMESPACE);
	assert_string_equal(l.set.items[2].meta.name, "a");
	assert_ptr_equal(
		manifest_find(&l.set, MANIFEST_DEPLOYMENT, "default", "z"),
		&l.set.items[3]);
	assert_ptr_equal(manifest_find(&l.set, MANIFEST_NAMESPACE, NULL, "web"),
			 &l.set.items[0]);
	assert_null(manifest_find(&l.set, MANIFEST_CONFIGMAP, "default", "c"));
	assert_string_equal(l.set.items[3].signer, "alice");
	assert_string_equal(l.set.items[3].blob, "b10b");
	assert_int_equal(l.set.items[3].pos.line, 1);
	arena_free(l.arena);
}

static void A60_unset_is_the_safe_value(void **state)
{
	const struct pod_spec *s;
	struct loaded l;

	(void)state;
	load_ok(&l, META("Pod", "v1", "p") "spec:\n" PODSPEC("  "));
	s = &l.set.items[0].pod.spec;
	assert_int_equal(s->security.seccomp.type, SECCOMP_RUNTIME_DEFAULT);
	assert_int_equal(s->host_users, TRI_UNSET);
	assert_false(s->host_network || s->host_pid || s->host_ipc);
	assert_int_equal(s->containers[0].security.privileged, TRI_UNSET);
	assert_int_equal(s->containers[0].security.run_as_user, MANIFEST_UNSET);
	assert_int_equal(s->containers[0].liveness.kind, PROBE_NONE);
	assert_int_equal(s->containers[0].resources.memory_limit,
			 MANIFEST_UNSET);
	assert_int_equal(s->termination_grace_s, 30);
	assert_false(s->enable_service_links);
	arena_free(l.arena);
}

static void canonical_is_a_fixed_point(void **state)
{
	struct loaded l;
	struct object back;
	struct err err;
	char *other;

	(void)state;
	load_ok(&l, DEPLOYMENT("d", "x"));
	assert_int_equal(manifest_from_canonical(l.set.items[0].canonical,
						 l.set.items[0].canonical_len,
						 l.arena, &back, &err),
			 0);
	assert_string_equal(back.hash, l.set.items[0].hash);
	assert_string_equal(back.deployment.template.hash,
			    l.set.items[0].deployment.template.hash);
	/* the same object in another text is refused (G16) */
	other = arena_printf(l.arena, "%.*s ,%s",
			     (int)strcspn(l.set.items[0].canonical, ","),
			     l.set.items[0].canonical,
			     strchr(l.set.items[0].canonical, ',') + 1);
	assert_int_equal(manifest_from_canonical(other, strlen(other), l.arena,
						 &back, &err),
			 ERR_INPUT);
	other = arena_strdup(l.arena,
			     "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
			     "\"metadata\":{\"name\":\"c\","
			     "\"namespace\":\"d\"}}");
	assert_int_equal(manifest_from_canonical(other, strlen(other), l.arena,
						 &back, &err),
			 ERR_INPUT);
	assert_non_null(strstr(err.msg, "want the canonical form"));
	arena_free(l.arena);
}

static void canonical_refuses(void **state)
{
	static const struct {
		const char *json, *want;
	} rows[] = {
		{"", "want a value"},
		{"{", "want a key"},
		{"{\"b\":1,\"a\":2}", "keys in ascending order"},
		{"{\"a\":1,\"a\":2}", "keys in ascending order"},
		{"{\"a\":nul", "want a value"},
		{"{\"a\":\"x", "the end of the string"},
		{"{\"a\":\"\\u0041\"}", "an escaped control character"},
		{"{\"a\":\"\\u0000\"}", "an escaped control character"},
		{"{\"a\":\"\\x\"}", "an escape"},
		{"{\"a\":\"\x01\"}", "no control character"},
		{"{\"a\":\"\xff\"}", "UTF-8"},
		{"{\"a\":-}", "an integer"},
		{"{\"a\":1} ", "nothing more"},
		{"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		 "fewer levels"},
		{"{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}",
		 "needs 'metadata'"},
		{"[]", "want an object"},
	};
	struct arena *arena = arena_new(ARENA_BYTES);
	struct object o;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(manifest_from_canonical(rows[i].json,
							 strlen(rows[i].json),
							 arena, &o, &err),
				 ERR_INPUT);
		if (!strstr(err.msg, rows[i].want))
			fail_msg("%s: %s", rows[i].json, err.msg);
	}
	arena_free(arena);
}

static const char several[] = DEPLOYMENT("d", "x") "---\n" META(
	"Secret", "v1",
	"s") "stringData: {k: canary-value}\n---\n" META("ConfigMap", "v1",
							 "c") "data: {a: "
							      "\"quote \\\" "
							      "tab \\t "
							      "end\"}\n";

static struct snapshot snapshot_of(const struct loaded *l)
{
	return (struct snapshot){
		.repository_id = "fleet",
		.ref = "refs/heads/main",
		.commit = "c0ffee",
		.signer = "alice",
		.commit_time = 1700000000,
		.policy = {.repository_id = "fleet",
			   .ref = "refs/heads/main",
			   .manifests_path = "apps",
			   .default_namespace = "default",
			   .pod_security = "baseline",
			   .require_digest = true,
			   .max_delete_percent = 30,
			   .placement = "spread"},
		.objects = l->set,
	};
}

static void snapshot_there_and_back(void **state)
{
	const char *people[] = {"alice", "bob \"b\""};
	struct trust_role groups[] = {{.name = "web", .people = {people, 2}},
				      {.name = "admins"}};
	struct snapshot s, back;
	struct buf one, two;
	struct loaded l;
	struct err err;

	(void)state;
	load_ok(&l, several);
	s = snapshot_of(&l);
	s.rbac = true;
	s.groups = groups;
	s.n_groups = 2;
	buf_init(&one, TEXT_BYTES);
	buf_init(&two, TEXT_BYTES);
	assert_int_equal(snapshot_encode(&s, &one, &err), 0);
	assert_int_equal(
		snapshot_decode(one.data, one.len, l.arena, &back, &err), 0);
	assert_int_equal(snapshot_encode(&back, &two, &err), 0);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	assert_string_equal(back.policy.manifests_path, "apps");
	assert_true(back.policy.require_digest);
	assert_int_equal(back.commit_time, 1700000000);
	assert_true(back.rbac);
	assert_int_equal(back.n_groups, 2);
	assert_string_equal(back.groups[0].name, "web");
	assert_string_equal(back.groups[0].people.items[1], "bob \"b\"");
	assert_int_equal(back.groups[1].people.n, 0);
	assert_int_equal(back.objects.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(back.objects.items[i].hash,
				    s.objects.items[i].hash);
		assert_string_equal(back.objects.items[i].pos.path, "a.yaml");
		assert_int_equal(back.objects.items[i].pos.line,
				 s.objects.items[i].pos.line);
	}
	assert_string_equal(back.objects.items[0].configmap.data.items[0].value,
			    "quote \" tab \t end");
	buf_release(&one);
	buf_release(&two);
	arena_free(l.arena);
}

static void snapshot_cut_anywhere_is_refused(void **state)
{
	struct snapshot s, back;
	struct loaded l;
	struct buf one;
	struct err err;

	(void)state;
	load_ok(&l, several);
	s = snapshot_of(&l);
	buf_init(&one, TEXT_BYTES);
	assert_int_equal(snapshot_encode(&s, &one, &err), 0);
	for (size_t len = 0; len < one.len; len++) {
		struct arena *a = arena_new(ARENA_BYTES);

		assert_int_equal(snapshot_decode(one.data, len, a, &back, &err),
				 ERR_INPUT);
		arena_free(a);
	}
	/* a changed byte is refused or harmless, never a fault */
	for (size_t i = 0; i < one.len; i++) {
		struct arena *a = arena_new(ARENA_BYTES);
		char was = one.data[i];

		one.data[i] = (char)(was ^ 0x11);
		(void)snapshot_decode(one.data, one.len, a, &back, &err);
		one.data[i] = was;
		arena_free(a);
	}
	buf_release(&one);
	arena_free(l.arena);
}

static void snapshot_out_of_order_is_refused(void **state)
{
	struct snapshot s, back;
	struct object swap;
	struct loaded l;
	struct buf one;
	struct err err;

	(void)state;
	load_ok(&l, several);
	s = snapshot_of(&l);
	swap = s.objects.items[0];
	s.objects.items[0] = s.objects.items[1];
	s.objects.items[1] = swap;
	buf_init(&one, TEXT_BYTES);
	assert_int_equal(snapshot_encode(&s, &one, &err), 0);
	assert_int_equal(
		snapshot_decode(one.data, one.len, l.arena, &back, &err),
		ERR_INPUT);
	assert_non_null(strstr(err.msg, "want objects in order"));
	/* twice the same object */
	s.objects.items[0] = s.objects.items[1];
	buf_reset(&one);
	assert_int_equal(snapshot_encode(&s, &one, &err), 0);
	assert_int_equal(
		snapshot_decode(one.data, one.len, l.arena, &back, &err),
		ERR_INPUT);
	buf_release(&one);
	arena_free(l.arena);
}

/* A container is judged alike wherever it stands. */
static void K19_moving_a_container_never_helps(void **state)
{
	static const char *const bad[] = {
		"image: 'BAD IMAGE'",
		"securityContext: {privilegd: true}",
		"lifecycle: {x: y}",
		"env: [{name: A, value: 1}]",
		"ports: [{hostPort: 1, containerPort: 1}]",
		"envFrom: [{configMapRef: {nam: x}}]",
		"resources: {limits: {nvidia.com/gpu: 1}}",
		"volumeMounts: [{name: gone, mountPath: /x}]",
	};
	static const char *const lists[] = {"containers", "initContainers",
					    "ephemeralContainers"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (size_t k = 0; k < 3; k++) {
			char text[1024];
			struct loaded l;

			(void)snprintf(
				text, sizeof(text),
				META("Pod", "v1", "p") "spec:\n  %s:\n  - "
						       "name: x\n    %s\n%s",
				lists[k], bad[i], k ? PODSPEC("  ") : "");
			load(&l, text, strlen(text));
			if (l.diags.n_errors == 0 || l.set.n != 0)
				fail_msg("%s", text);
			arena_free(l.arena);
		}
}

static void G03_secret_values_stay_out_of_messages(void **state)
{
	static const char *const files[] = {
		META("Secret", "v1", "s") "data: {a: canary!x}\n",
		META("Secret", "v1", "s") "stringData: {a: [canary-x]}\n",
		META("Secret", "v1",
		     "s") "stringData: {a: 1e1337, b: 0x1337}\n",
		META("Secret", "v1", "s") "type: canary-x\n",
		META("Secret", "v1", "s") "immutable: canary-x\n",
		META("Secret", "v1", "s") "  labels: {a: 'canary x'}\n",
		META("Secret", "v1", "s") "data: canary-x\n",
		META("Secret", "v1", "s") "stringData: {a: \"canary-x\\0\"}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct loaded l;
		struct buf out;

		load(&l, files[i], strlen(files[i]));
		assert_true(l.diags.n_errors > 0);
		buf_init(&out, TEXT_BYTES);
		diags_print_text(&l.diags, &out);
		if (strstr(out.data, "canary") || strstr(out.data, "1337"))
			fail_msg("%s", out.data);
		buf_release(&out);
		arena_free(l.arena);
	}
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One bomb: refused with the code, at once and with little memory. */
static void bomb(const char *text, size_t len, const char *code)
{
	double t = seconds();
	struct loaded l;

	load(&l, text, len);
	t = seconds() - t;
	assert_int_equal(l.set.n, 0);
	assert_true(l.diags.n > 0);
	assert_string_equal(l.diags.items[0].code, code);
	assert_true(arena_used(l.arena) < (size_t)16 << 20);
#ifndef RECONCILE_SAN
	assert_true(t < 0.1);
#endif
	arena_free(l.arena);
}

static void K07_bombs(void **state)
{
	size_t max = (size_t)4 << 20;
	char *text = malloc(max + 1);
	size_t n;

	(void)state;
	assert_non_null(text);
	memset(text, '[', 80000);
	bomb(text, 80000, "M005");
	for (size_t i = 0; i < 80000; i++)
		memcpy(text + i * 4, "{a: ", 4);
	bomb(text, 320000, "M005");
	for (size_t i = 0; i < 100000; i++)
		memcpy(text + i * 2, "- ", 2);
	bomb(text, 200000, "M005");
	memset(text, 'a', max);
	bomb(text, max, "M007");
	bomb(text, max + 1, "M001");
	n = 0;
	for (int i = 0; i < 200000; i++)
		n += (size_t)snprintf(text + n, max - n, "k%d: 1\n", i);
	bomb(text, n, "M006");
	memset(text, '\n', max);
	memcpy(text, "a: 1", 4);
	bomb(text, max, "M101");
	free(text);
}

static void K07_equal_keys_are_not_quadratic(void **state)
{
	char *text = malloc((size_t)1 << 20);
	struct loaded l;
	double t;
	size_t n = 0;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 9990; i++)
		n += (size_t)snprintf(text + n, 32, "k%d: 1\n", i / 2);
	t = seconds();
	load(&l, text, n);
	t = seconds() - t;
	assert_int_equal(l.diags.n_errors, 4995 + 1);
#ifndef RECONCILE_SAN
	assert_true(t < 0.1);
#endif
	arena_free(l.arena);
	free(text);
}

static void selectors(void **state)
{
	struct keyval items[] = {{"app", "web", 3}, {"tier", "front", 5}};
	struct keyvals labels = {items, 2};
	const char *values[] = {"web", "api"};
	struct selector_expr e = {"app", SELECTOR_IN, {values, 2}};
	struct selector s = {.exprs = &e, .n_exprs = 1};

	(void)state;
	assert_true(manifest_selector_matches(&s, &labels));
	e.op = SELECTOR_NOTIN;
	assert_false(manifest_selector_matches(&s, &labels));
	e.key = "gone";
	assert_true(manifest_selector_matches(&s, &labels));
	e.op = SELECTOR_EXISTS;
	assert_false(manifest_selector_matches(&s, &labels));
	e.op = SELECTOR_DOESNOTEXIST;
	assert_true(manifest_selector_matches(&s, &labels));
	s.match_labels = (struct keyvals){&items[1], 1};
	assert_true(manifest_selector_matches(&s, &labels));
	assert_false(manifest_labels_match(&labels, &s.match_labels));
	assert_string_equal(manifest_label(&labels, "tier"), "front");
	assert_null(manifest_label(&labels, "b"));
}

static void diagnostics_have_a_maximum(void **state)
{
	struct manifest_pos pos = {"p", 1, 1};
	struct arena *a = arena_new(ARENA_BYTES);
	struct diags d;
	struct buf out;

	(void)state;
	diags_init(&d, a, 2);
	for (int i = 0; i < 5; i++)
		diags_add(&d, "M201", DIAG_ERROR, pos, NULL, NULL, "x");
	assert_int_equal(d.n, 2);
	assert_int_equal(d.n_errors, 5);
	buf_init(&out, 1024);
	diags_print_text(&d, &out);
	assert_non_null(strstr(out.data, "3 more diagnostics not shown"));
	buf_release(&out);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_follow_meaning),
		cmocka_unit_test(objects_are_sorted_and_found),
		cmocka_unit_test(A60_unset_is_the_safe_value),
		cmocka_unit_test(canonical_is_a_fixed_point),
		cmocka_unit_test(canonical_refuses),
		cmocka_unit_test(snapshot_there_and_back),
		cmocka_unit_test(snapshot_cut_anywhere_is_refused),
		cmocka_unit_test(snapshot_out_of_order_is_refused),
		cmocka_unit_test(K19_moving_a_container_never_helps),
		cmocka_unit_test(G03_secret_values_stay_out_of_messages),
		cmocka_unit_test(K07_bombs),
		cmocka_unit_test(K07_equal_keys_are_not_quadratic),
		cmocka_unit_test(selectors),
		cmocka_unit_test(diagnostics_have_a_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_env.c - order, expansion and sources of a container's environment. */
#include "agent/pod/env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct keyval pairs[] = {{"color", "blue", 4}, {"1bad", "x", 1}};
static struct keyval secret_pairs[] = {{"word", "se\0ret", 6}};
static struct keyval labels[] = {{"app", "web", 3}};

static struct object objects[2];

static const struct objects *set(void)
{
	static const struct objects all = {objects, 2};

	objects[0] = (struct object){.kind = MANIFEST_CONFIGMAP,
				     .meta = {"conf", "ns", {0}, {0}}};
	objects[0].configmap.data = (struct keyvals){pairs, 2};
	objects[1] = (struct object){.kind = MANIFEST_SECRET,
				     .meta = {"sec", "ns", {0}, {0}}};
	objects[1].secret.data = (struct keyvals){secret_pairs, 1};
	return &all;
}

static int make(struct env_var *vars, size_t n, struct env_from *from,
		size_t n_from, struct arena *arena, struct env_list *out,
		struct err *err)
{
	static const char *const image[] = {"PATH=/bin", "color=red"};
	const struct keyvals l = {labels, 1}, none = {0};
	const struct env_facts facts = {.name = "p",
					.namespace = "ns",
					.uid = "u",
					.labels = &l,
					.annotations = &none,
					.pod_ip = "10.0.0.2"};
	const struct container c = {.env = vars,
				    .n_env = n,
				    .env_from = from,
				    .n_env_from = n_from};

	return env_make(&c, set(), &facts, image, 2, arena, out, err);
}

static void order(void **state)
{
	struct arena *arena = arena_new(1u << 20);
	struct env_from from[] = {
		{.source = ENV_CONFIGMAP, .ref_name = "conf", .prefix = ""}};
	struct env_var vars[] = {
		{.name = "A", .source = ENV_VALUE, .value = "$(color)-$(B)"},
		{.name = "B", .source = ENV_VALUE, .value = "$$(A) $( $(A)"},
		{.name = "IP",
		 .source = ENV_FIELD,
		 .field_path = "status.podIP"},
		{.name = "L",
		 .source = ENV_FIELD,
		 .field_path = "metadata.labels['app']"},
		{.name = "A2",
		 .source = ENV_CONFIGMAP,
		 .ref_name = "none",
		 .ref_key = "k",
		 .optional = true},
	};
	struct env_list list;
	struct err err = {0};

	(void)state;
	assert_int_equal(make(vars, 5, from, 1, arena, &list, &err), 0);
	assert_string_equal(env_get(&list, "PATH"), "/bin");
	/* envFrom wins over the image */
	assert_string_equal(env_get(&list, "color"), "blue");
	assert_null(env_get(&list, "1bad"));
	assert_string_equal(env_get(&list, "A"), "blue-$(B)");
	assert_string_equal(env_get(&list, "B"), "$(A) $( $(A)");
	assert_string_equal(env_get(&list, "IP"), "10.0.0.2");
	assert_string_equal(env_get(&list, "L"), "web");
	assert_null(env_get(&list, "A2"));
	arena_free(arena);
}

static void missing(void **state)
{
	struct arena *arena = arena_new(1u << 20);
	struct env_var no_key = {.name = "A",
				 .source = ENV_CONFIGMAP,
				 .ref_name = "conf",
				 .ref_key = "none"};
	struct env_var nul = {.name = "S",
			      .source = ENV_SECRET,
			      .ref_name = "sec",
			      .ref_key = "word"};
	struct env_list list = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(make(&no_key, 1, NULL, 0, arena, &list, &err),
			 ERR_NOTFOUND);
	assert_non_null(strstr(err.msg, "no key none in ConfigMap ns/conf"));
	assert_int_equal(make(&nul, 1, NULL, 0, arena, &list, &err), ERR_INPUT);
	assert_null(strstr(err.msg, "se"));
	assert_int_equal(list.n, 0);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(order),
					   cmocka_unit_test(missing)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The table of steps, users, sysctls, ids, the default filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/confine/filter.h"
#include "engine/engine.h"
#include "engine/run/exec.h"

#include <string.h>

static void test_table(void **state)
{
	const struct run_step *s;
	enum run_side side = RUN_ENGINE;
	size_t i, k;

	(void)state;
	for (i = 0; (s = run_step(i)) != NULL; i++) {
		assert_true(s->side >= side); /* grouped by side, in order */
		side = s->side;
		assert_non_null(s->act);
		assert_true(strlen(s->why) > 0);
		for (k = 0; k < i; k++)
			assert_string_not_equal(s->name, run_step(k)->name);
		/* What the container's side does dies with it. */
		if (s->side != RUN_ENGINE)
			assert_null(s->undo);
	}
	assert_int_equal(side, RUN_START);
}

static void test_user(void **state)
{
	static const char *const bad[] = {"",		"+1",	 "01", "0x0",
					  "-1",		"1:",	 ":1", "a",
					  "4294967295", "1:2:3", "1 "};
	struct spec_user u = {.uid = 9, .gid = 9};
	struct err err = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(exec_user(bad[i], &u, &err), ERR_INPUT);
		assert_int_equal(u.uid, 9);
	}
	assert_int_equal(exec_user("1:2", &u, &err), 0);
	assert_int_equal(u.uid, 1);
	assert_int_equal(u.gid, 2);
}

static void test_id(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(state_check_id("a", &err), 0);
	assert_int_equal(state_check_id("A_b.c+d-1", &err), 0);
	assert_int_equal(state_check_id("a..b", &err), ERR_INPUT);
	assert_int_equal(state_check_id(".a", &err), ERR_INPUT);
	assert_int_equal(state_check_id("a/b", &err), ERR_INPUT);
	assert_int_equal(state_check_id("", &err), ERR_INPUT);
}

static void test_default_filter(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct buf b, all;
	struct spec s;
	struct filter f = {.n = 0};
	struct err err = {0};

	(void)state;
	buf_init(&b, 1 << 20);
	buf_init(&all, 1 << 20);
	engine_seccomp_default_json(&b);
	buf_printf(&all, "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"x\"},"
			 "\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]},"
			 "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}],"
			 "\"seccomp\":");
	buf_put(&all, b.data, b.len);
	buf_puts(&all, "}}");
	assert_int_equal(spec_read(all.data, all.len, a, &s, &err), 0);
	assert_int_equal(filter_compile(s.linux_.seccomp, &f, &err), 0);
	assert_true(f.n > 50);
	filter_release(&f);
	buf_release(&b);
	buf_release(&all);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_default_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

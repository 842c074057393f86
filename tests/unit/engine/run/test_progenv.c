/* The home of a user in a passwd file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/run/progenv.h"

#include <string.h>

static void test_home(void **state)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/sh\n"
				   "short:x\n"
				   "\n"
				   "octal:x:07:7::/octal:\n"
				   "rel:x:6:6::relative:/bin/sh\n"
				   "none:x:8:8:::/bin/sh\n"
				   "five:x:5:5::/home/five\n"
				   "again:x:5:5::/second:\n"
				   "last:x:4294967295:9::/last";
	static const struct {
		uint32_t uid;
		const char *home;
	} rows[] = {
		{0, "/root"}, {5, "/home/five"},      {6, NULL}, {7, NULL},
		{8, NULL},    {4294967295u, "/last"}, {9, NULL},
	};
	struct arena *arena = arena_new(65536);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *home =
			progenv_home(text, strlen(text), rows[i].uid, arena);

		if (rows[i].home == NULL)
			assert_null(home);
		else
			assert_string_equal(home, rows[i].home);
	}
	assert_null(progenv_home("", 0, 0, arena));
	arena_free(arena);
}

static void test_env(void **state)
{
	char a1[] = "A=1", b[] = "AB=2", a2[] = "A=3",
	     home[] = "HOME=", home2[] = "HOME=/h";
	char *v[] = {a1, b, a2, home, home2, NULL};
	struct spec_process p = {.env = {.v = v, .n = 5}};
	struct run r = {.opt = {.listen_fds = 2}};
	static const char *const want[] = {"AB=2", "A=3", "HOME=/h",
					   "LISTEN_FDS=2", "LISTEN_PID=1"};
	char **env;
	size_t i;

	(void)state;
	r.arena = arena_new(65536);
	r.spec.process = &p;
	env = progenv_make(&r);
	for (i = 0; i < 5; i++)
		assert_string_equal(env[i], want[i]);
	assert_null(env[5]);
	arena_free(r.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_env),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

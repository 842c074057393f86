/* Every code and rule: found by code and by id, with words and an example. */
#include "reconciler/report/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = arena_new((size_t)1 << 28);
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* Nothing answers with a title alone. */
static void test_all_rows(void **state)
{
	struct rule r, again;
	size_t n = 0;

	for (; rule_get(n, *state, &r) == 0; n++) {
		const char *name = r.code != NULL ? r.code : r.id;

		assert_non_null(name);
		assert_int_equal(rule_find(name, *state, &again), 0);
		assert_string_equal(again.title, r.title);
		assert_true(r.title[0] != '\0');
		if (r.code == NULL || strchr("MPR", r.code[0]) != NULL) {
			if (r.example == NULL)
				print_message("# add one to example.c: %s\n",
					      name);
			assert_non_null(r.example);
		}
		assert_true(r.fix != NULL || r.help[0] != '\0' ||
			    r.example != NULL);
		assert_non_null(strstr(rule_text(&r, *state), r.title));
	}
	assert_true(n > 150);
}

static void test_find(void **state)
{
	struct rule r;

	assert_int_equal(rule_find("imageRegistry", *state, &r), 0);
	assert_string_equal(r.code, "P201");
	assert_int_equal(rule_find("p201", *state, &r), 0);
	assert_string_equal(r.id, "imageRegistry");
	assert_int_equal(rule_find("hostNamespaces", *state, &r), 0);
	assert_string_equal(r.code, "P101");
	assert_int_equal(rule_find("T110", *state, &r), 0);
	assert_int_equal(rule_find("R403", *state, &r), 0);
	assert_int_equal(rule_find("H103", *state, &r), 0);
	assert_int_equal(rule_find("M009", *state, &r), 0);
	assert_int_equal(rule_find("root", *state, &r), 0);
	assert_null(r.code);
	assert_int_equal(rule_find("P999", *state, &r), ERR_NOTFOUND);
	assert_int_equal(rule_find("", *state, &r), ERR_NOTFOUND);
	assert_string_equal(rule_nearest("imageRegsitry", *state),
			    "imageRegistry");
	assert_string_equal(rule_nearest("P2011", *state), "P201");
	assert_null(rule_nearest("\x1b[2J", *state));
}

static void test_text(void **state)
{
	struct rule r = {.code = "X1",
			 .id = "one",
			 .title = "a title",
			 .help = "first\nsecond",
			 .fix = "do it",
			 .example = "- a\n+ b"};

	assert_string_equal(rule_text(&r, *state),
			    "X1 one: a title\n  first\n  second\n"
			    "  fix: do it\n  example:\n    - a\n    + b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

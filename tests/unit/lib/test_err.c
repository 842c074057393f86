/* test_err.c - codes, prefixes, truncation. */
#include "lib/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void table_has_no_gap(void **state)
{
	(void)state;
	for (int code = -1; code >= -ERR_CODE_COUNT; code--) {
		assert_string_not_equal(err_name(code), "UNKNOWN");
		assert_true(err_text(code)[0] != '\0');
		assert_in_range(err_exit_status(code), 1, 127);
	}
	assert_string_equal(err_name(0), "OK");
	assert_int_equal(err_exit_status(0), 0);
	assert_string_equal(err_name(-ERR_CODE_COUNT - 1), "UNKNOWN");
	assert_int_equal(err_exit_status(-ERR_CODE_COUNT - 1), 70);
	assert_string_equal(err_name(1), "UNKNOWN");
}

/* The table of the manual: a change here is visible to users. */
static void exit_statuses_are_fixed(void **state)
{
	(void)state;
	assert_int_equal(err_exit_status(ERR_INPUT), 3);
	assert_int_equal(err_exit_status(ERR_TRUST), 4);
	assert_int_equal(err_exit_status(ERR_DENIED), 5);
	assert_int_equal(err_exit_status(ERR_CONFLICT), 6);
	assert_int_equal(err_exit_status(ERR_AUDIT), 9);
	assert_int_equal(err_exit_status(ERR_AGAIN), 75);
}

static void set_and_wrap(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_set(&e, ERR_LIMIT, "want %d", 3), ERR_LIMIT);
	assert_string_equal(e.msg, "want 3");
	assert_int_equal(err_wrap(&e, "file %s", "x"), ERR_LIMIT);
	assert_string_equal(e.msg, "file x: want 3");
	assert_int_equal(e.sys_errno, 0);
}

static void errno_becomes_a_code(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_sys(&e, ENOENT, "open"), ERR_NOTFOUND);
	assert_string_equal(e.msg, "open: No such file or directory");
	assert_int_equal(e.sys_errno, ENOENT);
	assert_int_equal(err_sys(&e, ENOMEM, "x"), ERR_NOMEM);
	assert_int_equal(err_sys(&e, EAGAIN, "x"), ERR_AGAIN);
	assert_int_equal(err_sys(&e, EIO, "x"), ERR_SYS);
}

static void null_err_still_gives_the_code(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_TRUST, "x"), ERR_TRUST);
	assert_int_equal(err_sys(NULL, ENOENT, "x"), ERR_NOTFOUND);
	assert_int_equal(err_wrap(NULL, "x"), ERR_SYS);
}

static void long_messages_are_cut(void **state)
{
	struct err e = {0};

	(void)state;
	(void)err_set(&e, ERR_INPUT, "%*s", 5000, "x");
	assert_int_equal(strlen(e.msg), ERR_MSG_BYTES - 1);
	assert_int_equal(err_wrap(&e, "%*s", 2000, "y"), ERR_INPUT);
	assert_int_equal(strlen(e.msg), ERR_MSG_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_has_no_gap),
		cmocka_unit_test(exit_statuses_are_fixed),
		cmocka_unit_test(set_and_wrap),
		cmocka_unit_test(errno_becomes_a_code),
		cmocka_unit_test(null_err_still_gives_the_code),
		cmocka_unit_test(long_messages_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

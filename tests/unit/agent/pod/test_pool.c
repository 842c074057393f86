/* test_pool.c - numbers are never given twice (T26), not reused at once. */
#include "agent/pod/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void never_twice_T26_N17(void **state)
{
	struct err err = {0};
	struct pool p;
	uint32_t a, b, c, d;

	(void)state;
	assert_int_equal(pool_init(&p, 3, &err), 0);
	assert_int_equal(pool_claim(&p, 1, &err), 0);
	assert_int_equal(pool_claim(&p, 1, &err), ERR_CONFLICT);
	assert_int_equal(pool_claim(&p, 3, &err), ERR_INPUT);
	assert_int_equal(pool_take(&p, &a, &err), 0);
	assert_int_equal(a, 0);
	pool_give(&p, a);
	assert_int_equal(pool_take(&p, &b, &err), 0);
	assert_int_equal(b, 2);
	assert_int_equal(pool_take(&p, &c, &err), 0);
	assert_int_equal(c, 0);
	assert_int_equal(pool_take(&p, &d, &err), ERR_LIMIT);
	assert_non_null(strstr(err.msg, "all 3 are in use"));
	pool_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_twice_T26_N17)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* own: the engine's capabilities are what its table says. */
#include "engine/confine/own.h"

#include "lib/sys.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static void test_table(void **state)
{
	const struct own_row *row, *before = NULL;
	uint64_t set = 0;
	size_t i;

	(void)state;
	for (i = 0; (row = own_row(i)) != NULL; i++) {
		assert_true(row->cap >= 0 && row->cap <= CAP_LAST_CAP);
		assert_true(row->why[0] != '\0');
		assert_true(before == NULL || before->cap < row->cap);
		set |= UINT64_C(1) << row->cap;
		before = row;
	}
	assert_true(set == own_set());
	assert_false(set >> CAP_SYS_MODULE & 1);
	assert_false(set >> CAP_SYS_RAWIO & 1);
	assert_false(set >> CAP_SYS_BOOT & 1);
}

/* Nothing is taken from what may be handed on. */
static void test_narrow(void **state)
{
	uint64_t effective = 0, before = 0, permitted = 0;

	(void)state;
	assert_int_equal(sys_capget(&effective, &before), 0);
	assert_int_equal(own_narrow(NULL), 0);
	assert_int_equal(sys_capget(&effective, &permitted), 0);
	assert_true(permitted == before);
	assert_true((effective & ~own_set()) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

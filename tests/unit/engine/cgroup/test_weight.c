/* Weights: the ends, the defaults, and the formula itself by the C library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/cgroup/weight.h"

#include <math.h>

static void test_cpu(void **state)
{
	uint64_t shares;

	(void)state;
	assert_int_equal(weight_cpu(0), 1);
	assert_int_equal(weight_cpu(2), 1);
	assert_int_equal(weight_cpu(1024), 100);
	assert_int_equal(weight_cpu(262144), 10000);
	assert_int_equal(weight_cpu(UINT64_MAX), 10000);
	for (shares = 3; shares < 262144; shares++) {
		double l = log2((double)shares);
		double e = (l * l + 125 * l) / 612 - 7.0 / 34;

		assert_int_equal(weight_cpu(shares),
				 (uint64_t)ceil(pow(10, e)));
	}
}

static void test_io(void **state)
{
	(void)state;
	assert_int_equal(weight_io(1), 1);
	assert_int_equal(weight_io(10), 1);
	assert_int_equal(weight_io(500), 4950);
	assert_int_equal(weight_io(1000), 10000);
	assert_int_equal(weight_io(5000), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_io),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

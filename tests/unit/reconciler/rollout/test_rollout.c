/* Arithmetic of disruption limits; the state machines are tested through the
 * plan and the simulator. */
#include "reconciler/rollout/rollout.h"

#include "tests/sim/make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_T41_percentages_round_as_kubernetes_does(void **state)
{
	static const struct {
		const char *percent;
		int64_t total, down, up;
	} rows[] = {
		{"25%", 10, 2, 3}, {"25%", 4, 1, 1},	 {"25%", 1, 0, 1},
		{"0%", 10, 0, 0},  {"100%", 7, 7, 7},	 {"1%", 100, 1, 1},
		{"1%", 99, 0, 1},  {"33%", 3, 0, 1},	 {"50%", 0, 0, 0},
		{"x%", 10, 0, 0},  {"200%", 10, 20, 20},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct int_or_string v = make_percent(rows[i].percent);

		assert_int_equal(rollout_amount(&v, rows[i].total, false),
				 rows[i].down);
		assert_int_equal(rollout_amount(&v, rows[i].total, true),
				 rows[i].up);
	}
}

static void test_limits_are_never_both_zero(void **state)
{
	(void)state;
	for (int64_t replicas = 0; replicas < 50; replicas++)
		for (int surge = 0; surge <= 100; surge += 5)
			for (int down = 0; down <= 100; down += 5) {
				char s[8], d[8];
				struct deployment dep = {.replicas = replicas};
				int64_t out_s, out_d;

				(void)snprintf(s, sizeof(s), "%d%%", surge);
				(void)snprintf(d, sizeof(d), "%d%%", down);
				dep.max_surge = make_percent(s);
				dep.max_unavailable = make_percent(d);
				rollout_limits(&dep, &out_s, &out_d);
				assert_true(replicas == 0 || out_s + out_d > 0);
				assert_true(out_d <= replicas);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_T41_percentages_round_as_kubernetes_does),
		cmocka_unit_test(test_limits_are_never_both_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

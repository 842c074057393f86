/* test_probe.c - thresholds and times of probes. */
#include "agent/probe/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void startup_gates(void **state)
{
	struct container c = {0};
	struct probe_state s[PROBE_ROLES];
	int64_t wake = INT64_MAX;

	(void)state;
	c.startup = (struct probe){.kind = PROBE_TCP,
				   .initial_delay_s = 1,
				   .period_s = 2,
				   .success_threshold = 1,
				   .failure_threshold = 2};
	c.liveness = c.startup;
	probe_begin(&c, s, 1000);
	assert_false(s[PROBE_STARTUP].passed);
	assert_true(s[PROBE_READINESS].passed);
	assert_int_equal(probe_due(&c, s, false, 1500, &wake), -1);
	assert_int_equal(wake, 2000);
	assert_int_equal(probe_due(&c, s, false, 2000, &wake), PROBE_STARTUP);
	assert_int_equal(probe_answer(&c.startup, PROBE_STARTUP,
				      &s[PROBE_STARTUP], false, 2000),
			 PROBE_SAME);
	assert_int_equal(s[PROBE_STARTUP].next_ms, 4000);
	assert_int_equal(probe_answer(&c.startup, PROBE_STARTUP,
				      &s[PROBE_STARTUP], false, 4000),
			 PROBE_FAILED);
	assert_int_equal(probe_due(&c, s, true, 9000, &wake), PROBE_LIVENESS);
}

static void readiness_is_asked_soon(void **state)
{
	struct probe p = {.kind = PROBE_HTTP,
			  .period_s = 10,
			  .success_threshold = 2,
			  .failure_threshold = 3};
	struct probe_state s = {0};

	(void)state;
	(void)probe_answer(&p, PROBE_READINESS, &s, false, 0);
	assert_true(s.next_ms <= 200);
	assert_int_equal(probe_answer(&p, PROBE_READINESS, &s, true, 300),
			 PROBE_SAME);
	assert_int_equal(probe_answer(&p, PROBE_READINESS, &s, true, 400),
			 PROBE_PASSED);
	assert_int_equal(s.next_ms, 10400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(startup_gates),
		cmocka_unit_test(readiness_is_asked_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_machine.c - the life of a pod, driven step by step with made-up time. */
#include "agent/pod/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct container specs[2] = {{.name = "init"}, {.name = "main"}};
static struct pod_template tpl;

static void make(struct pod *p, struct pod_container c[2], const char *policy)
{
	tpl = (struct pod_template){0};
	tpl.spec.restart_policy = policy;
	tpl.spec.termination_grace_s = 5;
	tpl.spec.active_deadline_s = MANIFEST_UNSET;
	memset(c, 0, 2 * sizeof(*c));
	for (int i = 0; i < 2; i++) {
		c[i].spec = &specs[i];
		c[i].owner = p;
		c[i].exit_code = -1;
	}
	c[0].init = true;
	*p = (struct pod){.tpl = &tpl,
			  .c = c,
			  .n_init = 1,
			  .n = 2,
			  .audited = true,
			  .reason = ""};
}

static enum machine_act next(struct pod *p, int64_t now)
{
	int64_t wake = INT64_MAX;

	return machine_next(p, now, &wake).act;
}

static void rise(struct pod *p)
{
	assert_int_equal(next(p, 0), MACHINE_PULL);
	assert_int_equal(next(p, 0), MACHINE_PULL);
	assert_int_equal(next(p, 0), MACHINE_WAIT);
	p->c[0].image_ready = p->c[1].image_ready = true;
	assert_int_equal(next(p, 0), MACHINE_PREPARE);
	p->prepared = true;
	assert_int_equal(next(p, 0), MACHINE_MONITOR);
	p->monitor_up = true;
	assert_int_equal(next(p, 0), MACHINE_SANDBOX);
	p->sandbox_up = true;
	assert_int_equal(next(p, 0), MACHINE_ATTACH);
	p->net_up = true;
	assert_int_equal(next(p, 0), MACHINE_RUN);
	machine_started(p, &p->c[0], 10, 0);
	assert_int_equal(next(p, 0), MACHINE_WAIT); /* one after the other */
	machine_exited(p, &p->c[0], 0, 0, false, 1);
	assert_int_equal(next(p, 100), MACHINE_DELETE);
	machine_deleted(p, &p->c[0], 100);
	assert_int_equal(p->c[0].state, POD_C_DONE);
	assert_int_equal(next(p, 100), MACHINE_RUN);
	machine_started(p, &p->c[1], 11, 100);
	assert_int_equal(next(p, 100), MACHINE_WAIT);
	assert_int_equal(pod_phase(p), CHANNEL__PHASE__RUNNING);
	assert_true(pod_ready(p));
}

static void fall(struct pod *p, int64_t now)
{
	assert_int_equal(next(p, now), MACHINE_SANDBOX_END);
	p->sandbox_gone = true;
	assert_int_equal(next(p, now), MACHINE_DETACH);
	p->net_gone = true;
	assert_int_equal(next(p, now), MACHINE_MONITOR_END);
	p->monitor_gone = true;
	assert_int_equal(next(p, now), MACHINE_CLEAN);
	p->cleaned = true;
	assert_int_equal(next(p, now), MACHINE_WAIT);
}

static void whole_life(void **state)
{
	struct pod_container c[2];
	struct machine_do d;
	int64_t wake = INT64_MAX;
	struct pod p;

	(void)state;
	make(&p, c, "Always");
	rise(&p);
	machine_stop(&p, 1000);
	d = machine_next(&p, 1000, &wake);
	assert_int_equal(d.act, MACHINE_KILL);
	assert_int_equal(d.signal, SIGTERM);
	assert_int_equal(machine_next(&p, 1001, &wake).act, MACHINE_WAIT);
	assert_int_equal(wake, 6000);
	d = machine_next(&p, 6000, &wake);
	assert_int_equal(d.act, MACHINE_KILL);
	assert_int_equal(d.signal, SIGKILL);
	machine_exited(&p, &c[1], -1, SIGKILL, false, 6001);
	assert_int_equal(c[1].exit_code, 137);
	assert_int_equal(next(&p, 6001), MACHINE_DELETE);
	machine_deleted(&p, &c[1], 6002);
	fall(&p, 6002);
}

static void restarts_back_off(void **state)
{
	static const int64_t want[] = {0,     0,      10000,  20000, 40000,
				       80000, 160000, 300000, 300000};
	struct pod_container c[2];
	struct pod p;
	int64_t now = 200;

	(void)state;
	for (unsigned int i = 0; i < 9; i++)
		assert_int_equal(machine_backoff_ms(i), want[i]);
	make(&p, c, "Always");
	rise(&p);
	for (int i = 0; i < 2; i++) {
		machine_exited(&p, &c[1], 1, 0, false, now);
		assert_int_equal(next(&p, now), MACHINE_WAIT);
		now += MACHINE_GONE_CHECK_MS;
		assert_int_equal(next(&p, now), MACHINE_DELETE);
		machine_deleted(&p, &c[1], now);
		if (i == 1) {
			assert_int_equal(next(&p, now + 9999), MACHINE_WAIT);
			assert_string_equal(c[1].why, "CrashLoopBackOff");
			now += 10000;
		}
		assert_int_equal(next(&p, now), MACHINE_RUN);
		machine_started(&p, &c[1], 12, now);
	}
	assert_int_equal(c[1].restarts, 2);
	machine_exited(&p, &c[1], 1, 0, false, now + MACHINE_BACKOFF_RESET_MS);
	assert_int_equal(c[1].fails, 1); /* ran long: begins anew */
}

static void jobs_end(void **state)
{
	struct pod_container c[2];
	struct pod p;

	(void)state;
	make(&p, c, "OnFailure");
	rise(&p);
	machine_exited(&p, &c[1], 3, 0, false, 200);
	assert_int_equal(next(&p, 300), MACHINE_DELETE);
	machine_deleted(&p, &c[1], 300);
	assert_int_equal(next(&p, 300), MACHINE_RUN);
	machine_started(&p, &c[1], 13, 300);
	machine_exited(&p, &c[1], 0, 0, false, 400);
	assert_int_equal(next(&p, 500), MACHINE_DELETE);
	machine_deleted(&p, &c[1], 500);
	fall(&p, 500);
	assert_int_equal(pod_phase(&p), CHANNEL__PHASE__SUCCEEDED);
	make(&p, c, "Never");
	rise(&p);
	machine_exited(&p, &c[1], 3, 0, false, 200);
	assert_int_equal(next(&p, 300), MACHINE_DELETE);
	machine_deleted(&p, &c[1], 300);
	fall(&p, 300);
	assert_int_equal(pod_phase(&p), CHANNEL__PHASE__FAILED);
}

static void nothing_without_a_record_R04(void **state)
{
	struct pod_container c[2];
	struct pod p;

	(void)state;
	make(&p, c, "Always");
	p.audited = false;
	assert_int_equal(next(&p, 0), MACHINE_WAIT);
}

static void lost_is_left_alone(void **state)
{
	struct pod_container c[2];
	struct pod p;

	(void)state;
	make(&p, c, "Always");
	rise(&p);
	machine_exited(&p, &c[1], -1, SIGKILL, false, 200);
	p.lost = true;
	assert_int_equal(next(&p, 100000), MACHINE_WAIT);
	assert_int_equal(pod_phase(&p), CHANNEL__PHASE__LOST);
	machine_stop(&p, 100000);
	assert_int_equal(next(&p, 100000), MACHINE_DELETE);
}

static void deadline(void **state)
{
	struct pod_container c[2];
	int64_t wake = INT64_MAX;
	struct pod p;

	(void)state;
	make(&p, c, "Always");
	tpl.spec.active_deadline_s = 2;
	rise(&p);
	assert_int_equal(machine_next(&p, 1999, &wake).act, MACHINE_WAIT);
	assert_int_equal(wake, 2000);
	assert_int_equal(next(&p, 2000), MACHINE_KILL);
	assert_int_equal(next(&p, 7000), MACHINE_KILL);
	machine_exited(&p, &c[1], -1, SIGKILL, false, 7001);
	assert_int_equal(next(&p, 7001), MACHINE_DELETE);
	machine_deleted(&p, &c[1], 7002);
	fall(&p, 7002);
	assert_int_equal(pod_phase(&p), CHANNEL__PHASE__FAILED);
	assert_string_equal(p.reason, "DeadlineExceeded");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_life),
		cmocka_unit_test(restarts_back_off),
		cmocka_unit_test(jobs_end),
		cmocka_unit_test(nothing_without_a_record_R04),
		cmocka_unit_test(lost_is_left_alone),
		cmocka_unit_test(deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

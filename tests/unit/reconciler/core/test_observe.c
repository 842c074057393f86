/*
 * test_observe.c - the store and what hosts say, laid over each other: lost,
 * stray, stopping, another host's pod, and times that only we can know.
 */
#include "reconciler/core/observe.h"

#include "reconciler/core/hostframe.h"

#include "tests/unit/reconciler/core/fixture.h"

static struct world look(struct fixture *f)
{
	struct world w = {0};

	assert_int_equal(observe_world(&f->core, f->arena, &w, &f->err), 0);
	return w;
}

static void test_what_is_not_reported_is_lost(void **in)
{
	struct fixture *f = *in;
	struct world w;

	(void)add_host(f, "a", 5);
	store_pod(f, UID(aaaa), "Deployment", "web-0", "a", POD_RUNNING, true);
	w = look(f);
	assert_int_equal(w.n_pods, 1);
	assert_int_equal(w.pods[0].phase, POD_LOST);
	assert_false(w.pods[0].ready);
	assert_true(w.pods[0].assigned);
}

static void test_a_host_that_is_behind_has_lost_nothing(void **in)
{
	struct fixture *f = *in;
	struct fleet_host *h = add_host(f, "a", 5);
	struct world w;

	h->sent_epoch = 6;
	store_pod(f, UID(aaaa), "Deployment", "web-0", "a", POD_UNKNOWN, false);
	w = look(f);
	assert_int_equal(w.pods[0].phase, POD_PENDING);
}

static void test_stray_and_stopping(void **in)
{
	struct fixture *f = *in;
	struct fleet_host *h = add_host(f, "a", 5);
	struct world w;

	report_pod(f, 0, UID(bbbb), "alien", POD_RUNNING, true);
	w = look(f);
	assert_int_equal(w.n_pods, 1);
	assert_false(w.pods[0].assigned);
	assert_int_equal(w.pods[0].phase, POD_RUNNING);
	h->sent_epoch = 6; /* it has not heard yet that the pod is to go */
	w = look(f);
	assert_int_equal(w.pods[0].phase, POD_STOPPING);
}

static void test_K22_another_hosts_uid_is_a_stray(void **in)
{
	struct fixture *f = *in;
	struct world w;

	(void)add_host(f, "a", 5);
	(void)add_host(f, "liar", 5);
	store_pod(f, UID(aaaa), "Deployment", "web-0", "a", POD_RUNNING, true);
	report_pod(f, 0, UID(aaaa), "web-0", POD_FAILED, false);
	report_pod(f, 1, UID(aaaa), "web-0", POD_RUNNING, true);
	w = look(f);
	assert_int_equal(w.n_pods, 2);
	for (size_t i = 0; i < 2; i++) {
		bool own = strcmp(w.pods[i].host, "a") == 0;

		assert_int_equal(w.pods[i].assigned, own);
		assert_int_equal(w.pods[i].ready, !own);
	}
}

static void test_times_are_kept_from_the_first_sight(void **in)
{
	struct fixture *f = *in;
	struct world w;
	int64_t first;

	(void)add_host(f, "a", 5);
	store_pod(f, UID(aaaa), "Job", "once-0", "a", POD_RUNNING, true);
	store_pod(f, UID(bbbb), "Deployment", "web-0", "a", POD_RUNNING, true);
	report_pod(f, 0, UID(aaaa), "once-0", POD_SUCCEEDED, false);
	report_pod(f, 0, UID(bbbb), "web-0", POD_RUNNING, false);
	w = look(f);
	first = w.pods[0].finished_ms;
	assert_true(first > 0);
	assert_true(w.pods[1].unready_ms > 0);
	assert_int_equal(w.pods[1].finished_ms, 0);
	(void)usleep(3000);
	w = look(f);
	assert_int_equal(w.pods[0].finished_ms, first);
	assert_int_equal(w.pods[1].unready_ms > 0, true);
	f->pods[0][1].ready = true;
	w = look(f);
	assert_int_equal(w.pods[1].unready_ms, 0);
}

static void test_a_job_that_has_run_is_never_lost(void **in)
{
	struct fixture *f = *in;
	struct world_pod kept;
	struct world w;

	(void)add_host(f, "a", 5);
	store_pod(f, UID(aaaa), "Job", "once-0", "a", POD_SUCCEEDED, false);
	w = look(f); /* its host has forgotten it */
	assert_int_equal(w.pods[0].phase, POD_SUCCEEDED);
	kept = w.pods[0];
	kept.assigned = false; /* and after its ttl it is not assigned */
	assert_int_equal(state_pod_put(f->core.state, &kept, &f->err), 0);
	w = look(f);
	assert_int_equal(w.n_pods, 1);
	assert_int_equal(w.pods[0].phase, POD_SUCCEEDED);
	assert_false(w.pods[0].assigned);
	assert_false(w.pods[0].reported);
}

static void test_without_a_fleet_the_store_stands(void **in)
{
	struct fixture *f = *in;
	struct world w;

	(void)add_host(f, "a", 5);
	store_pod(f, UID(aaaa), "Deployment", "web-0", "a", POD_RUNNING, true);
	f->core.fleet = NULL;
	w = look(f);
	assert_int_equal(w.pods[0].phase, POD_RUNNING);
	assert_true(w.pods[0].ready);
	assert_int_equal(w.hosts[0].state, HOST_READY);
	f->core.fleet = &f->fleet;
}

static void test_K18_text_of_hosts_is_escaped(void **in)
{
	struct fixture *f = *in;
	struct world w;

	(void)add_host(f, "a", 5);
	store_pod(f, UID(aaaa), "Deployment", "web-0", "a", POD_RUNNING, true);
	report_pod(f, 0, UID(aaaa), "web-0", POD_FAILED, false);
	f->pods[0][0].message = (char *)(uintptr_t) "\033[2Jgone";
	f->pods[0][0].ip = (char *)(uintptr_t) "\033[31m";
	w = look(f);
	assert_null(strchr(w.pods[0].reason, '\033'));
	assert_null(strchr(w.pods[0].ip, '\033'));
}

static void say(struct fixture *f, struct fleet_host *h, uint64_t session,
		uint64_t sequence)
{
	Channel__Report m;
	uint8_t bytes[256];
	size_t len;

	channel__report__init(&m);
	m.session = session;
	m.sequence = sequence;
	m.epoch = sequence;
	len = channel__report__pack(&m, bytes);
	assert_int_equal(hostframe_handle(&f->core, h,
					  CHANNEL__MSG_TYPE__MSG_REPORT, bytes,
					  len, &f->err),
			 0);
}

static void test_S04_old_reports_change_nothing(void **in)
{
	struct fixture *f = *in;
	struct fleet_host *h = add_host(f, "a", 5);
	Channel__Hello hello;

	channel__hello__init(&hello);
	hello.session = 7;
	h->hello = &hello;
	h->report = NULL;
	say(f, h, 7, 2);
	assert_int_equal(h->report->sequence, 2);
	say(f, h, 7, 1);
	assert_int_equal(h->report->sequence, 2);
	say(f, h, 8, 9); /* of another session than the one that said Hello */
	assert_int_equal(h->report->sequence, 2);
	say(f, h, 7, 3);
	assert_int_equal(h->report->sequence, 3);
	channel__report__free_unpacked(h->report, NULL);
	h->report = NULL;
	h->hello = NULL;
}

#define T(x) cmocka_unit_test_setup_teardown(x, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_is_not_reported_is_lost),
		T(test_a_host_that_is_behind_has_lost_nothing),
		T(test_stray_and_stopping),
		T(test_K22_another_hosts_uid_is_a_stray),
		T(test_times_are_kept_from_the_first_sight),
		T(test_a_job_that_has_run_is_never_lost),
		T(test_without_a_fleet_the_store_stands),
		T(test_K18_text_of_hosts_is_escaped),
		T(test_S04_old_reports_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Plans of DaemonSets, Jobs and Pods. */
#include "tests/unit/reconciler/plan/fixture.h"

static void test_daemonset_one_pod_a_host(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_daemonset(f->a, &f->s, "sys", "log", "v1");
	static struct taint taint = {"dedicated", "db", "NoSchedule"};

	f->w.hosts[1].cordoned = true;
	f->w.hosts[2].taints = &taint;
	f->w.hosts[2].n_taints = 1;
	step(f);
	assert_int_equal(f->plan.n_pods_start, 2);
	assert_string_equal(first(&f->plan, PLAN_START)->pod,
			    plan_pod_name(f->a, o, 0, "h000"));
	f->w.hosts[2].n_taints = 0;
	step(f);
	assert_int_equal(f->plan.n_pods_start, 3);
}

static void running_daemon(struct fixture *f, struct object *o, bool old)
{
	for (size_t i = 0; i < 3; i++) {
		struct world_pod *p = make_running(
			f->a, &f->w, o,
			plan_pod_name(f->a, o, 0, f->w.hosts[i].name), 0,
			f->w.hosts[i].name);

		if (old) {
			p->template_hash = "00000000000000aa";
			p->name = arena_printf(f->a, "log-old-%zu", i);
		}
	}
	make_applied(&f->w, &f->s);
}

static void test_daemonset_rolls_one_host_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_daemonset(f->a, &f->s, "sys", "log", "v2");

	running_daemon(f, o, true);
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 1);
	assert_int_equal(f->plan.n_pods_start, 0);
	make_plan(f);
	assert_int_equal(f->plan.n_pods_stop, 3);
	assert_int_equal(f->plan.n_pods_start, 3);
	o->daemonset.max_surge = make_count(1);
	o->daemonset.max_unavailable = make_count(0);
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 0);
	assert_int_equal(f->plan.n_pods_start, 1);
	o->daemonset.strategy = "OnDelete";
	step(f);
	assert_int_equal(f->plan.n, 0);
}

static void test_daemonset_leaves_host_that_fits_no_more(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_daemonset(f->a, &f->s, "sys", "log", "v1");
	static struct taint taint = {"dedicated", "db", "NoSchedule"};

	running_daemon(f, o, false);
	f->w.hosts[2].taints = &taint;
	f->w.hosts[2].n_taints = 1;
	f->w.hosts[1].state = HOST_LOST;
	f->w.hosts[1].lost_since_ms = MAKE_NOW_MS;
	step(f);
	assert_int_equal(f->plan.n, 1);
	assert_string_equal(f->plan.changes[0].host, "h002");
}

static void test_job_runs_once(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_job(f->a, &f->s, "shop", "load", 2, 3, "v1");

	step(f);
	assert_int_equal(f->plan.n_pods_start, 2);
	make_plan(f);
	assert_int_equal(f->plan.n_pods_start, 3);
	assert_int_equal(f->plan.waves, 2);
	make_applied(&f->w, &f->s);
	for (unsigned int i = 0; i < 3; i++)
		make_running(f->a, &f->w, o, plan_pod_name(f->a, o, i, NULL), i,
			     "h000")
			->phase = POD_SUCCEEDED;
	step(f);
	assert_int_equal(f->plan.n, 0);
	assert_false(f->plan.waiting);
	/* the host is gone: done is done */
	f->w.hosts[0].state = HOST_REVOKED;
	step(f);
	assert_int_equal(f->plan.n, 0);
}

static void test_job_backs_off_and_fails(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_job(f->a, &f->s, "shop", "load", 1, 1, "v1");
	struct world_pod *p = make_running(f->a, &f->w, o, "load-0", 0, "h000");

	o->job.backoff_limit = 1;
	make_applied(&f->w, &f->s);
	p->phase = POD_FAILED;
	p->finished_ms = MAKE_NOW_MS - ROLLOUT_JOB_BACKOFF_MS + 1;
	step(f);
	assert_int_equal(f->plan.n, 0);
	assert_true(f->plan.waiting);
	p->finished_ms--;
	step(f);
	assert_int_equal(f->plan.n, 1);
	assert_string_equal(f->plan.changes[0].pod, "load-1");
	p = make_running(f->a, &f->w, o, "load-1", 1, "h000");
	p->phase = POD_FAILED;
	step(f);
	assert_int_equal(f->plan.n, 0);
	assert_true(f->plan.stuck);
	assert_string_equal(f->diags.items[0].code, "R104");
}

static void test_job_deadline_suspend_ttl(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_job(f->a, &f->s, "shop", "load", 1, 1, "v1");
	struct world_pod *p = make_running(f->a, &f->w, o, "load-0", 0, "h000");

	make_applied(&f->w, &f->s);
	o->job.active_deadline_s = 62;
	step(f);
	assert_true(f->plan.stuck);
	assert_int_equal(f->plan.n_pods_stop, 1);
	o->job.active_deadline_s = MANIFEST_UNSET;
	o->job.suspend = true;
	step(f);
	assert_string_equal(f->plan.changes[0].reason, "suspended");
	o->job.suspend = false;
	o->job.ttl_after_finished_s = 5;
	p->phase = POD_SUCCEEDED;
	step(f);
	assert_int_equal(f->plan.n, 0); /* not known since when */
	p->finished_ms = MAKE_NOW_MS - 5000;
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 1);
	p->assigned = p->reported = false; /* the record that stays */
	step(f);
	assert_int_equal(f->plan.n, 0);
}

static void test_job_template_change_replaces(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_job(f->a, &f->s, "shop", "load", 1, 1, "v2");
	struct world_pod *p = make_running(f->a, &f->w, o, "load-0", 0, "h000");

	p->template_hash = "00000000000000aa";
	p->phase = POD_SUCCEEDED;
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 1);
	assert_int_equal(f->plan.n_pods_start, 0);
	make_plan(f);
	assert_int_equal(f->plan.n_pods_start, 1);
	assert_int_equal(f->plan.changes[f->plan.n - 1].wave, 2);
}

static void test_pod_is_replaced_stop_then_start(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_pod(f->a, &f->s, "shop", "one", "v2");
	struct world_pod *p = make_running(f->a, &f->w, o, "one", 0, "h000");

	p->template_hash = "00000000000000aa";
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 1);
	assert_int_equal(f->plan.n_pods_start, 0);
	p->assigned = false;
	p->phase = POD_STOPPING;
	step(f);
	assert_int_equal(f->plan.n_pods_start, 0);
	p->reported = false;
	step(f);
	assert_int_equal(f->plan.n_pods_start, 1);
}

static void test_pod_never_restarted_when_it_says_so(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_pod(f->a, &f->s, "shop", "one", "v1");
	struct world_pod *p = make_running(f->a, &f->w, o, "one", 0, "h000");

	make_applied(&f->w, &f->s);
	o->pod.spec.restart_policy = "Never";
	p->phase = POD_FAILED;
	step(f);
	assert_int_equal(f->plan.n, 0);
	assert_true(f->plan.stuck);
	assert_string_equal(f->diags.items[0].code, "R105");
	p->phase = POD_LOST;
	step(f);
	assert_int_equal(f->plan.n_drift, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_daemonset_one_pod_a_host),
		T(test_daemonset_rolls_one_host_at_a_time),
		T(test_daemonset_leaves_host_that_fits_no_more),
		T(test_job_runs_once),
		T(test_job_backs_off_and_fails),
		T(test_job_deadline_suspend_ttl),
		T(test_job_template_change_replaces),
		T(test_pod_is_replaced_stop_then_start),
		T(test_pod_never_restarted_when_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

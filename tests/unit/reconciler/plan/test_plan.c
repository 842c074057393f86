/* Plans over worlds made by hand: objects, roll-outs, drift, determinism. */
#include "tests/unit/reconciler/plan/fixture.h"

#include <time.h>

static void test_first_plan_creates_and_spreads(void **state)
{
	struct fixture *f = *state;
	bool used[3] = {false};

	make_deployment(f->a, &f->s, "shop", "web", 3, "v1");
	make_object(f->a, &f->s, MANIFEST_CONFIGMAP, "shop", "conf", "c");
	make_sorted(&f->s);
	step(f);
	assert_int_equal(f->plan.n_objects_create, 2);
	assert_int_equal(f->plan.n_pods_start, 3);
	assert_int_equal(f->plan.n_drift, 0);
	assert_int_equal(f->plan.changes[0].kind, MANIFEST_CONFIGMAP);
	for (size_t i = 2; i < 5; i++) {
		assert_int_equal(f->plan.changes[i].action, PLAN_START);
		used[f->plan.changes[i].host[3] - '0'] = true;
	}
	assert_true(used[0] && used[1] && used[2]);
}

static void test_nothing_to_do(void **state)
{
	struct fixture *f = *state;

	running_web(f, 3, false);
	step(f);
	assert_int_equal(f->plan.n, 0);
	assert_false(f->plan.waiting);
	make_plan(f);
	assert_int_equal(f->plan.n, 0);
}

/* 25 % of 4: one more, one less. */
static void test_rolling_update_respects_limits(void **state)
{
	struct fixture *f = *state;

	running_web(f, 4, true);
	step(f);
	assert_int_equal(f->plan.n_objects_update, 1);
	assert_int_equal(count(&f->plan, PLAN_STOP, PLAN_INTENT), 1);
	assert_int_equal(count(&f->plan, PLAN_START, PLAN_INTENT), 2);
	assert_string_equal(first(&f->plan, PLAN_STOP)->reason,
			    "rolling update");
	make_plan(f);
	assert_int_equal(f->plan.n_pods_start, 4);
	assert_int_equal(f->plan.n_pods_stop, 4);
	assert_int_equal(f->plan.waves, 3);
}

static void test_both_limits_zero_means_one_unavailable(void **state)
{
	struct fixture *f = *state;
	struct object *o = running_web(f, 2, true);

	o->deployment.max_surge = make_count(0);
	o->deployment.max_unavailable = make_percent("10%");
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 1);
	assert_int_equal(f->plan.n_pods_start, 1);
}

static void test_surge_only_waits_for_readiness(void **state)
{
	struct fixture *f = *state;
	struct object *o = running_web(f, 2, true);

	o->deployment.max_surge = make_count(1);
	o->deployment.max_unavailable = make_count(0);
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 0);
	assert_int_equal(f->plan.n_pods_start, 1);
	/* it is there, not ready for minReadySeconds yet */
	o->deployment.min_ready_s = 10;
	make_running(f->a, &f->w, o, "web-new-0", 0, "h000")->ready_ms =
		MAKE_NOW_MS - 9999;
	make_applied(&f->w, &f->s);
	step(f);
	assert_int_equal(f->plan.n, 0);
	assert_true(f->plan.waiting);
	f->w.pods[2].ready_ms = MAKE_NOW_MS - 10000;
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 1);
	assert_int_equal(f->plan.n_pods_start, 1);
}

static void test_recreate_stops_all_first(void **state)
{
	struct fixture *f = *state;
	struct object *o = running_web(f, 3, true);

	o->deployment.strategy = "Recreate";
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 3);
	assert_int_equal(f->plan.n_pods_start, 0);
	for (size_t i = 0; i < 3; i++) {
		f->w.pods[i].assigned = false;
		f->w.pods[i].phase = POD_STOPPING;
	}
	step(f);
	assert_int_equal(f->plan.n_pods_start, 0);
	f->w.n_pods = 0;
	step(f);
	assert_int_equal(count(&f->plan, PLAN_START, PLAN_INTENT), 3);
}

static void test_scale_down_keeps_low_ready_indices(void **state)
{
	struct fixture *f = *state;
	struct object *o = running_web(f, 4, false);

	f->w.pods[0].ready = false;
	o->deployment.replicas = 2;
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 2);
	assert_int_equal(f->plan.changes[0].index, 0);
	assert_int_equal(f->plan.changes[1].index, 3);
	assert_string_equal(f->plan.changes[0].reason, "scale to 2");
}

static void test_lost_pod_is_drift(void **state)
{
	struct fixture *f = *state;

	running_web(f, 3, false);
	f->w.pods[1].phase = POD_LOST;
	f->w.pods[1].ready = false;
	step(f);
	assert_int_equal(f->plan.n, 2);
	assert_int_equal(f->plan.n_drift, 2);
	assert_string_equal(first(&f->plan, PLAN_STOP)->reason, "lost on h001");
	/* nothing is left of it, so its name is free */
	assert_int_equal(first(&f->plan, PLAN_START)->index, 1);
}

static void test_vanished_pod_is_drift(void **state)
{
	struct fixture *f = *state;

	running_web(f, 3, false);
	f->w.pods[2].reported = false;
	step(f);
	assert_int_equal(f->plan.n_drift, 2);
}

static void test_failed_pod_waits_before_it_is_replaced(void **state)
{
	struct fixture *f = *state;

	running_web(f, 3, false);
	f->w.pods[0].phase = POD_FAILED;
	f->w.pods[0].created_ms = MAKE_NOW_MS - ROLLOUT_FAILED_HOLD_MS + 1;
	step(f);
	assert_int_equal(f->plan.n, 0);
	assert_true(f->plan.waiting);
	f->w.pods[0].created_ms--;
	step(f);
	assert_int_equal(f->plan.n_drift, 2);
}

static void test_lost_host_grace(void **state)
{
	struct fixture *f = *state;

	running_web(f, 3, false);
	f->w.hosts[1].state = HOST_LOST;
	f->w.hosts[1].lost_since_ms = MAKE_NOW_MS - ROLLOUT_LOST_GRACE_MS + 1;
	step(f);
	assert_int_equal(f->plan.n, 0);
	assert_true(f->plan.waiting);
	f->w.hosts[1].lost_since_ms--;
	step(f);
	assert_int_equal(f->plan.n_drift, 2);
	assert_string_equal(first(&f->plan, PLAN_STOP)->reason,
			    "host h001 is gone");
	/* the old one may still run there: another name */
	assert_int_equal(first(&f->plan, PLAN_START)->index, 3);
	/* all below replicas + maxSurge are taken: then the unreachable one's
	 */
	f->s.objects.items[0].deployment.max_surge = make_count(0);
	step(f);
	assert_int_equal(first(&f->plan, PLAN_START)->index, 1);
	assert_string_not_equal(first(&f->plan, PLAN_START)->host, "h001");
}

static void test_revoked_host_is_left_at_once(void **state)
{
	struct fixture *f = *state;

	running_web(f, 3, false);
	f->w.hosts[1].state = HOST_REVOKED;
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 1);
	assert_int_equal(f->plan.n_pods_start, 1);
}

static void test_drain_moves_within_limits(void **state)
{
	struct fixture *f = *state;
	struct object *o = running_web(f, 4, false);

	o->deployment.max_surge = make_count(1);
	o->deployment.max_unavailable = make_count(1);
	make_applied(&f->w, &f->s);
	f->w.hosts[0].draining = true;
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 1);
	assert_int_equal(f->plan.n_pods_start, 1);
	assert_string_equal(first(&f->plan, PLAN_STOP)->host, "h000");
	assert_string_equal(first(&f->plan, PLAN_STOP)->reason,
			    "draining h000");
	make_plan(f);
	assert_int_equal(f->plan.n_pods_stop, 2);
	assert_int_equal(f->plan.n_drift, 0);
}

static void test_stray_pod_is_stopped_as_drift(void **state)
{
	struct fixture *f = *state;
	struct object *o = running_web(f, 1, false);
	struct world_pod *p =
		make_running(f->a, &f->w, o, "web-x-9", 9, "h002");

	p->assigned = false;
	p = make_running(f->a, &f->w, o, "evil", 0, "h002");
	p->assigned = false;
	p->owner_name = "unknown";
	p->owner_kind = "\x1b[31mPod";
	step(f);
	assert_int_equal(f->plan.n, 2);
	assert_int_equal(count(&f->plan, PLAN_STOP, PLAN_DRIFT), 2);
	f->w.pods[1].phase = f->w.pods[2].phase = POD_STOPPING;
	step(f);
	assert_int_equal(f->plan.n, 0);
	assert_true(f->plan.waiting);
}

static void test_deleted_workload_stops_its_pods(void **state)
{
	struct fixture *f = *state;

	running_web(f, 2, false);
	f->s.objects.n = 0;
	step(f);
	assert_int_equal(f->plan.n_objects_delete, 1);
	assert_int_equal(count(&f->plan, PLAN_STOP, PLAN_INTENT), 2);
	assert_int_equal(f->plan.changes[f->plan.n - 1].action, PLAN_DELETE);
}

/* A88: the share that the safeguard of exit 6 compares. */
static void test_A88_delete_share(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		make_object(f->a, &f->s, MANIFEST_CONFIGMAP, "shop",
			    arena_printf(f->a, "c%d", i), "c");
	make_applied(&f->w, &f->s);
	f->s.objects.n = 7;
	step(f);
	assert_int_equal(f->plan.n_deleting_objects_percent, 30);
	f->s.objects.n = 0;
	step(f);
	assert_int_equal(f->plan.n_deleting_objects_percent, 100);
	f->w.n_objects = 3;
	make_applied(&f->w, &f->s);
	step(f);
	assert_int_equal(f->plan.n_deleting_objects_percent, 0);
}

/* 1 of 3 is 33.3 %: rounded up, so a limit of 33 holds it back. */
static void test_A88_delete_share_rounds_up(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		make_object(f->a, &f->s, MANIFEST_CONFIGMAP, "shop",
			    arena_printf(f->a, "c%d", i), "c");
	make_applied(&f->w, &f->s);
	f->s.objects.n = 2;
	step(f);
	assert_int_equal(f->plan.n_deleting_objects_percent, 34);
}

static void test_unsorted_input_is_refused(void **state)
{
	struct fixture *f = *state;

	make_object(f->a, &f->s, MANIFEST_CONFIGMAP, "shop", "b", "c");
	make_object(f->a, &f->s, MANIFEST_CONFIGMAP, "shop", "a", "c");
	assert_int_equal(
		plan_step(&f->s, &f->w, f->a, &f->diags, &f->plan, &f->err),
		ERR_INPUT);
	assert_non_null(strstr(f->err.msg, "want objects sorted"));
	f->s.objects.n = 0;
	f->w.hosts[0].name = "z";
	assert_int_equal(
		plan_step(&f->s, &f->w, f->a, &f->diags, &f->plan, &f->err),
		ERR_INPUT);
	assert_non_null(strstr(f->err.msg, "want hosts sorted"));
}

static void test_unplaceable_names_every_filter(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_deployment(f->a, &f->s, "shop", "web", 2, "v1");

	o->deployment.template.spec.containers[0].resources.cpu_request_m =
		65000;
	f->w.hosts[2].cordoned = true;
	step(f);
	assert_true(f->plan.stuck);
	assert_int_equal(f->diags.n_errors, 1);
	assert_string_equal(f->diags.items[0].code, "R101");
	assert_string_equal(f->diags.items[0].message,
			    "Deployment shop/web: 2 pods cannot be placed: 0/3 "
			    "hosts fit: 1 cordoned, 2 insufficient cpu");
}

static void test_progress_deadline(void **state)
{
	struct fixture *f = *state;
	struct object *o = running_web(f, 2, false);

	f->w.pods[0].ready = false;
	f->w.pods[0].ready_ms = 0;
	f->w.pods[1].ready_ms = f->w.pods[1].created_ms = MAKE_NOW_MS - 600000;
	f->w.pods[0].created_ms = MAKE_NOW_MS - 600000;
	(void)o;
	step(f);
	assert_true(f->plan.stuck);
	assert_string_equal(f->diags.items[0].code, "R103");
	assert_non_null(strstr(f->diags.items[0].message,
			       "progressDeadlineSeconds 600"));
	f->w.pods[1].ready_ms++;
	step(f);
	assert_false(f->plan.stuck);
}

static void test_paused_deployment_does_not_roll(void **state)
{
	struct fixture *f = *state;
	struct object *o = running_web(f, 3, true);

	o->deployment.paused = true;
	step(f);
	assert_int_equal(f->plan.n_pods_start + f->plan.n_pods_stop, 0);
	o->deployment.replicas = 2;
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 1);
}

static void test_stop_frees_capacity_for_the_next_wave(void **state)
{
	struct fixture *f = *state;
	struct object *o = running_web(f, 3, true);

	o->deployment.template.spec.containers[0].resources.cpu_request_m =
		60000;
	for (size_t i = 0; i < 3; i++)
		f->w.pods[i].cpu_m = 60000;
	o->deployment.max_unavailable = make_count(1);
	o->deployment.max_surge = make_count(0);
	step(f);
	assert_int_equal(f->plan.n_pods_stop, 1);
	assert_int_equal(f->plan.n_pods_start, 0);
	assert_int_equal(f->diags.n, 0);
	make_plan(f);
	assert_int_equal(f->plan.n_pods_start, 3);
	assert_false(f->plan.stuck);
	assert_int_equal(f->diags.n, 0);
}

static void test_compare_needs_no_host(void **state)
{
	struct fixture *f = *state;
	struct snapshot to = make_snapshot(f->a, 10);
	struct object *o;

	make_deployment(f->a, &f->s, "shop", "web", 3, "v1");
	make_object(f->a, &f->s, MANIFEST_CONFIGMAP, "shop", "conf", "1");
	make_sorted(&f->s);
	make_deployment(f->a, &to, "shop", "web", 5, "v1");
	o = make_object(f->a, &to, MANIFEST_CONFIGMAP, "shop", "conf", "2");
	make_job(f->a, &to, "shop", "load", 1, 1, "v1");
	make_sorted(&to);
	(void)o;
	assert_int_equal(
		plan_compare(&f->s, &to, f->a, &f->diags, &f->plan, &f->err),
		0);
	assert_int_equal(f->plan.n_objects_create, 1);
	assert_int_equal(f->plan.n_objects_update, 2);
	assert_int_equal(f->plan.n_pods_start, 3);
	assert_int_equal(f->plan.n_pods_stop, 0);
	for (size_t i = 0; i < f->plan.n; i++)
		assert_null(f->plan.changes[i].host);
}

static void test_names_and_most_pods(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_deployment(f->a, &f->s, "s", "web", 10, "v1");
	const char *hash = o->deployment.template.hash;

	assert_string_equal(plan_pod_name(f->a, o, 7, NULL),
			    arena_printf(f->a, "web-%.10s-7", hash));
	assert_int_equal(plan_pods_max(o), 13);
	o = make_job(f->a, &f->s, "s", "load", 2, 3, "v1");
	assert_string_equal(plan_pod_name(f->a, o, 7, NULL), "load-7");
	assert_int_equal(plan_pods_max(o), 11);
	o = make_daemonset(f->a, &f->s, "s", "log", "v1");
	assert_int_equal(plan_pods_max(o), 1);
	o = make_pod(f->a, &f->s, "s", "one", "v1");
	assert_string_equal(plan_pod_name(f->a, o, 0, NULL), "one");
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Bounds are ten times the figures of docs/plan-format.md: they catch what is
 * quadratic, not a slow machine. */
static void test_time_grows_with_size_only(void **state)
{
	struct fixture *f = *state;
	double t;

	for (int i = 0; i < 1000; i++) {
		struct object *o = make_deployment(
			f->a, &f->s, "shop", arena_printf(f->a, "d%04d", i), 1,
			"v1");

		make_running(f->a, &f->w, o, plan_pod_name(f->a, o, 0, NULL), 0,
			     f->w.hosts[i % 3].name);
	}
	make_applied(&f->w, &f->s);
	t = cpu_ms();
	make_plan(f);
	t = cpu_ms() - t;
	assert_int_equal(f->plan.n, 0);
	print_message("# 1000 objects, 1000 pods, nothing to do: %.2f ms\n", t);
	assert_true(t < 30);

	f->w = make_world(f->a, 100, 0, 0);
	for (size_t i = 0; i < f->s.objects.n; i++)
		f->s.objects.items[i].deployment.replicas = 3;
	t = cpu_ms();
	make_plan(f);
	t = cpu_ms() - t;
	assert_int_equal(f->plan.n_pods_start, 3000);
	print_message("# 1000 Deployments of 3 on 100 hosts: %.2f ms\n", t);
	assert_true(t < 3000);
}

/* One pod at a time: as many waves as pods, each of which looks at all pods. */
static void test_long_roll_out(void **state)
{
	struct fixture *f = *state;
	struct object *o = running_web(f, 700, true);
	double t;

	o->deployment.max_surge = make_count(1);
	o->deployment.max_unavailable = make_count(0);
	f->w.hosts[0].pods_max = 1000;
	f->w.hosts[1].pods_max = 1000;
	f->w.hosts[2].pods_max = 1000;
	t = cpu_ms();
	make_plan(f);
	t = cpu_ms() - t;
	assert_int_equal(f->plan.n_pods_start, 700);
	assert_int_equal(f->plan.n_pods_stop, 700);
	assert_int_equal(f->plan.waves, 701);
	print_message("# 700 pods one by one: %.2f ms\n", t);
	assert_true(t < 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_first_plan_creates_and_spreads),
		T(test_nothing_to_do),
		T(test_rolling_update_respects_limits),
		T(test_both_limits_zero_means_one_unavailable),
		T(test_surge_only_waits_for_readiness),
		T(test_recreate_stops_all_first),
		T(test_scale_down_keeps_low_ready_indices),
		T(test_lost_pod_is_drift),
		T(test_vanished_pod_is_drift),
		T(test_failed_pod_waits_before_it_is_replaced),
		T(test_lost_host_grace),
		T(test_revoked_host_is_left_at_once),
		T(test_drain_moves_within_limits),
		T(test_stray_pod_is_stopped_as_drift),
		T(test_deleted_workload_stops_its_pods),
		T(test_A88_delete_share),
		T(test_A88_delete_share_rounds_up),
		T(test_unsorted_input_is_refused),
		T(test_unplaceable_names_every_filter),
		T(test_progress_deadline),
		T(test_paused_deployment_does_not_roll),
		T(test_stop_frees_capacity_for_the_next_wave),
		T(test_compare_needs_no_host),
		T(test_names_and_most_pods),
		T(test_time_grows_with_size_only),
		T(test_long_roll_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

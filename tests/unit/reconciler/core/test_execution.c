/*
 * test_execution.c - promise 2: the intent is durable before the store changes,
 * the store before a host hears of it, and every intent has an outcome.
 */
#include "reconciler/core/execution.h"
#include "reconciler/core/observe.h"

#include "tests/unit/reconciler/core/fixture.h"

static const char *const names[] = {"web-0", "web-1"};

struct run {
	struct pass_target target;
	struct execution x;
	struct plan_change changes[3];
	struct plan step;
	struct world w;
	size_t done;
};

static void prepare(struct fixture *f, struct run *r)
{
	*r = (struct run){.target = {.commit = COMMIT, .have_snapshot = true}};
	r->target.want.commit = COMMIT;
	r->target.want.signer = "alice@example.com";
	execution_init(&r->x, &f->core, &r->target);
	assert_int_equal(observe_world(&f->core, f->arena, &r->w, &f->err), 0);
}

static void change(struct run *r, int action, const char *host, const char *uid,
		   enum manifest_kind kind)
{
	r->changes[r->step.n] = (struct plan_change){
		.action = action,
		.kind = kind,
		.namespace = "default",
		.name = "web",
		.pod = names[r->step.n % 2],
		.host = host,
		.uid = uid,
		.template_hash = "hash",
		.reason = "start",
	};
	r->step.changes = r->changes;
	r->step.n++;
}

static void look_again(struct fixture *f, struct run *r)
{
	assert_int_equal(observe_world(&f->core, f->arena, &r->w, &f->err), 0);
}

static void test_R04_intent_then_store_then_hosts(void **in)
{
	struct fixture *f = *in;
	struct run r;
	const char *intent;
	const char *sent;

	(void)add_host(f, "a", 5);
	prepare(f, &r);
	change(&r, PLAN_START, "a", NULL, MANIFEST_DEPLOYMENT);
	assert_int_equal(execution_apply(&r.x, &r.step, &r.w, &r.done, &f->err),
			 0);
	intent = strstr(f->journal, "audit pod.start intent pod default/web-0");
	sent = strstr(f->journal, "send a");
	assert_non_null(intent);
	assert_non_null(sent);
	assert_true(intent < sent);
	assert_int_equal(f->rows_at_append, 0); /* not in the store yet */
	assert_int_equal(f->rows_at_send, 1);	/* in the store already */
	execution_release(&r.x);
}

static void test_A86_R04_without_its_record_nothing_is_done(void **in)
{
	struct fixture *f = *in;
	struct run r;

	(void)add_host(f, "a", 5);
	store_pod(f, UID(aaaa), "Deployment", "web-0", "a", POD_RUNNING, true);
	prepare(f, &r);
	change(&r, PLAN_START, "a", NULL, MANIFEST_DEPLOYMENT);
	change(&r, PLAN_STOP, "a", UID(aaaa), MANIFEST_DEPLOYMENT);
	f->append_fails = 1;
	assert_int_equal(execution_apply(&r.x, &r.step, &r.w, &r.done, &f->err),
			 ERR_AUDIT);
	assert_non_null(strstr(f->err.msg, "no space left"));
	assert_int_equal(r.done, 0);
	assert_int_equal(rows(f), 1);
	assert_null(strstr(f->journal, "send"));
	look_again(f, &r);
	assert_int_equal(f->hosts[0].sent_epoch, 5);
	assert_int_equal(r.w.hosts[0].epoch, 5);
	execution_release(&r.x);
}

/* Every host that the batch is about is behind from then on, also one that is
 * away, and also for a core that comes after this one was killed. */
static void test_A85_epochs_are_stored_with_the_pods(void **in)
{
	struct fixture *f = *in;
	struct state_host row;
	struct run r;

	(void)add_host(f, "a", 5);
	add_host(f, "away", 5)->connected = false;
	f->hosts[1].report = NULL;
	prepare(f, &r);
	change(&r, PLAN_START, "a", NULL, MANIFEST_DEPLOYMENT);
	change(&r, PLAN_START, "away", NULL, MANIFEST_DEPLOYMENT);
	assert_int_equal(execution_apply(&r.x, &r.step, &r.w, &r.done, &f->err),
			 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(state_host_get(f->core.state, f->hosts[i].name,
						f->arena, &row, &f->err),
				 0);
		assert_int_equal(row.host.epoch, 11);
		assert_int_equal(f->hosts[i].sent_epoch, 11);
	}
	assert_null(strstr(f->journal, "send away"));
	execution_release(&r.x);
}

static void test_an_assignment_is_sent_once_in_a_session(void **in)
{
	struct fixture *f = *in;
	struct run r;
	size_t sent = 9;

	(void)add_host(f, "a", 5);
	prepare(f, &r);
	change(&r, PLAN_START, "a", NULL, MANIFEST_DEPLOYMENT);
	assert_int_equal(execution_apply(&r.x, &r.step, &r.w, &r.done, &f->err),
			 0);
	look_again(f, &r);
	assert_int_equal(execution_refresh(&r.x, &r.w, &sent, &f->err), 0);
	assert_int_equal(sent, 0); /* on its way */
	f->hosts[0].given_epoch = 0;
	free(f->hosts[0].sent_commit);
	f->hosts[0].sent_commit = NULL; /* the next session */
	assert_int_equal(execution_refresh(&r.x, &r.w, &sent, &f->err), 0);
	assert_int_equal(sent, 1);
	execution_release(&r.x);
}

static void test_outcomes_are_what_hosts_say(void **in)
{
	struct fixture *f = *in;
	struct run r;

	(void)add_host(f, "a", 0);
	store_pod(f, UID(aaaa), "Deployment", "web-1", "a", POD_RUNNING, true);
	report_pod(f, 0, UID(aaaa), "web-1", POD_RUNNING, true);
	prepare(f, &r);
	change(&r, PLAN_START, "a", NULL, MANIFEST_DEPLOYMENT);
	change(&r, PLAN_STOP, "a", UID(aaaa), MANIFEST_DEPLOYMENT);
	assert_int_equal(execution_apply(&r.x, &r.step, &r.w, &r.done, &f->err),
			 0);
	f->reports[0].n_pods = 0; /* a report of before the assignment */
	look_again(f, &r);
	assert_int_equal(
		execution_settle(&r.x, &r.w, EXECUTION_GOES_ON, &f->err), 0);
	assert_null(strstr(f->journal, "outcome"));
	f->reports[0].epoch = f->hosts[0].sent_epoch;
	look_again(f, &r);
	assert_int_equal(
		execution_settle(&r.x, &r.w, EXECUTION_GOES_ON, &f->err), 0);
	assert_non_null(strstr(f->journal,
			       "audit pod.stop outcome pod default/web-1 ok"));
	assert_int_equal(
		execution_settle(&r.x, &r.w, EXECUTION_STOPPED, &f->err), 0);
	assert_non_null(strstr(
		f->journal, "audit pod.start outcome pod default/web-0 inc"));
	assert_int_equal(r.x.n_pending, 0);
	execution_release(&r.x);
}

static void test_a_stop_on_a_lost_host_is_not_called_done(void **in)
{
	struct fixture *f = *in;
	struct run r;

	add_host(f, "a", 5)->connected = false;
	f->hosts[0].report = NULL;
	store_pod(f, UID(aaaa), "Deployment", "web-0", "a", POD_RUNNING, true);
	prepare(f, &r);
	change(&r, PLAN_STOP, "a", UID(aaaa), MANIFEST_DEPLOYMENT);
	assert_int_equal(execution_apply(&r.x, &r.step, &r.w, &r.done, &f->err),
			 0);
	assert_int_equal(rows(f), 0);
	look_again(f, &r);
	assert_int_equal(
		execution_settle(&r.x, &r.w, EXECUTION_CONVERGED, &f->err), 0);
	assert_non_null(
		strstr(f->journal,
		       "audit pod.stop outcome pod default/web-0 incomplete"));
	execution_release(&r.x);
}

static void test_a_failed_pass_leaves_no_intent_open(void **in)
{
	struct fixture *f = *in;
	struct world none = {0};
	struct run r;

	(void)add_host(f, "a", 5);
	prepare(f, &r);
	change(&r, PLAN_START, "a", NULL, MANIFEST_DEPLOYMENT);
	assert_int_equal(execution_apply(&r.x, &r.step, &r.w, &r.done, &f->err),
			 0);
	assert_int_equal(
		execution_settle(&r.x, &none, EXECUTION_FAILED, &f->err), 0);
	assert_non_null(
		strstr(f->journal,
		       "audit pod.start outcome pod default/web-0 failed"));
	assert_int_equal(execution_resume(&f->core, COMMIT, &f->err), 0);
	assert_null(strstr(f->journal, "pass.resume"));
	execution_release(&r.x);
}

static void test_A85_a_killed_pass_is_recorded_by_the_next(void **in)
{
	struct fixture *f = *in;
	struct run r;

	(void)add_host(f, "a", 5);
	prepare(f, &r);
	change(&r, PLAN_START, "a", NULL, MANIFEST_DEPLOYMENT);
	assert_int_equal(execution_apply(&r.x, &r.step, &r.w, &r.done, &f->err),
			 0);
	execution_release(&r.x); /* killed here */
	assert_int_equal(execution_resume(&f->core, COMMIT, &f->err), 0);
	assert_non_null(strstr(f->journal, "audit pass.resume fact"));
	f->journal[0] = '\0';
	assert_int_equal(execution_resume(&f->core, COMMIT, &f->err), 0);
	assert_string_equal(f->journal, "");
}

static void test_a_job_that_ran_keeps_its_record(void **in)
{
	struct fixture *f = *in;
	struct run r;

	(void)add_host(f, "a", 5);
	store_pod(f, UID(aaaa), "Job", "once-0", "a", POD_SUCCEEDED, false);
	report_pod(f, 0, UID(aaaa), "once-0", POD_SUCCEEDED, false);
	prepare(f, &r);
	change(&r, PLAN_STOP, "a", UID(aaaa), MANIFEST_JOB);
	assert_int_equal(execution_apply(&r.x, &r.step, &r.w, &r.done, &f->err),
			 0);
	f->reports[0].n_pods = 0;
	f->reports[0].epoch = f->hosts[0].sent_epoch;
	look_again(f, &r);
	assert_int_equal(r.w.n_pods, 1);
	assert_false(r.w.pods[0].assigned);
	assert_int_equal(r.w.pods[0].phase, POD_SUCCEEDED);
	assert_int_equal(
		observe_forget(&f->core, &r.target.want, &r.w, &f->err),
		0); /* until the Job is not wanted any more */
	assert_int_equal(rows(f), 0);
	execution_release(&r.x);
}

/* What a commit deletes is counted against what the one before it began. */
static void test_A88_applied_objects_are_known_from_the_first_act(void **in)
{
	struct fixture *f = *in;
	struct object o = {.kind = MANIFEST_CONFIGMAP};
	struct run r;

	(void)add_host(f, "a", 5);
	prepare(f, &r);
	o.meta.namespace = "default";
	o.meta.name = "settings";
	memset(o.hash, 0x61, 8);
	r.target.want.objects = (struct objects){.items = &o, .n = 1};
	change(&r, PLAN_START, "a", NULL, MANIFEST_DEPLOYMENT);
	assert_int_equal(execution_apply(&r.x, &r.step, &r.w, &r.done, &f->err),
			 0);
	look_again(f, &r); /* the pass never converged */
	assert_int_equal(r.w.n_objects, 1);
	assert_string_equal(r.w.objects[0].name, "settings");
	execution_release(&r.x);
}

#define T(x) cmocka_unit_test_setup_teardown(x, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_R04_intent_then_store_then_hosts),
		T(test_A86_R04_without_its_record_nothing_is_done),
		T(test_A85_epochs_are_stored_with_the_pods),
		T(test_an_assignment_is_sent_once_in_a_session),
		T(test_outcomes_are_what_hosts_say),
		T(test_a_stop_on_a_lost_host_is_not_called_done),
		T(test_a_failed_pass_leaves_no_intent_open),
		T(test_A85_a_killed_pass_is_recorded_by_the_next),
		T(test_a_job_that_ran_keeps_its_record),
		T(test_A88_applied_objects_are_known_from_the_first_act),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

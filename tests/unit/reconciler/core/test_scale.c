/*
 * test_scale.c - 1,000 hosts with 10 pods each: looking, carrying out a change
 * of every pod, and taking the outcomes stay far below a second each.
 */
#include "reconciler/core/execution.h"
#include "reconciler/core/observe.h"

#include "tests/unit/reconciler/core/fixture.h"

#include <time.h>

#define HOSTS 1000
#define EACH 10
#define PODS (HOSTS * EACH)
#define LIMIT_MS 3000 /* measured: see the printed figures; sanitizers pass */

struct big {
	char host[HOSTS][16];
	char uid[PODS][33], name[PODS][24];
	Channel__Report reports[HOSTS];
	Channel__PodStatus status[PODS];
	Channel__PodStatus *lists[PODS];
};

static bool come_up(struct fixture *f, struct channel_event *out)
{
	struct big *b = (struct big *)(void *)f->core.ui.ctx;

	if (f->n_events == HOSTS)
		return false;
	*out = (struct channel_event){.kind = CHANNEL_EVENT_HOST_UP,
				      .host = b->host[f->n_events++],
				      .address = "10.0.0.1:1"};
	return true;
}

static void fill(struct fixture *f, struct big *b)
{
	struct err *e = &f->err;

	assert_int_equal(state_begin(f->core.state, e), 0);
	for (size_t i = 0; i < HOSTS; i++) {
		struct state_host row = {
			.host = {.name = b->host[i], .state = HOST_READY},
			.cidr_index = (int64_t)i};

		(void)snprintf(b->host[i], sizeof(b->host[i]), "host-%zu", i);
		row.host.epoch = 5;
		row.host.accepted_commit = COMMIT;
		assert_int_equal(state_host_put(f->core.state, &row, e), 0);
	}
	for (size_t i = 0; i < PODS; i++) {
		(void)snprintf(b->uid[i], sizeof(b->uid[i]), "%032zx", i);
		(void)snprintf(b->name[i], sizeof(b->name[i]), "web-%zu", i);
		store_pod(f, b->uid[i], "Deployment", b->name[i],
			  b->host[i / EACH], POD_RUNNING, true);
	}
	assert_int_equal(state_set(f->core.state, "epoch", "5", e), 0);
	assert_int_equal(state_commit(f->core.state, e), 0);
}

static void connect_all(struct fixture *f, struct big *b)
{
	bool changed = false;

	f->fleet.hosts = NULL;
	f->core.ui.ctx = b;
	f->next = come_up;
	assert_int_equal(fleet_poll(&f->core, 0, &changed, &f->err), 0);
	assert_int_equal(f->fleet.n_hosts, HOSTS);
	for (size_t i = 0; i < PODS; i++) {
		channel__pod_status__init(&b->status[i]);
		b->status[i].uid = b->uid[i];
		b->status[i].phase = CHANNEL__PHASE__RUNNING;
		b->status[i].ready = true;
		b->lists[i] = &b->status[i];
	}
	for (size_t i = 0; i < HOSTS; i++) {
		struct fleet_host *h = fleet_find(&f->fleet, b->host[i]);

		assert_non_null(h);
		assert_string_equal(h->name, b->host[i]);
		channel__report__init(&b->reports[i]);
		b->reports[i].epoch = 5;
		b->reports[i].accepted_commit = (char *)(uintptr_t)COMMIT;
		b->reports[i].pods = &b->lists[i * EACH];
		b->reports[i].n_pods = EACH;
		h->report = &b->reports[i];
	}
	assert_null(fleet_find(&f->fleet, "host-none"));
}

/* Of the processor: a busy machine or disk does not count. */
static int64_t cpu_ms(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t since(const char *what, int64_t start)
{
	int64_t ms = cpu_ms() - start;

	print_message("%s: %lld ms\n", what, (long long)ms);
	assert_true(ms < LIMIT_MS);
	return cpu_ms();
}

static void stop_all(struct fixture *f, struct big *b, struct world *w)
{
	struct plan_change *changes = calloc(PODS, sizeof(*changes));
	struct pass_target target = {.commit = COMMIT};
	struct plan step = {.changes = changes, .n = PODS};
	struct execution x;
	size_t done = 0;
	int64_t at;

	assert_non_null(changes);
	target.want.signer = "alice@example.com";
	for (size_t i = 0; i < PODS; i++)
		changes[i] = (struct plan_change){.action = PLAN_STOP,
						  .kind = MANIFEST_DEPLOYMENT,
						  .namespace = "default",
						  .name = "web",
						  .pod = b->name[i],
						  .host = b->host[i / EACH],
						  .uid = b->uid[i]};
	execution_init(&x, &f->core, &target);
	at = cpu_ms();
	assert_int_equal(execution_apply(&x, &step, w, &done, &f->err), 0);
	at = since("apply 10,000 stops on 1,000 hosts", at);
	assert_int_equal(done, PODS);
	for (size_t i = 0; i < HOSTS; i++) {
		b->reports[i].epoch = 6;
		b->reports[i].n_pods = 0;
	}
	assert_int_equal(observe_world(&f->core, f->arena, w, &f->err), 0);
	at = cpu_ms();
	assert_int_equal(execution_settle(&x, w, EXECUTION_GOES_ON, &f->err),
			 0);
	(void)since("take 10,000 outcomes", at);
	assert_int_equal(x.n_pending, 0);
	execution_release(&x);
	free(changes);
}

static void test_a_thousand_hosts(void **in)
{
	struct fixture *f = *in;
	struct big *b = calloc(1, sizeof(*b));
	struct world w;
	int64_t at;

	assert_non_null(b);
	fill(f, b);
	connect_all(f, b);
	f->quiet = true;
	at = cpu_ms();
	assert_int_equal(observe_world(&f->core, f->arena, &w, &f->err), 0);
	at = since("observe 10,000 pods", at);
	assert_int_equal(w.n_pods, PODS);
	assert_true(w.pods[PODS - 1].reported);
	assert_int_equal(observe_store(&f->core, &w, &f->err), 0);
	(void)since("store what was observed", at);
	stop_all(f, b, &w);
	for (size_t i = 0; i < HOSTS; i++)
		f->fleet.hosts[i].report = NULL;
	for (size_t i = 0; i < HOSTS; i++) {
		free(f->fleet.hosts[i].name);
		free(f->fleet.hosts[i].sent_commit);
	}
	free(f->fleet.hosts);
	free(f->fleet.slots);
	f->fleet.n_hosts = 0;
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_thousand_hosts, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Placement: each filter, both strategies, properties over random fleets. */
#include "reconciler/schedule/schedule.h"

#include "policy/admission/admission.h"
#include "tests/sim/make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
	struct arena *a;
	struct world w;
	struct schedule s;
	struct pod_template t;
	struct schedule_request req;
	struct schedule_refusal why;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->a = arena_new((size_t)1 << 28);
	f->w = make_world(f->a, 3, 0, 0);
	make_template(f->a, &f->t, "v1");
	f->req.spec = &f->t.spec;
	schedule_init(&f->s, &f->w, false, f->a);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->a);
	free(f);
	return 0;
}

static unsigned int next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) +
		 UINT64_C(1442695040888963407);
	return (unsigned int)(*state >> 33);
}

static struct keyvals one_label(struct arena *a, const char *key,
				const char *value)
{
	struct keyvals kv = {arena_calloc(a, 1, sizeof(struct keyval)), 1};

	kv.items[0] = (struct keyval){key, value, strlen(value)};
	return kv;
}

static void set_taint(struct fixture *f, size_t host, const char *value,
		      const char *effect)
{
	f->w.hosts[host].taints = arena_calloc(f->a, 1, sizeof(struct taint));
	f->w.hosts[host].taints[0] =
		(struct taint){"sensitivity", value, effect};
	f->w.hosts[host].n_taints = 1;
}

static void assert_refused(struct fixture *f, const char *text)
{
	struct buf b;

	assert_int_equal(schedule_place(&f->s, &f->req, &f->why),
			 SCHEDULE_NOWHERE);
	buf_init(&b, 1000);
	schedule_refusal_text(&f->why, &b);
	assert_string_equal(b.data, text);
	buf_release(&b);
}

static void test_each_filter_has_its_reason(void **state)
{
	struct fixture *f = *state;
	struct world_host *h = f->w.hosts;

	f->req.cpu_m = 1000;
	f->req.memory = 1000;
	h[0].cpu_m = 999;
	h[1].memory = 999;
	h[2].pods_max = 0;
	assert_refused(f, "0/3 hosts fit: 1 insufficient cpu, 1 insufficient "
			  "memory, 1 maximum of pods reached");
	h[0].cordoned = true;
	h[1].state = HOST_LOST;
	h[2].draining = true;
	assert_refused(f, "0/3 hosts fit: 1 not ready, 1 cordoned, 1 draining");
	h[0].cordoned = h[2].draining = false;
	h[1].state = HOST_READY;
	f->t.spec.node_name = "h001";
	set_taint(f, 1, "high", "NoSchedule");
	assert_refused(f, "0/3 hosts fit: 2 not the host of nodeName, 1 taint "
			  "not tolerated");
	f->t.spec.node_name = NULL;
	f->t.spec.node_selector = one_label(f->a, "disk", "ssd");
	assert_refused(f, "0/3 hosts fit: 3 nodeSelector does not match");
	f->s.n_hosts = 0;
	assert_refused(f, "there is no host");
}

static void test_only_ready_hosts_take_pods(void **state)
{
	struct fixture *f = *state;

	for (int s = 0; s < HOST_STATE_COUNT; s++) {
		f->w.hosts[0].state = f->w.hosts[1].state =
			f->w.hosts[2].state = s;
		assert_int_equal(schedule_place(&f->s, &f->req, &f->why) >= 0,
				 s == HOST_READY);
	}
}

static void test_filters_are_named(void **state)
{
	size_t n = 0;

	(void)state;
	while (schedule_filter_name(n))
		n++;
	assert_int_equal(n, 9);
}

/* Puts n pods of the current owner; returns how many hosts have one. */
static size_t place_many(struct fixture *f, int n)
{
	bool used[3] = {false};

	schedule_owner(&f->s);
	for (int i = 0; i < n; i++) {
		int h = schedule_place(&f->s, &f->req, &f->why);

		assert_true(h >= 0);
		schedule_use(&f->s, h, f->req.cpu_m, f->req.memory);
		schedule_owner_has(&f->s, h);
		used[h] = true;
	}
	return (size_t)used[0] + used[1] + used[2];
}

static void test_T41_spread_and_binpack(void **state)
{
	struct fixture *f = *state;

	f->req.cpu_m = 1000;
	assert_int_equal(place_many(f, 3), 3);
	assert_int_equal(place_many(f, 6), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(f->s.hosts[i].pods, 3);
	schedule_init(&f->s, &f->w, true, f->a);
	assert_int_equal(place_many(f, 5), 1);
	assert_int_equal(f->s.hosts[0].pods, 5);
	/* without requests too */
	schedule_init(&f->s, &f->w, true, f->a);
	f->req.cpu_m = 0;
	assert_int_equal(place_many(f, 5), 1);
}

static void test_ties_go_to_the_first_name(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 10; i++)
		assert_int_equal(schedule_place(&f->s, &f->req, &f->why), 0);
}

static void test_prefer_no_schedule_avoids(void **state)
{
	struct fixture *f = *state;

	set_taint(f, 0, "high", "PreferNoSchedule");
	assert_int_equal(schedule_place(&f->s, &f->req, &f->why), 1);
	f->w.hosts[1].cordoned = f->w.hosts[2].cordoned = true;
	assert_int_equal(schedule_place(&f->s, &f->req, &f->why), 0);
}

static void test_requests_saturate(void **state)
{
	struct fixture *f = *state;

	f->req.memory = INT64_MAX;
	assert_refused(f, "0/3 hosts fit: 3 insufficient memory");
	f->w.hosts[0].memory = INT64_MAX;
	assert_int_equal(schedule_place(&f->s, &f->req, &f->why), 0);
	schedule_use(&f->s, 0, 0, INT64_MAX);
	assert_int_equal(f->s.hosts[0].memory, INT64_MAX);
	f->req.memory = 1;
	schedule_use(&f->s, 0, 0, 1);
	assert_int_equal(f->s.hosts[0].memory, INT64_MAX);
}

/* Sum of the containers, or the largest init container; limits stand in. */
static void test_effective_requests(void **state)
{
	struct fixture *f = *state;
	struct container c[2] = {make_container("a"), make_container("b")};
	struct container init = make_container("i");
	struct pod_spec *s = &f->t.spec;
	int64_t cpu, memory;

	c[0].resources = (struct resources){100, 500, MANIFEST_UNSET, 64};
	c[1].resources =
		(struct resources){MANIFEST_UNSET, 300, 10, MANIFEST_UNSET};
	init.resources = (struct resources){350, 350, 200, 200};
	s->containers = c;
	s->n_containers = 2;
	schedule_requests(s, &cpu, &memory);
	assert_int_equal(cpu, 400);
	assert_int_equal(memory, 74);
	s->init_containers = &init;
	s->n_init_containers = 1;
	schedule_requests(s, &cpu, &memory);
	assert_int_equal(cpu, 400);
	assert_int_equal(memory, 200);
}

/* T05: web pods and sensitive pods never share a host, over 10,000 random
 * schedules of tainted and labelled fleets. */
static void test_T05_levels_never_share_a_host(void **state)
{
	struct fixture *f = *state;
	struct toleration tolerated = {
		.key = "sensitivity", .op = "Equal", .value = "high"};
	uint64_t seed = 1;

	for (int round = 0; round < 10000; round++) {
		bool high_on[3] = {false}, low_on[3] = {false};

		for (size_t i = 0; i < 3; i++) {
			bool high = next_random(&seed) % 2;

			f->w.hosts[i].n_taints = 0;
			f->w.hosts[i].labels.n = 0;
			f->w.hosts[i].pods_max = 1 + next_random(&seed) % 4;
			if (!high)
				continue;
			if (round == 0 || !f->w.hosts[i].taints) {
				set_taint(f, i, "high", "NoSchedule");
				f->w.hosts[i].labels =
					one_label(f->a, "sensitivity", "high");
			}
			f->w.hosts[i].n_taints = f->w.hosts[i].labels.n = 1;
		}
		schedule_init(&f->s, &f->w, next_random(&seed) % 2, f->a);
		for (int pod = 0; pod < 8; pod++) {
			bool high = next_random(&seed) % 2;
			int h;

			f->t.spec.tolerations = &tolerated;
			f->t.spec.n_tolerations = high;
			f->t.spec.node_selector =
				high ? one_label(f->a, "sensitivity", "high")
				     : (struct keyvals){NULL, 0};
			h = schedule_place(&f->s, &f->req, &f->why);
			if (h < 0)
				continue;
			schedule_use(&f->s, h, 0, 0);
			*(high ? &high_on[h] : &low_on[h]) = true;
		}
		for (size_t i = 0; i < 3; i++)
			assert_false(high_on[i] && low_on[i]);
	}
}

/* T16: what the scheduler chooses, the host's own check admits, and what the
 * host's check refuses is never chosen. */
static void test_T16_scheduler_and_host_agree(void **state)
{
	static const char *const effects[] = {"NoSchedule", "NoExecute",
					      "PreferNoSchedule"};
	static const char *const values[] = {"high", "low", ""};
	struct fixture *f = *state;
	uint64_t seed = 7;
	size_t refused = 0;

	for (int round = 0; round < 10000; round++) {
		struct toleration t = {
			.key = next_random(&seed) % 4 ? "sensitivity" : NULL,
			.op = next_random(&seed) % 2 ? "Equal" : "Exists",
			.value = values[next_random(&seed) % 3],
			.effect = next_random(&seed) % 2
					  ? effects[next_random(&seed) % 3]
					  : NULL};
		bool fits;

		f->t.spec.tolerations = &t;
		f->t.spec.n_tolerations = next_random(&seed) % 2;
		f->t.spec.node_selector =
			next_random(&seed) % 2 ? one_label(f->a, "disk", "ssd")
					       : (struct keyvals){NULL, 0};
		f->w.hosts[0].labels = one_label(
			f->a, "disk", next_random(&seed) % 2 ? "ssd" : "hdd");
		set_taint(f, 0, values[next_random(&seed) % 3],
			  effects[next_random(&seed) % 3]);
		f->w.hosts[0].n_taints = next_random(&seed) % 2;
		fits = admission_host_fits(&f->t.spec, &f->w.hosts[0].labels,
					   &f->w.hosts[0].taints[0].key,
					   &f->w.hosts[0].taints[0].value,
					   &f->w.hosts[0].taints[0].effect,
					   f->w.hosts[0].n_taints, NULL);
		assert_int_equal(schedule_fits(&f->s, 0, &f->req, true), fits);
		refused += !fits;
	}
	assert_in_range(refused, 2000, 8000);
}

static void test_T16_host_says_why(void **state)
{
	struct fixture *f = *state;
	const char *key = "sensitivity", *value = "hi\x1bgh";
	const char *effect = "NoSchedule";
	struct keyvals none = {NULL, 0};
	struct buf why;

	buf_init(&why, 1000);
	assert_false(admission_host_fits(&f->t.spec, &none, &key, &value,
					 &effect, 1, &why));
	assert_string_equal(why.data, "taint not tolerated: "
				      "sensitivity=hi\\x1bgh:NoSchedule");
	buf_reset(&why);
	f->t.spec.node_selector = one_label(f->a, "disk", "ssd");
	assert_false(admission_host_fits(&f->t.spec, &none, NULL, NULL, NULL, 0,
					 &why));
	assert_string_equal(why.data, "nodeSelector does not match the labels "
				      "of the host");
	buf_release(&why);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_each_filter_has_its_reason),
		T(test_only_ready_hosts_take_pods),
		T(test_filters_are_named),
		T(test_T41_spread_and_binpack),
		T(test_ties_go_to_the_first_name),
		T(test_prefer_no_schedule_avoids),
		T(test_requests_saturate),
		T(test_effective_requests),
		T(test_T05_levels_never_share_a_host),
		T(test_T16_scheduler_and_host_agree),
		T(test_T16_host_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

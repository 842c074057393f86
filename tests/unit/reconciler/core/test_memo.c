/*
 * test_memo.c - what a pass remembers: the same digest for what plans the same,
 * another one for whatever the planner looks at.
 */
#include "reconciler/core/memo.h"
#include "reconciler/core/observe.h"

#include "tests/unit/reconciler/core/fixture.h"

static void digest(struct fixture *f, const char *commit, const struct world *w,
		   char out[HASH_HEX])
{
	assert_int_equal(
		memo_digest(&f->core, commit, w, f->arena, out, &f->err), 0);
}

static int set_up_memo(void **state)
{
	struct fixture *f;
	const char *path;
	int fd;

	(void)set_up(state);
	f = *state;
	path = arena_printf(f->arena, "%s/signers", f->path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "# none\n", 7), 7);
	(void)close(fd);
	f->conf.trust_policy = f->conf.trust_anchor = "";
	f->conf.allowed_signers = path;
	f->conf.revoked_keys = path;
	(void)add_host(f, "a", 5);
	store_pod(f, UID(aaaa), "Deployment", "web-0", "a", POD_RUNNING, true);
	report_pod(f, 0, UID(aaaa), "web-0", POD_RUNNING, true);
	return 0;
}

static void test_the_same_world_is_remembered(void **in)
{
	struct fixture *f = *in;
	char a[HASH_HEX], b[HASH_HEX];
	struct world w;
	bool matches = true;

	assert_int_equal(observe_world(&f->core, f->arena, &w, &f->err), 0);
	digest(f, COMMIT, &w, a);
	assert_int_equal(memo_matches(&f->core, a, f->arena, &matches, &f->err),
			 0);
	assert_false(matches);
	assert_int_equal(memo_store(&f->core, a, &f->err), 0);
	w.now_ms += 5000;
	w.pods[0].restarts++;
	w.pods[0].started_ms++;
	digest(f, COMMIT, &w, b);
	assert_string_equal(a, b);
	assert_int_equal(memo_matches(&f->core, b, f->arena, &matches, &f->err),
			 0);
	assert_true(matches);
}

static void test_every_input_of_the_plan_counts(void **in)
{
	struct fixture *f = *in;
	struct keyval label = {.key = "disk", .value = "ssd", .len = 3};
	struct taint taint = {"k", "v", "NoSchedule"};
	char a[HASH_HEX], b[HASH_HEX];
	struct world w;

#define CHANGES(what, undo)                                                    \
	do {                                                                   \
		digest(f, COMMIT, &w, a);                                      \
		what;                                                          \
		digest(f, COMMIT, &w, b);                                      \
		assert_string_not_equal(a, b);                                 \
		undo;                                                          \
	} while (0)
	assert_int_equal(observe_world(&f->core, f->arena, &w, &f->err), 0);
	digest(f, COMMIT, &w, a);
	digest(f, "2222222222222222222222222222222222222222", &w, b);
	assert_string_not_equal(a, b);
	CHANGES(w.pods[0].ready = false, w.pods[0].ready = true);
	CHANGES(w.pods[0].phase = POD_LOST, w.pods[0].phase = POD_RUNNING);
	CHANGES(w.pods[0].assigned = false, w.pods[0].assigned = true);
	CHANGES(w.hosts[0].cordoned = true, w.hosts[0].cordoned = false);
	CHANGES(w.hosts[0].draining = true, w.hosts[0].draining = false);
	CHANGES(w.hosts[0].state = HOST_LOST, w.hosts[0].state = HOST_READY);
	CHANGES(w.hosts[0].memory = 7, w.hosts[0].memory = 0);
	CHANGES((w.hosts[0].labels = (struct keyvals){&label, 1}),
		w.hosts[0].labels.n = 0);
	CHANGES((w.hosts[0].taints = &taint, w.hosts[0].n_taints = 1),
		w.hosts[0].n_taints = 0);
	CHANGES(w.applied_commit = COMMIT, w.applied_commit = NULL);
	CHANGES(w.n_pods = 0, w.n_pods = 1);
#undef CHANGES
}

#define T(x) cmocka_unit_test_setup_teardown(x, set_up_memo, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_the_same_world_is_remembered),
		T(test_every_input_of_the_plan_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

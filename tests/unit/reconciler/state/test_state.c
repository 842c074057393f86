/* test_state.c - the manager's store: round trips, transactions, damage. */
#include "reconciler/state/state.h"

#include "lib/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char dir[64];
	struct state *state;
	struct arena *arena;
	struct err err;
};

static int setup(void **out)
{
	struct fixture *f = calloc(1, sizeof(*f));

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/test_state.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->arena = arena_new(1u << 20);
	assert_int_equal(state_open(f->dir, false, &f->state, &f->err), 0);
	*out = f;
	return 0;
}

static int teardown(void **in)
{
	struct fixture *f = *in;

	state_close(f->state);
	arena_free(f->arena);
	(void)file_remove_tree(AT_FDCWD, f->dir, &f->err);
	free(f);
	return 0;
}

static void test_values(void **in)
{
	struct fixture *f = *in;
	const char *v = "untouched";

	assert_int_equal(state_get(f->state, "accepted", f->arena, &v, &f->err),
			 0);
	assert_null(v);
	assert_int_equal(state_set(f->state, "accepted", "abc", &f->err), 0);
	assert_int_equal(state_set(f->state, "accepted", "def", &f->err), 0);
	assert_int_equal(state_get(f->state, "accepted", f->arena, &v, &f->err),
			 0);
	assert_string_equal(v, "def");
}

static struct state_host host(const char *name, int64_t block)
{
	static struct keyval labels[] = {{"zone", "a", 1}, {"n", "", 0}};
	static struct taint taints[] = {{"gpu", "yes", "NoSchedule"}};

	return (struct state_host){
		.host = {.name = name,
			 .state = HOST_READY,
			 .labels = {labels, 2},
			 .taints = taints,
			 .n_taints = 1,
			 .cpu_m = 2000,
			 .epoch = 7},
		.cidr_index = block,
		.serial = "0a0b",
		.not_after = 12345,
	};
}

static void test_hosts(void **in)
{
	struct fixture *f = *in;
	struct state_host a = host("a", 0);
	struct state_host c = host("c", 2);
	struct state_host got;
	int64_t block = -1;

	assert_int_equal(state_host_put(f->state, &a, &f->err), 0);
	assert_int_equal(state_host_put(f->state, &c, &f->err), 0);
	assert_int_equal(state_host_block(f->state, &block, &f->err), 0);
	assert_int_equal(block, 1);
	assert_int_equal(state_host_get(f->state, "c", f->arena, &got, &f->err),
			 0);
	assert_int_equal(got.host.labels.n, 2);
	assert_string_equal(got.host.labels.items[0].key, "zone");
	assert_string_equal(got.host.labels.items[1].value, "");
	assert_int_equal(got.host.n_taints, 1);
	assert_string_equal(got.host.taints[0].effect, "NoSchedule");
	assert_string_equal(got.serial, "0a0b");
	assert_int_equal(got.host.epoch, 7);
	assert_int_equal(state_host_get(f->state, "b", f->arena, &got, &f->err),
			 ERR_NOTFOUND);
	assert_string_equal(f->err.msg, "no host is named \"b\"");
}

static void test_tokens(void **in)
{
	struct fixture *f = *in;
	struct state_token t = {
		.id = "00", .secret_sha256 = "11", .host = "h", .expires = 99};
	struct state_token got;

	assert_int_equal(state_token_put(f->state, &t, &f->err), 0);
	assert_int_equal(
		state_token_get(f->state, "00", f->arena, &got, &f->err), 0);
	assert_false(got.used);
	assert_int_equal(got.expires, 99);
	assert_int_equal(state_token_use(f->state, "00", &f->err), 0);
	assert_int_equal(
		state_token_get(f->state, "00", f->arena, &got, &f->err), 0);
	assert_true(got.used);
	assert_int_equal(
		state_token_get(f->state, "01", f->arena, &got, &f->err),
		ERR_NOTFOUND);
}

static struct world_pod pod(const char *uid, const char *name)
{
	return (struct world_pod){
		.uid = uid,
		.namespace = "default",
		.name = name,
		.owner_kind = "Deployment",
		.owner_name = "web",
		.template_hash = "0123456789abcdef",
		.host = "a",
		.commit = "c0",
		.assigned = true,
		.phase = POD_RUNNING,
		.ready = true,
		.created_ms = 5,
		.finished_ms = 7,
		.unready_ms = 9,
		.cpu_m = 10,
		.memory = 20,
	};
}

static void test_world_is_sorted(void **in)
{
	struct fixture *f = *in;
	struct world_pod z = pod("2", "z");
	struct world_pod b = pod("1", "b");
	struct world_object o = {MANIFEST_NAMESPACE, NULL, "shop", "ff"};
	struct world_service s = {"default", "web", "10.96.0.9"};
	struct world w;

	assert_int_equal(state_pod_put(f->state, &z, &f->err), 0);
	assert_int_equal(state_pod_put(f->state, &b, &f->err), 0);
	assert_int_equal(state_objects_set(f->state, &o, 1, &f->err), 0);
	assert_int_equal(state_services_set(f->state, &s, 1, &f->err), 0);
	assert_int_equal(state_world(f->state, f->arena, &w, &f->err), 0);
	assert_int_equal(w.n_pods, 2);
	assert_string_equal(w.pods[0].name, "b");
	assert_true(w.pods[1].assigned);
	assert_int_equal(w.pods[1].finished_ms, 7);
	assert_int_equal(w.pods[1].unready_ms, 9);
	assert_int_equal(w.pods[1].memory, 20);
	assert_int_equal(w.n_objects, 1);
	assert_null(w.objects[0].namespace);
	assert_string_equal(w.services[0].cluster_ip, "10.96.0.9");
	assert_null(w.applied_commit);
}

static void test_rollback_keeps_what_was(void **in)
{
	struct fixture *f = *in;
	struct world_pod p = pod("1", "b");
	struct world w;

	assert_int_equal(state_begin(f->state, &f->err), 0);
	assert_int_equal(state_pod_put(f->state, &p, &f->err), 0);
	state_rollback(f->state);
	assert_int_equal(state_world(f->state, f->arena, &w, &f->err), 0);
	assert_int_equal(w.n_pods, 0);
}

static void test_revoked_until_expiry(void **in)
{
	struct fixture *f = *in;
	const char **list = NULL;
	size_t n = 9;

	assert_int_equal(state_revoked_add(f->state, "aa", 100, &f->err), 0);
	assert_int_equal(state_revoked_add(f->state, "bb", 200, &f->err), 0);
	assert_int_equal(
		state_revoked_list(f->state, 150, f->arena, &list, &n, &f->err),
		0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0], "bb");
}

/* R16: a damaged file is refused and left as it is. */
static void test_R16_damage_is_refused(void **in)
{
	struct fixture *f = *in;
	struct state *again = NULL;
	char path[128];
	int fd;

	state_close(f->state);
	f->state = NULL;
	(void)snprintf(path, sizeof(path), "%s/state.db", f->dir);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "not a database..", 16, 0), 16);
	(void)close(fd);
	assert_int_equal(state_open(f->dir, false, &again, &f->err), ERR_INPUT);
	assert_non_null(strstr(f->err.msg, "damaged"));
	assert_null(again);
}

static void test_missing_folder(void **in)
{
	struct fixture *f = *in;
	struct state *again = NULL;

	assert_int_equal(state_open("/nonexistent", true, &again, &f->err),
			 ERR_NOTFOUND);
	assert_non_null(strstr(f->err.msg, "reconcile init"));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_values),
		T(test_hosts),
		T(test_tokens),
		T(test_world_is_sorted),
		T(test_rollback_keeps_what_was),
		T(test_revoked_until_expiry),
		T(test_R16_damage_is_refused),
		T(test_missing_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

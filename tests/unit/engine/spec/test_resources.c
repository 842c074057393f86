/* Resources whose members are named by the config: rdma, network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/spec/spec.h"

#include <string.h>

static int read_one(struct arena *arena, const char *text,
		    struct spec_resources *out, struct err *err)
{
	*out = (struct spec_resources){.devices = NULL};
	return spec_read_resources(text, strlen(text), arena, out, err);
}

static void test_rdma(void **state)
{
	static const struct {
		const char *text, *msg;
	} bad[] = {
		{"{\"rdma\": []}", "rdma: want an object of objects"},
		{"{\"rdma\": {\"b\": 1}}", "rdma.b: want an object"},
		{"{\"rdma\": {\"b\": {}, \"a\": {}, \"b\": {}}}",
		 "rdma: want each key once"},
		{"{\"rdma\": {\"b\": {\"hcaHandles\": -1}}}",
		 "rdma.b.hcaHandles: want an integer of at least 0"},
	};
	struct arena *arena = arena_new(1u << 20);
	struct spec_resources r;
	struct err err = {0};
	size_t i;

	(void)state;
	assert_int_equal(read_one(arena,
				  "{\"rdma\": {\"b\": {\"hcaHandles\": 3},"
				  " \"a\": {\"hcaObjects\": 5}}}",
				  &r, &err),
			 0);
	assert_int_equal(r.n_rdma, 2);
	assert_string_equal(r.rdma[0].device, "a");
	assert_true(r.rdma[0].objects.set && !r.rdma[0].handles.set);
	assert_int_equal(r.rdma[0].objects.v, 5);
	assert_string_equal(r.rdma[1].device, "b");
	assert_int_equal(r.rdma[1].handles.v, 3);
	assert_int_equal(read_one(arena, "{\"rdma\": {}}", &r, &err), 0);
	assert_int_equal(r.n_rdma, 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_one(arena, bad[i].text, &r, &err),
				 ERR_INPUT);
		assert_non_null(strstr(err.msg, bad[i].msg));
	}
	arena_free(arena);
}

static void test_network(void **state)
{
	struct arena *arena = arena_new(1u << 20);
	struct spec_resources r;
	struct err err = {0};

	(void)state;
	assert_int_equal(read_one(arena,
				  "{\"network\": {\"classID\": 7, "
				  "\"priorities\": [{\"name\": \"lo\", "
				  "\"priority\": 9}]}}",
				  &r, &err),
			 0);
	assert_int_equal(r.network.class_id.v, 7);
	assert_int_equal(r.network.n_priorities, 1);
	assert_string_equal(r.network.priorities[0].name, "lo");
	assert_int_equal(r.network.priorities[0].priority, 9);
	assert_int_equal(read_one(arena,
				  "{\"network\": {\"priorities\": [{}]}}", &r,
				  &err),
			 ERR_INPUT);
	assert_non_null(strstr(err.msg, "network.priorities[0]"));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rdma),
		cmocka_unit_test(test_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

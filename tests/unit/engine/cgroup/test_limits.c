/* Limits: conversions, and which file gets which value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/cgroup/limits.h"

#include <string.h>

static const char *value_of(const struct limits *l, const char *file)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i].file, file) == 0)
			return l->v[i].value;
	return "(none)";
}

static struct spec_resources full(void)
{
	struct spec_resources r = {.devices = NULL};

	r.cpu.shares = (struct decode_u64){1024, true};
	r.cpu.quota = (struct decode_i64){20000, true};
	r.cpu.period = (struct decode_u64){50000, true};
	r.memory.limit = (struct decode_i64){1000, true};
	r.memory.swap = (struct decode_i64){1500, true};
	r.memory.reservation = (struct decode_i64){500, true};
	r.pids.limit = (struct decode_i64){7, true};
	r.block.weight = (struct decode_u64){1000, true};
	return r;
}

static void test_v1(void **state)
{
	struct spec_resources r = full();
	struct limits l;
	struct err err = {0};

	(void)state;
	assert_int_equal(limits_list(&r, false, &l, &err), 0);
	assert_string_equal(value_of(&l, "cpu.shares"), "1024");
	assert_string_equal(value_of(&l, "cpu.cfs_quota_us"), "20000");
	assert_string_equal(value_of(&l, "memory.memsw.limit_in_bytes"),
			    "1500");
	assert_string_equal(value_of(&l, "memory.soft_limit_in_bytes"), "500");
	assert_string_equal(value_of(&l, "pids.max"), "7");
	assert_string_equal(value_of(&l, "blkio.weight"), "1000");
}

static void test_v2(void **state)
{
	struct spec_resources r = full();
	struct limits l;
	struct err err = {0};

	(void)state;
	assert_int_equal(limits_list(&r, true, &l, &err), 0);
	assert_string_equal(value_of(&l, "cpu.weight"), "39");
	assert_string_equal(value_of(&l, "cpu.max"), "20000 50000");
	assert_string_equal(value_of(&l, "memory.max"), "1000");
	assert_string_equal(value_of(&l, "memory.swap.max"), "500");
	assert_string_equal(value_of(&l, "memory.low"), "500");
	assert_string_equal(value_of(&l, "io.bfq.weight"), "1000");
	r.cpu.quota.v = -1;
	r.memory.limit.v = -1;
	r.memory.swap.v = -1;
	r.pids.limit.v = -1;
	assert_int_equal(limits_list(&r, true, &l, &err), 0);
	assert_string_equal(value_of(&l, "cpu.max"), "max 50000");
	assert_string_equal(value_of(&l, "memory.max"), "max");
	assert_string_equal(value_of(&l, "memory.swap.max"), "max");
	assert_string_equal(value_of(&l, "pids.max"), "max");
}

/* A host with the cost model alone: other file, other scale. */
static void test_v2_io_weight(void **state)
{
	struct spec_weight_dev dev = {
		.major = {8, true}, .minor = {16, true}, .weight = {500, true}};
	struct spec_resources r = {.devices = NULL};
	struct limits l;
	struct err err = {0};

	(void)state;
	r.block.weight = (struct decode_u64){10, true};
	r.block.weights = &dev;
	r.block.n_weights = 1;
	assert_int_equal(limits_list(&r, true, &l, &err), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].other, "io.weight");
	assert_string_equal(l.v[0].other_value, "1");
	assert_string_equal(l.v[1].value, "8:16 500");
	assert_string_equal(l.v[1].other, "io.weight");
	assert_string_equal(l.v[1].other_value, "8:16 4950");
}

/* A quota alone leaves the period, a period alone leaves the quota. */
static void test_v2_cpu_max(void **state)
{
	struct spec_resources r = {.devices = NULL};
	struct limits l;
	struct err err = {0};

	(void)state;
	r.cpu.quota = (struct decode_i64){-1, true};
	assert_int_equal(limits_list(&r, true, &l, &err), 0);
	assert_string_equal(value_of(&l, "cpu.max"), "max");
	assert_false(l.v[0].keep_first);
	r.cpu.quota.v = 5000;
	assert_int_equal(limits_list(&r, true, &l, &err), 0);
	assert_string_equal(value_of(&l, "cpu.max"), "5000");
	r.cpu.quota.set = false;
	r.cpu.period = (struct decode_u64){50000, true};
	assert_int_equal(limits_list(&r, true, &l, &err), 0);
	assert_string_equal(value_of(&l, "cpu.max"), "50000");
	assert_true(l.v[0].keep_first);
}

static void test_refused(void **state)
{
	char *bad[] = {(char[]){"../x.y"}, (char[]){"1"}, NULL};
	struct spec_resources r = {.devices = NULL};
	struct limits l;
	struct err err = {0};

	(void)state;
	r.memory.swap = (struct decode_i64){10, true};
	assert_int_equal(limits_list(&r, true, &l, &err), ERR_INPUT);
	assert_non_null(strstr(err.msg, "memory.swap"));
	r = (struct spec_resources){.devices = NULL};
	r.memory.swappiness = (struct decode_u64){10, true};
	assert_int_equal(limits_list(&r, true, &l, &err), ERR_INPUT);
	assert_non_null(strstr(err.msg, "swappiness"));
	r = (struct spec_resources){.devices = NULL};
	r.unified = (struct decode_strv){bad, 2};
	assert_int_equal(limits_list(&r, true, &l, &err), ERR_INPUT);
	assert_non_null(strstr(err.msg, "CONTROLLER.FILE"));
}

static void test_weights(void **state)
{
	(void)state;
	assert_int_equal(limits_cpu_weight(0), 1);
	assert_int_equal(limits_cpu_weight(2), 1);
	assert_int_equal(limits_cpu_weight(262144), 10000);
	assert_int_equal(limits_cpu_weight(UINT64_MAX), 10000);
	assert_int_equal(limits_io_weight(10), 1);
	assert_int_equal(limits_io_weight(1000), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v1),
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_v2_io_weight),
		cmocka_unit_test(test_v2_cpu_max),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_weights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

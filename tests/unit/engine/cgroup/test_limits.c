/* Limits: conversions, which file gets which value, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/cgroup/limits.h"

#include <stdio.h>
#include <string.h>

#define ALL_V1 (~0u & ~(1u << LIMITS_UNIFIED))
#define U(n) ((struct decode_u64){(n), true})
#define I(n) ((struct decode_i64){(n), true})
#define B(n) ((struct decode_bool){(n), true})

static struct limits list;

/* "file value;" of each item in order; * behind one that may be missing,
 * and, where another file is tried, that with its value behind a bar. */
static const char *dump(const struct spec_resources *r, unsigned int v1)
{
	static char out[8192];
	struct err err = {0};
	size_t i, used = 0;

	out[0] = '\0';
	if (limits_list(r, v1, &list, &err) < 0) {
		(void)snprintf(out, sizeof(out), "%s", err.msg);
		return out;
	}
	for (i = 0; i < list.n; i++) {
		const struct limits_item *m = &list.v[i];

		used += (size_t)snprintf(
			out + used, sizeof(out) - used, "%s %s%s%s%s%s%s;",
			m->file, m->value, m->optional ? "*" : "",
			m->keep_first ? "+" : "", m->other ? "|" : "",
			m->other ? m->other : "",
			m->other ? m->other_value : "");
		assert_true(m->v2 == ((v1 & 1u << m->controller) == 0));
	}
	return out;
}

#define is(r, v1, text) assert_string_equal(dump((r), (v1)), (text))
#define refused(r, v1, text) assert_non_null(strstr(dump((r), (v1)), (text)))

static void test_cpu(void **state)
{
	struct spec_resources r = {.devices = NULL};
	char cpus[] = "0-3,8", mems[] = "0";

	(void)state;
	is(&r, 0, "");
	r.cpu = (struct spec_cpu){.shares = U(1024),
				  .quota = I(20000),
				  .period = U(50000),
				  .burst = U(500),
				  .cpus = cpus,
				  .mems = mems};
	is(&r, ALL_V1,
	   "cpuset.cpus 0-3,8;cpuset.mems 0;cpu.shares 1024;"
	   "cpu.cfs_period_us 50000;cpu.cfs_quota_us 20000;"
	   "cpu.cfs_burst_us 500;");
	is(&r, 0,
	   "cpuset.cpus 0-3,8;cpuset.mems 0;cpu.weight 100;"
	   "cpu.max 20000 50000;cpu.max.burst 500;");
	assert_int_equal(list.v[3].group, LIMITS_BANDWIDTH);
	assert_int_equal(list.v[4].group, LIMITS_BANDWIDTH);
	/* Each half of a hybrid system what it has. */
	is(&r, 1u << LIMITS_CPUSET,
	   "cpuset.cpus 0-3,8;cpuset.mems 0;cpu.weight 100;"
	   "cpu.max 20000 50000;cpu.max.burst 500;");
	r.cpu = (struct spec_cpu){.shares = U(0), .quota = I(0)};
	is(&r, 0, "");
	is(&r, ALL_V1, "");
	r.cpu.shares = U(1);
	is(&r, 0, "cpu.weight 1;");
	refused(&r, ALL_V1, "cpu.shares: want 2 to 262144");
}

/* A quota alone leaves the period, a period alone leaves the quota. */
static void test_cpu_max(void **state)
{
	struct spec_resources r = {.devices = NULL};

	(void)state;
	r.cpu.quota = I(-1);
	is(&r, 0, "cpu.max max;");
	is(&r, ALL_V1, "cpu.cfs_quota_us -1;");
	r.cpu.quota = I(5000);
	is(&r, 0, "cpu.max 5000;");
	r.cpu.period = U(40000);
	is(&r, 0, "cpu.max 5000 40000;");
	r.cpu.quota.set = false;
	is(&r, 0, "cpu.max 40000+;");
	is(&r, ALL_V1, "cpu.cfs_period_us 40000;");
}

/* The kernel takes no weight for an idle group. */
static void test_idle(void **state)
{
	struct spec_resources r = {.devices = NULL};

	(void)state;
	r.cpu.shares = U(1024);
	r.cpu.idle = I(1);
	is(&r, 0, "cpu.weight 100;cpu.idle 1;");
	r.cpu.idle = I(0);
	is(&r, 0, "cpu.idle 0*;cpu.weight 100;");
	is(&r, ALL_V1, "cpu.idle 0*;cpu.shares 1024;");
}

static void test_realtime(void **state)
{
	struct spec_resources r = {.devices = NULL};

	(void)state;
	r.cpu.rt_period = U(1000000);
	r.cpu.rt_runtime = I(5000);
	is(&r, ALL_V1, "cpu.rt_period_us 1000000;cpu.rt_runtime_us 5000;");
	assert_int_equal(list.v[1].group, LIMITS_REALTIME);
	refused(&r, 0, "realtimePeriod do not exist in cgroup v2");
}

static void test_memory(void **state)
{
	struct spec_resources r = {.devices = NULL};
	struct spec_memory *m = &r.memory;

	(void)state;
	*m = (struct spec_memory){
		.limit = I(1000), .swap = I(1500), .reservation = I(500)};
	is(&r, ALL_V1,
	   "memory.limit_in_bytes 1000;memory.memsw.limit_in_bytes 1500;"
	   "memory.soft_limit_in_bytes 500;");
	assert_int_equal(list.v[0].group, LIMITS_MEMSW);
	assert_int_equal(list.v[1].group, LIMITS_MEMSW);
	is(&r, 0, "memory.max 1000;memory.swap.max 500;memory.low 500;");
	m->swap = I(1000);
	is(&r, 0, "memory.max 1000;memory.swap.max 0*;memory.low 500;");
	*m = (struct spec_memory){.limit = I(-1)};
	is(&r, 0, "memory.max max;memory.swap.max max*;");
	is(&r, ALL_V1,
	   "memory.limit_in_bytes -1;memory.memsw.limit_in_bytes -1*;");
	m->swap = I(7);
	is(&r, 0, "memory.max max;memory.swap.max 7;");
	*m = (struct spec_memory){.swap = I(-1), .reservation = I(-1)};
	is(&r, 0, "memory.swap.max max*;memory.low max;");
	m->swap = I(10);
	refused(&r, 0, "memory.swap: want a memory.limit of at most that");
	*m = (struct spec_memory){.limit = I(11), .swap = I(10)};
	refused(&r, 0, "memory.swap: want a memory.limit of at most that");
	m->limit = I(-2);
	refused(&r, ALL_V1, "memory.limit: want at least -1");
}

static void test_memory_more(void **state)
{
	struct spec_resources r = {.devices = NULL};
	struct spec_memory *m = &r.memory;

	(void)state;
	*m = (struct spec_memory){.swappiness = U(10),
				  .disable_oom_killer = B(true),
				  .use_hierarchy = B(true)};
	is(&r, ALL_V1, "memory.swappiness 10;memory.oom_control 1;");
	refused(&r, 0, "disableOOMKiller do not exist in cgroup v2");
	m->swappiness = U(101);
	refused(&r, ALL_V1, "memory.swappiness: want 0 to 100");
	/* -1, as a client's 64 bits without a sign have it: not set */
	*m = (struct spec_memory){.swappiness = U(UINT64_MAX),
				  .kernel = I(5),
				  .kernel_tcp = I(-1)};
	is(&r, ALL_V1, "");
	is(&r, 0, "");
	m->use_hierarchy = B(false);
	refused(&r, 0, "memory.useHierarchy: want true");
}

static void test_pids(void **state)
{
	struct spec_resources r = {.devices = NULL};

	(void)state;
	r.pids.limit = I(7);
	is(&r, ALL_V1, "pids.max 7;");
	r.pids.limit = I(-1);
	is(&r, 0, "pids.max max;");
	r.pids.limit = I(0);
	is(&r, 0, "pids.max 1;");
}

static void test_block(void **state)
{
	struct spec_weight_dev dev = {
		.major = I(8), .minor = I(16), .weight = U(500)};
	struct spec_weight_dev rate = {
		.major = I(8), .minor = I(0), .rate = U(1000)};
	struct spec_resources r = {.devices = NULL};
	struct spec_block *b = &r.block;

	(void)state;
	*b = (struct spec_block){
		.weight = U(10), .weights = &dev, .n_weights = 1};
	is(&r, 0,
	   "io.bfq.weight 10|io.weight1;"
	   "io.bfq.weight 8:16 500|io.weight8:16 4950;");
	is(&r, ALL_V1,
	   "blkio.weight 10|blkio.bfq.weight;"
	   "blkio.weight_device 8:16 500|blkio.bfq.weight_device;");
	dev.leaf_weight = U(20);
	b->leaf_weight = U(30);
	is(&r, ALL_V1,
	   "blkio.weight 10|blkio.bfq.weight;blkio.leaf_weight 30;"
	   "blkio.weight_device 8:16 500|blkio.bfq.weight_device;"
	   "blkio.leaf_weight_device 8:16 20;");
	refused(&r, 0, "leafWeight does not exist in cgroup v2");
	*b = (struct spec_block){.rbps = &rate,
				 .n_rbps = 1,
				 .wbps = &rate,
				 .n_wbps = 1,
				 .riops = &rate,
				 .n_riops = 1,
				 .wiops = &rate,
				 .n_wiops = 1};
	is(&r, ALL_V1,
	   "blkio.throttle.read_bps_device 8:0 1000;"
	   "blkio.throttle.write_bps_device 8:0 1000;"
	   "blkio.throttle.read_iops_device 8:0 1000;"
	   "blkio.throttle.write_iops_device 8:0 1000;");
	is(&r, 0,
	   "io.max 8:0 rbps=1000;io.max 8:0 wbps=1000;"
	   "io.max 8:0 riops=1000;io.max 8:0 wiops=1000;");
	*b = (struct spec_block){.rbps = &rate, .n_rbps = 1};
	rate.rate = U(0);
	is(&r, 0, "io.max 8:0 rbps=max;");
}

static void test_hugetlb(void **state)
{
	struct spec_hugepage page = {.limit = U(4096)};
	struct spec_resources r = {.hugepages = &page, .n_hugepages = 1};
	char good[] = "2MB", bad[] = "../2MB";

	(void)state;
	page.size = good;
	is(&r, ALL_V1,
	   "hugetlb.2MB.limit_in_bytes 4096;"
	   "hugetlb.2MB.rsvd.limit_in_bytes 4096*;");
	is(&r, 0, "hugetlb.2MB.max 4096;hugetlb.2MB.rsvd.max 4096*;");
	page.size = bad;
	refused(&r, 0, "hugepageLimits[0]: pageSize");
}

static void test_rdma(void **state)
{
	struct spec_rdma dev = {.handles = U(3)};
	struct spec_resources r = {.rdma = &dev, .n_rdma = 1};
	char name[] = "mlx5_1", bad[] = "a b";

	(void)state;
	dev.device = name;
	is(&r, ALL_V1, "rdma.max mlx5_1 hca_handle=3;");
	dev.objects = U(10000);
	is(&r, 0, "rdma.max mlx5_1 hca_handle=3 hca_object=10000;");
	dev.device = bad;
	refused(&r, 0, "rdma: want the name of a device");
}

static void test_network(void **state)
{
	char lo[] = "lo";
	struct spec_priority prio = {.name = lo, .priority = 5};
	struct spec_resources r = {.devices = NULL};

	(void)state;
	r.network.class_id = U(0x100001);
	is(&r, ALL_V1, "net_cls.classid 1048577;");
	refused(&r, 0, "v2 has none");
	r.network.class_id = U(0);
	is(&r, 0, "");
	r.network.priorities = &prio;
	r.network.n_priorities = 1;
	is(&r, ALL_V1, "net_prio.ifpriomap lo 5;");
	refused(&r, 0, "net_prio of cgroup v1");
}

static void test_unified(void **state)
{
	char key[] = "io.max", value[] = "8:0 rbps=1\n8:16 rbps=2";
	char up[] = "../x.y", none[] = "memory", dot[] = ".max";
	char *map[] = {key, value, NULL};
	struct spec_resources r = {.unified = {map, 2}};

	(void)state;
	is(&r, ALL_V1, "io.max 8:0 rbps=1\n8:16 rbps=2;");
	map[0] = up;
	refused(&r, 0, "unified: want CONTROLLER.FILE");
	map[0] = none;
	refused(&r, 0, "unified: want CONTROLLER.FILE");
	map[0] = dot;
	refused(&r, 0, "unified: want CONTROLLER.FILE");
}

static void test_too_many(void **state)
{
	static struct spec_weight_dev rates[LIMITS_MAX + 1];
	struct spec_resources r = {.devices = NULL};
	struct err err = {0};

	(void)state;
	r.block.rbps = rates;
	r.block.n_rbps = LIMITS_MAX + 1;
	assert_int_equal(limits_list(&r, 0, &list, &err), ERR_LIMIT);
	assert_non_null(strstr(err.msg, "over 128 settings"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_cpu_max),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_realtime),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_more),
		cmocka_unit_test(test_pids),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_hugetlb),
		cmocka_unit_test(test_rdma),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_unified),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

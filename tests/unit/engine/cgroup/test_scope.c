/* Scopes: names and paths, and resources as properties of systemd.  E28. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/cgroup/scope.h"

#include <string.h>

#define U(n) ((struct decode_u64){(n), true})
#define I(n) ((struct decode_i64){(n), true})

static void named(const char *path, const char *unit, const char *slice,
		  const char *group)
{
	struct err err = {0};
	struct scope s;

	assert_int_equal(scope_init(path, "id", "system.slice", &s, &err), 0);
	assert_string_equal(s.unit, unit);
	assert_string_equal(s.slice, slice);
	assert_string_equal(s.path, group);
}

static void test_names(void **state)
{
	(void)state;
	named(NULL, "reconcile-id.scope", "system.slice",
	      "system.slice/reconcile-id.scope");
	named("", "reconcile-id.scope", "system.slice",
	      "system.slice/reconcile-id.scope");
	named("machine.slice:libpod:abc", "libpod-abc.scope", "machine.slice",
	      "machine.slice/libpod-abc.scope");
	named("a-b_c-d.slice:cri:x@1", "cri-x@1.scope", "a-b_c-d.slice",
	      "a.slice/a-b_c.slice/a-b_c-d.slice/cri-x@1.scope");
	named(":p:n", "p-n.scope", "system.slice", "system.slice/p-n.scope");
	named("-.slice::n", "n.scope", "-.slice", "n.scope");
}

static void test_bad_names(void **state)
{
	static const struct {
		const char *path, *msg;
	} bad[] = {
		{"/a/b", "want SLICE:PREFIX:NAME"},
		{"a.slice:b", "want SLICE:PREFIX:NAME"},
		{"a.slice:b:c:d", "want SLICE:PREFIX:NAME"},
		{"a:b:c", "want the name of a slice"},
		{".slice:b:c", "want the name of a slice"},
		{"-a.slice:b:c", "want the name of a slice"},
		{"a-.slice:b:c", "want the name of a slice"},
		{"a--b.slice:b:c", "want the name of a slice"},
		{"../a.slice:b:c", "want the name of a slice"},
		{"a.slice:b:", "want the name of a unit"},
		{"a.slice:b:c/d", "want the name of a unit"},
		{"a.slice:b c:d", "want the name of a unit"},
		{"a.slice:b:c.slice", "not a slice"},
	};
	struct err err = {0};
	char longer[400];
	struct scope s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			scope_init(bad[i].path, "id", "system.slice", &s, &err),
			ERR_INPUT);
		assert_non_null(strstr(err.msg, bad[i].msg));
	}
	memset(longer, 'n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memcpy(longer, "a.slice:b:", 10);
	assert_int_equal(scope_init(longer, "id", "system.slice", &s, &err),
			 ERR_INPUT);
}

static void properties(const struct spec_resources *res, bool v2, bool devices,
		       const char *text)
{
	struct err err = {0};
	struct buf b;

	buf_init(&b, 65536);
	buf_puts(&b, "");
	if (scope_properties(res, v2, devices, &b, &err) == 0)
		assert_string_equal(b.data != NULL ? b.data : "", text);
	else
		assert_string_equal(err.msg, text);
	buf_release(&b);
}

static void test_properties(void **state)
{
	struct spec_resources r = {.devices = NULL};
	char cpus[] = "0-3,8,17", mems[] = "1";

	(void)state;
	properties(&r, true, false, "");
	r.memory.limit = I(1000);
	r.memory.swap = I(1500);
	r.memory.reservation = I(500);
	r.cpu.shares = U(1024);
	r.cpu.quota = I(20000);
	r.cpu.period = U(50000);
	r.cpu.cpus = cpus;
	r.cpu.mems = mems;
	r.pids.limit = I(0);
	r.block.weight = U(500);
	properties(&r, true, false,
		   "MemoryMax 1000\nMemoryLow 500\nMemorySwapMax 500\n"
		   "CPUWeight 100\nCPUQuotaPeriodUSec 50000\n"
		   "CPUQuotaPerSecUSec 400000\nAllowedCPUs 0f0102\n"
		   "AllowedMemoryNodes 02\nTasksMax 1\n");
	properties(&r, false, false,
		   "MemoryLimit 1000\nCPUShares 1024\n"
		   "CPUQuotaPeriodUSec 50000\nCPUQuotaPerSecUSec 400000\n"
		   "AllowedCPUs 0f0102\nAllowedMemoryNodes 02\n"
		   "BlockIOWeight 500\nTasksMax 1\n");
	r = (struct spec_resources){.devices = NULL};
	r.memory.limit = I(-1);
	r.cpu.quota = I(-1);
	r.cpu.idle = I(1);
	r.cpu.shares = U(1024);
	r.pids.limit = I(-1);
	properties(&r, true, false,
		   "MemoryMax infinity\nMemorySwapMax infinity\nCPUWeight 0\n"
		   "CPUQuotaPerSecUSec infinity\nTasksMax infinity\n");
}

static void test_lists(void **state)
{
	static const char *const bad[] = {"x",	  "1-",	  "-1",
					  "0,,1", "9999", "1 "};
	struct spec_resources r = {.devices = NULL};
	char text[8];
	size_t i;

	(void)state;
	r.cpu.cpus = text;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s", bad[i]);
		properties(&r, true, false,
			   "resources: AllowedCPUs: want a list of numbers and "
			   "ranges");
	}
}

static void test_unified(void **state)
{
	char k1[] = "memory.high", v1[] = "max", k2[] = "pids.max", v2[] = "9",
	     k3[] = "cpu.max", v3[] = "30000 60000", k4[] = "io.weight",
	     v4[] = "default 5", k5[] = "cpuset.cpus", v5[] = "9", bad[] = "x";
	char *map[] = {k1, v1, k2, v2, k3, v3, k4, v4, k5, v5, NULL};
	struct spec_resources r = {.unified = {map, 10}};

	(void)state;
	properties(&r, true, false,
		   "MemoryHigh infinity\nTasksMax 9\nCPUQuotaPeriodUSec 60000\n"
		   "CPUQuotaPerSecUSec 500000\nAllowedCPUs 0002\n");
	properties(&r, false, false, "");
	map[3] = bad;
	properties(&r, true, false,
		   "resources: unified: pids.max: want a number or max");
}

#define STANDARD                                                               \
	"DeviceAllow /dev/char/1:3 rwm\nDeviceAllow /dev/char/1:5 rwm\n"       \
	"DeviceAllow /dev/char/1:7 rwm\nDeviceAllow /dev/char/1:8 rwm\n"       \
	"DeviceAllow /dev/char/1:9 rwm\nDeviceAllow /dev/char/5:0 rwm\n"       \
	"DeviceAllow /dev/char/5:2 rwm\nDeviceAllow char-136 rwm\n"

static void test_devices(void **state)
{
	char a[] = "a", b[] = "b", c[] = "c", m[] = "m", rw[] = "rw",
	     rwm[] = "rwm";
	struct spec_dev_rule rules[] = {
		{.allow = false, .type = a, .access = rwm},
		{.allow = true, .type = b, .access = m},
		{.allow = true,
		 .type = c,
		 .major = I(10),
		 .minor = I(229),
		 .access = rw},
	};
	struct spec_resources r = {.devices = rules, .n_devices = 3};

	(void)state;
	properties(&r, true, true,
		   "DeviceAllow -\nDevicePolicy strict\nDeviceAllow block-* m\n"
		   "DeviceAllow /dev/char/10:229 rw\n" STANDARD);
	r.n_devices = 0;
	properties(&r, false, true,
		   "DeviceAllow -\nDevicePolicy strict\n" STANDARD);
	rules[0].allow = true;
	r.n_devices = 1;
	properties(&r, true, true, "DeviceAllow -\nDevicePolicy auto\n");
	/* All but something: systemd has no word for it. */
	rules[1].allow = false;
	r.n_devices = 2;
	properties(&r, false, true, "DeviceAllow -\nDevicePolicy strict\n");
	properties(&r, true, true, "DeviceAllow -\nDevicePolicy auto\n");
}

static void test_round(void **state)
{
	struct spec_cpu cpu = {.quota = I(33333), .period = U(100000)};

	(void)state;
	scope_round(&cpu);
	assert_int_equal(cpu.quota.v, 34000);
	scope_round(&cpu);
	assert_int_equal(cpu.quota.v, 34000);
	cpu = (struct spec_cpu){.quota = I(50000)};
	scope_round(&cpu);
	assert_int_equal(cpu.quota.v, 50000);
	cpu = (struct spec_cpu){.quota = I(-1), .period = U(1000)};
	scope_round(&cpu);
	assert_int_equal(cpu.quota.v, -1);
	cpu = (struct spec_cpu){.quota = I(INT64_MAX), .period = U(1000)};
	scope_round(&cpu);
	assert_int_equal(cpu.quota.v, INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_unified),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* E38: the BPF program for cgroup v2, run by a small interpreter here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/cgroup/devices.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX 512

/* The few instructions that devices.c emits. */
static int interpret(const struct bpf_insn *p, size_t n, const uint32_t ctx[3])
{
	uint64_t r[6] = {0};
	size_t at = 0;

	while (at < n) {
		const struct bpf_insn *i = &p[at++];
		uint64_t src =
			(i->code & BPF_X) ? r[i->src_reg] : (uint32_t)i->imm;
		bool jump;

		switch (i->code) {
		case BPF_LDX | BPF_W | BPF_MEM:
			r[i->dst_reg] = ctx[i->off / 4];
			continue;
		case BPF_ALU | BPF_MOV | BPF_X:
		case BPF_ALU64 | BPF_MOV | BPF_K:
			r[i->dst_reg] = src;
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			r[i->dst_reg] &= src;
			continue;
		case BPF_ALU | BPF_RSH | BPF_K:
			r[i->dst_reg] = (uint32_t)r[i->dst_reg] >> src;
			continue;
		case BPF_JMP | BPF_EXIT:
			return (int)r[0];
		case BPF_JMP | BPF_JNE | BPF_K:
		case BPF_JMP | BPF_JNE | BPF_X:
			jump = r[i->dst_reg] != src;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = r[i->dst_reg] == src;
			break;
		default:
			fail_msg("instruction %#x", i->code);
			return -1;
		}
		if (jump)
			at += (size_t)i->off;
	}
	fail_msg("ran off the end");
	return -1;
}

static int ask(const struct spec_resources *res, uint32_t type, uint32_t access,
	       uint32_t major, uint32_t minor)
{
	const uint32_t ctx[3] = {type | access << 16, major, minor};
	struct bpf_insn p[MAX];
	struct err err = {0};
	size_t n = 0;

	assert_int_equal(devices_program(res, p, MAX, &n, &err), 0);
	return interpret(p, n, ctx);
}

#define RW (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

static void test_standard(void **state)
{
	const struct spec_resources none = {.devices = NULL};

	(void)state;
	assert_int_equal(ask(&none, BPF_DEVCG_DEV_CHAR, RW, 1, 3), 1);
	assert_int_equal(ask(&none, BPF_DEVCG_DEV_CHAR, RW, 136, 77), 1);
	assert_int_equal(ask(&none, BPF_DEVCG_DEV_BLOCK, RW, 1, 3), 0);
	assert_int_equal(ask(&none, BPF_DEVCG_DEV_BLOCK, RW, 254, 0), 0);
	assert_int_equal(ask(&none, BPF_DEVCG_DEV_CHAR, RW, 1, 1), 0);
	assert_int_equal(
		ask(&none, BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_ACC_MKNOD, 8, 0), 0);
}

static void test_rules(void **state)
{
	char a[] = "a", c[] = "c", b[] = "b", r[] = "r", w[] = "w",
	     rwm[] = "rwm";
	struct spec_dev_rule rules[] = {
		{.allow = false, .type = a, .access = rwm},
		{.allow = true,
		 .type = c,
		 .major = {10, true},
		 .minor = {200, true},
		 .access = r},
		{.allow = true, .type = b, .major = {8, true}, .access = rwm},
		{.allow = false,
		 .type = b,
		 .major = {8, true},
		 .minor = {1, true},
		 .access = w},
	};
	struct spec_resources res = {.devices = rules, .n_devices = 4};

	(void)state;
	assert_int_equal(
		ask(&res, BPF_DEVCG_DEV_CHAR, BPF_DEVCG_ACC_READ, 10, 200), 1);
	assert_int_equal(ask(&res, BPF_DEVCG_DEV_CHAR, RW, 10, 200), 0);
	assert_int_equal(ask(&res, BPF_DEVCG_DEV_BLOCK, RW, 8, 2), 1);
	assert_int_equal(ask(&res, BPF_DEVCG_DEV_BLOCK, RW, 8, 1), 0);
	assert_int_equal(
		ask(&res, BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_ACC_READ, 8, 1), 1);
	rules[0].allow = true; /* privileged, then everything later */
	assert_int_equal(ask(&res, BPF_DEVCG_DEV_BLOCK, RW, 254, 0), 1);
}

static void test_refused(void **state)
{
	char bad[] = "rx", c[] = "c";
	struct spec_dev_rule rule = {.allow = true, .type = c, .access = bad};
	struct spec_resources res = {.devices = &rule, .n_devices = 1};
	struct bpf_insn p[MAX];
	struct err err = {0};
	size_t n = 0;

	(void)state;
	assert_int_equal(devices_program(&res, p, MAX, &n, &err), ERR_INPUT);
	assert_non_null(strstr(err.msg, "devices[0].access"));
	rule.access = NULL;
	assert_int_equal(devices_program(&res, p, 4, &n, &err), ERR_LIMIT);
}

static void put(const char *dir, const char *file, const char *text)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void expect(const char *dir, const char *file, const char *text)
{
	char path[256], have[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "r");
	assert_non_null(f);
	have[fread(have, 1, sizeof(have) - 1, f)] = '\0';
	assert_int_equal(fclose(f), 0);
	assert_string_equal(have, text);
	assert_int_equal(unlink(path), 0);
}

#define STANDARD                                                               \
	"c 1:3 rwm\nc 1:5 rwm\nc 1:7 rwm\nc 1:8 rwm\nc 1:9 rwm\n"              \
	"c 5:0 rwm\nc 5:2 rwm\nc 136:* rwm\n"

static void update(struct spec_resources *res, const char *list,
		   const char *deny, const char *allow)
{
	char dir[] = "/tmp/reconcile-devices.XXXXXX";
	struct err err = {0};
	int fd;

	assert_non_null(mkdtemp(dir));
	put(dir, "devices.list", list);
	put(dir, "devices.allow", "");
	put(dir, "devices.deny", "");
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(devices_update_v1(fd, res, &err), 0);
	(void)close(fd);
	expect(dir, "devices.deny", deny);
	expect(dir, "devices.allow", allow);
	expect(dir, "devices.list", list);
	assert_int_equal(rmdir(dir), 0);
}

/* A v1 list in use: only the difference is written. */
static void test_update_v1(void **state)
{
	char a[] = "a", c[] = "c", b[] = "b", rw[] = "rw", rwm[] = "rwm";
	struct spec_dev_rule rules[] = {
		{.allow = false, .type = a, .access = rwm},
		{.allow = true, .type = c, .major = {10, true}, .access = rw},
		{.allow = true, .type = b, .major = {8, true}, .access = rwm},
	};
	struct spec_resources res = {.devices = rules, .n_devices = 3};

	(void)state;
	update(&res, STANDARD "c 10:* rw\nb 8:* rwm\n", "", "");
	update(&res, STANDARD "c 10:* rm\nc 4:64 rwm\n", "c 10:* mc 4:64 rwm",
	       "c 10:* wb 8:* rwm");
	rules[2].allow = false;
	rules[2].type = c;
	rules[2].major.v = 10;
	update(&res, STANDARD "c 10:* rw\n", "c 10:* rw", "");
	res.n_devices = 0;
	update(&res, STANDARD "b *:* m\n", "b *:* m", "");
	/* From everything to something, and back, is written anew. */
	rules[0].allow = true;
	res.n_devices = 1;
	update(&res, "a *:* rwm\n", "", "");
	update(&res, STANDARD, "a",
	       "ac 1:3 rwmc 1:5 rwmc 1:7 rwmc 1:8 rwmc 1:9 rwmc 5:0 rwm"
	       "c 5:2 rwmc 136:* rwm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standard),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_update_v1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Trees of plain directories, pure v2 and hybrid: what is written, where, and
 * undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/cgroup/cgroup.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *dir, const char *file, const char *text)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static void expect(const char *dir, const char *file, const char *text)
{
	char path[512], have[128];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	n = read(fd, have, sizeof(have) - 1);
	(void)close(fd);
	assert_true(n >= 0);
	have[n] = '\0';
	assert_string_equal(have, text);
}

static int drop_one(const char *path, const struct stat *st, int type,
		    struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void drop(const char *root)
{
	assert_int_equal(nftw(root, drop_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void test_v2(void **state)
{
	char root[] = "/tmp/reconcile-cgroup.XXXXXX", leaf[256];
	struct spec_resources r = {.devices = NULL};
	struct err err = {0};
	struct cgroup c;

	(void)state;
	assert_non_null(mkdtemp(root));
	put(root, "cgroup.controllers", "cpu memory pids\n");
	put(root, "cgroup.subtree_control", "");
	assert_int_equal(cgroup_init(&c, root, true, "/a//b/", &err), 0);
	assert_true(c.v2_only);
	assert_string_equal(c.path, "a/b");
	assert_int_equal(cgmake_create(&c, &err), 0);
	expect(root, "cgroup.subtree_control", "+cpu +memory +pids");
	(void)snprintf(leaf, sizeof(leaf), "%s/a/b", root);
	put(leaf, "cgroup.controllers", "cpu memory pids\n");
	put(leaf, "memory.max", "");
	put(leaf, "pids.max", "");
	r.memory.limit = (struct decode_i64){4096, true};
	r.pids.limit = (struct decode_i64){5, true};
	assert_int_equal(cglimit_write(&c, &r, &err), 0);
	expect(leaf, "memory.max", "4096");
	expect(leaf, "pids.max", "5");
	r.block.weight = (struct decode_u64){100, true};
	assert_int_equal(cglimit_write(&c, &r, &err), ERR_NOTFOUND);
	assert_non_null(strstr(err.msg, "\"io\" is not there"));
	put(leaf, "memory.max", "4096\n");
	put(leaf, "memory.swap.max", "1024\n");
	r = (struct spec_resources){.devices = NULL};
	r.memory.limit = (struct decode_i64){2048, true};
	assert_int_equal(cglimit_complete(&c, &r, &err), 0);
	assert_int_equal(cglimit_update(&c, &r, &err), 0);
	expect(leaf, "memory.swap.max", "3072\n"); /* what they were together */
	expect(leaf, "memory.max", "2048\n");
	put(leaf, "memory.current", "2048\n");
	r.memory.check = (struct decode_bool){true, true};
	assert_int_equal(cglimit_complete(&c, &r, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.msg, "over the 2048 bytes"));
	put(leaf, "cpu.max", "7000 90000\n");
	r = (struct spec_resources){.devices = NULL};
	r.cpu.period = (struct decode_u64){50000, true};
	assert_int_equal(cglimit_complete(&c, &r, &err), 0);
	assert_int_equal(r.cpu.quota.v, 7000);
	r.cpu = (struct spec_cpu){.quota = {-1, true}};
	assert_int_equal(cglimit_complete(&c, &r, &err), 0);
	assert_int_equal(r.cpu.period.v, 90000);
	assert_int_equal(cgroup_look(&c, &err), 0);
	assert_true(c.reused);
	put(leaf, "cgroup.freeze", "1\n");
	assert_int_equal(cgroup_look(&c, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.msg, "and frozen"));
	put(leaf, "cgroup.procs", "12\n");
	assert_int_equal(cgroup_look(&c, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.msg, "has processes already"));
	cgroup_release(&c);
	drop(root);
}

static bool there(const char *root, const char *path)
{
	char name[512];

	(void)snprintf(name, sizeof(name), "%s/%s", root, path);
	return access(name, F_OK) == 0;
}

static void make(const char *root, const char *path)
{
	char name[512];

	(void)snprintf(name, sizeof(name), "%s/%s", root, path);
	assert_int_equal(mkdir(name, 0755), 0);
}

/* memory is v1's here, pids and hugetlb are v2's. */
static void test_hybrid(void **state)
{
	char root[] = "/tmp/reconcile-cgroup.XXXXXX", dir[256];
	struct spec_resources r = {.devices = NULL};
	struct err err = {0};
	struct cgroup c;

	(void)state;
	assert_non_null(mkdtemp(root));
	make(root, "memory");
	make(root, "cpu,cpuacct");
	make(root, "unified");
	(void)snprintf(dir, sizeof(dir), "%s/unified", root);
	put(dir, "cgroup.controllers", "hugetlb pids\n");
	put(dir, "cgroup.subtree_control", "");
	assert_int_equal(cgroup_init(&c, root, true, "a", &err), 0);
	assert_false(c.v2_only);
	assert_int_equal(cgmake_create(&c, &err), 0);
	assert_true(there(root, "memory/a") && there(root, "cpu,cpuacct/a"));
	(void)snprintf(dir, sizeof(dir), "%s/unified/a", root);
	put(dir, "cgroup.controllers", "pids\n");
	put(dir, "pids.max", "");
	(void)snprintf(dir, sizeof(dir), "%s/memory/a", root);
	put(dir, "memory.limit_in_bytes", "");
	put(dir, "memory.swappiness", "");
	r.memory.limit = (struct decode_i64){4096, true};
	r.memory.swappiness = (struct decode_u64){10, true};
	r.pids.limit = (struct decode_i64){5, true};
	assert_int_equal(cglimit_write(&c, &r, &err), 0);
	expect(dir, "memory.limit_in_bytes", "4096");
	expect(dir, "memory.swappiness", "10");
	(void)snprintf(dir, sizeof(dir), "%s/unified", root);
	expect(dir, "cgroup.subtree_control", "+pids");
	(void)snprintf(dir, sizeof(dir), "%s/unified/a", root);
	expect(dir, "pids.max", "5");
	cgroup_release(&c);
	drop(root);
}

/* Parents go with the last group in them, those of others stay, hierarchy by
 * hierarchy. */
static void test_parents(void **state)
{
	char root[] = "/tmp/reconcile-cgroup.XXXXXX";
	char marks[] = "/tmp/reconcile-marks.XXXXXX";
	struct err err = {0};
	struct cgroup c, d;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_non_null(mkdtemp(marks));
	make(root, "memory");
	make(root, "pids");
	make(root, "pids/top"); /* another's */
	assert_int_equal(cgroup_init(&c, root, true, "top/mid/x", &err), 0);
	assert_int_equal(cgroup_init(&d, root, true, "top/mid/y", &err), 0);
	c.marks = d.marks = open(marks, O_RDONLY | O_DIRECTORY);
	assert_int_equal(cgmake_create(&c, &err), 0);
	assert_int_equal(cgmake_create(&d, &err), 0);
	assert_true(there(root, "memory/top/mid/x"));
	assert_true(there(marks, ".cgroup:top") &&
		    there(marks, ".cgroup:top:mid"));
	assert_int_equal(cgmake_remove(&c, &err), 0);
	assert_false(there(root, "memory/top/mid/x"));
	assert_true(there(root, "memory/top/mid/y"));
	make(root, "pids/top/mid/y/below");
	assert_int_equal(cgmake_remove(&d, &err), 0);
	assert_false(there(root, "memory/top") || there(root, "pids/top/mid"));
	assert_true(there(root, "pids/top"));
	assert_false(there(marks, ".cgroup:top") ||
		     there(marks, ".cgroup:top:mid"));
	(void)close(c.marks);
	cgroup_release(&c);
	cgroup_release(&d);
	drop(root);
	drop(marks);
}

static void test_paths(void **state)
{
	static const char *const bad[] = {"/..", "a/../b", "", "/", "a/./b"};
	struct err err = {0};
	struct cgroup c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(cgroup_init(&c, "/", true, bad[i], &err),
				 ERR_INPUT);
		assert_non_null(strstr(err.msg, "cgroupsPath"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_hybrid),
		cmocka_unit_test(test_parents),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

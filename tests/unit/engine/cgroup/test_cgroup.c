/* A pure v2 tree of plain directories: what is written, where, and undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/cgroup/cgroup.h"

#include <fcntl.h>
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
	assert_int_equal(cgroup_create(&c, &err), 0);
	/* A plain file keeps the tail of the longer "+memory". */
	expect(root, "cgroup.subtree_control", "+pidsry");
	(void)snprintf(leaf, sizeof(leaf), "%s/a/b", root);
	put(leaf, "cgroup.controllers", "cpu memory pids\n");
	put(leaf, "memory.max", "");
	put(leaf, "pids.max", "");
	r.memory.limit = (struct decode_i64){4096, true};
	r.pids.limit = (struct decode_i64){5, true};
	assert_int_equal(cglimit_write(&c, &r, false, &err), 0);
	expect(leaf, "memory.max", "4096");
	expect(leaf, "pids.max", "5");
	r.block.weight = (struct decode_u64){100, true};
	assert_int_equal(cglimit_write(&c, &r, false, &err), ERR_NOTFOUND);
	assert_non_null(strstr(err.msg, "\"io\" is not there"));
	put(leaf, "cgroup.procs", "12\n");
	assert_int_equal(cgroup_look(&c, &err), ERR_CONFLICT);
	cgroup_release(&c);
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
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

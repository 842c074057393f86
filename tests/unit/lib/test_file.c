/* test_file.c - whole files, links, replacement, removal of hostile trees. */
#include "lib/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct place {
	char path[64];
	int dir;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	(void)snprintf(p->path, sizeof(p->path), "/tmp/test-file-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->dir >= 0);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	struct err e = {0};

	(void)close(p->dir);
	assert_int_equal(file_remove_tree(AT_FDCWD, p->path, &e), 0);
	assert_int_equal(access(p->path, F_OK), -1);
	free(p);
	return 0;
}

static void replace_and_read(void **state)
{
	struct place *p = *state;
	struct err e = {0};
	struct stat st;
	struct buf b;

	buf_init(&b, 100000);
	assert_int_equal(file_replace(p->dir, "f", 0640, "one", 3, &e), 0);
	assert_int_equal(file_replace(p->dir, "f", 0600, "two!", 4, &e), 0);
	assert_int_equal(file_read(p->dir, "f", 4, &b, &e), 0);
	assert_string_equal(b.data, "two!");
	assert_int_equal(fstatat(p->dir, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	buf_reset(&b);
	assert_int_equal(file_read(p->dir, "f", 3, &b, &e), ERR_LIMIT);
	assert_string_equal(e.msg, "f: want at most 3 bytes, have more");
	buf_release(&b);
	buf_init(&b, 2);
	assert_int_equal(file_read(p->dir, "f", 100, &b, &e), ERR_LIMIT);
	buf_release(&b);
}

static void read_refuses(void **state)
{
	struct place *p = *state;
	struct err e = {0};
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(file_read(p->dir, "none", 9, &b, &e), ERR_NOTFOUND);
	assert_int_equal(symlinkat("/etc/passwd", p->dir, "l"), 0);
	assert_int_equal(file_read(p->dir, "l", 9, &b, &e), ERR_INPUT);
	assert_string_equal(e.msg, "l: want a regular file, have a link");
	assert_int_equal(mkfifoat(p->dir, "p", 0600), 0);
	assert_int_equal(file_read(p->dir, "p", 9, &b, &e), ERR_INPUT);
	assert_int_equal(file_read(p->dir, ".", 9, &b, &e), ERR_INPUT);
	assert_string_equal(e.msg, ".: want a regular file");
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void big_file_round_trip(void **state)
{
	struct place *p = *state;
	size_t len = 3u << 20;
	char *data = malloc(len);
	struct err e = {0};
	struct buf b;

	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7);
	assert_int_equal(file_replace(p->dir, "f", 0600, data, len, &e), 0);
	buf_init(&b, len);
	assert_int_equal(file_read(p->dir, "f", len, &b, &e), 0);
	assert_int_equal(b.len, len);
	assert_memory_equal(b.data, data, len);
	buf_release(&b);
	free(data);
}

static void failed_replace_leaves_all_as_it_was(void **state)
{
	struct place *p = *state;
	struct err e = {0};
	struct buf b;

	assert_int_equal(mkdirat(p->dir, "d", 0700), 0);
	assert_int_equal(file_replace(p->dir, "d", 0600, "x", 1, &e), ERR_SYS);
	assert_string_equal(e.msg, "d: rename: Is a directory");
	assert_int_equal(file_replace(p->dir, "n/f", 0600, "x", 1, &e),
			 ERR_NOTFOUND);
	assert_int_equal(file_replace(p->dir, "d/f", 0600, "x", 1, &e), 0);
	buf_init(&b, 10);
	assert_int_equal(file_read(p->dir, "d/f", 10, &b, &e), 0);
	buf_release(&b);
	assert_int_equal(unlinkat(p->dir, "d/f", 0), 0);
	/* no temporary file is left */
	assert_int_equal(unlinkat(p->dir, "d", AT_REMOVEDIR), 0);
}

static void mkdirs(void **state)
{
	struct place *p = *state;
	struct err e = {0};
	struct stat st;
	int fd = -1;

	assert_int_equal(file_mkdirs(p->dir, "a//b/./c", 0750, &fd, &e), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	(void)close(fd);
	assert_int_equal(faccessat(p->dir, "a/b/c", F_OK, 0), 0);
	assert_int_equal(file_mkdirs(p->dir, "a/../x", 0750, &fd, &e),
			 ERR_INPUT);
	assert_string_equal(e.msg, "path has \"..\"");
	assert_int_equal(symlinkat("/tmp", p->dir, "l"), 0);
	assert_int_equal(file_mkdirs(p->dir, "l/x", 0750, &fd, &e), ERR_SYS);
}

static void lock_is_exclusive(void **state)
{
	struct place *p = *state;
	struct err e = {0};
	int a = -1, b = -1;

	assert_int_equal(file_lock(p->dir, "lock", &a, &e), 0);
	assert_int_equal(file_lock(p->dir, "lock", &b, &e), ERR_AGAIN);
	assert_string_equal(e.msg, "lock: held by another process");
	(void)close(a);
	assert_int_equal(file_lock(p->dir, "lock", &b, &e), 0);
	(void)close(b);
}

/* Deeper than descriptors allow, with names as ours would be. */
static void E_remove_deep_tree(void **state)
{
	struct place *p = *state;
	struct err e = {0};
	int fd = openat(p->dir, ".", O_RDONLY | O_DIRECTORY);

	assert_int_equal(mkdirat(fd, ".deep-0", 0700), 0);
	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		(void)close(fd);
		fd = next;
		assert_true(fd >= 0);
	}
	(void)close(fd);
	assert_int_equal(file_remove_tree(p->dir, "d", &e), 0);
	assert_int_equal(faccessat(p->dir, "d", F_OK, 0), -1);
	assert_int_equal(file_remove_tree(p->dir, "never", &e), 0);
}

static void remove_does_not_follow_links(void **state)
{
	struct place *p = *state;
	struct err e = {0};

	assert_int_equal(mkdirat(p->dir, "keep", 0700), 0);
	assert_int_equal(file_replace(p->dir, "keep/f", 0600, "x", 1, &e), 0);
	assert_int_equal(mkdirat(p->dir, "t", 0700), 0);
	assert_int_equal(symlinkat("../keep", p->dir, "t/l"), 0);
	assert_int_equal(file_remove_tree(p->dir, "t", &e), 0);
	assert_int_equal(faccessat(p->dir, "keep/f", F_OK, 0), 0);
	assert_int_equal(symlinkat("keep", p->dir, "l"), 0);
	assert_int_equal(file_remove_tree(p->dir, "l", &e), 0);
	assert_int_equal(faccessat(p->dir, "keep/f", F_OK, 0), 0);
}

static void remove_does_not_cross_mounts(void **state)
{
	struct place *p = *state;
	struct err e = {0};
	char at[96], keep[96];

	if (geteuid() != 0)
		return;
	(void)snprintf(keep, sizeof(keep), "%s/keep", p->path);
	(void)snprintf(at, sizeof(at), "%s/t/m", p->path);
	assert_int_equal(mkdirat(p->dir, "keep", 0700), 0);
	assert_int_equal(file_replace(p->dir, "keep/f", 0600, "x", 1, &e), 0);
	assert_int_equal(mkdirat(p->dir, "t", 0700), 0);
	assert_int_equal(mkdirat(p->dir, "t/m", 0700), 0);
	assert_int_equal(mount(keep, at, NULL, MS_BIND, NULL), 0);
	assert_true(file_remove_tree(p->dir, "t", &e) < 0);
	assert_int_equal(umount2(at, MNT_DETACH), 0);
	assert_int_equal(faccessat(p->dir, "keep/f", F_OK, 0), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replace_and_read),
		TEST(read_refuses),
		TEST(big_file_round_trip),
		TEST(failed_replace_leaves_all_as_it_was),
		TEST(mkdirs),
		TEST(lock_is_exclusive),
		TEST(E_remove_deep_tree),
		TEST(remove_does_not_follow_links),
		TEST(remove_does_not_cross_mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_user.c - user strings of images (threats E24, E26). */
#include "agent/pod/user.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char passwd_text[] = "root:x:0:0:root:/root:/bin/sh\n"
				  "web:x:1000:1001::/home/web:/bin/sh\n"
				  "123:x:7:7::/:/bin/sh\n"
				  "huge:x:4294967296:0::/:/bin/sh\n"
				  "short:x:5\n"
				  "neg:x:-1:0::/:/bin/sh\n";
static const char group_text[] = "root:x:0:\nweb:x:1001:\n"
				 "extra:x:1005:a,web,b\nother:x:1006:web2\n";

struct row {
	const char *user;
	int code;
	uint32_t uid, gid;
	size_t n_groups;
};

static const struct row rows[] = {
	{"", 0, 0, 0, 0},
	{"root", 0, 0, 0, 0},
	{"web", 0, 1000, 1001, 1},
	{"1000", 0, 1000, 1001, 0},
	{"1000:5", 0, 1000, 5, 0},
	{"web:root", 0, 1000, 0, 1},
	{"4000", 0, 4000, 0, 0},
	{"0", 0, 0, 0, 0},
	{"65535", 0, 65535, 0, 0},
	/* looks like a number, so it is one or nothing */
	{"123", 0, 123, 0, 0},
	{"+1", ERR_INPUT, 0, 0, 0},
	{"01", ERR_INPUT, 0, 0, 0},
	{" 0", ERR_INPUT, 0, 0, 0},
	{"0x0", ERR_INPUT, 0, 0, 0},
	{"65536", ERR_INPUT, 0, 0, 0},
	{"4294967296", ERR_INPUT, 0, 0, 0},
	{"-1", ERR_INPUT, 0, 0, 0},
	{"1:", ERR_INPUT, 0, 0, 0},
	{":1", ERR_INPUT, 0, 0, 0},
	{"root\n", ERR_INPUT, 0, 0, 0},
	{"\xef\xbc\x91", ERR_INPUT, 0, 0, 0},
	{"nobody", ERR_INPUT, 0, 0, 0},
	{"huge", ERR_INPUT, 0, 0, 0},
	{"short", ERR_INPUT, 0, 0, 0},
	{"neg", ERR_INPUT, 0, 0, 0},
	{"web:nogroup", ERR_INPUT, 0, 0, 0},
	{"web:99999999999", ERR_INPUT, 0, 0, 0},
};

static void table_E26(void **state)
{
	struct buf passwd, group;

	(void)state;
	buf_init(&passwd, 4096);
	buf_init(&group, 4096);
	buf_puts(&passwd, passwd_text);
	buf_puts(&group, group_text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct user_ids ids = {.uid = 99};
		struct err err = {0};
		int r = user_parse(rows[i].user, &passwd, &group, &ids, &err);

		if (r != rows[i].code)
			fail_msg("row %zu: %d %s", i, r, err.msg);
		if (r < 0) {
			assert_int_equal(ids.uid, 99);
			assert_non_null(strstr(err.msg, "of the image"));
			continue;
		}
		assert_int_equal(ids.uid, rows[i].uid);
		assert_int_equal(ids.gid, rows[i].gid);
		assert_int_equal(ids.n_groups, rows[i].n_groups);
	}
	buf_release(&passwd);
	buf_release(&group);
}

static void try_file(const char *dir, int want, const char *words)
{
	const char *layers[] = {dir};
	struct err err = {0};
	struct buf b;

	buf_init(&b, USER_FILE_BYTES_MAX);
	assert_int_equal(user_file(layers, 1, "passwd", &b, &err), want);
	if (words)
		assert_non_null(strstr(err.msg, words));
	buf_release(&b);
}

static void hostile_files_E24(void **state)
{
	char dir[] = "/tmp/test-user.XXXXXX", etc[64], path[80];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(etc, sizeof(etc), "%s/etc", dir);
	(void)snprintf(path, sizeof(path), "%s/passwd", etc);
	try_file(dir, 0, NULL); /* no etc at all */
	assert_int_equal(mkdir(etc, 0755), 0);
	try_file(dir, 0, NULL);
	assert_int_equal(mkfifo(path, 0644), 0);
	try_file(dir, ERR_INPUT, "want a regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	try_file(dir, ERR_INPUT, "want a regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(close(creat(path, 0644)), 0);
	assert_int_equal(truncate(path, 1 << 30), 0);
	try_file(dir, ERR_LIMIT, NULL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(etc), 0);
	assert_int_equal(symlink("/", etc), 0);
	try_file(dir, 0, NULL); /* a link for etc is not followed */
	assert_int_equal(unlink(etc), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_E26),
		cmocka_unit_test(hostile_files_E24),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

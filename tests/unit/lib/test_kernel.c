/* test_kernel.c - what is missing is named, with what switches it off. */
#include "lib/kernel.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void this_kernel_has_all(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(kernel_check_calls(&err), 0);
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	(void)close(fd);
}

static void userns_switched_off(void **state)
{
	static const char *const dirs[] = {"self", "self/ns", "sys",
					   "sys/user"};
	static const char *const files[] = {"sys/user/max_user_namespaces",
					    "self/ns/user"};
	char dir[] = "/tmp/test_kernel.XXXXXX", path[256];
	struct err err = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(kernel_check_userns(dir, &err), ERR_SYS);
	assert_non_null(strstr(err.msg, "CONFIG_USER_NS"));
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	put(dir, files[1], "x");
	assert_int_equal(kernel_check_userns(dir, &err), 0);
	put(dir, files[0], "0\n");
	assert_int_equal(kernel_check_userns(dir, &err), ERR_SYS);
	assert_non_null(strstr(err.msg, "user.max_user_namespaces above 0"));
	put(dir, files[0], "4096\n");
	assert_int_equal(kernel_check_userns(dir, &err), 0);
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	for (size_t i = 4; i-- > 0;) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, dirs[i]);
		(void)rmdir(path);
	}
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_kernel_has_all),
		cmocka_unit_test(userns_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

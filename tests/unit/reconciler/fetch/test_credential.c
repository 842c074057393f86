/* test_credential.c - what a credential file may be (G12); no message has a
 * part of it. */
#include "reconciler/fetch/credential.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define SECRET "s3cret"

static const struct {
	const char *text;
	size_t len; /* 0: of the text */
	int r;
	const char *header;
} rows[] = {
	{"bearer s3cret\n", 0, 0, "Authorization: Bearer s3cret"},
	{"bearer s3cret", 0, 0, "Authorization: Bearer s3cret"},
	{"basic user:s3cret\n", 0, 0, "Authorization: Basic dXNlcjpzM2NyZXQ="},
	{"basic user:\n", 0, 0, "Authorization: Basic dXNlcjo="},
	{"", 0, ERR_INPUT, NULL},
	{"\n", 0, ERR_INPUT, NULL},
	{"s3cret\n", 0, ERR_INPUT, NULL},
	{"bearer \n", 0, ERR_INPUT, NULL},
	{"bearer s3cret\r\n", 0, ERR_INPUT, NULL},
	{"bearer s3cret\nX: y\n", 0, ERR_INPUT, NULL},
	{"bearer s3cret two\n", 0, ERR_INPUT, NULL},
	{"Bearer s3cret\n", 0, ERR_INPUT, NULL},
	{"basic s3cret\n", 0, ERR_INPUT, NULL},
	{"basic us er:s3cret\n", 0, ERR_INPUT, NULL},
	{"bearer s3\0cret", 14, ERR_INPUT, NULL},
	{"bearer s3cret\xc3\xa9\n", 0, ERR_INPUT, NULL},
};

static char path[] = "/tmp/test_credential.XXXXXX";

static void write_file(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	(void)close(fd);
}

static void G12_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char header[CREDENTIAL_HEADER_BYTES] = "";
		struct err err = {0};

		write_file(rows[i].text, rows[i].len != 0
						 ? rows[i].len
						 : strlen(rows[i].text));
		assert_int_equal(credential_read(path, header, &err),
				 rows[i].r);
		if (rows[i].r == 0)
			assert_string_equal(header, rows[i].header);
		assert_null(strstr(err.msg, SECRET));
	}
}

static void G12_the_largest(void **state)
{
	char header[CREDENTIAL_HEADER_BYTES];
	char text[FILE_BYTES + 1];
	struct err err = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "basic u:", 8);
	write_file(text, FILE_BYTES - 1);
	assert_int_equal(credential_read(path, header, &err), 0);
	write_file(text, FILE_BYTES + 1);
	assert_int_equal(credential_read(path, header, &err), ERR_LIMIT);
}

static void G12_who_can_read_it(void **state)
{
	char header[CREDENTIAL_HEADER_BYTES];
	struct err err = {0};

	(void)state;
	write_file("bearer s3cret\n", 14);
	for (mode_t bit = 1; bit <= 040; bit <<= 1) {
		assert_int_equal(chmod(path, 0600 | bit), 0);
		assert_int_equal(credential_read(path, header, &err),
				 ERR_DENIED);
		assert_non_null(strstr(err.msg, "read by others"));
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(credential_read(path, header, &err), 0);
	assert_int_equal(credential_read("relative", header, &err), ERR_INPUT);
	assert_int_equal(credential_read("/dev/null", header, &err), ERR_INPUT);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(credential_read(path, header, &err),
				 ERR_DENIED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(G12_files),
		cmocka_unit_test(G12_the_largest),
		cmocka_unit_test(G12_who_can_read_it),
	};
	int fd = mkstemp(path);
	int r;

	if (fd < 0)
		return 1;
	(void)close(fd);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return r;
}

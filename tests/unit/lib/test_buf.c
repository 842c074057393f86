/* test_buf.c - growth, the maximum, the failed state. */
#include "lib/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void appends(void **state)
{
	struct buf b;
	size_t len = 0;
	char *p;

	(void)state;
	buf_init(&b, 1000);
	assert_null(b.data);
	buf_puts(&b, "abc");
	buf_putc(&b, 'd');
	buf_printf(&b, "%d", 12);
	buf_put(&b, "", 0);
	assert_string_equal(b.data, "abcd12");
	assert_int_equal(b.len, 6);
	p = buf_reserve(&b, 3);
	memcpy(p, "xyz", 3);
	buf_commit(&b, 2);
	assert_string_equal(b.data, "abcd12xy");
	p = buf_steal(&b, &len);
	assert_int_equal(len, 8);
	assert_null(b.data);
	free(p);
	buf_release(&b);
}

static void exactly_the_maximum(void **state)
{
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_puts(&b, "1234");
	assert_int_equal(buf_check(&b, &e), 0);
	buf_putc(&b, '5');
	assert_int_equal(buf_check(&b, &e), ERR_LIMIT);
	assert_non_null(strstr(e.msg, "more than 4 bytes"));
	assert_string_equal(b.data, "1234");
	buf_printf(&b, "x");
	assert_int_equal(b.len, 4);
	buf_reset(&b);
	assert_int_equal(buf_check(&b, &e), 0);
	assert_string_equal(b.data, "");
	buf_puts(&b, "ok");
	assert_string_equal(b.data, "ok");
	buf_release(&b);
	buf_release(&b);
}

static void huge_is_refused_not_wrapped(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	buf_putc(&b, 'a');
	assert_null(buf_reserve(&b, SIZE_MAX - 1));
	assert_true(b.failed);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends),
		cmocka_unit_test(exactly_the_maximum),
		cmocka_unit_test(huge_is_refused_not_wrapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

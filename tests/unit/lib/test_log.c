/* test_log.c - one fact, one line. */
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void capture(struct buf *b, enum log_level level, const char *value)
{
	int saved = dup(STDERR_FILENO), p[2];
	struct err e = {0};

	assert_int_equal(pipe(p), 0);
	assert_true(dup2(p[1], STDERR_FILENO) >= 0);
	(void)close(p[1]);
	log_line(level, "pod.start", "pod=%s ms=%d", value, 5);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	assert_int_equal(file_read_fd(p[0], 100000, b, &e), 0);
	(void)close(p[0]);
}

static void lines(void **state)
{
	char big[9000];
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	log_init("reconcile-test", LOG_LEVEL_INFO);
	capture(&b, LOG_LEVEL_INFO, "a");
	assert_string_equal(b.data, "program=reconcile-test level=info "
				    "event=pod.start pod=a ms=5\n");
	buf_reset(&b);
	capture(&b, LOG_LEVEL_DEBUG, "a");
	assert_int_equal(b.len, 0);
	capture(&b, LOG_LEVEL_ERROR, "a\nlevel=info\x1b[0m");
	assert_non_null(strstr(b.data, "pod=a?level=info?[0m"));
	assert_ptr_equal(strchr(b.data, '\n'), b.data + b.len - 1);
	buf_reset(&b);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	capture(&b, LOG_LEVEL_WARN, big);
	assert_int_equal(b.len, 4095);
	assert_ptr_equal(strchr(b.data, '\n'), b.data + b.len - 1);
	buf_release(&b);
}

static void levels(void **state)
{
	enum log_level level = LOG_LEVEL_WARN;

	(void)state;
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_false(log_level_parse("loud", &level));
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_https_answer.c - heads of answers: what is read of them, what they lead
 * to (A68, A70, A71). */
#include "reconciler/fetch/https_answer.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define WANT "application/x-git-upload-pack-result"

static const struct {
	const char *type, *location;
	long status;
	int r;
	const char *why;
} rows[] = {
	{"Content-Type: " WANT, NULL, 200, 0, NULL},
	{"content-type:\t" WANT " ; charset=utf-8\r\n", NULL, 200, 0, NULL},
	{"CONTENT-TYPE:Application/X-git-upload-pack-RESULT", NULL, 200, 0,
	 NULL},
	{"Content-Type: " WANT "x", NULL, 200, ERR_PROTO, "no repository"},
	{"Content-Type: application/x-git", NULL, 200, ERR_PROTO, "no repo"},
	{"Content-Type : " WANT, NULL, 200, ERR_PROTO, "have \"\""},
	{"X-Content-Type: " WANT, NULL, 200, ERR_PROTO, "have \"\""},
	{"Content-Type: \033[31m", NULL, 200, ERR_PROTO, "\\x1"},
	{"Content-Type: " WANT, NULL, 204, ERR_PROTO, "have 204"},
	{"Content-Type: " WANT, "Location: https://o/x", 301, ERR_INPUT,
	 "(status 301) to \"https://o/x\""},
	{"Content-Type: " WANT, "location: http://o/\033]0;x\007", 307,
	 ERR_INPUT, "\\x1"},
	{"Content-Type: " WANT, NULL, 399, ERR_INPUT, "to \"\""},
	{"Content-Type: " WANT, NULL, 401, ERR_DENIED, "credential"},
	{"Content-Type: " WANT, NULL, 403, ERR_DENIED, "refuses"},
	{"Content-Type: " WANT, NULL, 404, ERR_NOTFOUND, "no such repository"},
	{"Content-Type: " WANT, NULL, 429, ERR_AGAIN, "fewer"},
	{"Content-Type: " WANT, NULL, 503, ERR_AGAIN, "503"},
	{"Content-Type: " WANT, NULL, 0, ERR_PROTO, "have 0"},
};

static void take(struct https_answer *a, const char *line)
{
	struct err err = {0};

	if (line != NULL)
		assert_int_equal(
			https_answer_header(a, line, strlen(line), &err), 0);
}

static void A68_A71_heads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct https_answer a = {0};
		struct err err = {0};

		take(&a, rows[i].type);
		take(&a, rows[i].location);
		assert_int_equal(
			https_answer_check(&a, rows[i].status, WANT, &err),
			rows[i].r);
		if (rows[i].why != NULL)
			assert_non_null(strstr(err.msg, rows[i].why));
		assert_null(strpbrk(err.msg, "\033\007"));
	}
}

static void A70_a_head_is_bounded(void **state)
{
	struct https_answer a = {0};
	struct err err = {0};
	char line[1024];
	int r = 0;
	int n = 0;

	(void)state;
	memset(line, 'x', sizeof(line));
	while (r == 0 && n++ < 1000)
		r = https_answer_header(&a, line, sizeof(line), &err);
	assert_int_equal(r, ERR_LIMIT);
	assert_int_equal(n, HTTPS_HEAD_BYTES / sizeof(line) + 1);
}

static void what_does_not_fit_is_not_there(void **state)
{
	struct https_answer a = {0};
	struct err err = {0};
	char line[4096];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "Location: ", 10);
	assert_int_equal(https_answer_header(&a, line, sizeof(line), &err), 0);
	assert_string_equal(a.location, "");
	assert_int_equal(https_answer_header(&a, "Location: a\0b", 13, &err),
			 0);
	assert_string_equal(a.location, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A68_A71_heads),
		cmocka_unit_test(A70_a_head_is_bounded),
		cmocka_unit_test(what_does_not_fit_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

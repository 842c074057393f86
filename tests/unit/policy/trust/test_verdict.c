/* test_verdict.c - the table of T codes: no gaps in its texts, no doubles. */
#include "policy/trust/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROW(name, number, text, fix) TCODE_##name,
static const enum tcode codes[] = {TCODE_LIST(ROW)};
#undef ROW
#define N (sizeof(codes) / sizeof(codes[0]))

static void every_code_has_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++) {
		const char *name = verdict_name(codes[i]);
		char want[8];

		snprintf(want, sizeof(want), "T%u", (unsigned int)codes[i]);
		assert_string_equal(name, want);
		assert_true(strlen(verdict_text(codes[i])) > 10);
		assert_true(strlen(verdict_fix(codes[i])) > 5);
		if (i > 0)
			assert_true(codes[i] > codes[i - 1]);
	}
	assert_string_equal(verdict_name(TCODE_OK), "OK");
	assert_string_equal(verdict_name((enum tcode)9999), "T000");
	assert_string_equal(verdict_fix((enum tcode)9999), "");
}

static void filling_and_wrapping(void **state)
{
	struct verdict v = {0};
	char longer[600];

	(void)state;
	assert_int_equal(verdict_fail(&v, TCODE_DATE, "have %d", 7), ERR_TRUST);
	assert_int_equal(verdict_wrap(&v, "line %d", 3), ERR_TRUST);
	assert_string_equal(v.reason, "line 3: have 7");
	assert_int_equal(v.code, TCODE_DATE);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	assert_int_equal(verdict_wrap(&v, "%s", longer), ERR_TRUST);
	assert_int_equal(strlen(v.reason), sizeof(v.reason) - 1);
	assert_int_equal(verdict_fail(NULL, TCODE_DATE, "x"), ERR_TRUST);
	assert_int_equal(verdict_wrap(NULL, "x"), ERR_TRUST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_its_words),
		cmocka_unit_test(filling_and_wrapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

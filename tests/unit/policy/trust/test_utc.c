/* test_utc.c - times of allowed signers: UTC or an error (A9). */
#include "policy/trust/utc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *text;
	enum utc_result want;
	int64_t when;
} rows[] = {
	{"19700101Z", UTC_OK, 0},
	{"19700102Z", UTC_OK, 86400},
	{"20000229Z", UTC_OK, 951782400},
	{"20000301Z", UTC_OK, 951868800},
	{"20260101Z", UTC_OK, 1767225600},
	{"202601010102Z", UTC_OK, 1767225600 + 3720},
	{"20260101010203Z", UTC_OK, 1767225600 + 3723},
	{"20380119031408Z", UTC_OK, INT64_C(2147483648)},
	{"99991231235959Z", UTC_OK, INT64_C(253402300799)},
	{"20260101", UTC_LOCAL, 0},
	{"202601010102", UTC_LOCAL, 0},
	{"20260101010203", UTC_LOCAL, 0},
	{"20260229Z", UTC_BAD, 0},
	{"19000101Z", UTC_BAD, 0},
	{"20261301Z", UTC_BAD, 0},
	{"20260001Z", UTC_BAD, 0},
	{"20260100Z", UTC_BAD, 0},
	{"202601012400Z", UTC_BAD, 0},
	{"202601010060Z", UTC_BAD, 0},
	{"20260101z", UTC_BAD, 0},
	{"20260101ZZ", UTC_BAD, 0},
	{"2026-01-01Z", UTC_BAD, 0},
	{" 20260101Z", UTC_BAD, 0},
	{"Z", UTC_BAD, 0},
	{"", UTC_BAD, 0},
};

static void A09_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t when = -1;

		if (utc_parse(rows[i].text, &when) != rows[i].want)
			fail_msg("%s", rows[i].text);
		assert_int_equal(when,
				 rows[i].want == UTC_OK ? rows[i].when : -1);
	}
}

static void A09_time_zone_does_not_matter(void **state)
{
	static const char *const zones[] = {"UTC", "Pacific/Kiritimati",
					    "Etc/GMT+12"};
	int64_t when = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		setenv("TZ", zones[i], 1);
		assert_int_equal(utc_parse("20260101Z", &when), UTC_OK);
		assert_int_equal(when, 1767225600);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A09_table),
		cmocka_unit_test(A09_time_zone_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_clock.c - RFC 3339 both ways over leap years and the edges. */
#include "lib/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void known_times(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{951782400000, "2000-02-29T00:00:00.000Z"},
		{2147483648000, "2038-01-19T03:14:08.000Z"},
		{1795335060123, "2026-11-22T08:11:00.123Z"},
		{253402300799999, "9999-12-31T23:59:59.999Z"},
		{-62167219200000, "0000-01-01T00:00:00.000Z"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[CLOCK_RFC3339_BYTES];
		int64_t ms = 1;

		assert_string_equal(clock_rfc3339(rows[i].ms, text),
				    rows[i].text);
		assert_true(clock_parse_rfc3339(rows[i].text, &ms));
		assert_int_equal(ms, rows[i].ms);
	}
}

static void every_day_round_trips(void **state)
{
	(void)state;
	for (int64_t day = -800000; day < 2900000; day += 37) {
		char text[CLOCK_RFC3339_BYTES];
		int64_t ms = 0, want = day * 86400000 + 45296789;

		(void)clock_rfc3339(want, text);
		if (day < -719528 || day >= 2932897)
			continue;
		assert_true(clock_parse_rfc3339(text, &ms));
		assert_int_equal(ms, want);
	}
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"",
		"2026-11-22",
		"2026-11-22T08:11:00",
		"2026-11-22T08:11:00+00:00",
		"2026-11-22t08:11:00z",
		"2026-11-22 08:11:00Z",
		"2026-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z",
		"2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00Zx",
		"+026-01-01T00:00:00Z",
	};
	int64_t ms = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(clock_parse_rfc3339(bad[i], &ms));
	assert_int_equal(ms, 5);
	assert_true(clock_parse_rfc3339("2026-01-01T00:00:00.5Z", &ms));
	assert_int_equal(ms % 1000, 500);
	assert_true(clock_parse_rfc3339("2026-01-01T00:00:00.123456789Z", &ms));
	assert_int_equal(ms % 1000, 123);
}

static void clocks_run(void **state)
{
	(void)state;
	assert_true(clock_unix_ms() > 1700000000000);
	assert_true(clock_boot_ms() > 0);
}

static void spans(void **state)
{
	static const struct {
		const char *text;
		int64_t s; /* 0: refused */
	} rows[] = {
		{"1s", 1},
		{"90m", 5400},
		{"48h", 172800},
		{"14d", 1209600},
		{"3650d", 315360000},
		{"87600h", 315360000},
		{"3651d", 0},
		{"87601h", 0},
		{"0s", 0},
		{"", 0},
		{"h", 0},
		{"48", 0},
		{"48H", 0},
		{"48 h", 0},
		{"-1h", 0},
		{"+1h", 0},
		{"01h", 0},
		{"1.5h", 0},
		{"1h30m", 0},
		{"1w", 0},
		{"1hh", 0},
		{"99999999999999999999d", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t s = 0;

		if (clock_parse_span(rows[i].text, &s) != (rows[i].s > 0) ||
		    s != rows[i].s)
			fail_msg("%s: %lld", rows[i].text, (long long)s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test(known_times),
		cmocka_unit_test(every_day_round_trips),
		cmocka_unit_test(refused),
		cmocka_unit_test(clocks_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_num.c - checked arithmetic and strict numbers, by table. */
#include "lib/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void overflow_is_seen(void **state)
{
	size_t v = 7;

	(void)state;
	assert_true(num_add(1, 2, &v));
	assert_int_equal(v, 3);
	assert_false(num_add(SIZE_MAX, 1, &v));
	assert_true(num_mul(3, 4, &v));
	assert_int_equal(v, 12);
	assert_false(num_mul(SIZE_MAX / 2, 3, &v));
	assert_int_equal(v, 12);
}

static void unsigned_table(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool good;
		uint64_t value;
	} rows[] = {
		{"0", 9, true, 0},
		{"7", 7, true, 7},
		{"8", 7, false, 0},
		{"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
		{"18446744073709551616", UINT64_MAX, false, 0},
		{"99999999999999999999", UINT64_MAX, false, 0},
		{"", 9, false, 0},
		{"00", 9, false, 0},
		{"01", 9, false, 0},
		{"+1", 9, false, 0},
		{"-1", 9, false, 0},
		{" 1", 9, false, 0},
		{"1 ", 9, false, 0},
		{"0x1", 9, false, 0},
		{"1e1", 99, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t v = 42;
		bool ok = num_parse_u64(rows[i].text, strlen(rows[i].text),
					rows[i].max, &v);

		assert_int_equal(ok, rows[i].good);
		assert_int_equal(v, rows[i].good ? rows[i].value : 42);
	}
}

static void signed_table(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t value;
	} rows[] = {
		{"-9223372036854775808", true, INT64_MIN},
		{"9223372036854775807", true, INT64_MAX},
		{"9223372036854775808", false, 0},
		{"-9223372036854775809", false, 0},
		{"-1", true, -1},
		{"-0", false, 0},
		{"-", false, 0},
		{"--1", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t v = 42;
		bool ok = num_parse_i64(rows[i].text, strlen(rows[i].text),
					INT64_MIN, INT64_MAX, &v);

		assert_int_equal(ok, rows[i].good);
		assert_int_equal(v, rows[i].good ? rows[i].value : 42);
	}
	int64_t v = 0;

	assert_false(num_parse_i64("5", 1, -3, 4, &v));
	assert_false(num_parse_i64("-4", 2, -3, 4, &v));
	assert_true(num_parse_i64("-3", 2, -3, 4, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overflow_is_seen),
		cmocka_unit_test(unsigned_table),
		cmocka_unit_test(signed_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

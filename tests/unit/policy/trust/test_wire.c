/* test_wire.c - SSH wire encoding at its edges. */
#include "policy/trust/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *bytes;
	size_t len;
	bool good;
	size_t want; /* length of the number */
} mpints[] = {
	{"\0\0\0\1\1", 5, true, 1},	     {"\0\0\0\2\0\x80", 6, true, 1},
	{"\0\0\0\0", 4, false, 0},	     /* zero */
	{"\0\0\0\1\0", 5, false, 0},	     /* zero with a byte */
	{"\0\0\0\1\x80", 5, false, 0},	     /* negative */
	{"\0\0\0\2\0\1", 6, false, 0},	     /* a byte too many */
	{"\0\0\0\3\1\2", 6, false, 0},	     /* cut short */
	{"\xff\xff\xff\xff\1", 5, false, 0}, /* longer than anything */
};

static void mpint_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mpints) / sizeof(mpints[0]); i++) {
		struct wire w = {(const uint8_t *)mpints[i].bytes,
				 mpints[i].len};
		struct wire_span s = {NULL, 77};

		assert_int_equal(wire_mpint(&w, &s), mpints[i].good);
		assert_int_equal(s.len, mpints[i].good ? mpints[i].want : 77);
		if (!mpints[i].good)
			assert_int_equal(w.left, mpints[i].len);
	}
}

static void numbers_and_strings(void **state)
{
	static const uint8_t bytes[] = {9, 0, 0, 1, 2, 0, 0, 0,	  0,  0,
					0, 0, 5, 0, 0, 0, 2, 'h', 'i'};
	struct wire w = {bytes, sizeof(bytes)};
	struct wire_span s;
	uint64_t big;
	uint32_t n;
	uint8_t c;

	(void)state;
	assert_true(wire_u8(&w, &c) && c == 9);
	assert_true(wire_u32(&w, &n) && n == 258);
	assert_true(wire_u64(&w, &big) && big == 5);
	assert_true(wire_string(&w, &s) && wire_is(&s, "hi"));
	assert_false(wire_is(&s, "h"));
	assert_false(wire_u8(&w, &c));
	assert_false(wire_u32(&w, &n));
	assert_false(wire_u64(&w, &big));
	assert_false(wire_string(&w, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mpint_table),
		cmocka_unit_test(numbers_and_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

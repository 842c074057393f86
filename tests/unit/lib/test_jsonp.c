/* jsonp: grammar, strings, integers, depth, the place of an error. */
#include "lib/jsonp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ARENA_BYTES ((size_t)1 << 20)
#define DEPTH 4

static int read_all(const char *text, struct err *err)
{
	struct arena *a = arena_new(ARENA_BYTES);
	struct jsonp p;
	int r;

	jsonp_init(&p, text, strlen(text), DEPTH, a, err);
	r = jsonp_skip(&p);
	if (r == 0)
		r = jsonp_end(&p);
	arena_free(a);
	return r;
}

static void test_accepts(void **state)
{
	static const char *const good[] = {
		"{}",
		"[]",
		" [ ] ",
		"0",
		"-0",
		"-1.5e+3",
		"1E2",
		"true",
		"false",
		"null",
		"\"\"",
		"[1,\"a\",{\"b\":[null]}]",
		"[[]]",
		"{\"a\":{},\"b\":[]}",
		"\"\\u00e4\\ud83d\\ude00\"",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (read_all(good[i], NULL) != 0)
			fail_msg("refused: %s", good[i]);
}

static void test_refuses(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *msg;
	} bad[] = {
		{"", ERR_INPUT, "1:1: want a value"},
		{"[", ERR_INPUT, "1:2: unexpected end"},
		{"[1", ERR_INPUT, "1:3: unexpected end"},
		{"[1,]", ERR_INPUT, "1:4: want a value"},
		{"[1}", ERR_INPUT, "1:3: want \",\" or the end"},
		{"{\"a\":1]", ERR_INPUT, "1:7: want \",\" or the end"},
		{"[1 2]", ERR_INPUT, "1:4: want \",\" or the end"},
		{"{\"a\" 1}", ERR_INPUT, "1:6: want \":\""},
		{"{1:2}", ERR_INPUT, "1:2: want a string"},
		{"{,}", ERR_INPUT, "1:2: want a string"},
		{"[\n\n  x]", ERR_INPUT, "3:3: want a value"},
		{"01", ERR_INPUT, "not a number"},
		{"-", ERR_INPUT, "not a number"},
		{"1.", ERR_INPUT, "not a number"},
		{"1e", ERR_INPUT, "not a number"},
		{"+1", ERR_INPUT, "want a value"},
		{"tru", ERR_INPUT, "unknown word"},
		{"nul", ERR_INPUT, "unknown word"},
		{"\"a", ERR_INPUT, "a string without end"},
		{"\"a\\\"", ERR_INPUT, "a string without end"},
		{"\"\\x\"", ERR_INPUT, "unknown escape"},
		{"\"\\u12\"", ERR_INPUT, "four hex digits"},
		{"\"\\u0000\"", ERR_INPUT, "without NUL"},
		{"\"\\ud800\"", ERR_INPUT, "half a surrogate"},
		{"\"\\udc00\"", ERR_INPUT, "half a surrogate"},
		{"\"\\ud800\\u0041\"", ERR_INPUT, "half a surrogate"},
		{"\"\x01\"", ERR_INPUT, "a control character"},
		{"\"\xff\"", ERR_INPUT, "not UTF-8"},
		{"\"\xc3\"", ERR_INPUT, "not UTF-8"},
		{"1 2", ERR_INPUT, "1:3: something behind the value"},
		{"[[[[[]]]]]", ERR_LIMIT, "nested too deeply"},
	};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int r = read_all(bad[i].text, &err);

		if (r != bad[i].code || strstr(err.msg, bad[i].msg) == NULL)
			fail_msg("%s: %d %s", bad[i].text, r, err.msg);
	}
}

static void test_strings(void **state)
{
	struct arena *a = arena_new(ARENA_BYTES);
	const char *text =
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u20ac\\ud83d\\ude00x\"";
	struct jsonp p;
	char *out = NULL;

	(void)state;
	jsonp_init(&p, text, strlen(text), DEPTH, a, NULL);
	assert_int_equal(jsonp_string(&p, &out), 0);
	assert_string_equal(out,
			    "\"\\/\b\f\n\r\t\xe2\x82\xac\xf0\x9f\x98\x80x");
	assert_int_equal(jsonp_end(&p), 0);
	arena_free(a);
}

static void test_integers(void **state)
{
	static const struct {
		const char *text;
		bool good, negative;
		uint64_t size;
	} rows[] = {
		{"0", true, false, 0},
		{"-9223372036854775808", true, true, UINT64_C(1) << 63},
		{"-9223372036854775809", false, false, 0},
		{"18446744073709551615", true, false, UINT64_MAX},
		{"18446744073709551616", false, false, 0},
		{"1.0", false, false, 0},
		{"1e3", false, false, 0},
		{"\"1\"", false, false, 0},
	};
	struct arena *a = arena_new(ARENA_BYTES);
	struct jsonp_int v;
	struct jsonp p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		jsonp_init(&p, rows[i].text, strlen(rows[i].text), DEPTH, a,
			   NULL);
		assert_int_equal(jsonp_integer(&p, &v),
				 rows[i].good ? 0 : ERR_INPUT);
		if (!rows[i].good)
			continue;
		assert_int_equal(v.negative, rows[i].negative);
		assert_true(v.size == rows[i].size);
	}
	arena_free(a);
}

/* The first error stays, whatever is asked afterwards. */
static void test_sticky(void **state)
{
	struct arena *a = arena_new(ARENA_BYTES);
	struct err err = {0};
	struct jsonp p;
	bool more = true;
	char *out;

	(void)state;
	jsonp_init(&p, "[x, 1]", 6, DEPTH, a, &err);
	assert_int_equal(jsonp_enter(&p, JSONP_ARRAY), 0);
	assert_int_equal(jsonp_next(&p, &more), 0);
	assert_int_equal(jsonp_string(&p, &out), ERR_INPUT);
	assert_int_equal(jsonp_next(&p, &more), ERR_INPUT);
	assert_int_equal(jsonp_peek(&p), JSONP_BAD);
	assert_int_equal(jsonp_end(&p), ERR_INPUT);
	assert_string_equal(err.msg, "1:2: want a string");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts), cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_strings), cmocka_unit_test(test_integers),
		cmocka_unit_test(test_sticky),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

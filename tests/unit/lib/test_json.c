/* test_json.c - strict reading, canonical writing. */
#include "lib/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void good_values(void **state)
{
	static const char *const good[] = {
		"{}",
		"[1,2]",
		"\"x\"",
		"null",
		" {\"a\": [true]} \n",
		"{\"a\":\"{[\\\"{{{{{{{{{{\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct err e = {0};
		json_t *v = NULL;

		assert_int_equal(
			json_read(good[i], strlen(good[i]), 100, 8, &v, &e), 0);
		assert_non_null(v);
		json_decref(v);
	}
}

static void bad_values(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		int code;
		const char *part;
	} bad[] = {
		{"", 0, ERR_INPUT, "JSON:1:0:"},
		{"{\"a\":1,\"a\":2}", 13, ERR_INPUT, "duplicate object key"},
		{"[1] x", 5, ERR_INPUT, "end of file expected"},
		{"[1,]", 4, ERR_INPUT, "JSON:1:4:"},
		{"{}\0", 3, ERR_INPUT, "JSON: NUL byte at offset 2"},
		{"\"\\u0000\"", 8, ERR_INPUT, "\\x5cu0000 is not allowed"},
		{"\"\xff\"", 3, ERR_INPUT, "JSON:1:"},
		{"[[[[[[[[[1]]]]]]]]]", 19, ERR_LIMIT,
		 "want at most 8 levels, have more at offset 8"},
		{"[1e999]", 7, ERR_INPUT, "real number overflow"},
		{"[99999999999999999999]", 22, ERR_INPUT, "too big integer"},
		{"[NaN]", 5, ERR_INPUT, "invalid token"},
		{"[01]", 4, ERR_INPUT, "JSON:1:"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *v = NULL;
		struct err e = {0};

		assert_int_equal(
			json_read(bad[i].text, bad[i].len, 100, 8, &v, &e),
			bad[i].code);
		if (!strstr(e.msg, bad[i].part))
			assert_string_equal(e.msg, bad[i].part);
		assert_null(v);
	}
}

static void size_is_capped_first(void **state)
{
	struct err e = {0};
	json_t *v = NULL;

	(void)state;
	assert_int_equal(json_read("[1,2,3]", 7, 6, 8, &v, &e), ERR_LIMIT);
	assert_string_equal(e.msg, "JSON: want at most 6 bytes, have 7");
}

static void writer(void **state)
{
	struct jsonw w;
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	jsonw_init(&w, &b);
	jsonw_obj(&w);
	jsonw_kstr(&w, "z", "a\"b\\c\n\t\x01\x1f");
	jsonw_kint(&w, "n", -5);
	jsonw_kbool(&w, "t", true);
	jsonw_key(&w, "l");
	jsonw_arr(&w);
	jsonw_null(&w);
	jsonw_str(&w, NULL);
	jsonw_arr(&w);
	jsonw_arr_end(&w);
	jsonw_raw(&w, "{}", 2);
	jsonw_arr_end(&w);
	jsonw_kstr(&w, "e", "");
	jsonw_obj_end(&w);
	assert_string_equal(b.data,
			    "{\"z\":\"a\\\"b\\\\c\\n\\t\\u0001\\u001f\","
			    "\"n\":-5,\"t\":true,\"l\":[null,null,[],{}],"
			    "\"e\":\"\"}");
	buf_release(&b);
}

/* A98: nothing in a string can end the line or the string. */
static void A98_hostile_text_round_trips(void **state)
{
	char text[257];
	struct err e = {0};
	json_t *v = NULL;
	struct jsonw w;
	struct buf b;

	(void)state;
	for (int i = 0; i < 256; i++)
		text[i] = (char)(i == 0 ? 'x' : i);
	text[256] = '\0';
	buf_init(&b, 10000);
	jsonw_init(&w, &b);
	jsonw_strn(&w, text, 256);
	assert_null(strchr(b.data, '\n'));
	assert_null(strchr(b.data, '\r'));
	assert_int_equal(json_read(b.data, b.len, 10000, 4, &v, &e), 0);
	assert_memory_equal(json_string_value(v), text, 128);
	assert_non_null(strstr(json_string_value(v), "\xef\xbf\xbd"));
	json_decref(v);
	buf_reset(&b);
	jsonw_init(&w, &b);
	jsonw_strn(&w, "a\0b\xc3\xbc\xc3", 6);
	assert_string_equal(b.data, "\"a\\u0000b\xc3\xbc\xef\xbf\xbd\"");
	buf_release(&b);
}

static void A98_inert_text(void **state)
{
	struct jsonw w;
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	jsonw_init(&w, &b);
	w.inert = true;
	jsonw_str(&w, "a\x7f\xc2\x9b"
		      "0m\xe2\x80\xae\xf3\xa0\x81\xa1\xc3\xbc\x1b\\\"");
	assert_string_equal(b.data, "\"a\\u007f\\u009b0m\\u202e\\udb40\\udc61"
				    "\xc3\xbc\\u001b\\\\\\\"\"");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_values),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(size_is_capped_first),
		cmocka_unit_test(writer),
		cmocka_unit_test(A98_hostile_text_round_trips),
		cmocka_unit_test(A98_inert_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

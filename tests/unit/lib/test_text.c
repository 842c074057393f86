/* test_text.c - what untrusted text may become; A98 at its root. */
#include "lib/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *in;
	size_t len;
	const char *out;
} rows[] = {
	{"plain", 5, "plain"},
	{"a\nb\x1b[31m", 8, "a\\x0ab\\x1b[31m"},
	{"\0x", 2, "\\x00x"},
	{"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
	{"\xe2\x80\xae"
	 "evil",
	 7, "\\u{202e}evil"},
	{"a\xe2\x80\x8b"
	 "b",
	 5, "a\\u{200b}b"},
	{"\xc2\x9b", 2, "\\u{9b}"},
	{"\xc0\xaf", 2, "\\xc0\\xaf"},			 /* overlong */
	{"\xed\xa0\x80", 3, "\\xed\\xa0\\x80"},		 /* surrogate */
	{"\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"}, /* > 10ffff */
	{"\xe2\x82", 2, "\\xe2\\x82"},			 /* cut */
	{"back\\slash", 10, "back\\x5cslash"},
	{"\x7f", 1, "\\x7f"},
	{"\xef\xbb\xbf", 3, "\\u{feff}"},
};

static void A98_escape_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char safe[64];
		struct buf b;

		buf_init(&b, 100);
		text_escape(&b, rows[i].in, rows[i].len);
		assert_string_equal(b.data, rows[i].out);
		assert_string_equal(
			text_safe(safe, sizeof(safe), rows[i].in, rows[i].len),
			rows[i].out);
		buf_release(&b);
	}
}

static void safe_is_cut_at_a_character(void **state)
{
	char d[8];

	(void)state;
	assert_string_equal(text_safe(d, 8, "1234567", 7), "1234567");
	assert_string_equal(text_safe(d, 8, "12345678", 8), "1234...");
	assert_string_equal(text_safe(d, 8, "12\n\n", 4), "12...");
	assert_string_equal(text_safe(d, 8, "", 0), "");
	assert_string_equal(text_safe(d, 2, "abc", 3), ".");
	assert_string_equal(text_safe(d, 1, "abc", 3), "");
}

static void utf8(void **state)
{
	(void)state;
	assert_true(text_is_utf8("", 0));
	assert_true(text_is_utf8("\xf0\x9f\x98\x80", 4));
	assert_false(text_is_utf8("a\0b", 3));
	assert_false(text_is_utf8("\x80", 1));
	assert_false(text_is_utf8("\xf0\x9f\x98", 3));
	assert_false(text_is_utf8("\xff", 1));
}

static void nearest(void **state)
{
	static const char *const names[] = {"replicas", "template", "selector",
					    "image"};

	(void)state;
	assert_string_equal(text_nearest("replcias", names, 4), "replicas");
	assert_string_equal(text_nearest("Replicas", names, 4), "replicas");
	assert_string_equal(text_nearest("imgae", names, 4), "image");
	assert_null(text_nearest("completely", names, 4));
	assert_null(text_nearest("", names, 4));
	assert_null(text_nearest("x", names, 0));
	assert_null(
		text_nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			     names, 4));
}

static void dns_names(void **state)
{
	char label[65];

	(void)state;
	memset(label, 'a', 64);
	label[63] = '\0';
	assert_true(text_is_dns_label(label));
	label[63] = 'a';
	label[64] = '\0';
	assert_false(text_is_dns_label(label));
	assert_true(text_is_dns_label("a-1"));
	assert_false(text_is_dns_label(""));
	assert_false(text_is_dns_label("-a"));
	assert_false(text_is_dns_label("a-"));
	assert_false(text_is_dns_label("A"));
	assert_false(text_is_dns_label("a.b"));
	assert_false(text_is_dns_label("a\n"));
	assert_true(text_is_dns_subdomain("a.b-c.d"));
	assert_false(text_is_dns_subdomain("a..b"));
	assert_false(text_is_dns_subdomain(".a"));
	assert_false(text_is_dns_subdomain("a."));
	assert_false(text_is_dns_subdomain(""));
}

static void hex(void **state)
{
	(void)state;
	assert_true(text_is_hex("00ff", 4));
	assert_false(text_is_hex("00fF", 4));
	assert_false(text_is_hex("00f", 4));
	assert_false(text_is_hex("00ff0", 4));
}

static void test_A100_inert(void **state)
{
	static const struct {
		const char *in, *out;
		bool escaped;
	} cases[] = {
		{"::error::x", ":\\x3aerror::x", false},
		{"  ::error", "  :\\x3aerror", false},
		{"fe80::1", "fe80::1", false},
		{"a ##[b] ###", "a #\\x23[b] #\\x23\\x23", false},
		{"a\\x1b\n", "a\\x5cx1b\\x0a", false},
		{"a\\x1b\n", "a\\x1b\\x0a", true},
		{"", "", false},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&out);
		buf_puts(&out, "|");
		text_inert(&out, cases[i].in, strlen(cases[i].in),
			   cases[i].escaped);
		assert_string_equal(out.data + 1, cases[i].out);
	}
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_A100_inert),
		cmocka_unit_test(A98_escape_table),
		cmocka_unit_test(safe_is_cut_at_a_character),
		cmocka_unit_test(utf8),
		cmocka_unit_test(nearest),
		cmocka_unit_test(dns_names),
		cmocka_unit_test(hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

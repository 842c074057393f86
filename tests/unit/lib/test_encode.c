/* test_encode.c - RFC 4648 vectors and what is not canonical. */
#include "lib/encode.h"
#include "lib/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void hex(void **state)
{
	unsigned char raw[4] = {0};
	char text[9];

	(void)state;
	encode_hex(text, "\x00\xff\x1a", 3);
	assert_string_equal(text, "00ff1a");
	assert_true(encode_unhex(raw, "00ff1a", 6));
	assert_memory_equal(raw, "\x00\xff\x1a", 3);
	assert_false(encode_unhex(raw, "00f", 3));
	assert_false(encode_unhex(raw, "0G", 2));
	assert_false(encode_unhex(raw, "FF", 2));
}

static void base64_vectors(void **state)
{
	static const char *const rows[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b;

		buf_init(&b, 100);
		buf_puts(&b, "");
		encode_base64(&b, rows[i][0], strlen(rows[i][0]));
		assert_string_equal(b.data, rows[i][1]);
		buf_reset(&b);
		assert_true(
			encode_unbase64(&b, rows[i][1], strlen(rows[i][1])));
		assert_string_equal(b.data, rows[i][0]);
		buf_release(&b);
	}
}

static void base64_refused(void **state)
{
	static const char *const bad[] = {
		"Zg",	    "Zg=",    "Zh==", "Zm9=", "Z===",	  "====",
		"Zm8=Zm8=", "Zm9v\n", " Zm9", "Zm-_", "Zg==Zg==", "Zm9vZ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf b;

		buf_init(&b, 100);
		buf_puts(&b, "keep");
		assert_false(encode_unbase64(&b, bad[i], strlen(bad[i])));
		assert_string_equal(b.data, "keep");
		buf_release(&b);
	}
}

static void sha256_vectors(void **state)
{
	struct hash *h = hash_new();
	uint8_t a[HASH_BYTES], b[HASH_BYTES];
	char text[HASH_HEX];

	(void)state;
	hash_sha256_hex("abc", 3, text);
	assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223"
				  "b00361a396177a9cb410ff61f20015ad");
	hash_sha256_hex("", 0, text);
	assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb924"
				  "27ae41e4649b934ca495991b7852b855");
	hash_add(h, "a", 1);
	hash_add(h, "bc", 2);
	hash_end(h, a);
	hash_add(h, "abc", 3); /* it has been reset */
	hash_end(h, b);
	assert_memory_equal(a, b, HASH_BYTES);
	hash_free(h);
	hash_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex),
		cmocka_unit_test(base64_vectors),
		cmocka_unit_test(base64_refused),
		cmocka_unit_test(sha256_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

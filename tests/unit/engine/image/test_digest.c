/* test_digest.c - E46: the grammar of digests. */
#include "engine/image/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void E46_grammar(void **state)
{
	static const char *const bad[] = {
		"",
		"sha256:",
		"sha256",
		HEX64,
		"sha256:" HEX64 "0",
		"sha256:" HEX64 "\n",
		"SHA256:" HEX64,
		"sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991"
		"B7852B855",
		"sha256:../../../etc/passwd",
		"sha1:" HEX64,
		"sha256::" HEX64,
		" sha256:" HEX64,
	};

	(void)state;
	assert_true(digest_is_valid("sha256:" HEX64));
	assert_string_equal(digest_hex("sha256:" HEX64), HEX64);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = {0};

		assert_false(digest_is_valid(bad[i]));
		assert_int_equal(digest_check(bad[i], "place", &e), ERR_INPUT);
		assert_non_null(strstr(e.msg, "place: want"));
	}
	assert_false(digest_is_valid(NULL));
}

static void of_bytes(void **state)
{
	char out[DIGEST_BYTES];

	(void)state;
	digest_of("", 0, out);
	assert_string_equal(out, "sha256:" HEX64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(E46_grammar),
		cmocka_unit_test(of_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

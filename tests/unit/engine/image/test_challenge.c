/* test_challenge.c - WWW-Authenticate and token answers. */
#include "engine/image/challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void parses(void **state)
{
	struct challenge c;
	struct err e = {0};

	(void)state;
	assert_int_equal(challenge_parse("Bearer realm=\"https://a/t\","
					 "service=\"r\",scope=\"x:y:pull\"",
					 &c, &e),
			 0);
	assert_int_equal(c.scheme, CHALLENGE_BEARER);
	assert_string_equal(c.realm, "https://a/t");
	assert_string_equal(c.service, "r");
	assert_int_equal(
		challenge_parse("bearer service=s , realm=https://b/", &c, &e),
		0);
	assert_string_equal(c.realm, "https://b/");
	assert_int_equal(
		challenge_parse("Bearer realm=\"https://a/\\\"q\\\"\"", &c, &e),
		0);
	assert_string_equal(c.realm, "https://a/\"q\"");
	assert_int_equal(challenge_parse("Basic realm=\"x\"", &c, &e), 0);
	assert_int_equal(c.scheme, CHALLENGE_BASIC);
	assert_int_equal(challenge_parse("Negotiate", &c, &e), 0);
	assert_int_equal(c.scheme, CHALLENGE_NONE);
	assert_int_equal(challenge_parse("", &c, &e), 0);
	assert_int_equal(c.scheme, CHALLENGE_NONE);
}

static void refuses(void **state)
{
	static const char *const bad[] = {
		"Bearer",
		"Bearer realm",
		"Bearer realm=\"https://a",
		"Bearer realm=\"file:///etc/passwd\"",
		"Bearer service=\"x\"",
		"Bearer realm=\"https://a\" service=\"b\"",
		"Bearer =\"https://a\"",
		"Bearer realm=\"https://a\x01\"",
	};
	char longer[2048] = "Bearer realm=\"https://";
	struct challenge c;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (challenge_parse(bad[i], &c, &e) != ERR_INPUT)
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(strstr(e.msg, "WWW-Authenticate"));
	}
	memset(longer + strlen(longer), 'a', 1500);
	assert_int_equal(challenge_parse(longer, &c, &e), ERR_INPUT);
}

static int token(const char *json, char out[CHALLENGE_TOKEN_BYTES],
		 struct err *e)
{
	return challenge_token(json, strlen(json), out, e);
}

static void tokens(void **state)
{
	static char out[CHALLENGE_TOKEN_BYTES];
	struct err e = {0};

	(void)state;
	assert_int_equal(token("{\"token\":\"abc\"}", out, &e), 0);
	assert_string_equal(out, "abc");
	assert_int_equal(token("{\"access_token\":\"def\"}", out, &e), 0);
	assert_string_equal(out, "def");
	assert_int_equal(token("{}", out, &e), ERR_INPUT);
	assert_int_equal(token("{\"token\":\"\"}", out, &e), ERR_INPUT);
	assert_int_equal(token("{\"token\":\"a\\r\\nX: y\"}", out, &e),
			 ERR_INPUT);
	/* E70: what could not be read is not quoted, it may be the token */
	assert_int_equal(token("{\"token\":s3cret}", out, &e), ERR_INPUT);
	assert_null(strstr(e.msg, "s3cret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(refuses),
		cmocka_unit_test(tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_token.c - join tokens: round trip, and strictness. */
#include "channel/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t sixteen[16] = {1, 2, 3};
static uint8_t thirty_two[32] = {9, 8, 7};

static void fill(Channel__JoinToken *t)
{
	static char host[] = "host-a";
	static char manager[] = "10.0.0.1:7443";

	channel__join_token__init(t);
	t->id = (ProtobufCBinaryData){16, sixteen};
	t->secret = (ProtobufCBinaryData){16, sixteen};
	t->ca_sha256 = (ProtobufCBinaryData){32, thirty_two};
	t->trust_sha256 = (ProtobufCBinaryData){32, thirty_two};
	t->host = host;
	t->manager = manager;
	t->expires = 1800000000;
}

static void test_round_trip(void **state)
{
	Channel__JoinToken t, *back = NULL;
	struct err err = {0};
	struct buf text;

	(void)state;
	fill(&t);
	buf_init(&text, 2048);
	assert_int_equal(token_encode(&t, &text, &err), 0);
	assert_memory_equal(text.data, "rcj1.", 5);
	assert_null(strpbrk(text.data + 5, "+/="));
	assert_int_equal(token_decode(text.data, &back, &err), 0);
	assert_string_equal(back->host, "host-a");
	assert_int_equal(back->expires, 1800000000);
	assert_memory_equal(back->secret.data, sixteen, 16);
	token_free(back);
	buf_release(&text);
}

static void test_S01_bad_fields(void **state)
{
	static char upper[] = "Host", nowhere[] = "10.0.0.1";
	Channel__JoinToken t;
	struct err err = {0};
	struct buf text;

	(void)state;
	buf_init(&text, 2048);
	fill(&t);
	t.secret.len = 15;
	assert_int_equal(token_encode(&t, &text, &err), ERR_INPUT);
	assert_non_null(strstr(err.msg, "secret: want 16 bytes"));
	fill(&t);
	t.host = upper;
	assert_int_equal(token_encode(&t, &text, &err), ERR_INPUT);
	fill(&t);
	t.manager = nowhere;
	assert_int_equal(token_encode(&t, &text, &err), ERR_INPUT);
	assert_non_null(strstr(err.msg, "want address:port"));
	fill(&t);
	t.expires = 0;
	assert_int_equal(token_encode(&t, &text, &err), ERR_INPUT);
	assert_string_equal(err.msg, "token: has no end");
	assert_int_equal(text.len, 0);
	buf_release(&text);
}

/* One spelling: any changed, added or missing character is refused or is
 * another token; nothing of it is in the message. */
static void test_S01_strict_text(void **state)
{
	Channel__JoinToken t, *back = NULL;
	struct err err = {0};
	struct buf text;
	char *copy;

	(void)state;
	fill(&t);
	buf_init(&text, 2048);
	assert_int_equal(token_encode(&t, &text, &err), 0);
	for (size_t i = 0; i < text.len; i++) {
		copy = strndup(text.data, i);
		assert_int_equal(token_decode(copy, &back, &err), ERR_INPUT);
		assert_null(strstr(err.msg, text.data + 5));
		free(copy);
	}
	buf_puts(&text, "A");
	assert_int_equal(token_decode(text.data, &back, &err), ERR_INPUT);
	text.data[text.len - 1] = ' ';
	assert_int_equal(token_decode(text.data, &back, &err), ERR_INPUT);
	assert_int_equal(token_decode("rcj2.AAAA", &back, &err), ERR_INPUT);
	assert_int_equal(token_decode("rcj1.AA==", &back, &err), ERR_INPUT);
	assert_int_equal(token_decode("rcj1.", &back, &err), ERR_INPUT);
	assert_int_equal(token_decode("", &back, &err), ERR_INPUT);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_S01_bad_fields),
		cmocka_unit_test(test_S01_strict_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

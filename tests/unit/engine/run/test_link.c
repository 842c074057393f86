/* Messages between engine and first process: every length, every type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/run/link.h"

#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SHORT offsetof(struct link_msg, err)
#define LONGEST 65537

static int exchange(const void *bytes, size_t len, struct link_msg *out,
		    struct err *err)
{
	int pair[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(send(pair[0], bytes, len, 0), (ssize_t)len);
	r = link_recv(pair[1], out, err);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return r;
}

static void test_E64_lengths(void **state)
{
	static char bytes[LONGEST];
	struct link_msg out, none = {.type = LINK_NONE};
	struct err err = {0};
	size_t i, len;

	(void)state;
	bytes[0] = LINK_GO;
	for (i = 1; i <= sizeof(struct link_msg) + 65; i++) {
		len = i <= sizeof(struct link_msg) + 64 ? i : LONGEST;
		out = none;
		if (len == SHORT || len == sizeof(struct link_msg)) {
			assert_int_equal(exchange(bytes, len, &out, &err), 0);
			assert_int_equal(out.type, LINK_GO);
			continue;
		}
		assert_int_equal(exchange(bytes, len, &out, &err), ERR_PROTO);
		assert_int_equal(out.type, LINK_NONE);
	}
}

static void test_E64_values(void **state)
{
	static const int codes[] = {0,	    1,	    INT_MAX, INT_MIN,
				    -65535, -65536, ERR_SYS, ERR_INPUT};
	struct link_msg m = {.type = LINK_ERROR}, out;
	struct err err = {0};
	size_t i;

	(void)state;
	/* its text may lack the end */
	memset(m.err.msg, 'x', sizeof(m.err.msg));
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		m.err.code = codes[i];
		assert_true(exchange(&m, sizeof(m), &out, &err) < 0);
		assert_int_equal(err.code, codes[i] < 0 ? codes[i] : ERR_SYS);
		assert_true(strlen(err.msg) < sizeof(err.msg));
		assert_non_null(err_name(err.code));
	}
	m = (struct link_msg){.type = UINT32_MAX, .value = UINT32_MAX};
	assert_int_equal(exchange(&m, SHORT, &out, &err), 0);
	assert_int_equal(out.type, UINT32_MAX);
}

static void test_want(void **state)
{
	struct link_msg out;
	struct err err = {0};
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(link_send(pair[0], LINK_NEXT, 7, NULL, &err), 0);
	assert_int_equal(link_want(pair[1], LINK_READY, &out, &err), ERR_PROTO);
	assert_int_equal(link_send(pair[0], LINK_READY, 7, NULL, &err), 0);
	assert_int_equal(link_want(pair[1], LINK_READY, &out, &err), 0);
	assert_int_equal(out.value, 7);
	(void)close(pair[0]);
	assert_int_equal(link_want(pair[1], LINK_READY, &out, &err), ERR_SYS);
	(void)close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_E64_lengths),
		cmocka_unit_test(test_E64_values),
		cmocka_unit_test(test_want),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

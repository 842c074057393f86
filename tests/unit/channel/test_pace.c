/* test_pace.c - how far a sender may be ahead of a host (R14). */
#include "channel/client.h"
#include "channel/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB ((size_t)1 << 20)

struct sent {
	size_t n, bytes;
	uint16_t last;
};

static int out(void *ctx, const char *host, uint16_t type, const void *payload,
	       size_t len, struct err *err)
{
	struct sent *s = ctx;

	(void)host;
	(void)payload;
	(void)err;
	s->n++;
	s->bytes += len;
	s->last = type;
	return 0;
}

static void test_R14_ahead(void **state)
{
	static uint8_t data[4 << 20];
	struct pace *p = pace_new();
	struct sent s = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(pace_send(p, "a", 1, data, 5, out, &s, &err), 0);
	assert_int_equal(s.n, 0); /* not up */
	assert_int_equal(pace_up(p, "a", &err), 0);
	for (uint16_t i = 0; i < 10; i++)
		assert_int_equal(pace_send(p, "a", i, data, MIB, out, &s, &err),
				 0);
	assert_int_equal(s.n, 4);
	assert_int_equal(pace_room(p, "a", 1 * MIB, out, &s, &err), 0);
	assert_int_equal(s.n, 5);
	assert_int_equal(pace_room(p, "b", 9 * MIB, out, &s, &err), 0);
	assert_int_equal(pace_room(p, "a", 99 * MIB, out, &s, &err), 0);
	assert_int_equal(s.n, 5); /* more than was sent: not believed */
	assert_int_equal(pace_room(p, "a", 5 * MIB, out, &s, &err), 0);
	assert_int_equal(s.n, 9);
	assert_int_equal(s.last, 8); /* in order */
	/* a new session forgets what waited for the old */
	assert_int_equal(pace_up(p, "a", &err), 0);
	assert_int_equal(pace_room(p, "a", 0, out, &s, &err), 0);
	assert_int_equal(s.n, 9);
	/* a frame that is larger than all of it goes when little is ahead */
	assert_int_equal(pace_send(p, "a", 1, data, MIB, out, &s, &err), 0);
	assert_int_equal(pace_send(p, "a", 1, data, 4 * MIB, out, &s, &err), 0);
	assert_int_equal(s.n, 11);
	pace_free(p);
}

static void test_R14_kept_is_bounded(void **state)
{
	static uint8_t data[4 << 20];
	struct pace *p = pace_new();
	struct sent s = {0};
	struct err err = {0};
	int r = 0, n = 0;

	(void)state;
	assert_int_equal(pace_up(p, "a", &err), 0);
	while (r == 0 && n++ < 100)
		r = pace_send(p, "a", 1, data, sizeof(data), out, &s, &err);
	assert_int_equal(r, ERR_LIMIT);
	assert_string_equal(err.msg,
			    "host a: more than 67108864 bytes wait for it");
	pace_down(p, "a");
	assert_int_equal(pace_send(p, "a", 1, data, 1, out, &s, &err), 0);
	pace_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_R14_ahead),
		cmocka_unit_test(test_R14_kept_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

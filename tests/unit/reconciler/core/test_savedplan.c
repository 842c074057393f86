/* test_savedplan.c - a step that the saved plan does not have (A83). */
#include "reconciler/core/savedplan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct plan_change planned[] = {
	{.action = PLAN_UPDATE,
	 .kind = MANIFEST_DEPLOYMENT,
	 .namespace = "shop",
	 .name = "web"},
	{.action = PLAN_START,
	 .kind = MANIFEST_DEPLOYMENT,
	 .namespace = "shop",
	 .name = "web",
	 .pod = "web-0123456789-0",
	 .host = "h1",
	 .wave = 1},
	{.action = PLAN_STOP,
	 .kind = MANIFEST_DEPLOYMENT,
	 .namespace = "shop",
	 .name = "web",
	 .pod = "web-abcdef0123-0",
	 .host = "h2",
	 .wave = 2},
};
static const struct plan whole = {.changes = planned, .n = 3};

static const struct plan_change *foreign(struct plan_change *one)
{
	const struct plan step = {.changes = one, .n = 1};

	return savedplan_foreign(&whole, &step);
}

static void A83_what_is_planned_may_be_done(void **state)
{
	struct plan_change later = planned[2];

	(void)state;
	assert_null(savedplan_foreign(&whole, &whole));
	assert_null(savedplan_foreign(&whole, &(struct plan){0}));
	later.wave = 1; /* each step is wave 1 of what is left */
	later.uid = "0123";
	later.reason = "other words";
	assert_null(foreign(&later));
}

static void A83_nothing_else(void **state)
{
	static const struct {
		const char *pod, *host, *name, *namespace;
		int action;
	} rows[] = {
		{"web-0123456789-1", "h1", "web", "shop", PLAN_START},
		{"web-0123456789-0", "h2", "web", "shop", PLAN_START},
		{"web-0123456789-0", "h1", "web", "shop", PLAN_STOP},
		{"web-0123456789-0", "h1", "api", "shop", PLAN_START},
		{"web-0123456789-0", "h1", "web", "other", PLAN_START},
		{NULL, NULL, "web", "shop", PLAN_DELETE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan_change c = planned[1];

		c.pod = rows[i].pod;
		c.host = rows[i].host;
		c.name = rows[i].name;
		c.namespace = rows[i].namespace;
		c.action = rows[i].action;
		if (foreign(&c) != &c)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A83_what_is_planned_may_be_done),
		cmocka_unit_test(A83_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

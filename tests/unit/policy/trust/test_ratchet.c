/* test_ratchet.c - what state, note and log say together (A26). */
#include "policy/trust/ratchet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
	const char *accepted, *accepting, *logged;
	enum ratchet_says want;
} rows[] = {
	{NULL, NULL, NULL, RATCHET_HOLDS}, /* first trust */
	{NULL, "a", NULL, RATCHET_HOLDS},  /* killed before the record */
	{NULL, "a", "a", RATCHET_BEHIND},  /* killed behind the record */
	{"a", "a", "a", RATCHET_HOLDS},	   /* at rest */
	{"a", "b", "a", RATCHET_HOLDS},	   /* killed before the record */
	{"a", "b", "b", RATCHET_BEHIND},   /* killed behind the record */
	{"a", "", "a", RATCHET_HOLDS},	   /* of a version without note */
	{NULL, NULL, "a", RATCHET_LOST},   /* state removed */
	{"", "", "a", RATCHET_LOST},	   /* state emptied */
	{"a", "a", "b", RATCHET_LOST},	   /* state of a backup */
	{"b", "b", "a", RATCHET_LOST},	   /* log of a backup */
	{"a", "a", NULL, RATCHET_LOST},	   /* log removed */
	{"a", "c", "b", RATCHET_LOST},	   /* neither fits */
	{"a", NULL, "", RATCHET_LOST},	   /* entry without a commit */
	{"a", "", NULL, RATCHET_LOST},	   /* the note is no excuse */
};

static void A26_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (ratchet_judge(rows[i].accepted, rows[i].accepting,
				  rows[i].logged) != rows[i].want)
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(A26_table)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

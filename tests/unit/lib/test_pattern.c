/*
 * test_pattern.c - a table, and properties against a matcher that tries
 * everything: slow, obvious and written another way.
 */
#include "lib/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *pattern, *path;
	bool fits;
} rows[] = {
	{"**", "a", true},
	{"**", "a/b/c", true},
	{"a/**", "a/b", true},
	{"a/**", "a/b/c", true},
	{"a/**", "a", false},
	{"a/**", "ab/c", false},
	{"a/*", "a/b", true},
	{"a/*", "a/b/c", false},
	{"a/*", "a", false},
	{"*", "a", true},
	{"*", "a/b", false},
	{"*.yaml", "x.yaml", true},
	{"*.yaml", "a/x.yaml", false},
	{"**/*.yaml", "x.yaml", true},
	{"**/*.yaml", "a/b/x.yaml", true},
	{"**/*.yaml", "a/b/x.yml", false},
	{"a/**/b", "a/b", true},
	{"a/**/b", "a/x/y/b", true},
	{"a/**/b", "a/x/y/c", false},
	{"a/**/b/**", "a/b", false},
	{"a/**/b/**", "a/b/b", true},
	{"a/**/b/**", "a/x/b/y", true},
	{"**/a/**/b/**/c", "a/a/b/a/b/x/c", true},
	{"**/a/**/b/**/c", "a/a/b/a/b/x/d", false},
	{".reconcile/**", ".reconcile/policy.yaml", true},
	{".reconcile/**", ".RECONCILE/policy.yaml", false},
	{"a*b*c", "aXbYc", true},
	{"a*b*c", "aXb/Yc", false},
	{"web", "web/x", false},
	{"web/x", "web", false},
};

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (pattern_path(rows[i].pattern, rows[i].path) != rows[i].fits)
			fail_msg("%s %s", rows[i].pattern, rows[i].path);
}

static void grammar(void **state)
{
	static const char *const good[] = {
		"a",	  "**",		  "a/**", "**/*.yaml",
		"a/**/b", ".reconcile/*", "a b/c"};
	static const char *const bad[] = {
		"",    "/a",   "a/",  "a//b",  "a/**b", "a**", "***",
		"./a", "a/..", "a/?", "a[bc]", "{a,b}", "!a",  "a\\b"};
	char longer[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (pattern_check(good[i]))
			fail_msg("%s: %s", good[i], pattern_check(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!pattern_check(bad[i]))
			fail_msg("%s is good", bad[i]);
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_non_null(strstr(pattern_check(longer), "4096"));
}

/* --- properties ----------------------------------------------------------- */

static bool slow_name(const char *p, size_t pn, const char *s, size_t sn)
{
	if (pn == 0)
		return sn == 0;
	if (p[0] == '*')
		return slow_name(p + 1, pn - 1, s, sn) ||
		       (sn > 0 && slow_name(p, pn, s + 1, sn - 1));
	return sn > 0 && p[0] == s[0] &&
	       slow_name(p + 1, pn - 1, s + 1, sn - 1);
}

/* p, s: at a name; NULL behind the last. */
static bool slow_path(const char *p, const char *s)
{
	size_t pn = p ? strcspn(p, "/") : 0, sn = s ? strcspn(s, "/") : 0;
	const char *pr = p && p[pn] ? p + pn + 1 : NULL;
	const char *sr = s && s[sn] ? s + sn + 1 : NULL;

	if (!p)
		return !s;
	if (pn == 2 && memcmp(p, "**", 2) == 0) {
		if (!pr)
			return s != NULL;
		return slow_path(pr, s) || (s && slow_path(p, sr));
	}
	return s && slow_name(p, pn, s, sn) && slow_path(pr, sr);
}

static uint32_t rnd(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* A path or pattern of up to 5 short names over few letters. */
static void make(uint32_t *seed, bool pattern, char *out)
{
	static const char *const names[] = {"a", "b", "ab", "ba", "aab"};
	static const char *const globs[] = {"*", "**", "a*", "*b", "a*b"};
	size_t n = 1 + rnd(seed) % 5;

	*out = '\0';
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			strcat(out, "/");
		strcat(out, pattern && rnd(seed) % 2 ? globs[rnd(seed) % 5]
						     : names[rnd(seed) % 5]);
	}
}

static void same_as_trying_everything(void **state)
{
	uint32_t seed = 7;
	char p[64], s[64];
	size_t fits = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		make(&seed, true, p);
		make(&seed, false, s);
		if (pattern_path(p, s) != slow_path(p, s))
			fail_msg("%s %s", p, s);
		fits += pattern_path(p, s);
	}
	assert_in_range(fits, 10000, 190000);
}

/* What a pattern covers, it fits: everything that the other fits. */
static void covering_is_sound(void **state)
{
	uint32_t seed = 11;
	char wide[64], narrow[64], s[64];
	size_t covered = 0, checked = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		make(&seed, true, wide);
		make(&seed, true, narrow);
		size_t left = 1000000;

		assert_true(pattern_covers(wide, wide, &left));
		assert_true(pattern_covers("**", wide, &left));
		if (!pattern_covers(wide, narrow, &left))
			continue;
		covered++;
		for (int k = 0; k < 50; k++) {
			make(&seed, false, s);
			if (!pattern_path(narrow, s))
				continue;
			checked++;
			if (!pattern_path(wide, s))
				fail_msg("%s does not cover %s: %s", wide,
					 narrow, s);
		}
	}
	assert_true(covered > 500 && checked > 500);
}

static void covering_costs_no_more_than_allowed(void **state)
{
	char wide[4096] = "", narrow[4096] = "";
	size_t left = 1000;

	(void)state;
	for (int i = 0; i < 400; i++) {
		strcat(wide, "**/a*/");
		strcat(narrow, "ab/");
	}
	strcat(wide, "b");
	strcat(narrow, "b");
	assert_false(pattern_covers(wide, narrow, &left));
	assert_int_equal(left, 0);
	assert_false(pattern_covers("a", "a", &left)); /* nothing is left */
	left = 20;
	assert_true(pattern_covers("abc/b*", "abc/bcd", &left));
	assert_int_equal(left, 20 - (1 + 3) - (1 + 2 + 2 * 3));
}

/* No pattern takes longer than its size allows: this would never end. */
static void no_pattern_is_slow(void **state)
{
	char p[4096] = "", s[4096] = "";

	(void)state;
	for (int i = 0; i < 400; i++) {
		strcat(p, "**/a*/");
		strcat(s, "ab/");
	}
	strcat(p, "b");
	strcat(s, "c");
	assert_false(pattern_path(p, s));
	memset(s, 'a', 2000);
	s[2000] = '\0';
	p[0] = '\0';
	for (int i = 0; i < 500; i++)
		strcat(p, "*a");
	strcat(p, "b");
	assert_false(pattern_path(p, s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(grammar),
		cmocka_unit_test(same_as_trying_everything),
		cmocka_unit_test(covering_is_sound),
		cmocka_unit_test(covering_costs_no_more_than_allowed),
		cmocka_unit_test(no_pattern_is_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

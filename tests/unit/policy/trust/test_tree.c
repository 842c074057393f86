/* test_tree.c - names of tree entries (A38, A43). */
#include "policy/trust/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *name;
	bool good;
} names[] = {
	{"a", true},
	{"app.yaml", true},
	{".gitignore", true},
	{".gitlab-ci.yml", true},
	{"git", true},
	{"git~x", true},
	{"gr\xc3\xbc\xc3\x9f", true},
	{"\xe6\x97\xa5\xe6\x9c\xac", true},
	{"\xf0\x9f\x9a\x80", true},
	{".", false},
	{"..", false},
	{".git", false},
	{".gIt", false},
	{".git.", false},
	{".git...", false},
	{".git ", false},
	{".git:x", false},
	{"GIT~1", false},
	{"git~9abc", false},
	{"a/b", false},
	{"a\\b", false},
	{"a.", false},
	{"a ", false},
	{"a\tb", false},
	{"a\x7f", false},
	{".g\xe2\x80\x8cit", false}, /* ignored by HFS+ */
	{"a\xef\xbb\xbf", false},    /* byte order mark */
	{"e\xcc\x81", false},	     /* combining: NFD */
	{"\xe1\x84\x80", false},     /* jamo: NFD */
	{"\xe2\x80\xae"
	 "a",
	 false},	     /* bidi */
	{"\xc2\x85", false}, /* C1 */
	{"\xff", false},
	{"\xc0\xaf", false},
};

static void A38_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct commit_span s = {names[i].name, strlen(names[i].name)};
		struct verdict v = {0};
		int r = tree_check_name(&s, &v);

		if ((r == 0) != names[i].good)
			fail_msg("row %zu: %s", i, v.reason);
		if (r < 0)
			assert_int_equal(v.code, TCODE_TREE_NAME);
	}
}

static int count(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	(void)e;
	(void)v;
	++*(size_t *)ctx;
	return 0;
}

#define RAW "aaaaaaaaaaaaaaaaaaaa"
static const struct {
	const char *bytes;
	size_t len;
	enum tcode want;
} trees[] = {
	{"", 0, TCODE_OK},
	{"100644 a\0" RAW, 29, TCODE_OK},
	/* a folder sorts as if it ended in a slash */
	{"100644 a.b\0" RAW "40000 a\0" RAW, 31 + 28, TCODE_OK},
	{"40000 a\0" RAW "100644 a.b\0" RAW, 28 + 31, TCODE_TREE_GRAMMAR},
	{"40000 a\0" RAW "100644 a0\0" RAW, 28 + 30, TCODE_OK},
	{"100644 A\0" RAW "100644 a\0" RAW, 58, TCODE_TREE_CLASH},
	{"100644 a\0" RAW "100644 a\0" RAW, 58, TCODE_TREE_GRAMMAR},
	{"040000 a\0" RAW, 29, TCODE_TREE_GRAMMAR},
	{"100664 a\0" RAW, 29, TCODE_TREE_GRAMMAR},
	{"100644 \0" RAW, 28, TCODE_TREE_GRAMMAR},
	{"100644a\0" RAW, 28, TCODE_TREE_GRAMMAR},
	{"100644 a\0" RAW, 28, TCODE_TREE_GRAMMAR},
	{"100644 a", 8, TCODE_TREE_GRAMMAR},
};

static void A43_trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
		struct verdict v = {0};
		size_t n = 0;

		(void)tree_each(trees[i].bytes, trees[i].len, true, count, &n,
				&v);
		if (v.code != trees[i].want)
			fail_msg("row %zu: %s %s", i, verdict_name(v.code),
				 v.reason);
		if (v.code != TCODE_OK)
			assert_int_equal(n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A38_names),
		cmocka_unit_test(A43_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_commit.c - the strict grammar of commit objects (A14, A15). */
#include "policy/trust/commit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ID "0123456789012345678901234567890123456789"
#define TREE "tree " ID "\n"
#define PARENT "parent " ID "\n"
#define AUTHOR "author A B <a@b> 1700000000 +0100\n"
#define COMMITTER "committer A B <a@b> 1700000001 -0330\n"
#define HEAD TREE PARENT AUTHOR COMMITTER
#define SIG "gpgsig -----BEGIN\n abc\n  d\n -----END\n"

static const struct {
	const char *bytes;
	enum tcode want;
} rows[] = {
	{HEAD "\nmessage\n", TCODE_OK},
	{HEAD "\n", TCODE_OK},
	{TREE AUTHOR COMMITTER "\nroot\n", TCODE_OK},
	{TREE PARENT PARENT AUTHOR COMMITTER "\nmerge\n", TCODE_OK},
	{HEAD SIG "\nm\n", TCODE_OK},
	{HEAD "encoding UTF-8\n" SIG "\nm\n", TCODE_OK},
	{HEAD SIG "encoding utf-8\n\nm\n", TCODE_OK},
	{HEAD "mergetag object " ID "\n type commit\n \n x\n" SIG "\nm\n",
	 TCODE_OK},
	{"", TCODE_GRAMMAR},
	{"\n", TCODE_GRAMMAR},
	{TREE, TCODE_GRAMMAR},
	{HEAD, TCODE_GRAMMAR},
	{TREE COMMITTER AUTHOR "\nm\n", TCODE_GRAMMAR},
	{TREE TREE AUTHOR COMMITTER "\nm\n", TCODE_GRAMMAR},
	{TREE AUTHOR AUTHOR COMMITTER "\nm\n", TCODE_GRAMMAR},
	{TREE AUTHOR COMMITTER COMMITTER "\nm\n", TCODE_GRAMMAR},
	{TREE AUTHOR PARENT COMMITTER "\nm\n", TCODE_GRAMMAR},
	{HEAD "change-id x\n\nm\n", TCODE_GRAMMAR},
	{HEAD "nospace\n\nm\n", TCODE_GRAMMAR},
	{HEAD " leading\n\nm\n", TCODE_DATE} /* continues a line */,
	{HEAD SIG SIG "\nm\n", TCODE_AMBIGUOUS},
	{HEAD "gpgsig-sha256 x\n" SIG "\nm\n", TCODE_AMBIGUOUS},
	{HEAD SIG "gpgsigX x\n\nm\n", TCODE_AMBIGUOUS},
	{HEAD "gpgsig \n\nm\n", TCODE_UNSIGNED},
	{HEAD "encoding latin1\n\nm\n", TCODE_ENCODING},
	{HEAD "encoding UTF-8\nencoding UTF-8\n\nm\n", TCODE_ENCODING},
	{HEAD "\nm\xff\n", TCODE_ENCODING},
	{"tree 0123\n" AUTHOR COMMITTER "\nm\n", TCODE_GRAMMAR},
	{"tree ABCDEF78901234567890123456789012345678AB\n" AUTHOR COMMITTER
	 "\nm\n",
	 TCODE_GRAMMAR},
	{TREE "author A <a@b> 1 +0000\r\n" COMMITTER "\nm\n", TCODE_GRAMMAR},
	{TREE "author A <a@b>\n" COMMITTER "\nm\n", TCODE_GRAMMAR},
	{TREE "author <a@b> 1 +0000\n" COMMITTER "\nm\n", TCODE_GRAMMAR},
	{TREE "author A a@b 1 +0000\n" COMMITTER "\nm\n", TCODE_GRAMMAR},
	{TREE "author A\x1b <a@b> 1 +0000\n" COMMITTER "\nm\n", TCODE_GRAMMAR},
	{TREE "author A <a@b> 01 +0000\n" COMMITTER "\nm\n", TCODE_DATE},
	{TREE "author A <a@b> -1 +0000\n" COMMITTER "\nm\n", TCODE_DATE},
	{TREE "author A <a@b> 1 +1500\n" COMMITTER "\nm\n", TCODE_DATE},
	{TREE "author A <a@b> 1 +0060\n" COMMITTER "\nm\n", TCODE_DATE},
	{TREE "author A <a@b> 1\n" COMMITTER "\nm\n", TCODE_DATE},
	{TREE "author A <a@b> 253402300800 +0000\n" COMMITTER "\nm\n",
	 TCODE_DATE},
};

static void A15_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verdict v = {0};
		struct commit c;
		int r = commit_parse(rows[i].bytes, strlen(rows[i].bytes), &c,
				     &v);

		if (v.code != rows[i].want ||
		    (r == 0) != (rows[i].want == TCODE_OK))
			fail_msg("row %zu: %s %s", i, verdict_name(v.code),
				 v.reason);
	}
}

static void A14_nul_anywhere(void **state)
{
	char bytes[] = HEAD SIG "\nmessage\n";
	struct verdict v = {0};
	struct commit c;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
		char keep = bytes[i];

		bytes[i] = '\0';
		assert_int_equal(commit_parse(bytes, sizeof(bytes) - 1, &c, &v),
				 ERR_TRUST);
		assert_int_equal(v.code, TCODE_GRAMMAR);
		bytes[i] = keep;
	}
}

static void parts_and_payload(void **state)
{
	static const char bytes[] = HEAD SIG "encoding UTF-8\n\nmessage\n";
	static const char payload[] = HEAD "encoding UTF-8\n\nmessage\n";
	struct commit c;
	char joined[512];
	size_t n;

	(void)state;
	assert_int_equal(commit_parse(bytes, sizeof(bytes) - 1, &c, NULL), 0);
	assert_int_equal(c.n_parents, 1);
	assert_int_equal(c.author.when, 1700000000);
	assert_int_equal(c.committer.when, 1700000001);
	assert_memory_equal(c.committer.email.at, "a@b", 3);
	assert_memory_equal(c.author.name.at, "A B", c.author.name.len);
	assert_memory_equal(c.message.at, "message\n", c.message.len);
	assert_memory_equal(c.signature.at, "-----BEGIN\n abc\n  d\n -----END",
			    c.signature.len);
	n = c.payload[0].len;
	memcpy(joined, c.payload[0].at, n);
	memcpy(joined + n, c.payload[1].at, c.payload[1].len);
	n += c.payload[1].len;
	assert_int_equal(n, sizeof(payload) - 1);
	assert_memory_equal(joined, payload, n);
}

static void cut_anywhere_is_no_crash(void **state)
{
	static const char bytes[] = HEAD SIG "\nmessage\n";

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		char *copy = malloc(i + 1);
		struct commit_id ids[4];
		struct verdict v = {0};
		struct commit c;
		size_t n;

		memcpy(copy, bytes, i);
		(void)commit_parse(copy, i, &c, &v);
		(void)commit_parents(copy, i, ids, 4, &n);
		free(copy);
	}
}

static void parents_of_any_commit(void **state)
{
	struct commit_id ids[2];
	size_t n = 9;

	(void)state;
	assert_true(commit_parents(TREE PARENT PARENT PARENT "junk",
				   5 + 41 + 3 * 48 + 4, ids, 2, &n));
	assert_int_equal(n, 2);
	assert_false(commit_parents("tree", 4, ids, 2, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A15_table),
		cmocka_unit_test(A14_nul_anywhere),
		cmocka_unit_test(parts_and_payload),
		cmocka_unit_test(cut_anywhere_is_no_crash),
		cmocka_unit_test(parents_of_any_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

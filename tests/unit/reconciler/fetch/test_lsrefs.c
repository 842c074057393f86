/* test_lsrefs.c - one ref in what a git server answers (A71, A72). */
#include "reconciler/fetch/lsrefs.c"
#include "reconciler/fetch/pktline.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define REF "refs/heads/main"

/* Lines of text, "" for a flush; NULL ends. */
struct talk {
	const char *name;
	enum lsrefs_state state;
	const char *lines[8];
	int r;		/* of the last line */
	const char *id; /* NULL: not found */
	const char *why;
	bool v2;
};

static const struct talk talks[] = {
	{"v2",
	 LSREFS_ADVERT,
	 {"version 2\n", "agent=x\n", "ls-refs=unborn\n",
	  "object-format=sha1\n", ""},
	 1,
	 NULL,
	 NULL,
	 true},
	{"v2 of a forge",
	 LSREFS_ADVERT,
	 {"# service=git-upload-pack\n", "", "version 2\n", "ls-refs\n", ""},
	 1,
	 NULL,
	 NULL,
	 true},
	{"A72 offers are not taken",
	 LSREFS_ADVERT,
	 {"version 2\n", "ls-refs\n", "fetch=filter packfile-uris\n",
	  "bundle-uri\n", "promisor-remote=name=x\n", ""},
	 1,
	 NULL,
	 NULL,
	 true},
	{"v2 without ls-refs",
	 LSREFS_ADVERT,
	 {"version 2\n", "fetch\n", ""},
	 ERR_PROTO,
	 NULL,
	 "without ls-refs",
	 false},
	{"sha256",
	 LSREFS_ADVERT,
	 {"version 2\n", "object-format=sha256\n"},
	 ERR_PROTO,
	 NULL,
	 "SHA-1",
	 false},
	{"v0",
	 LSREFS_ADVERT,
	 {"# service=git-upload-pack\n", "", A " HEAD\0", B " " REF "\n", ""},
	 1,
	 B,
	 NULL,
	 false},
	{"v0 of ssh",
	 LSREFS_ADVERT,
	 {A " HEAD\0", B " " REF "\n", ""},
	 1,
	 B,
	 NULL,
	 false},
	{"v1",
	 LSREFS_ADVERT,
	 {"version 1\n", A " " REF "\n", ""},
	 1,
	 A,
	 NULL,
	 false},
	{"nothing", LSREFS_ADVERT, {""}, 1, NULL, NULL, false},
	{"shallow",
	 LSREFS_ADVERT,
	 {A " HEAD\n", "shallow " A "\n"},
	 ERR_INPUT,
	 NULL,
	 "lacks history",
	 false},
	{"service twice",
	 LSREFS_ADVERT,
	 {"# service=git-upload-pack\n", "", "# service=git-upload-pack\n"},
	 ERR_PROTO,
	 NULL,
	 "an id and a ref",
	 false},
	{"service without flush",
	 LSREFS_ADVERT,
	 {"# service=git-upload-pack\n", "version 2\n"},
	 ERR_PROTO,
	 NULL,
	 "want a flush",
	 false},
	{"a web page",
	 LSREFS_ADVERT,
	 {"<html>"},
	 ERR_PROTO,
	 NULL,
	 "an id and a ref",
	 false},
	{"list",
	 LSREFS_LIST,
	 {A " refs/heads/main2\n", B " " REF "\n", ""},
	 1,
	 B,
	 NULL,
	 false},
	{"list, no newline", LSREFS_LIST, {B " " REF, ""}, 1, B, NULL, false},
	{"list with attributes",
	 LSREFS_LIST,
	 {B " " REF " symref-target:x\n", ""},
	 1,
	 B,
	 NULL,
	 false},
	{"list, not there",
	 LSREFS_LIST,
	 {A " refs/heads/mai\n", ""},
	 1,
	 NULL,
	 NULL,
	 false},
	{"list, empty", LSREFS_LIST, {""}, 1, NULL, NULL, false},
	{"twice",
	 LSREFS_LIST,
	 {A " " REF "\n", B " " REF "\n"},
	 ERR_PROTO,
	 NULL,
	 "more than once",
	 false},
	{"unborn",
	 LSREFS_LIST,
	 {"unborn " REF "\n"},
	 ERR_PROTO,
	 NULL,
	 "an id and a ref",
	 false},
	{"upper case",
	 LSREFS_LIST,
	 {"A"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa " REF "\n"},
	 ERR_PROTO,
	 NULL,
	 "40 hex",
	 false},
	{"long id",
	 LSREFS_LIST,
	 {A "a " REF "\n"},
	 ERR_PROTO,
	 NULL,
	 "an id and a ref",
	 false},
	{"not found",
	 LSREFS_LIST,
	 {"ERR Repository not found.\n"},
	 ERR_NOTFOUND,
	 NULL,
	 "the server says: Repository not found",
	 false},
	{"denied",
	 LSREFS_ADVERT,
	 {"ERR access denied\n"},
	 ERR_DENIED,
	 NULL,
	 "access denied",
	 false},
	{"A71 escapes",
	 LSREFS_ADVERT,
	 {"ERR \033]0;x\007busy\n"},
	 ERR_AGAIN,
	 NULL,
	 "\\x1",
	 false},
};

static void one_talk(const struct talk *t)
{
	struct err err = {0};
	struct lsrefs l;
	int r = 0;

	lsrefs_init(&l, REF, t->state);
	for (size_t i = 0; t->lines[i] != NULL; i++) {
		const char *text = t->lines[i];
		size_t len = strlen(text);
		struct pktline p = {*text == '\0' ? PKTLINE_FLUSH
						  : PKTLINE_DATA,
				    text, len};

		/* the NUL behind the first ref of version 0 */
		if (len == 45 && t->state == LSREFS_ADVERT)
			p.len++;
		if (r != 0)
			print_message("%s: over before line %zu\n", t->name, i);
		assert_int_equal(r, 0);
		r = lsrefs_take(&l, &p, &err);
	}
	if (r != t->r)
		print_message("%s: %d %s\n", t->name, r, err.msg);
	assert_int_equal(r, t->r);
	if (r == 1)
		assert_int_equal(l.found, t->id != NULL);
	if (t->id != NULL)
		assert_string_equal(l.id, t->id);
	if (t->why != NULL)
		assert_non_null(strstr(err.msg, t->why));
	assert_null(strpbrk(err.msg, "\033\007\n"));
	if (r == 1)
		assert_int_equal(l.v2, t->v2);
}

static void A71_A72_talks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++)
		one_talk(&talks[i]);
}

static void kinds_of_lines(void **state)
{
	const struct pktline delim = {.kind = PKTLINE_DELIM};
	const struct pktline end = {.kind = PKTLINE_END};
	struct err err = {0};
	struct lsrefs l;

	(void)state;
	lsrefs_init(&l, REF, LSREFS_LIST);
	assert_int_equal(lsrefs_take(&l, &delim, &err), ERR_PROTO);
	assert_non_null(strstr(err.msg, "a delimiter"));
	assert_int_equal(lsrefs_take(&l, &end, &err), ERR_PROTO);
	assert_non_null(strstr(err.msg, "an end"));
}

static void A70_lines_are_counted(void **state)
{
	const struct pktline p = {PKTLINE_DATA, A " refs/heads/mainx\n", 58};
	struct err err = {0};
	struct lsrefs l;
	int r = 0;

	(void)state;
	lsrefs_init(&l, REF, LSREFS_LIST);
	for (unsigned int i = 0; r == 0 && i < LSREFS_LINES_MAX + 2; i++)
		r = lsrefs_take(&l, &p, &err);
	assert_int_equal(r, ERR_LIMIT);
	assert_non_null(strstr(err.msg, "more than 2000000 lines"));
}

static void A72_the_request(void **state)
{
	char out[LSREFS_REQUEST_BYTES + 1] = "";
	struct lsrefs l;

	(void)state;
	lsrefs_init(&l, REF, LSREFS_LIST);
	l.object_format = true;
	out[lsrefs_request(&l, out)] = '\0';
	assert_string_equal(out, "0014command=ls-refs\n0017object-format=sha1\n"
				 "0001001fref-prefix refs/heads/main\n0000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A71_A72_talks),
		cmocka_unit_test(kinds_of_lines),
		cmocka_unit_test(A70_lines_are_counted),
		cmocka_unit_test(A72_the_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

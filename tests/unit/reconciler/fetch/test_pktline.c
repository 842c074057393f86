/* test_pktline.c - the framing of the git protocol. */
#include "reconciler/fetch/pktline.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct {
	const char *bytes;
	int r;
	size_t used;
	enum pktline_kind kind;
	const char *data;
} cases[] = {
	{"0000", 0, 4, PKTLINE_FLUSH, NULL},
	{"0001rest", 0, 4, PKTLINE_DELIM, NULL},
	{"0002", 0, 4, PKTLINE_END, NULL},
	{"0006a\n", 0, 6, PKTLINE_DATA, "a\n"},
	{"0005a0000", 0, 5, PKTLINE_DATA, "a"},
	{"000b1234567", 0, 11, PKTLINE_DATA, "1234567"},
	{"", 0, 0, PKTLINE_DATA, NULL},
	{"0", 0, 0, PKTLINE_DATA, NULL},
	{"000", 0, 0, PKTLINE_DATA, NULL},
	{"000b123456", 0, 0, PKTLINE_DATA, NULL},
	{"fff0", 0, 0, PKTLINE_DATA, NULL},
	{"0003", ERR_PROTO, 0, PKTLINE_DATA, NULL},
	{"0004", ERR_PROTO, 0, PKTLINE_DATA, NULL},
	{"fff1", ERR_PROTO, 0, PKTLINE_DATA, NULL},
	{"000B1234567", ERR_PROTO, 0, PKTLINE_DATA, NULL},
	{"-001", ERR_PROTO, 0, PKTLINE_DATA, NULL},
	{" 006a", ERR_PROTO, 0, PKTLINE_DATA, NULL},
	{"0x06a", ERR_PROTO, 0, PKTLINE_DATA, NULL},
	{"H", ERR_PROTO, 0, PKTLINE_DATA, NULL},
	{"<htm", ERR_PROTO, 0, PKTLINE_DATA, NULL},
};

static void lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pktline p = {0};
		struct err err = {0};
		size_t used = 99;

		assert_int_equal(pktline_parse(cases[i].bytes,
					       strlen(cases[i].bytes), &p,
					       &used, &err),
				 cases[i].r);
		assert_int_equal(used, cases[i].used);
		if (used == 0)
			continue;
		assert_int_equal(p.kind, cases[i].kind);
		if (cases[i].data == NULL) {
			assert_null(p.data);
			continue;
		}
		assert_int_equal(p.len, strlen(cases[i].data));
		assert_memory_equal(p.data, cases[i].data, p.len);
	}
}

static void escapes_in_errors_are_inert(void **state)
{
	struct err err = {0};
	struct pktline p;
	size_t used;

	(void)state;
	assert_int_equal(pktline_parse("\033[1m", 4, &p, &used, &err),
			 ERR_PROTO);
	assert_null(strchr(err.msg, '\033'));
	assert_non_null(strstr(err.msg, "\\x1"));
}

static void formats_and_parses(void **state)
{
	struct pktline p;
	char out[64];
	size_t used;
	size_t n = pktline_format(out, sizeof(out), "command=ls-refs\n");

	(void)state;
	assert_int_equal(n, 20);
	assert_memory_equal(out, "0014command=ls-refs\n", n);
	assert_int_equal(pktline_parse(out, n, &p, &used, NULL), 0);
	assert_int_equal(used, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(escapes_in_errors_are_inert),
		cmocka_unit_test(formats_and_parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

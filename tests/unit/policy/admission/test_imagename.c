/* Image references: what is accepted, what it means, what is refused. */
#include "policy/admission/imagename.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DIGEST                                                                 \
	"sha256:"                                                              \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_meaning(void **state)
{
	static const struct {
		const char *image, *repository, *tag;
		bool digest;
	} rows[] = {
		{"nginx", "docker.io/library/nginx", NULL, false},
		{"nginx:1.25", "docker.io/library/nginx", "1.25", false},
		{"team/app", "docker.io/team/app", NULL, false},
		{"localhost/app", "localhost/app", NULL, false},
		{"localhost:5000/app:2", "localhost:5000/app", "2", false},
		{"r.test/a/b-c/d__e.f@" DIGEST, "r.test/a/b-c/d__e.f", NULL,
		 true},
		{"r.test:443/a:t@" DIGEST, "r.test:443/a", "t", true},
		{"10.0.0.1:5000/a", "10.0.0.1:5000/a", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct imagename n;
		struct err err = {0};

		assert_int_equal(imagename_parse(rows[i].image, &n, &err), 0);
		assert_string_equal(n.repository, rows[i].repository);
		assert_int_equal(n.digest != NULL, rows[i].digest);
		assert_int_equal(n.tag != NULL, rows[i].tag != NULL);
		if (rows[i].tag)
			assert_memory_equal(n.tag, rows[i].tag, n.tag_len);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"a//b",
		"a/",
		"/a",
		"A",
		"r.test/A",
		"a:",
		"a:b:c",
		"a b",
		"a\nb",
		"../a",
		"r.test/../a",
		"r.test/./a",
		"a@sha256:",
		"a@" DIGEST "0",
		"a@md5:00",
		"a@sha512:00",
		"@" DIGEST,
		"a@" DIGEST "@x",
		"r.test:/a",
		"r.test:123456/a",
		".r/a",
		"r-.test-/a",
		"http://r.test/a",
		"a..b",
		"a_-b",
		"-a",
		"a-",
		"a___b",
		"r.test/a:-t",
		"R.test/a",
		"a\x1b",
		"u@r.test/a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct imagename n = {.tag = "untouched"};
		struct err err = {0};

		if (imagename_parse(bad[i], &n, &err) != ERR_INPUT)
			print_error("accepted: %s\n", bad[i]);
		assert_int_equal(imagename_parse(bad[i], &n, &err), ERR_INPUT);
		assert_non_null(strstr(err.msg, "want "));
		assert_string_equal(n.tag, "untouched");
	}
}

static void test_below(void **state)
{
	static const struct {
		const char *image, *entry;
		bool below;
	} rows[] = {
		{"r.test/a", "r.test", true},
		{"r.test/a", "r.test/", true},
		{"r.test/a", "r.test/a", true},
		{"r.test/ab", "r.test/a", false},
		{"r.test/a/b", "r.test/a", true},
		{"r.test:5000/a", "r.test", false},
		{"r.testing/a", "r.test", false},
		{"a", "docker.io/library", true},
		{"a", "docker.io", true},
		{"team/a", "team", false},
		{"r.test/a", "", false},
		{"r.test/a", "/", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct imagename n;
		struct err err = {0};

		assert_int_equal(imagename_parse(rows[i].image, &n, &err), 0);
		assert_int_equal(imagename_below(&n, rows[i].entry),
				 rows[i].below);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

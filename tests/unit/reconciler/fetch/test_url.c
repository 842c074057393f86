/* test_url.c - the grammar of URLs and refs (A44, A69).  The source is
 * included: a program's folder is in no archive. */
#include "reconciler/fetch/url.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *url;
	bool good;
} urls[] = {
	{"file:///srv/git/a.git", true},
	{"file:///a b", true},
	{"ssh://host/x", true},
	{"ssh://git@host.example:2222/~/x.git", true},
	{"", false},
	{"file://", false},
	{"file:///", false},
	{"file://host/x", false},
	{"file:///a//b", false},
	{"file:///a/../b", false},
	{"file:///a/..", false},
	{"file:///a%20b", false},
	{"file:///a\nb", false},
	{"FILE:///a", false},
	{"ssh://", false},
	{"ssh://host", false},
	{"ssh:///x", false},
	{"ssh://-o/x", false},
	{"ssh://-l@host/x", false},
	{"ssh://a@b@c/x", false},
	{"ssh://user:password@host/x", false},
	{"ssh://host:/x", false},
	{"ssh://host:22x/x", false},
	{"ssh://host:65536/x", false},
	{"ssh://host/-x", false},
	{"ssh://host/a;b", false},
	{"ssh://host/a$b", false},
	{"ssh://host/a`b", false},
	{"ssh://host/a'b", false},
	{"ssh://host/a b", false},
	{"ssh://h\x00/x", false},
	{"git+ssh://host/x", false},
	{"https://host/x", true},
	{"https://127.0.0.1:8443/a/b.git", true},
	{"https://user@host/x", false},
	{"https://user:password@host/x", false},
	{"https://host/x?y", false},
	{"https://host", false},
	{"https://[::1]/x", false},
	{"http://host/x", false},
	{"git://host/x", false},
	{"ext::sh -c id", false},
	{"host:path", false},
};

static void A69_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct url u = {.port = 77};
		struct err err = {0};
		int r = url_parse(urls[i].url, &u, &err);

		if ((r == 0) != urls[i].good)
			fail_msg("%s: %s", urls[i].url, err.msg);
		if (r < 0) {
			assert_int_equal(r, ERR_INPUT);
			assert_int_equal(u.port, 77);
		}
	}
}

static void parts_of_a_url(void **state)
{
	struct url u;

	(void)state;
	assert_int_equal(url_parse("ssh://git@h.x:22/~/a", &u, NULL), 0);
	assert_string_equal(u.user, "git");
	assert_string_equal(u.host, "h.x");
	assert_string_equal(u.path, "/~/a");
	assert_int_equal(u.port, 22);
}

static void A44_refs(void **state)
{
	static const char *const bad[] = {"",
					  "main",
					  "refs/",
					  "refs/heads/",
					  "refs/heads/a..b",
					  "refs/heads/../../x",
					  "refs/heads/.x",
					  "refs/heads/x.",
					  "refs/heads/x.lock",
					  "refs/heads/-x",
					  "refs/heads/a b",
					  "refs/heads/a^",
					  "refs/heads/a~1",
					  "refs/heads/a:b",
					  "refs/heads/a@{1}",
					  "refs//heads/x",
					  "refs/heads/x/",
					  "refs/heads/a*",
					  "refs/heads/a\\b",
					  "-refs/heads/x"};

	(void)state;
	assert_int_equal(url_check_ref("refs/heads/main", NULL), 0);
	assert_int_equal(url_check_ref("refs/heads/a/b-c_d.e+f", NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (url_check_ref(bad[i], NULL) != ERR_INPUT)
			fail_msg("%s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A69_urls),
		cmocka_unit_test(parts_of_a_url),
		cmocka_unit_test(A44_refs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

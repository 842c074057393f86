/* test_ref.c - the grammar of image references and their completion. */
#include "engine/image/ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct good {
	const char *text, *normal, *endpoint;
};

static const struct good goods[] = {
	{"nginx", "docker.io/library/nginx:latest", "registry-1.docker.io"},
	{"nginx:1.25", "docker.io/library/nginx:1.25", "registry-1.docker.io"},
	{"a/b", "docker.io/a/b:latest", "registry-1.docker.io"},
	{"docker.io/nginx", "docker.io/library/nginx:latest",
	 "registry-1.docker.io"},
	{"index.docker.io/a/b:c", "docker.io/a/b:c", "registry-1.docker.io"},
	{"localhost/app", "localhost/app:latest", "localhost"},
	{"localhost:5000/app", "localhost:5000/app:latest", "localhost:5000"},
	{"127.0.0.1:5000/test/app:v1", "127.0.0.1:5000/test/app:v1",
	 "127.0.0.1:5000"},
	{"[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000"},
	{"r.example/a/b/c/d", "r.example/a/b/c/d:latest", "r.example"},
	{"a@sha256:" HEX64, "docker.io/library/a@sha256:" HEX64,
	 "registry-1.docker.io"},
	{"r.example/a:t@sha256:" HEX64, "r.example/a:t@sha256:" HEX64,
	 "r.example"},
	{"a.b__c---d_e/f", "a.b__c---d_e/f:latest", NULL},
	{"host:5000", "docker.io/library/host:5000", NULL},
};

static void accepts_and_completes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		struct image_ref ref, again;
		char text[IMAGE_REF_BYTES];
		struct err e = {0};
		int r = image_ref_parse(goods[i].text, &ref, &e);

		/* a first component with a dot is a domain: a.b__c is none */
		if (strncmp(goods[i].text, "a.b__c", 6) == 0) {
			assert_int_equal(r, ERR_INPUT);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(image_ref_format(&ref, text),
				    goods[i].normal);
		if (goods[i].endpoint)
			assert_string_equal(image_ref_endpoint(&ref),
					    goods[i].endpoint);
		assert_int_equal(image_ref_parse(text, &again, &e), 0);
		assert_memory_equal(&ref, &again, sizeof(ref));
	}
}

static const struct {
	const char *text, *why;
} bads[] = {
	{"", "empty"},
	{"/a", "repository"},
	{"a/", "repository"},
	{"a//b", "repository"},
	{"A/b", "repository"},
	{"a/B", "repository"},
	{"-a", "repository"},
	{"a-", "repository"},
	{"a..b/c", "host"},
	{"x/a..b", "repository"},
	{"x/a___b", "repository"},
	{"x/../y", "repository"},
	{"r.example/../../v2/x", "repository"},
	{"a b", "repository"},
	{"a?x=1", "repository"},
	{"a%2fb", "repository"},
	{"a\nb", "repository"},
	{"a:", "tag"},
	{"a:.x", "tag"},
	{"a:-x", "tag"},
	{"a:x/y:z:", "host"},
	{"a:\xc3\xa9", "tag"},
	{"h:99999/a", "host"},
	{"h:0/a", "host"},
	{"h:05/a", "host"},
	{"h:/a", "host"},
	{"-h.x/a", "host"},
	{"user@h.x/a", "sha256"},
	{"user:pw@r.example/a", "sha256"},
	{"https://r.example/a", "host"},
	{"[::1/a", "host"},
	{"[]:5/a", "host"},
	{"a@", "sha256"},
	{"a@sha256:abc", "sha256"},
	{"a@sha256:" HEX64 "0", "sha256"},
	{"a@sha256:../../x", "sha256"},
	{"a@sha512:" HEX64 HEX64, "sha512"},
	{"a@sha256:" HEX64 "@sha256:" HEX64, "sha256"},
};

static void refuses_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct image_ref ref;
		struct err e = {0};

		memset(&ref, 7, sizeof(ref));
		assert_int_equal(image_ref_parse(bads[i].text, &ref, &e),
				 ERR_INPUT);
		if (!strstr(e.msg, bads[i].why))
			fail_msg("\"%s\": %s", bads[i].text, e.msg);
		assert_int_equal(ref.host[0], 7);
	}
}

static void lengths(void **state)
{
	char text[1024];
	struct image_ref ref;
	struct err e = {0};

	(void)state;
	memset(text, 'a', sizeof(text));
	text[237] = '\0'; /* docker.io/library/ in front: 255 */
	assert_int_equal(image_ref_parse(text, &ref, &e), 0);
	text[237] = 'a';
	text[238] = '\0';
	assert_int_equal(image_ref_parse(text, &ref, &e), ERR_INPUT);
	memset(text, 'a', sizeof(text));
	text[1] = ':';
	text[130] = '\0'; /* 128 behind the colon */
	assert_int_equal(image_ref_parse(text, &ref, &e), 0);
	text[130] = 'a';
	text[131] = '\0';
	assert_int_equal(image_ref_parse(text, &ref, &e), ERR_INPUT);
	memset(text, 'a', sizeof(text));
	text[1023] = '\0';
	assert_int_equal(image_ref_parse(text, &ref, &e), ERR_INPUT);
	assert_int_equal(image_ref_parse(NULL, &ref, &e), ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_and_completes),
		cmocka_unit_test(refuses_with_a_reason),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

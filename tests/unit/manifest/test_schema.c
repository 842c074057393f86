/* test_schema.c - patterns of the schemas against the checks of the decoder: a
 * schema never refuses what the decoder accepts. */
#include "manifest/schema.h"

#include "lib/json.h"
#include "manifest/kind.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define HEX40 "0123456789abcdef0123456789abcdef01234567"
#define HEX64 HEX40 "89abcdef0123456789abcdef"
#define UP40 "0123456789ABCDEF0123456789ABCDEF01234567"

static const char *const samples[] = {
	"",
	"a",
	"A",
	"a-b",
	"-a",
	"a-",
	"a.b",
	"a..b",
	"a.b.c-d",
	"1",
	"1a",
	"app.kubernetes.io/name",
	"app.kubernetes.io/",
	"/name",
	"a/b/c",
	"A_b.c-9",
	"_x",
	"http",
	"http-metrics",
	"a--b",
	"HOME",
	"my.var",
	"..data",
	".data",
	"tls.crt",
	"busybox",
	"busybox:1.36",
	"docker.io/library/busybox@sha256:" HEX64,
	"registry.example:5000/a/b:v1@sha256:" HEX64,
	"localhost/x",
	"UPPER",
	"a b",
	"/",
	"/var/lib",
	"/var/../lib",
	"/a:b",
	"sub/dir",
	"../up",
	"./here",
	".",
	"/healthz?x=1",
	"0%",
	"25%",
	"100%",
	"101%",
	"9999%",
	"refs/heads/main",
	"refs/",
	"refs/heads/a..b",
	"fleet",
	"fleet:prod/eu",
	"registry.example",
	"registry.example:5000",
	"registry.example:5000/team",
	"2026-01-01T00:00:00Z",
	"2026-01-01T00:00:00.5Z",
	"2026-01-01T00:00:00.123Z",
	"2026-01-01T00:00:00+01:00",
	"2026-01-01",
	UP40,
	HEX40,
	"sha256:" HEX64,
	"sha256:" HEX40,
	"email:a@example.org",
	"uri:https://example.org/x",
	"email:",
	"https://accounts.example.org",
	"http://accounts.example.org",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

static check_fn *const checks[] = {
	check_dns_label,     check_dns_subdomain, check_service_name,
	check_label_key,     check_label_value,	  check_port_name,
	check_env_name,	     check_env_prefix,	  check_config_key,
	check_image,	     check_absolute,	  check_mount_path,
	check_relative,	     check_http_path,	  check_nonempty,
	check_percent,	     check_ref,		  check_repository_id,
	check_registry,	     check_trust_time,	  check_trust_openpgp,
	check_trust_payload, check_trust_san,	  check_trust_issuer,
};

static void never_narrower(void **state)
{
	(void)state;
	for (size_t c = 0; c < N(checks); c++) {
		const char *pattern = schema_pattern(checks[c]);
		size_t accepted = 0, refused = 0;
		regex_t rx;

		assert_non_null(pattern);
		assert_int_equal(
			regcomp(&rx, pattern, REG_EXTENDED | REG_NOSUB), 0);
		for (size_t i = 0; i < N(samples); i++) {
			bool good = checks[c](samples[i]) == NULL;
			bool fits = regexec(&rx, samples[i], 0, NULL, 0) == 0;

			if (good && !fits)
				fail_msg("%s refuses '%s'", pattern,
					 samples[i]);
			accepted += good;
			refused += !fits;
		}
		regfree(&rx);
		if (accepted == 0 || refused == 0)
			fail_msg("%s: %zu accepted, %zu refused", pattern,
				 accepted, refused);
	}
}

static void each_is_json(void **state)
{
	struct err e = {0};

	(void)state;
	for (int i = 0; i <= MANIFEST_KIND_COUNT; i++) {
		json_t *root = NULL;
		struct buf b;

		buf_init(&b, 4u << 20);
		assert_int_equal(
			i < MANIFEST_KIND_COUNT
				? schema_kind((enum manifest_kind)i, &b, &e)
				: schema_all(&b, &e),
			0);
		assert_int_equal(
			json_read(b.data, b.len, 4u << 20, 32, &root, &e), 0);
		assert_string_equal(
			json_string_value(json_object_get(root, "$schema")),
			"http://json-schema.org/draft-07/schema#");
		json_decref(root);
		buf_release(&b);
	}
}

static void names_of_files(void **state)
{
	static const struct {
		enum manifest_kind kind;
		const char *name;
	} rows[] = {
		{MANIFEST_POD, "pod-v1.json"},
		{MANIFEST_DEPLOYMENT, "deployment-apps-v1.json"},
		{MANIFEST_CLUSTERPOLICY,
		 "clusterpolicy-reconcile-v1alpha1.json"},
		{MANIFEST_ROLE, "role-rbac-v1.json"},
	};
	char name[128];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		schema_file_name(rows[i].kind, name, sizeof(name));
		assert_string_equal(name, rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_narrower),
		cmocka_unit_test(each_is_json),
		cmocka_unit_test(names_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

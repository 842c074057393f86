/* test_assign.c - addresses, counts and what a whole assignment must be. */
#include "agent/assign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void ipv4(void **state)
{
	static const char *const bad[] = {
		"",	    "1.2.3",	"1.2.3.4.5", "01.2.3.4", "256.0.0.1",
		"1.2.3.4 ", " 1.2.3.4", "1..3.4",    "a.b.c.d",	 "1.2.3.-4"};
	uint32_t ip = 7;

	(void)state;
	assert_true(assign_ipv4("10.244.3.1", &ip));
	assert_int_equal(ip, 0x0af40301);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(assign_ipv4(bad[i], &ip));
	assert_int_equal(ip, 0x0af40301);
}

static void cidr(void **state)
{
	uint32_t net, prefix;

	(void)state;
	assert_true(assign_cidr("10.96.0.0/16", &net, &prefix));
	assert_int_equal(net, 0x0a600000);
	assert_int_equal(prefix, 16);
	assert_false(assign_cidr("10.96.0.1/16", &net, &prefix));
	assert_false(assign_cidr("10.96.0.0/31", &net, &prefix));
	assert_false(assign_cidr("10.96.0.0/7", &net, &prefix));
	assert_false(assign_cidr("10.96.0.0", &net, &prefix));
}

static void accepts_A74_A75(void **state)
{
	struct assign_host host = {.name = "h1", .epoch = 5};
	Channel__Assignment a = CHANNEL__ASSIGNMENT__INIT;
	char h1[] = "h1", h2[] = "h2";
	enum code_id code;

	(void)state;
	a.host = h1;
	a.epoch = 6;
	assert_true(assign_accepts(&a, &host, &code));
	a.epoch = 5;
	assert_false(assign_accepts(&a, &host, &code));
	assert_int_equal(code, CODE_REPLAY);
	a.epoch = 9;
	a.host = h2;
	assert_false(assign_accepts(&a, &host, &code));
	assert_int_equal(code, CODE_WRONG_HOST);
}

static void names_and_counts(void **state)
{
	struct arena *arena = arena_new(1u << 20);
	struct object o = {.kind = MANIFEST_DEPLOYMENT,
			   .meta = {.name = "web"}};

	(void)state;
	(void)snprintf(o.deployment.template.hash, 17, "0123456789abcdef");
	o.deployment.replicas = 10;
	o.deployment.strategy = "RollingUpdate";
	o.deployment.max_surge =
		(struct int_or_string){.is_string = true, .text = "25%"};
	assert_int_equal(assign_pods_max(&o), 13);
	assert_string_equal(assign_pod_name(arena, &o, 3, "h1"),
			    "web-0123456789-3");
	o.deployment.strategy = "Recreate";
	assert_int_equal(assign_pods_max(&o), 10);
	o = (struct object){.kind = MANIFEST_JOB, .meta = {.name = "j"}};
	o.job.completions = 2;
	o.job.backoff_limit = 6;
	o.job.parallelism = 1;
	assert_int_equal(assign_pods_max(&o), 9);
	assert_string_equal(assign_pod_name(arena, &o, 4, "h1"), "j-4");
	o = (struct object){.kind = MANIFEST_CONFIGMAP};
	assert_int_equal(assign_pods_max(&o), 0);
	arena_free(arena);
}

static void codes_are_in_order(void **state)
{
	(void)state;
	for (int i = 1; i < CODE_COUNT; i++) {
		assert_true(strcmp(code_id((enum code_id)(i - 1)),
				   code_id((enum code_id)i)) < 0);
		assert_true(strlen(code_text((enum code_id)i)) > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4),
		cmocka_unit_test(cidr),
		cmocka_unit_test(accepts_A74_A75),
		cmocka_unit_test(names_and_counts),
		cmocka_unit_test(codes_are_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

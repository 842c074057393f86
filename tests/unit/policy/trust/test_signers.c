/* test_signers.c - patterns of principals; the rest is in trust_keys.t. */
#include "policy/trust/signers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *patterns, *name;
	bool fits;
} rows[] = {
	{"*", "a@b", true},
	{"*@b", "a@b", true},
	{"*@b", "a@c", false},
	{"a?b", "axb", true},
	{"a?b", "ab", false},
	{"x,*@b", "a@b", true},
	{"*@b,!a@b", "a@b", false},
	{"!a@b,*@b", "a@b", false},
	{"!a@b", "c@b", false},
	{"a*b*c", "a__b__c", true},
	{"a*b*c", "a__c__b", false},
	{"**", "", true},
	{"", "", true},
	{"", "a", false},
	{"*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	{"a\\*", "a*", false},
};

static void patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signer line = {.principals = rows[i].patterns};
		struct wire_span name = {(const uint8_t *)rows[i].name,
					 strlen(rows[i].name)};

		if (signers_name_fits(&line, &name) != rows[i].fits)
			fail_msg("%s %s", rows[i].patterns, rows[i].name);
	}
}

static void A05_nothing_is_not_an_empty_list(void **state)
{
	static const char line[] =
		"a namespaces=\"git\" ssh-ed25519 "
		"AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2"
		"l9GKJl\n";
	static const struct {
		const char *text;
		enum tcode want;
	} lists[] = {
		{"", TCODE_NO_REVOCATIONS},
		{"\n \t\n", TCODE_NO_REVOCATIONS},
		{"# none\n", TCODE_OK},
		{"SHA256:abc\n", TCODE_REVOCATIONS},
		{"serial: 9-3\n", TCODE_REVOCATIONS},
		{"serial: x\n", TCODE_REVOCATIONS},
		{"serial: 3-9\nid: x\n", TCODE_OK},
		{"id:\n", TCODE_REVOCATIONS},
		{"ssh-ed25519\n", TCODE_REVOCATIONS},
		{"ssh-ed25519 AAAA\n", TCODE_REVOCATIONS},
		{"SSHKRL\n", TCODE_REVOCATIONS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct signers *s = NULL;
		struct verdict v = {0};

		(void)signers_new(line, sizeof(line) - 1, lists[i].text,
				  strlen(lists[i].text), &s, &v);
		if (v.code != lists[i].want)
			fail_msg("%s: %s", lists[i].text, v.reason);
		signers_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns),
		cmocka_unit_test(A05_nothing_is_not_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

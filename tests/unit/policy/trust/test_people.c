/*
 * test_people.c - the trust policy compiled: what is refused with which code,
 * and what is asked of it.  Names and rules alone are in the goldens
 * desired/trust-*.
 */
#include "tests/unit/policy/trust/people_file.h"

/* --- what is refused ------------------------------------------------------ */

static void a_rule_that_too_few_can_meet(void **state)
{
	struct file f = works;

	(void)state;
	/* alice has no hardware key */
	f.rules = "  - {paths: ['**'], roles: [admins], threshold: 2, "
		  "require: [PIN]}\n";
	refused(&f, TCODE_TRUST_THRESHOLD,
		"rules[0]: want 2 people whose keys are not revoked and are "
		"in hardware, have 1",
		1);
	/* bob's only key is revoked: root and rules[0] need two */
	f = works;
	{
		struct world w = good();
		char text[200];

		(void)snprintf(
			text, sizeof(text),
			"    keys: [{fingerprint: \"%s\", reason: lost}]\n",
			signers_next_of(people_signers(w.p), ARMOR_SSH,
					signers_next_of(people_signers(w.p),
							ARMOR_SSH, NULL))
				->key.fingerprint);
		f.revoked = text;
		refused(&f, TCODE_TRUST_THRESHOLD,
			"root: want 2 people whose keys are not revoked, "
			"have 1",
			2);
		world_end(&w);
	}
}

static void faults_are_told_all_at_once(void **state)
{
	struct file f = works;

	(void)state;
	f.alice = "{ssh: " KEY_RSA_2048 "}";
	f.carol = "{ssh: " KEY_C "}";
	f.more = "  freshness: {maxAge: 1h, keys: [{ssh: " KEY_C "}]}\n";
	f.revoked = "    krl: AAAA\n";
	/* weak, twice, KRL, root, rules[0] */
	refused(&f, TCODE_TRUST_KEY, "want RSA", 5);
}

static void A5_a_lost_list_of_revocations(void **state)
{
	static const char *const lists[] = {
		"", /* spec without revocations at all */
		"  revocations: {}\n",
		"  revocations: null\n",
		"  revocations: {keys: []}\n",
	};
	static const char form[] =
		"apiVersion: reconcile/v1alpha1\nkind: TrustPolicy\n"
		"metadata: {name: trust}\nspec:\n  version: 1\n"
		"  expires: \"2027-11-28T00:00:00Z\"\n"
		"  people: [{name: a, keys: [{ssh: " KEY_A "}]}]\n"
		"  root: {people: [a]}\n  rules: [{paths: [a], people: "
		"[a]}]\n%s";
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct world w;
		int n = snprintf(text, sizeof(text), form, lists[i]);

		w = read_bytes(text, (size_t)n);
		assert_int_equal(w.r, ERR_TRUST);
		assert_int_equal(w.v.code, TCODE_TRUST_POLICY);
		if (!strstr(w.v.reason, "M205") ||
		    !strstr(w.v.reason, i == 1 || i == 3
						? "revocations needs 'asOf'"
						: "needs 'revocations'"))
			fail_msg("%s", w.v.reason);
		world_end(&w);
	}
	{
		struct file f = works;

		f.revoked = "    krl: \"\"\n";
		refused(&f, TCODE_TRUST_POLICY, "want base64", 1);
		f.revoked = "    krl: QUFBQUFBQUFBQUFB\n"; /* no KRL */
		refused(&f, TCODE_REVOCATIONS, "want a binary KRL", 1);
		f.revoked = "    krl: U1NIS1JMCgA=\n"; /* its first 8 bytes */
		refused(&f, TCODE_REVOCATIONS, "revocations.krl: ", 1);
	}
}

static void another_kind_is_no_policy(void **state)
{
	static const char map[] = "apiVersion: v1\nkind: ConfigMap\n"
				  "metadata: {name: a}\n";
	struct world w = read_bytes(map, sizeof(map) - 1);

	(void)state;
	assert_int_equal(w.v.code, TCODE_TRUST_POLICY);
	assert_non_null(strstr(w.v.reason, "want exactly one TrustPolicy, have "
					   "1 objects, the first a ConfigMap"));
	world_end(&w);
	w = read_bytes("", 0);
	assert_int_equal(w.v.code, TCODE_TRUST_POLICY);
	assert_non_null(strstr(w.v.reason, "have 0 objects"));
	world_end(&w);
}

/* --- what is asked -------------------------------------------------------- */

static void rules_by_path(void **state)
{
	static const struct {
		const char *path, *id;
	} table[] = {
		{".reconcile/trust.yaml", "root"},
		{".reconcile/trust.yaml/x", "root"},
		{".reconcile/trust.yam", "rules[0]"},
		{".reconcile/trust.yaml2", "rules[0]"},
		{".reconcile/policy.yaml", "rules[0]"},
		{".reconcile/approvals/ab/alice", "approvals"},
		{".reconcile/approvals", "rules[0]"},
		{".reconcile/approvalsx/a", "rules[0]"},
		{".reconcile", NULL},
		{"web/a/b.yaml", "rules[1]"},
		{"a.yaml", "rules[1]"},
		{"x/a.yaml", NULL},
		{"prod/a.yaml", "rules[2]"},
		{"", NULL},
	};
	struct world w = good();

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct people_rule *r = people_rule(w.p, table[i].path);

		if (!r != !table[i].id || (r && strcmp(r->id, table[i].id)))
			fail_msg("%s: want %s, have %s", table[i].path,
				 table[i].id ? table[i].id : "none",
				 r ? r->id : "none");
	}
	assert_int_equal(people_rule(w.p, ".reconcile/approvals/a")->threshold,
			 0);
	assert_ptr_equal(people_root(w.p),
			 people_rule(w.p, ".reconcile/trust.yaml"));
	world_end(&w);
}

static void A31_who_counts(void **state)
{
	struct world w = good();
	const struct people_person *alice = people_find(w.p, "alice");
	const struct people_person *carol = people_find(w.p, "carol");
	const struct people_rule *root = people_root(w.p);
	const struct people_rule *prod = people_rule(w.p, "prod/x");

	(void)state;
	assert_non_null(alice);
	assert_int_equal(people_count(w.p), 3);
	assert_ptr_equal(people_at(w.p, alice->index), alice);
	assert_null(people_find(w.p, "forge")); /* nobody */
	assert_null(people_find(w.p, "freshness"));
	assert_null(people_find(w.p, ""));
	assert_int_equal(alice->roles.n, 1);
	assert_string_equal(alice->roles.items[0], "admins");
	assert_int_equal(carol->roles.n, 0);
	assert_true(people_counts(root, alice, false, false));
	assert_false(people_counts(root, carol, true, true));
	assert_false(people_counts(root, NULL, true, true));
	assert_false(people_counts(people_rule(w.p, ".reconcile/approvals/x"),
				   alice, true, true));
	assert_false(people_counts(prod, alice, false, true));
	assert_true(people_counts(prod, alice, true, false));
	assert_true(people_counts(prod, carol, true, false));
	world_end(&w);
}

#define T_2026 1798675200 /* 2026-12-31 */
#define T_2028 1830297600 /* 2028-01-01 */

static void who_could(void **state)
{
	struct world w = good();
	const char *names[2] = {NULL, NULL};
	const struct people_rule *prod = people_rule(w.p, "prod/x");

	(void)state;
	/* alice has no hardware key; bob has one; carol's may be certified */
	assert_int_equal(people_of_rule(w.p, prod, T_2026, names, 2), 2);
	assert_string_equal(names[0], "bob");
	assert_string_equal(names[1], "carol");
	/* bob's is over */
	assert_int_equal(people_of_rule(w.p, prod, T_2028, names, 2), 1);
	assert_string_equal(names[0], "carol");
	names[0] = NULL;
	assert_int_equal(
		people_of_rule(w.p, people_root(w.p), T_2026, names, 1), 2);
	assert_string_equal(names[0], "alice");
	world_end(&w);
}

static void the_policy_expires(void **state)
{
	struct world w = good();
	int64_t end = people_expires(w.p);

	(void)state;
	assert_int_equal(end, 1827360000);
	assert_false(people_expired(w.p, end - 1));
	assert_true(people_expired(w.p, end));
	assert_true(people_expired(w.p, INT64_MAX));
	world_end(&w);
}

static void A29_versions_add_one(void **state)
{
	static const struct {
		int from, to;
		bool ok;
	} steps[] = {{1, 2, true},	    {1, 1, false},
		     {2, 1, false},	    {1, 3, false},
		     {7, 8, true},	    {7, 2147483647, false},
		     {2147483647, 1, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct file f = works, t = works;
		struct world a, b;
		struct verdict v = {0};
		int r;

		f.version = steps[i].from;
		t.version = steps[i].to;
		a = read_file(&f);
		b = read_file(&t);
		assert_true(a.r == 0 && b.r == 0);
		r = people_successor(a.p, b.p, &v);
		assert_int_equal(r, steps[i].ok ? 0 : ERR_TRUST);
		if (!steps[i].ok) {
			assert_int_equal(v.code, TCODE_TRUST_VERSION);
			assert_non_null(strstr(v.reason, "want version "));
		}
		world_end(&a);
		world_end(&b);
	}
}

static void the_digest_is_of_the_file(void **state)
{
	char text[PEOPLE_DIGEST];

	(void)state;
	people_digest("", 0, text);
	assert_string_equal(text, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae"
				  "41e4649b934ca495991b7852b855");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_that_too_few_can_meet),
		cmocka_unit_test(faults_are_told_all_at_once),
		cmocka_unit_test(A5_a_lost_list_of_revocations),
		cmocka_unit_test(another_kind_is_no_policy),
		cmocka_unit_test(rules_by_path),
		cmocka_unit_test(A31_who_counts),
		cmocka_unit_test(who_could),
		cmocka_unit_test(the_policy_expires),
		cmocka_unit_test(A29_versions_add_one),
		cmocka_unit_test(the_digest_is_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

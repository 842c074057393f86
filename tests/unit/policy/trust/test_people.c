/*
 * test_people.c - the trust policy compiled: what is refused with which code,
 * and what is asked of it.  Names and rules alone are in the goldens
 * desired/trust-*.
 */
#include "policy/trust/people.h"

#include "lib/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ED "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"
#define KEY_A ED "INUwZm/do/MvyncS24cHi9dEZS3dfsFP1zhFCyplF6MV"
#define KEY_B ED "IHJQiIb8h3+htAi1mtVOka64HlkBoMdsL/5E1Cl/9/dZ"
#define KEY_C ED "ILnJM4OpeMwptv9UlE1ifRQxHG9Ek2kJYq3TBCzqKTQN"
#define KEY_CA ED "II4Vr9Fcc8LCLl+I73qt9m0inxGBjhTWxwGsHyBdKW8C"
#define KEY_SK                                                                 \
	"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t"  \
	"AAAAIHJQiIb8h3+htAi1mtVOka64HlkBoMdsL/5E1Cl/9/dZAAAABHNzaDo="
#define KEY_RSA_2048                                                           \
	"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC8ZkLTvfCX5Z59BtXvqb/RQCicFCO9" \
	"auJC0zePHCpJgIkuXVaFGuj38Dqp+wU2/F60Wf7z/4HMQJcglgyfwAc8eYBKS/Kwk75E" \
	"r1tr7n8vhB9tUHQmbPIuQ040vI+hkjbERbshWT7RMwyTCzW5WYKzo8+366rxWI6CI2n8" \
	"6CLczCxI2WXUYrhMmQ6IJHbhFAawVDnV6Q8x4WdCcUID/TW0Rjx9/0upH/qpFtSOtBz9" \
	"kZd7aEktYiQcdFuVEUl0tm1Gmz5kN+XX+Th1zS0icdUweghb9w2lPcUcAElYjZENrktR" \
	"nEBImd7IeqgUyI9lIAVYijRQF8KR9jW6ZVMkguwl"

/* The file that works: pieces of it are replaced one by one. */
struct file {
	const char *alice, *bob, *carol; /* items of keys */
	const char *rules, *more, *revoked;
	int version;
};
static const struct file works = {
	.alice = "{ssh: " KEY_A "}",
	.bob = "{ssh: " KEY_SK ", validBefore: \"2027-01-01T00:00:00Z\"}",
	.carol = "{sshCertificateAuthority: " KEY_CA ", principals: [c, cc]}",
	.rules = "  - paths: [.reconcile/**]\n"
		 "    roles: [admins]\n"
		 "    threshold: 2\n"
		 "  - paths: [web/**, '*.yaml']\n"
		 "    people: [carol]\n"
		 "  - paths: [prod/**]\n"
		 "    roles: [admins]\n"
		 "    people: [carol]\n"
		 "    require: [Touch]\n",
	.more = "  carriers:\n"
		"  - name: forge\n"
		"    accept: [Merge]\n"
		"    keys: [{ssh: " KEY_C "}]\n"
		"  freshness: {maxAge: 48h}\n",
	.revoked = "    keys: []\n",
	.version = 1,
};

struct world {
	struct arena *arena;
	struct diags diags;
	struct verdict v;
	struct people *p;
	int r;
};

static void world_end(struct world *w)
{
	people_free(w->p);
	arena_free(w->arena);
}

static struct world read_bytes(const char *text, size_t len)
{
	struct world w = {.arena = arena_new((size_t)64 << 20)};
	struct manifest_input in = {
		.path = PEOPLE_PATH, .bytes = text, .len = len};

	diags_init(&w.diags, w.arena, 100);
	w.r = people_read(&in, w.arena, &w.diags, &w.p, &w.v);
	return w;
}

static struct world read_file(const struct file *f)
{
	static const char form[] = "apiVersion: reconcile/v1alpha1\n"
				   "kind: TrustPolicy\n"
				   "metadata: {name: trust}\n"
				   "spec:\n"
				   "  version: %d\n"
				   "  expires: \"2027-11-28T00:00:00Z\"\n"
				   "  people:\n"
				   "  - {name: alice, keys: [%s]}\n"
				   "  - {name: bob, keys: [%s]}\n"
				   "  - {name: carol, keys: [%s]}\n"
				   "  roles:\n"
				   "  - {name: admins, people: [alice, bob]}\n"
				   "  root: {roles: [admins], threshold: 2}\n"
				   "  rules:\n%s"
				   "%s"
				   "  revocations:\n"
				   "    asOf: \"2026-11-28T00:00:00Z\"\n%s";
	char text[16384];
	int n = snprintf(text, sizeof(text), form, f->version, f->alice, f->bob,
			 f->carol, f->rules, f->more, f->revoked);

	assert_in_range(n, 1, sizeof(text) - 1);
	return read_bytes(text, (size_t)n);
}

static struct world good(void)
{
	struct world w = read_file(&works);

	if (w.r < 0)
		fail_msg("%s", w.v.reason);
	assert_int_equal(w.diags.n, 0);
	return w;
}

/* Refused with this code and these words; n diagnostics. */
static void refused(const struct file *f, enum tcode code, const char *words,
		    size_t n)
{
	struct world w = read_file(f);

	if (w.r != ERR_TRUST || w.v.code != code ||
	    !strstr(w.v.reason, words) || w.diags.n_errors != n || w.p != NULL)
		fail_msg("want %s %s and %zu errors, have %d %s %s and %zu",
			 verdict_name(code), words, n, w.r,
			 verdict_name(w.v.code), w.v.reason, w.diags.n_errors);
	world_end(&w);
}

/* --- what is refused ------------------------------------------------------ */

static void A13_a_weak_key_is_no_key(void **state)
{
	struct file f = works;

	(void)state;
	f.alice = "{ssh: " KEY_RSA_2048 "}";
	refused(&f, TCODE_TRUST_KEY, "want RSA of 3072 to 8192 bits", 3);
	f = works;
	f.carol = "{ssh: ssh-dss AAAAB3NzaC1kc3M=}";
	refused(&f, TCODE_TRUST_KEY, "key type \"ssh-dss\" is not allowed", 2);
	f.carol = "{ssh: ssh-rsa " /* an ed25519 key under another name */
		  "AAAAC3NzaC1lZDI1NTE5AAAAINUwZm/do/MvyncS24cHi9dEZS3dfsFP1zh"
		  "FCyplF6MV}";
	refused(&f, TCODE_TRUST_KEY, "the key is not of the type \"ssh-rsa\"",
		2);
	f.carol = "{ssh: ssh-ed25519 AAAA}";
	refused(&f, TCODE_TRUST_KEY, "the key is not of the type", 2);
}

static void A31_a_key_has_one_owner(void **state)
{
	struct file f = works;

	(void)state;
	f.bob = "{ssh: " KEY_A " another comment}";
	refused(&f, TCODE_TRUST_TWICE, "is a key of alice already (line 8)", 1);
	f = works;
	f.alice = "{ssh: " KEY_A "}, {ssh: " KEY_A
		  ", validAfter: \"2026-01-01T00:00:00Z\"}";
	refused(&f, TCODE_TRUST_TWICE, "is a key of alice already", 1);
	f = works;
	f.alice = "{ssh: " KEY_C "}"; /* the forge's */
	refused(&f, TCODE_TRUST_TWICE, "is a key of alice already", 1);
	f = works;
	f.more = "  freshness: {maxAge: 1h, keys: [{ssh: " KEY_A "}]}\n";
	refused(&f, TCODE_TRUST_TWICE, "is a key of alice already", 1);
	/* an authority may certify many, each under other names */
	f = works;
	f.alice = "{sshCertificateAuthority: " KEY_CA ", principals: [a]}";
	f.rules = "  - {paths: ['**'], people: [alice]}\n";
	{
		struct world w = read_file(&f);

		assert_int_equal(w.r, 0);
		world_end(&w);
	}
	f.alice = "{sshCertificateAuthority: " KEY_CA ", principals: [a, cc]}";
	refused(&f, TCODE_TRUST_TWICE, " cc is a key of alice already", 1);
}

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

static void pins_of_other_formats(void **state)
{
	struct file f = works;

	(void)state;
	f.carol = "{x509: {identity: 'email:c@example.org', authority: "
		  "\"-----BEGIN CERTIFICATE-----\\nAAAA\\n"
		  "-----END CERTIFICATE-----\\n\"}}";
	refused(&f, TCODE_TRUST_KEY, "authority: ", 2);
	f.carol = "{openpgp: {fingerprint: "
		  "'0123456789ABCDEF0123456789ABCDEF01234567', certificate: "
		  "\"-----BEGIN PGP PUBLIC KEY BLOCK-----\\n\\nAAAA\\n"
		  "-----END PGP PUBLIC KEY BLOCK-----\\n\"}}";
	refused(&f, TCODE_TRUST_KEY, "certificate: ", 2);
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

static void signers_say_whose_a_key_is(void **state)
{
	struct world w = good();
	const struct signers *s = people_signers(w.p);
	const struct signer *at = NULL;
	static const struct {
		const char *name, *principals;
		enum signer_use use;
		bool authority;
	} want[] = {{"alice", "alice", SIGNER_PERSON, false},
		    {"bob", "bob", SIGNER_PERSON, false},
		    {"carol", "c,cc", SIGNER_PERSON, true},
		    {"forge", "forge", SIGNER_CARRIER, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		at = signers_next_of(s, ARMOR_SSH, at);
		assert_non_null(at);
		assert_string_equal(at->name, want[i].name);
		assert_string_equal(at->principals, want[i].principals);
		assert_int_equal(at->use, want[i].use);
		assert_int_equal(at->authority, want[i].authority);
		if (at->authority)
			assert_string_equal(at->person, "carol");
	}
	assert_null(signers_next_of(s, ARMOR_SSH, at));
	assert_true(people_carrier_accepts(w.p, "forge", PEOPLE_MERGE));
	assert_false(people_carrier_accepts(w.p, "forge", PEOPLE_SQUASH));
	assert_false(people_carrier_accepts(w.p, "alice", PEOPLE_MERGE));
	assert_int_equal(people_max_age_s(w.p), 48 * 3600);
	assert_false(people_rbac(w.p));
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

static void A4_what_is_revoked(void **state)
{
	struct file f = works;
	struct world w;
	uint8_t digest[HASH_BYTES];

	(void)state;
	f.carol = "{ssh: " KEY_C "}";
	f.more = "";
	f.revoked = "    keys: [{fingerprint: "
		    "0123456789ABCDEF0123456789ABCDEF01234567}]\n"
		    "    payloads: [\"sha256:"
		    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
		    "7852b855\"]\n";
	f.rules = "  - {paths: ['**'], people: [carol]}\n";
	w = read_file(&f);
	if (w.r < 0)
		fail_msg("%s", w.v.reason);
	assert_true(signers_fingerprint_revoked(
		people_signers(w.p),
		"0123456789ABCDEF0123456789ABCDEF01234567"));
	hash_sha256("", 0, digest);
	assert_true(signers_payload_revoked(people_signers(w.p), digest));
	hash_sha256("x", 1, digest);
	assert_false(signers_payload_revoked(people_signers(w.p), digest));
	world_end(&w);
}

static void a_revoked_key_in_the_file_is_warned_of(void **state)
{
	struct file f = works;
	struct world w = good();
	char text[200];

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "    keys: [{fingerprint: \"%s\"}]\n",
		       signers_next_of(people_signers(w.p), ARMOR_SSH, NULL)
			       ->key.fingerprint);
	world_end(&w);
	f.revoked = text;
	f.alice = "{ssh: " KEY_A "}, {ssh: " KEY_B "}";
	w = read_file(&f);
	if (w.r < 0)
		fail_msg("%s", w.v.reason);
	assert_int_equal(w.diags.n, 1);
	assert_string_equal(w.diags.items[0].code, "T122");
	assert_int_equal(w.diags.items[0].severity, DIAG_WARNING);
	assert_non_null(strstr(w.diags.items[0].message,
			       "this key of alice is revoked"));
	world_end(&w);
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
		cmocka_unit_test(A13_a_weak_key_is_no_key),
		cmocka_unit_test(A31_a_key_has_one_owner),
		cmocka_unit_test(a_rule_that_too_few_can_meet),
		cmocka_unit_test(faults_are_told_all_at_once),
		cmocka_unit_test(pins_of_other_formats),
		cmocka_unit_test(A5_a_lost_list_of_revocations),
		cmocka_unit_test(another_kind_is_no_policy),
		cmocka_unit_test(rules_by_path),
		cmocka_unit_test(A31_who_counts),
		cmocka_unit_test(who_could),
		cmocka_unit_test(signers_say_whose_a_key_is),
		cmocka_unit_test(the_policy_expires),
		cmocka_unit_test(A29_versions_add_one),
		cmocka_unit_test(A4_what_is_revoked),
		cmocka_unit_test(a_revoked_key_in_the_file_is_warned_of),
		cmocka_unit_test(the_digest_is_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

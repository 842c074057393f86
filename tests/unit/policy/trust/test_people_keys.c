/* test_people_keys.c - the keys of a trust policy: which are refused, whose
 * they are, what is revoked. */
#include "tests/unit/policy/trust/people_file.h"

#define PEM                                                                    \
	"\"-----BEGIN CERTIFICATE-----\\n"                                     \
	"MIIBfzCCASWgAwIBAgIUQRWm6BCbwSHYfhx79aOfYfmo07cwCgYIKoZIzj0EAwIw\\n"  \
	"DTELMAkGA1UEAwwCY2EwHhcNMjYxMTI4MDcyNTIyWhcNMzYxMTI1MDcyNTIyWjAN\\n"  \
	"MQswCQYDVQQDDAJjYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEETg4vkSG/f\\n"  \
	"mYcdI9RkiRFSfFpvZ+JrdQq9B60Xj0JtEiAxMNUFph8HZHR3u9sdihO8tkxlwWXe\\n"  \
	"7MhGKFqFKyOjYzBhMB0GA1UdDgQWBBQ+QGj22wz7TUIcLKwg1+Mv/VPA3zAfBgNV\\n"  \
	"HSMEGDAWgBQ+QGj22wz7TUIcLKwg1+Mv/VPA3zAPBgNVHRMBAf8EBTADAQH/MA4G\\n"  \
	"A1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNIADBFAiA1oOo1GmkmBB1wp8FecbHn\\n"  \
	"5BzsIFRucg5fBbNWYpiIAQIhALq1lzHGkeqCXEEcR2pioL63EzDrVeURjfnBIrML\\n"  \
	"qINT\\n"                                                              \
	"-----END CERTIFICATE-----\\n\""

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

static void A31_an_authority_signs_for_nobody_itself(void **state)
{
	struct file f = works;

	(void)state;
	f.alice = "{ssh: " KEY_CA "}";
	/* both principals of carol's */
	refused(&f, TCODE_TRUST_TWICE, " c is a key of alice already", 2);
}

static void A31_an_identity_has_one_owner(void **state)
{
	struct file f = works;
	struct world w;

	(void)state;
	f.rules = "  - {paths: ['**'], people: [alice]}\n";
	f.carol =
		"{x509: {identity: 'email:c@example.org', issuer: "
		"'https://a.example', authority: " PEM "}}, {x509: {identity: "
		"'email:c@example.org', issuer: 'https://b.example', "
		"authority: " PEM "}}";
	w = read_file(&f);
	if (w.r < 0)
		fail_msg("%s", w.v.reason);
	world_end(&w);
	f.alice =
		"{x509: {identity: 'email:c@example.org', authority: " PEM "}}";
	refused(&f, TCODE_TRUST_TWICE, "is a key of alice already", 2);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A13_a_weak_key_is_no_key),
		cmocka_unit_test(A31_a_key_has_one_owner),
		cmocka_unit_test(A31_an_authority_signs_for_nobody_itself),
		cmocka_unit_test(A31_an_identity_has_one_owner),
		cmocka_unit_test(pins_of_other_formats),
		cmocka_unit_test(signers_say_whose_a_key_is),
		cmocka_unit_test(A4_what_is_revoked),
		cmocka_unit_test(a_revoked_key_in_the_file_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

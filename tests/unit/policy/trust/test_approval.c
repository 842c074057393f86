/* test_approval.c - one spelling of a statement, whom it counts for, and the
 * tree that it is about. */
#include "policy/trust/approval.h"

#include "tests/unit/policy/trust/objects.h"

#define NOW 1800000000
#define ID "test"
#define REF "refs/heads/main"
#define FROM "1111111111111111111111111111111111111111"
#define TO "2222222222222222222222222222222222222222"
#define STATEMENT                                                              \
	"reconcile-approval/1\nrepository: " ID "\nref: " REF "\nfrom: " FROM  \
	"\nto: " TO "\n"
/* What ssh-keygen made of STATEMENT, in the namespace of approvals. */
#define ARMOR                                                                  \
	"-----BEGIN SSH SIGNATURE-----\n"                                      \
	"U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgnGNpf25NTx6b4Gt/8uyn11c"  \
	"H9Y\n"                                                                \
	"+/Vg5JjR0d+5T9lecAAAAVcmVjb25jaWxlLWFwcHJvdmFsQHYxAAAAAAAAAAZzaGE1M"  \
	"TIA\n"                                                                \
	"AABTAAAAC3NzaC1lZDI1NTE5AAAAQL/K4E34yENnDG2Vr6vig+cz7CWPkWpmrob92p0"  \
	"79Y\n"                                                                \
	"X1CqMPIbR3lV72ky5qm+yOAL8vHUcP0n8Nf0B6j9p9Nw4=\n"                     \
	"-----END SSH SIGNATURE-----\n"
#define ALICE                                                                  \
	"alice namespaces=\"git\" ssh-ed25519 "                                \
	"AAAAC3NzaC1lZDI1NTE5AAAAIJxjaX9uTU8em+Brf/Lsp9dXB/WPv1YOSY0dHfuU/"    \
	"ZXn\n"
#define STRANGER                                                               \
	"bob namespaces=\"git\" ssh-ed25519 "                                  \
	"AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJ"  \
	"l\n"

static const char good[] = STATEMENT "\n" ARMOR;

static struct signers *make_signers(const char *line, const char *revoked)
{
	struct signers *s = NULL;
	struct verdict v = {0};

	if (signers_new(line, strlen(line), revoked, strlen(revoked), &s, &v) !=
	    0)
		fail_msg("%s", v.reason);
	return s;
}

/* The code of reading and checking it. */
static enum tcode check(const char *text, size_t len, const char *line,
			const char *revoked, const char *repository,
			const char *ref)
{
	struct signers *s = make_signers(line, revoked);
	struct signature_by by;
	struct verdict v = {0};
	struct approval a;

	if (approval_parse(text, len, &a, &v) == 0 &&
	    approval_check(&a, s, repository, ref, NOW - 5, NOW, &by, &v) == 0)
		assert_string_equal(by.principal, "alice");
	signers_free(s);
	return v.code;
}

static void a_good_one(void **state)
{
	struct approval a;
	struct verdict v;
	struct buf b;

	(void)state;
	assert_int_equal(approval_parse(good, sizeof(good) - 1, &a, &v), 0);
	assert_true(a.has_from);
	assert_int_equal(a.from.bytes[0], 0x11);
	assert_int_equal(a.to.bytes[19], 0x22);
	buf_init(&b, 1000);
	approval_statement(&a, &b);
	assert_string_equal(b.data, STATEMENT);
	buf_release(&b);
	assert_int_equal(check(good, sizeof(good) - 1, ALICE, "#\n", ID, REF),
			 TCODE_OK);
}

static void A33_it_is_for_one_repository_and_branch(void **state)
{
	(void)state;
	assert_int_equal(check(good, sizeof(good) - 1, ALICE, "#\n", "x", REF),
			 TCODE_APPROVAL_OTHER);
	assert_int_equal(check(good, sizeof(good) - 1, ALICE, "#\n", ID, "x"),
			 TCODE_APPROVAL_OTHER);
}

static void it_is_signed_by_somebody_known(void **state)
{
	static const char revoked[] =
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJxjaX9uTU8em+Brf/Lsp9dXB/"
		"WPv1YOSY0dHfuU/ZXn\n";

	(void)state;
	assert_int_equal(
		check(good, sizeof(good) - 1, STRANGER, "#\n", ID, REF),
		TCODE_UNKNOWN_KEY);
	assert_int_equal(check(good, sizeof(good) - 1, ALICE, revoked, ID, REF),
			 TCODE_REVOKED);
}

static void no_byte_can_change(void **state)
{
	char text[sizeof(good)];

	(void)state;
	for (size_t i = 0; i < sizeof(good) - 1; i++)
		for (unsigned int bit = 1; bit < 256; bit <<= 1) {
			memcpy(text, good, sizeof(good));
			text[i] = (char)((unsigned char)text[i] ^ bit);
			if (check(text, sizeof(good) - 1, ALICE, "#\n", ID,
				  REF) == TCODE_OK)
				fail_msg("byte %zu, bit %u", i, bit);
		}
	for (size_t i = 0; i < sizeof(good) - 1; i++)
		assert_int_not_equal(check(good, i, ALICE, "#\n", ID, REF),
				     TCODE_OK);
}

static void there_is_one_spelling(void **state)
{
	static const char *const bad[] = {
		"",
		"reconcile-approval/2\n",
		"reconcile-approval/1\nref: a\nrepository: b\nfrom: " FROM
		"\nto: " TO "\n\nx\n",
		"reconcile-approval/1\nrepository: a b\nref: r\nfrom: " FROM
		"\nto: " TO "\n\nx\n",
		"reconcile-approval/1\nrepository: \nref: r\nfrom: " FROM
		"\nto: " TO "\n\nx\n",
		"reconcile-approval/1\nrepository: a\nref: r\nfrom: --\nto: " TO
		"\n\nx\n",
		"reconcile-approval/1\nrepository: a\nref: r\nfrom: " FROM
		"\nto: -\n\nx\n",
		"reconcile-approval/1\nrepository: a\nref: r\nfrom: " TO
		"\nto: " TO "\n\nx\n",
		"reconcile-approval/1\nrepository: a\nref: r\nfrom: " FROM
		"\nto: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\nx\n",
		"reconcile-approval/1\nrepository: a\nref: r\nfrom: " FROM
		"\nto: " TO "\nmore: x\n\nx\n",
		"reconcile-approval/1\nrepository: a\r\nref: r\nfrom: " FROM
		"\nto: " TO "\n\nx\n",
		STATEMENT,
		STATEMENT "\n",
		STATEMENT ARMOR,
	};
	struct verdict v;
	struct approval a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		v = (struct verdict){0};
		if (approval_parse(bad[i], strlen(bad[i]), &a, &v) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(v.code, TCODE_APPROVAL);
	}
	/* what is behind or in the signature */
	assert_int_equal(check(STATEMENT "\n" ARMOR "\n", sizeof(good), ALICE,
			       "#\n", ID, REF),
			 TCODE_ARMOR);
	assert_int_equal(check(STATEMENT "\n\n" ARMOR, sizeof(good), ALICE,
			       "#\n", ID, REF),
			 TCODE_NOT_SSH);
}

static void the_tree_without_approvals(void **state)
{
	struct objects_mem *m = calloc(1, sizeof(*m));
	struct approval_source src = {{objects_read, m}, objects_hash};
	struct commit_id with = OBJECTS_TREE(
		m, ".reconcile/approvals/t/a=1", ".reconcile/approvals/t/b=2",
		".reconcile/policy.yaml=p", "apps/x=1");
	struct commit_id without =
		OBJECTS_TREE(m, ".reconcile/policy.yaml=p", "apps/x=1");
	struct commit_id alone =
		OBJECTS_TREE(m, ".reconcile/approvals/t/a=1", "apps/x=1");
	struct commit_id bare = OBJECTS_TREE(m, "apps/x=1");
	struct commit_id file =
		OBJECTS_TREE(m, ".reconcile/approvals=1", "apps/x=1");
	struct commit_id none = {{9}};
	struct verdict v = {0};
	struct commit_id id;

	(void)state;
	assert_int_equal(approval_content(&src, &with, &id, &v), 0);
	assert_true(commit_id_equal(&id, &without));
	assert_int_equal(approval_content(&src, &without, &id, &v), 0);
	assert_true(commit_id_equal(&id, &without));
	/* git keeps no folder that is empty */
	assert_int_equal(approval_content(&src, &alone, &id, &v), 0);
	assert_true(commit_id_equal(&id, &bare));
	/* a file of that name is no approvals */
	assert_int_equal(approval_content(&src, &file, &id, &v), 0);
	assert_true(commit_id_equal(&id, &file));
	assert_int_equal(approval_content(&src, &none, &id, &v), ERR_TRUST);
	assert_int_equal(v.code, TCODE_MISSING);
	objects_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_one),
		cmocka_unit_test(A33_it_is_for_one_repository_and_branch),
		cmocka_unit_test(it_is_signed_by_somebody_known),
		cmocka_unit_test(no_byte_can_change),
		cmocka_unit_test(there_is_one_spelling),
		cmocka_unit_test(the_tree_without_approvals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

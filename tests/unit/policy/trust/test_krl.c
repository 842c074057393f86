/* test_krl.c - revocation lists byte by byte; real ones are in trust_krl.t. */
#include "policy/trust/krl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define HEAD                                                                   \
	"SSHKRL\n\0"                                                           \
	"\0\0\0\1"                                                             \
	"\0\0\0\0\0\0\0\1"                                                     \
	"\0\0\0\0\0\0\0\2"                                                     \
	"\0\0\0\0\0\0\0\0"                                                     \
	"\0\0\0\0"                                                             \
	"\0\0\0\3why"
#define KEY "\0\0\0\5plain\0\0\0\1k" /* a type and a field */
#define D20 "abcdefghijklmnopqrst"
#define D32 "abcdefghijklmnopqrstuvwxyz012345"
/* an authority section of any authority */
#define CERTS(len, rest) "\1\0\0\0" len "\0\0\0\0\0\0\0\0" rest
#define ROW(bytes, want)                                                       \
	{                                                                      \
		bytes, sizeof(bytes) - 1, want                                 \
	}

/* want: words of the refusal, or NULL and the number of entries in n */
static const struct {
	const char *bytes;
	size_t len;
	const char *want;
} rows[] = {
	ROW(HEAD, NULL),
	ROW("SSHKRL\n\0", "head: want format version 1"),
	ROW("SSHKRL\n\0\0\0\0\2", "head: want format version 1"),
	ROW("SSHKRL\n\0\0\0\0\1\0\0", "head: want version, date"),
	ROW(HEAD "\2", "section: want a type and its data"),
	ROW(HEAD "\2\0\0\0\1", "section: want a type and its data"),
	ROW(HEAD "\6\0\0\0\0", "section type 6 is not known"),
	ROW(HEAD "\4\0\0\0\0\0\0\0\0", "signature: want none"),
	/* explicit keys */
	ROW(HEAD "\2\0\0\0\0", "explicit keys: want a key"),
	ROW(HEAD "\2\0\0\0\22\0\0\0\16" KEY, NULL),
	ROW(HEAD "\2\0\0\0\22\0\0\0\17" KEY, "explicit keys: want whole keys"),
	ROW(HEAD "\2\0\0\0\4\0\0\0\0", "explicit keys: want plain keys"),
	ROW(HEAD "\2\0\0\0\50\0\0\0\44\0\0\0\40"
		 "ssh-ed25519-cert-v01@openssh.com",
	    "explicit keys: want plain keys"),
	/* digests */
	ROW(HEAD "\3\0\0\0\0", "SHA-1 fingerprints: want a digest"),
	ROW(HEAD "\3\0\0\0\30\0\0\0\24" D20, NULL),
	ROW(HEAD "\3\0\0\0\60\0\0\0\24" D20 "\0\0\0\24" D20, "in order"),
	ROW(HEAD "\3\0\0\0\44\0\0\0\40" D32, "whole digests"),
	ROW(HEAD "\5\0\0\0\44\0\0\0\40" D32, NULL),
	ROW(HEAD "\5\0\0\0\30\0\0\0\24" D20, "whole digests"),
	/* extensions */
	ROW(HEAD "\377\0\0\0\12\0\0\0\1x\0\0\0\0\0", NULL),
	ROW(HEAD "\377\0\0\0\12\0\0\0\1x\1\0\0\0\0", "none that is critical"),
	ROW(HEAD "\377\0\0\0\13\0\0\0\1x\0\0\0\0\0!", "a name, a flag"),
	/* certificates */
	ROW(HEAD "\1\0\0\0\4\0\0\0\0", "certificates: want an authority"),
	ROW(HEAD "\1\0\0\0\11\0\0\0\0\0\0\0\1r", "nothing reserved"),
	ROW(HEAD "\1\0\0\0\11\0\0\0\1k\0\0\0\0", "a plain key as"),
	ROW(HEAD CERTS("\10", ""), NULL),
	ROW(HEAD CERTS("\15", "\44\0\0\0\0"), "section type 36 is not known"),
	ROW(HEAD CERTS("\15", "\40\0\0\0\0"), "serial list: want a serial"),
	ROW(HEAD CERTS("\21", "\40\0\0\0\4\0\0\0\1"), "8 bytes a serial"),
	ROW(HEAD CERTS("\25", "\40\0\0\0\10\0\0\0\0\0\0\0\0"),
	    "serial list: want serials from 1"),
	ROW(HEAD CERTS("\25", "\40\0\0\0\10\0\0\0\0\0\0\0\1"), NULL),
	ROW(HEAD CERTS("\35", "\41\0\0\0\20\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1"),
	    "serial range: want serials"),
	ROW(HEAD CERTS("\35", "\41\0\0\0\20\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2"),
	    NULL),
	ROW(HEAD CERTS("\36", "\41\0\0\0\21\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2!"),
	    "two serials and no more"),
	ROW(HEAD CERTS("\31", "\42\0\0\0\14\0\0\0\0\0\0\0\1\0\0\0\0"),
	    "serial bitmap: want an offset and a number"),
	ROW(HEAD CERTS("\32", "\42\0\0\0\15\0\0\0\0\0\0\0\0\0\0\0\1\1"),
	    "serial bitmap: want serials from 1"),
	ROW(HEAD CERTS("\32", "\42\0\0\0\15\377\377\377\377\377\377\377\377"
			      "\0\0\0\1\2"),
	    "below 2^64"),
	ROW(HEAD CERTS("\32", "\42\0\0\0\15\377\377\377\377\377\377\377\377"
			      "\0\0\0\1\1"),
	    NULL),
	ROW(HEAD CERTS("\15", "\43\0\0\0\0"), "key ids: want a key id"),
	ROW(HEAD CERTS("\21", "\43\0\0\0\4\0\0\0\0"), "none empty"),
	ROW(HEAD CERTS("\22", "\43\0\0\0\5\0\0\0\1i"), NULL),
	ROW(HEAD CERTS("\27", "\71\0\0\0\12\0\0\0\1x\1\0\0\0\0"),
	    "certificate extension: want none that is critical"),
};

static void A5_every_length_and_flag(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct verdict v = {0};
		struct revoked r;
		int got;

		revoked_init(&r, arena);
		got = revoked_add(&r, rows[i].bytes, rows[i].len, &v);
		if (rows[i].want == NULL && got != 0)
			fail_msg("row %zu: %s", i, v.reason);
		if (rows[i].want != NULL &&
		    (got != ERR_TRUST || v.code != TCODE_REVOCATIONS ||
		     strstr(v.reason, rows[i].want) == NULL))
			fail_msg("row %zu: want %s, have %d %s", i,
				 rows[i].want, got, v.reason);
		arena_free(arena);
	}
}

static bool asks(const struct revoked *r, uint64_t serial, const char *ca)
{
	struct wire_span id = {(const uint8_t *)"i", 1};
	struct wire_span authority = {(const uint8_t *)ca, strlen(ca)};

	return revoked_has_cert(r, serial, &id, &authority);
}

/* 3, 4, 5, 11 of any authority: 3..5 become one entry. */
static void A4_bitmap_bits_are_serials(void **state)
{
	static const char krl[] =
		HEAD CERTS("\33", "\42\0\0\0\16\0\0\0\0\0\0\0\3\0\0\0\2\1\7");
	struct arena *arena = arena_new(1 << 20);
	struct verdict v = {0};
	struct revoked r;

	(void)state;
	revoked_init(&r, arena);
	assert_int_equal(revoked_add(&r, krl, sizeof(krl) - 1, &v), 0);
	assert_int_equal(r.n, 2);
	revoked_finish(&r);
	for (uint64_t n = 0; n < 20; n++)
		assert_int_equal(asks(&r, n, "x"),
				 n == 3 || n == 4 || n == 5 || n == 11);
	arena_free(arena);
}

/* One list of a text, a KRL and single lines; each is found, and no other. */
static void A4_three_sources_one_list(void **state)
{
	static const char krl[] = HEAD "\3\0\0\0\30\0\0\0\24" D20;
	static const char text[] = "serial: 7\n# why\nid: i2 \r\n";
	static const char pgp[] = "0123456789ABCDEF0123456789ABCDEF01234567";
	static const uint8_t payload[HASH_BYTES + 1] = {1, 2, 3};
	char line[80] = "sha256:";
	struct arena *arena = arena_new(1 << 20);
	struct verdict v = {0};
	struct revoked r;

	(void)state;
	for (size_t i = 0; i < HASH_BYTES; i++)
		snprintf(line + 7 + 2 * i, 3, "%02x", payload[i]);
	revoked_init(&r, arena);
	assert_int_equal(revoked_add(&r, text, sizeof(text) - 1, &v), 0);
	assert_int_equal(revoked_add(&r, krl, sizeof(krl) - 1, &v), 0);
	assert_true(revoked_add_line(&r, line, strlen(line)));
	assert_true(revoked_add_line(&r, pgp, strlen(pgp)));
	assert_false(revoked_add_line(&r, pgp, 39));
	assert_false(revoked_add_line(&r, "sha256:00", 9));
	revoked_finish(&r);
	assert_true(revoked_has_payload(&r, payload));
	assert_false(revoked_has_payload(&r, payload + 1));
	assert_true(revoked_has_fingerprint(&r, pgp));
	assert_false(revoked_has_fingerprint(&r, "0123"));
	assert_true(asks(&r, 7, "x"));
	assert_false(asks(&r, 8, "x"));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A5_every_length_and_flag),
		cmocka_unit_test(A4_bitmap_bits_are_serials),
		cmocka_unit_test(A4_three_sources_one_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

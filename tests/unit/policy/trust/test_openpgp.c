/* test_openpgp.c - the packet around an OpenPGP signature, byte by byte; the
 * whole formats are in tests/attack/trust_openpgp.t. */
#include "policy/trust/openpgp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* version 4, binary, EdDSA, SHA-256, no subpackets, digest, two numbers */
#define BODY "\x04\x00\x16\x08\x00\x00\x00\x00\xab\xcd\x00\x01\x01\x00\x02\x03"
#define RSA "\x04\x00\x01\x08\x00\x00\x00\x00\xab\xcd\x00\x01\x01"

#define ROW(bytes, want)                                                       \
	{                                                                      \
		bytes, sizeof(bytes) - 1, want                                 \
	}

static const struct {
	const char *bytes;
	size_t len;
	enum tcode want;
} rows[] = {
	ROW("\x88\x10" BODY, TCODE_OK),
	ROW("\xc2\x10" BODY, TCODE_OK),
	/* A18 one packet, its length in the shortest form */
	ROW("", TCODE_OPENPGP),
	ROW("\x88", TCODE_OPENPGP),
	ROW("\x08\x10" BODY, TCODE_OPENPGP),
	ROW("\x88\x11" BODY, TCODE_OPENPGP),
	ROW("\x88\x00", TCODE_OPENPGP),
	ROW("\x89\x00\x10" BODY, TCODE_OPENPGP),
	ROW("\x8a\x00\x00\x00\x10" BODY, TCODE_OPENPGP),
	ROW("\x8b" BODY, TCODE_OPENPGP),
	ROW("\xc2\xff\x00\x00\x00\x10" BODY, TCODE_OPENPGP),
	ROW("\xc2\xe4" BODY, TCODE_OPENPGP),
	ROW("\xc2\xfe" BODY, TCODE_OPENPGP),
	ROW("\x88\x10" BODY "\x88\x10" BODY, TCODE_OPENPGP),
	ROW("\x88\x10" BODY "\x00", TCODE_OPENPGP),
	ROW("\xb4\x10" BODY, TCODE_OPENPGP),
	/* numbers: as long as they say, and the end */
	ROW("\x88\x11" BODY "\x00", TCODE_OPENPGP),
	ROW("\x88\x0f\x04\x00\x16\x08\x00\x00\x00\x00\xab\xcd\x00\x01\x01\x00"
	    "\x02",
	    TCODE_OPENPGP),
	ROW("\x88\x10\x04\x00\x16\x08\x00\x00\x00\x00\xab\xcd\x00\x01\x03\x00"
	    "\x02\x03",
	    TCODE_OPENPGP),
	ROW("\x88\x10\x04\x00\x16\x08\x00\x00\x00\x00\xab\xcd\x00\x01\x00\x00"
	    "\x02\x03",
	    TCODE_OPENPGP),
	ROW("\x88\x11\x04\x00\x16\x08\x00\x00\x00\x00\xab\xcd\x00\x09\x00\x01"
	    "\x00\x02\x03",
	    TCODE_OK),
	/* areas that reach behind the end */
	ROW("\x88\x10\x04\x00\x16\x08\x00\xff\x00\x00\xab\xcd\x00\x01\x01\x00"
	    "\x02\x03",
	    TCODE_OPENPGP),
	ROW("\x88\x10\x04\x00\x16\x08\x00\x00\xff\xff\xab\xcd\x00\x01\x01\x00"
	    "\x02\x03",
	    TCODE_OPENPGP),
	ROW("\x88\x08\x04\x00\x16\x08\x00\x00\x00\x00", TCODE_OPENPGP),
	ROW("\x88\x03\x04\x00\x16", TCODE_OPENPGP),
	/* how it was signed */
	ROW("\x88\x10\x03\x00\x16\x08\x00\x00\x00\x00\xab\xcd\x00\x01\x01\x00"
	    "\x02\x03",
	    TCODE_OPENPGP),
	ROW("\x88\x10\x04\x01\x16\x08\x00\x00\x00\x00\xab\xcd\x00\x01\x01\x00"
	    "\x02\x03",
	    TCODE_OPENPGP),
	ROW("\x88\x10\x04\x00\x16\x02\x00\x00\x00\x00\xab\xcd\x00\x01\x01\x00"
	    "\x02\x03",
	    TCODE_HASH),
	ROW("\x88\x10\x04\x00\x11\x08\x00\x00\x00\x00\xab\xcd\x00\x01\x01\x00"
	    "\x02\x03",
	    TCODE_KEY_TYPE),
	ROW("\x88\x0d" RSA, TCODE_KEY_TYPE),
};

static void A18_one_packet_with_one_reading(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wire_span in = {(const uint8_t *)rows[i].bytes,
				       rows[i].len};
		struct verdict v = {0};
		struct buf out;
		int r;

		buf_init(&out, 256);
		r = openpgp_read_signature(&in, &out, &v);
		if (v.code != rows[i].want ||
		    (r == 0) != (rows[i].want == TCODE_OK))
			fail_msg("row %zu: %s %s", i, verdict_name(v.code),
				 v.reason);
		/* without zeros in front and in one form: the first row */
		if (r == 0 && (out.len != rows[0].len ||
			       memcmp(out.data, rows[0].bytes, out.len) != 0))
			fail_msg("row %zu: another packet", i);
		buf_release(&out);
	}
}

static void A19_an_answer_is_one_fingerprint(void **state)
{
#define FPR "0123456789ABCDEF0123456789ABCDEF01234567"
	static const struct {
		int status;
		const char *output;
		enum tcode want;
	} answers[] = {
		{0, FPR "\n", TCODE_OK},
		{1, FPR "\n", TCODE_OPENPGP_REFUSED},
		{1, "", TCODE_OPENPGP_REFUSED},
		{2, "", TCODE_OPENPGP_REFUSED},
		{3, FPR "\n", TCODE_OPENPGP_FAILED},
		{127, "", TCODE_OPENPGP_FAILED},
		{139, FPR "\n", TCODE_OPENPGP_FAILED},
		{-1, FPR "\n", TCODE_OPENPGP_FAILED},
		{0, "", TCODE_OPENPGP_FAILED},
		{0, "\n", TCODE_OPENPGP_FAILED},
		{0, FPR, TCODE_OPENPGP_FAILED},
		{0, FPR "\n" FPR "\n", TCODE_OPENPGP_FAILED},
		{0, FPR " ", TCODE_OPENPGP_FAILED},
		{0, "0123456789abcdef0123456789abcdef01234567\n",
		 TCODE_OPENPGP_FAILED},
		{0, "G123456789ABCDEF0123456789ABCDEF01234567\n",
		 TCODE_OPENPGP_FAILED},
		{0, "[GNUPG:] VALIDSIG " FPR "\n", TCODE_OPENPGP_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct openpgp_answer a = {.status = answers[i].status,
					   .len = strlen(answers[i].output)};
		char out[OPENPGP_FINGERPRINT] = "";
		struct verdict v = {0};

		memcpy(a.output, answers[i].output, a.len);
		(void)openpgp_read_answer(&a, out, &v);
		if (v.code != answers[i].want)
			fail_msg("row %zu: %s %s", i, verdict_name(v.code),
				 v.reason);
		assert_string_equal(out, v.code == TCODE_OK ? FPR : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A18_one_packet_with_one_reading),
		cmocka_unit_test(A19_an_answer_is_one_fingerprint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_signature.c - a hardware key done in software: what a signature says of
 * touch and PIN, and the forms of it that are refused. */
#include "policy/trust/signature.h"
#include "policy/trust/sshsig.h"
#include "lib/encode.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TYPE "sk-ssh-ed25519@openssh.com"
#define WEBAUTHN "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
#define NOW INT64_C(1790000000)

static const char payload[] = "what is signed";

struct token {
	EVP_PKEY *key;
	struct buf blob;
};

static void token_make(struct token *t)
{
	uint8_t raw[32];
	size_t len = sizeof(raw);

	t->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_non_null(t->key);
	assert_int_equal(EVP_PKEY_get_raw_public_key(t->key, raw, &len), 1);
	buf_init(&t->blob, 1024);
	wire_put_string(&t->blob, TYPE, strlen(TYPE));
	wire_put_string(&t->blob, raw, len);
	wire_put_string(&t->blob, "ssh:", 4);
}

static void token_release(struct token *t)
{
	EVP_PKEY_free(t->key);
	buf_release(&t->blob);
}

/* Armor without its last newline, of the payload. */
static void token_sign(const struct token *t, uint8_t flags,
		       const char *algorithm, const char *tail, struct buf *out)
{
	static const char version[4] = {0, 0, 0, 1};
	struct sshsig s = {.namespace = {(const uint8_t *)"git", 3},
			   .hash = {(const uint8_t *)"sha512", 6}};
	struct commit_span part = {payload, sizeof(payload) - 1};
	uint8_t msg[69], sig[64];
	size_t len = sizeof(sig);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	struct buf data, blob, inner, text;

	buf_init(&data, 4096);
	buf_init(&blob, 4096);
	buf_init(&inner, 4096);
	buf_init(&text, 8192);
	assert_int_equal(sshsig_signed_data(&s, &part, 1, &data, NULL), 0);
	hash_sha256("ssh:", 4, msg);
	memcpy(msg + 32, (uint8_t[]){flags, 0, 0, 0, 9}, 5);
	hash_sha256(data.data, data.len, msg + 37);
	assert_int_equal(
		EVP_DigestSignInit_ex(c, NULL, NULL, NULL, NULL, t->key, NULL),
		1);
	assert_int_equal(EVP_DigestSign(c, sig, &len, msg, sizeof(msg)), 1);
	EVP_MD_CTX_free(c);
	wire_put_string(&inner, algorithm, strlen(algorithm));
	wire_put_string(&inner, sig, len);
	buf_put(&inner, msg + 32, 5);
	buf_puts(&inner, tail);
	buf_puts(&blob, "SSHSIG");
	buf_put(&blob, version, 4);
	wire_put_string(&blob, t->blob.data, t->blob.len);
	wire_put_string(&blob, "git", 3);
	wire_put_string(&blob, "", 0);
	wire_put_string(&blob, "sha512", 6);
	wire_put_string(&blob, inner.data, inner.len);
	encode_base64(&text, blob.data, blob.len);
	buf_puts(out, "-----BEGIN SSH SIGNATURE-----\n");
	for (size_t i = 0; i < text.len; i += 70)
		buf_printf(out, "%.70s\n", text.data + i);
	buf_puts(out, "-----END SSH SIGNATURE-----");
	buf_release(&data);
	buf_release(&blob);
	buf_release(&inner);
	buf_release(&text);
}

static int check(const struct token *t, const char *option, uint8_t flags,
		 const char *algorithm, const char *tail,
		 struct signature_by *by, struct verdict *v)
{
	struct commit_span part = {payload, sizeof(payload) - 1};
	struct signature_time when = {.now = NOW, .first_seen = true};
	struct signature_ask ask = {
		.parts = &part, .n_parts = 1, .namespace = "git", .when = NOW};
	struct signers *s = NULL;
	struct buf armor, line;
	int r;

	*v = (struct verdict){0};
	buf_init(&armor, 8192);
	buf_init(&line, 8192);
	buf_printf(&line, "a@b namespaces=\"git\"%s " TYPE " ", option);
	encode_base64(&line, t->blob.data, t->blob.len);
	assert_int_equal(signers_new(line.data, line.len, "# none\n", 7, &s, v),
			 0);
	token_sign(t, flags, algorithm, tail, &armor);
	ask.armor = (struct commit_span){armor.data, armor.len};
	r = signature_check_bytes(s, &ask, &when, by, v);
	signers_free(s);
	buf_release(&armor);
	buf_release(&line);
	return r;
}

static void A12_touch_and_pin_are_told(void **state)
{
	static const struct {
		const char *option;
		uint8_t flags;
		enum tcode want;
	} rows[] = {
		{"", 0, TCODE_PRESENCE},
		{"", PUBKEY_SK_TOUCHED, TCODE_OK},
		{"", PUBKEY_SK_VERIFIED, TCODE_PRESENCE},
		{"", PUBKEY_SK_TOUCHED | PUBKEY_SK_VERIFIED, TCODE_OK},
		{",no-touch-required", 0, TCODE_OK},
		{",no-touch-required", PUBKEY_SK_TOUCHED, TCODE_OK},
		{",verify-required", PUBKEY_SK_TOUCHED, TCODE_PRESENCE},
		{",verify-required", PUBKEY_SK_VERIFIED, TCODE_PRESENCE},
		{",verify-required", PUBKEY_SK_TOUCHED | PUBKEY_SK_VERIFIED,
		 TCODE_OK},
		{",no-touch-required,verify-required", PUBKEY_SK_VERIFIED,
		 TCODE_OK},
		{"", 0xff, TCODE_OK}, /* other bits mean nothing here */
	};
	struct token t;

	(void)state;
	token_make(&t);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signature_by by;
		struct verdict v;
		int r = check(&t, rows[i].option, rows[i].flags, TYPE, "", &by,
			      &v);

		if (v.code != rows[i].want || (r == 0) != (v.code == TCODE_OK))
			fail_msg("row %zu: want %s, have %s %s", i,
				 verdict_name(rows[i].want),
				 verdict_name(v.code), v.reason);
		if (r < 0)
			continue;
		assert_int_equal(by.touched,
				 (rows[i].flags & PUBKEY_SK_TOUCHED) != 0);
		assert_int_equal(by.verified,
				 (rows[i].flags & PUBKEY_SK_VERIFIED) != 0);
		assert_int_equal(by.use, SIGNER_PERSON);
		assert_string_equal(by.principal, "a@b");
	}
	token_release(&t);
}

static void forms_that_are_refused(void **state)
{
	static const struct {
		const char *algorithm, *tail;
		enum tcode want;
		const char *words;
	} rows[] = {
		{WEBAUTHN, "", TCODE_KEY_TYPE, "made by a browser"},
		{"ssh-ed25519", "", TCODE_KEY_TYPE,
		 "algorithm \"ssh-ed25519\""},
		{TYPE, "x", TCODE_SSHSIG, "flags and counter"},
	};
	struct token t;

	(void)state;
	token_make(&t);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signature_by by;
		struct verdict v;

		if (check(&t, "", 1, rows[i].algorithm, rows[i].tail, &by,
			  &v) != ERR_TRUST ||
		    v.code != rows[i].want ||
		    strstr(v.reason, rows[i].words) == NULL)
			fail_msg("row %zu: %s %s", i, verdict_name(v.code),
				 v.reason);
	}
	token_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A12_touch_and_pin_are_told),
		cmocka_unit_test(forms_that_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

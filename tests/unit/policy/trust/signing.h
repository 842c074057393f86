/* Keys that sign in a test: Ed25519, as ssh-keygen and git would. */
#ifndef TESTS_UNIT_POLICY_TRUST_SIGNING_H
#define TESTS_UNIT_POLICY_TRUST_SIGNING_H

#include "lib/encode.h"
#include "policy/trust/wire.h"

#include "tests/unit/policy/trust/objects.h"

struct signing_key {
	EVP_PKEY *key;
	struct buf blob; /* as SSH writes it */
	char line[128];	 /* "ssh-ed25519 AAAA..." */
};

static inline void signing_make(struct signing_key *k)
{
	uint8_t raw[32];
	size_t len = sizeof(raw);
	struct buf text;

	k->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	assert_int_equal(EVP_PKEY_get_raw_public_key(k->key, raw, &len), 1);
	buf_init(&k->blob, 256);
	wire_put_string(&k->blob, "ssh-ed25519", 11);
	wire_put_string(&k->blob, raw, len);
	buf_init(&text, 256);
	encode_base64(&text, k->blob.data, k->blob.len);
	snprintf(k->line, sizeof(k->line), "ssh-ed25519 %s", text.data);
	buf_release(&text);
}

static inline void signing_free(struct signing_key *k)
{
	EVP_PKEY_free(k->key);
	buf_release(&k->blob);
}

/* The armor of a signature of text, each line behind `indent`. */
static inline void signing_armor(const struct signing_key *k,
				 const char *namespace, const struct buf *text,
				 const char *indent, struct buf *out)
{
	uint8_t digest[64], sig[64];
	struct buf data, inner, blob, b64;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = sizeof(sig);

	EVP_Digest(text->data, text->len, digest, NULL, EVP_sha512(), NULL);
	buf_init(&data, 1024);
	buf_puts(&data, "SSHSIG");
	wire_put_string(&data, namespace, strlen(namespace));
	wire_put_string(&data, "", 0);
	wire_put_string(&data, "sha512", 6);
	wire_put_string(&data, digest, sizeof(digest));
	EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->key);
	assert_int_equal(EVP_DigestSign(ctx, sig, &len,
					(const uint8_t *)data.data, data.len),
			 1);
	EVP_MD_CTX_free(ctx);
	buf_init(&inner, 1024);
	wire_put_string(&inner, "ssh-ed25519", 11);
	wire_put_string(&inner, sig, len);
	buf_init(&blob, 1024);
	buf_put(&blob, "SSHSIG\0\0\0\1", 10);
	wire_put_string(&blob, k->blob.data, k->blob.len);
	wire_put_string(&blob, namespace, strlen(namespace));
	wire_put_string(&blob, "", 0);
	wire_put_string(&blob, "sha512", 6);
	wire_put_string(&blob, inner.data, inner.len);
	buf_init(&b64, 2048);
	encode_base64(&b64, blob.data, blob.len);
	buf_puts(out, "-----BEGIN SSH SIGNATURE-----\n");
	for (size_t at = 0; at < b64.len; at += 70)
		buf_printf(out, "%s%.70s\n", indent, b64.data + at);
	buf_printf(out, "%s-----END SSH SIGNATURE-----\n", indent);
	buf_release(&data);
	buf_release(&inner);
	buf_release(&blob);
	buf_release(&b64);
}

/* A commit; k NULL: not signed. */
static inline struct commit_id signing_commit(struct objects_mem *m,
					      const struct signing_key *k,
					      const struct commit_id *tree,
					      const struct commit_id *parents,
					      size_t n_parents, long when)
{
	char hex[COMMIT_ID_HEX];
	struct buf head, text, all;
	struct commit_id id;

	buf_init(&head, 8192);
	buf_printf(&head, "tree %s\n", commit_id_hex(tree, hex));
	for (size_t i = 0; i < n_parents; i++)
		buf_printf(&head, "parent %s\n",
			   commit_id_hex(&parents[i], hex));
	buf_printf(&head,
		   "author A <a@b> %ld +0000\ncommitter A <a@b> %ld +0000\n",
		   when, when);
	buf_init(&text, 8192);
	buf_printf(&text, "%s\nat %ld\n", head.data, when);
	buf_init(&all, 16384);
	buf_puts(&all, head.data);
	if (k != NULL) {
		buf_puts(&all, "gpgsig ");
		signing_armor(k, "git", &text, " ", &all);
	}
	buf_printf(&all, "\nat %ld\n", when);
	id = objects_put(m, "commit", all.data, all.len);
	buf_release(&head);
	buf_release(&text);
	buf_release(&all);
	return id;
}

#endif

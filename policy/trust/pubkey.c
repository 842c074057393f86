/*
 * pubkey.c - see pubkey.h.  One table of key types drives reading, building
 * and verifying.  Formats: RFC 4253 6.6, RFC 5656 3.1, RFC 8332, RFC 8709,
 * OpenSSH PROTOCOL.u2f.
 */
#include "policy/trust/pubkey.h"
#include "lib/encode.h"
#include "lib/hash.h"
#include "lib/text.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#define ED25519_BYTES 32
#define ED25519_SIG_BYTES 64
#define ECDSA_SIG_MAX 160

enum kind { ED25519, ECDSA, RSA_KEY };

struct pubkey_type {
	const char *name, *cert_name;
	enum kind kind;
	bool sk;
	const char *curve; /* name on the wire */
	const char *group; /* name in OpenSSL */
	const char *digest;
	size_t point_len;
};

static const struct pubkey_type types[] = {
	{"ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", ED25519, false,
	 NULL, NULL, NULL, 0},
	{"sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com",
	 ED25519, true, NULL, NULL, NULL, 0},
	{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com",
	 ECDSA, false, "nistp256", "P-256", "SHA256", 65},
	{"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com",
	 ECDSA, false, "nistp384", "P-384", "SHA384", 97},
	{"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com",
	 ECDSA, false, "nistp521", "P-521", "SHA512", 133},
	{"sk-ecdsa-sha2-nistp256@openssh.com",
	 "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", ECDSA, true, "nistp256",
	 "P-256", "SHA256", 65},
	{"ssh-rsa", "ssh-rsa-cert-v01@openssh.com", RSA_KEY, false, NULL, NULL,
	 NULL, 0},
};

struct fields {
	struct wire_span curve, point; /* ECDSA; point also for ED25519 */
	struct wire_span e, n;	       /* RSA */
	struct wire_span application;  /* sk */
};

static const struct pubkey_type *find(const struct wire_span *name, bool cert)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (wire_is(name, cert ? types[i].cert_name : types[i].name))
			return &types[i];
	return NULL;
}

const struct pubkey_type *pubkey_type_find(const struct wire_span *name)
{
	return find(name, false);
}

const struct pubkey_type *pubkey_cert_type_find(const struct wire_span *name)
{
	return find(name, true);
}

const char *pubkey_type_name(const struct pubkey_type *type)
{
	return type->name;
}

void pubkey_fingerprint(const struct wire_span *blob,
			char out[PUBKEY_FINGERPRINT])
{
	uint8_t digest[HASH_BYTES];
	struct buf text;

	hash_sha256(blob->bytes, blob->len, digest);
	buf_init(&text, 64);
	encode_base64(&text, digest, sizeof(digest));
	memcpy(out, "SHA256:", 7);
	if (text.len == 44)
		memcpy(out + 7, text.data, 43); /* without the padding */
	out[7 + 43] = '\0';
	buf_release(&text);
}

static bool split_fields(const struct pubkey_type *t, struct wire *w,
			 struct fields *f)
{
	if (t->kind == RSA_KEY)
		return wire_mpint(w, &f->e) && wire_mpint(w, &f->n);
	if (t->kind == ECDSA &&
	    (!wire_string(w, &f->curve) || !wire_is(&f->curve, t->curve)))
		return false;
	if (!wire_string(w, &f->point))
		return false;
	return !t->sk || wire_string(w, &f->application);
}

static unsigned int bits_of(const struct wire_span *n)
{
	unsigned int bits = (unsigned int)n->len * 8;

	for (uint8_t top = n->bytes[0]; top < 0x80; top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

static int check_fields(const struct pubkey_type *t, const struct fields *f,
			struct verdict *v)
{
	if (t->kind == ED25519 && f->point.len != ED25519_BYTES)
		return verdict_fail(v, TCODE_SSHSIG,
				    "want an ed25519 key of 32 bytes, have %zu",
				    f->point.len);
	if (t->kind == ECDSA && f->point.len != t->point_len)
		return verdict_fail(v, TCODE_SSHSIG,
				    "want an uncompressed point of %zu bytes, "
				    "have %zu",
				    t->point_len, f->point.len);
	if (t->kind == RSA_KEY) {
		unsigned int bits = bits_of(&f->n);

#ifndef GUARD_OFF_RSA_BITS
		if (bits < PUBKEY_RSA_BITS_MIN || bits > PUBKEY_RSA_BITS_MAX)
			return verdict_fail(v, TCODE_KEY_TYPE,
					    "want RSA of %d to %d bits, have "
					    "%u",
					    PUBKEY_RSA_BITS_MIN,
					    PUBKEY_RSA_BITS_MAX, bits);
#endif
		if (f->e.len > 4 || (f->e.bytes[f->e.len - 1] & 1) == 0 ||
		    (f->n.bytes[f->n.len - 1] & 1) == 0 || bits < 512)
			return verdict_fail(v, TCODE_KEY_TYPE,
					    "the RSA exponent or modulus is "
					    "not acceptable");
	}
	if (t->sk && (f->application.len < 4 || f->application.len > 63 ||
		      memcmp(f->application.bytes, "ssh:", 4) != 0 ||
		      memchr(f->application.bytes, 0, f->application.len)))
		return verdict_fail(v, TCODE_KEY_TYPE,
				    "want a hardware key made for \"ssh:\"");
	return 0;
}

int pubkey_read_fields(const struct pubkey_type *type, struct wire *w,
		       struct buf *out_blob, struct verdict *v)
{
	const uint8_t *start = w->at;
	struct fields f = {0};

	if (!split_fields(type, w, &f))
		return verdict_fail(v, TCODE_SSHSIG, "the %s key is malformed",
				    type->name);
	wire_put_string(out_blob, type->name, strlen(type->name));
	buf_put(out_blob, start, (size_t)(w->at - start));
	return check_fields(type, &f, v);
}

static EVP_PKEY *from_params(const char *algorithm, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	EVP_PKEY_CTX *check = NULL;
	EVP_PKEY *pkey = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		goto out;
	check = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (check == NULL || EVP_PKEY_public_check_quick(check) != 1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
out:
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return pkey;
}

static EVP_PKEY *build(const struct pubkey_type *t, const struct fields *f)
{
	OSSL_PARAM_BLD *bld = NULL;
	EVP_PKEY *pkey = NULL;
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;

	if (t->kind == ED25519)
		return EVP_PKEY_new_raw_public_key_ex(
			NULL, "ED25519", NULL, f->point.bytes, f->point.len);
	bld = OSSL_PARAM_BLD_new();
	if (bld == NULL)
		return NULL;
	if (t->kind == ECDSA) {
		if (OSSL_PARAM_BLD_push_utf8_string(bld,
						    OSSL_PKEY_PARAM_GROUP_NAME,
						    t->group, 0) == 1 &&
		    OSSL_PARAM_BLD_push_octet_string(
			    bld, OSSL_PKEY_PARAM_PUB_KEY, f->point.bytes,
			    f->point.len) == 1)
			pkey = from_params("EC", bld);
	} else {
		n = BN_bin2bn(f->n.bytes, (int)f->n.len, NULL);
		e = BN_bin2bn(f->e.bytes, (int)f->e.len, NULL);
		if (n != NULL && e != NULL &&
		    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) ==
			    1 &&
		    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1)
			pkey = from_params("RSA", bld);
	}
	BN_free(n);
	BN_free(e);
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

int pubkey_parse(const struct wire_span *blob, struct pubkey *out,
		 struct verdict *v)
{
	struct wire w = wire_of(blob);
	struct pubkey k = {0};
	struct fields f = {0};
	struct wire_span name;
	char shown[80];
	int r;

	if (blob->len > PUBKEY_BLOB_MAX || !wire_string(&w, &name))
		return verdict_fail(v, TCODE_SSHSIG, "the key is malformed");
	k.type = pubkey_type_find(&name);
	if (k.type == NULL)
		return verdict_fail(
			v, TCODE_KEY_TYPE, "key type \"%s\" is not allowed",
			text_safe(shown, sizeof(shown),
				  (const char *)name.bytes, name.len));
	if (!split_fields(k.type, &w, &f) || w.left != 0)
		return verdict_fail(v, TCODE_SSHSIG, "the %s key is malformed",
				    k.type->name);
	r = check_fields(k.type, &f, v);
	if (r < 0)
		return r;
	k.pkey = build(k.type, &f);
	if (k.pkey == NULL)
		return verdict_fail(v, TCODE_SSHSIG,
				    "the %s key is not a point or modulus that "
				    "OpenSSL accepts",
				    k.type->name);
	if (k.type->sk)
		memcpy(k.application, f.application.bytes, f.application.len);
	pubkey_fingerprint(blob, k.fingerprint);
	*out = k;
	return 0;
}

void pubkey_release(struct pubkey *k)
{
	EVP_PKEY_free(k->pkey);
	k->pkey = NULL;
}

/* r, s as two mpints -> the DER form that EVP wants; 0 if malformed. */
static size_t ecdsa_to_der(const struct wire_span *sig,
			   unsigned char out[ECDSA_SIG_MAX])
{
	struct wire w = wire_of(sig);
	struct wire_span rs[2];
	ECDSA_SIG *es = NULL;
	BIGNUM *r = NULL;
	BIGNUM *s = NULL;
	int len = 0;

	if (!wire_mpint(&w, &rs[0]) || !wire_mpint(&w, &rs[1]) || w.left != 0 ||
	    rs[0].len > 66 || rs[1].len > 66)
		return 0;
	es = ECDSA_SIG_new();
	r = BN_bin2bn(rs[0].bytes, (int)rs[0].len, NULL);
	s = BN_bin2bn(rs[1].bytes, (int)rs[1].len, NULL);
	if (es != NULL && r != NULL && s != NULL &&
	    ECDSA_SIG_set0(es, r, s) == 1) {
		r = NULL; /* es has them now */
		s = NULL;
		len = i2d_ECDSA_SIG(es, NULL);
		if (len > 0 && len <= ECDSA_SIG_MAX)
			len = i2d_ECDSA_SIG(es, &out);
		else
			len = 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(es);
	return len > 0 ? (size_t)len : 0;
}

/* A browser signs other bytes: what it was told, with an origin, as JSON.
 * Nobody commits in one, and a second reading of a signature is one too many.
 */
static int wrong_algorithm(const struct pubkey *k, const struct wire_span *alg,
			   struct verdict *v)
{
	static const char browser[] = "webauthn-";
	char shown[80];

	if (alg->len > strlen(browser) &&
	    memcmp(alg->bytes, browser, strlen(browser)) == 0)
		return verdict_fail(v, TCODE_KEY_TYPE,
				    "webauthn signatures, made by a browser, "
				    "are not allowed");
	return verdict_fail(v, TCODE_KEY_TYPE,
			    "signature algorithm \"%s\" is not allowed for a "
			    "key of type %s",
			    text_safe(shown, sizeof(shown),
				      (const char *)alg->bytes, alg->len),
			    k->type->name);
}

static int evp_verify(const struct pubkey *k, const char *digest,
		      const void *data, size_t len, const struct wire_span *sig,
		      struct verdict *v)
{
	unsigned char der[ECDSA_SIG_MAX];
	const unsigned char *bytes = sig->bytes;
	size_t sig_len = sig->len;
	EVP_MD_CTX *ctx = NULL;
	bool good = false;

	if (k->type->kind == ED25519 && sig_len != ED25519_SIG_BYTES)
		return verdict_fail(v, TCODE_SSHSIG,
				    "want 64 bytes of signature, have %zu",
				    sig_len);
	if (k->type->kind == RSA_KEY &&
	    sig_len != (size_t)EVP_PKEY_get_size(k->pkey))
		return verdict_fail(v, TCODE_SSHSIG,
				    "want an RSA signature of %d bytes, have "
				    "%zu",
				    EVP_PKEY_get_size(k->pkey), sig_len);
	if (k->type->kind == ECDSA) {
		sig_len = ecdsa_to_der(sig, der);
		bytes = der;
		if (sig_len == 0)
			return verdict_fail(v, TCODE_SSHSIG,
					    "the ECDSA signature is malformed");
	}
	ctx = EVP_MD_CTX_new();
	if (ctx != NULL && EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL,
						   NULL, k->pkey, NULL) == 1)
		good = EVP_DigestVerify(ctx, bytes, sig_len, data, len) == 1;
	EVP_MD_CTX_free(ctx);
#ifdef GUARD_OFF_SIGNATURE
	good = true;
#endif
	if (!good)
		return verdict_fail(v, TCODE_BAD_SIGNATURE,
				    "the signature by %s does not match",
				    k->fingerprint);
	return 0;
}

/* Signed bytes of a FIDO key: SHA256(application) flags counter SHA256(data) */
static int sk_verify(const struct pubkey *k, const void *data, size_t len,
		     const struct wire_span *sig, struct wire *tail,
		     struct pubkey_presence *out, struct verdict *v)
{
	uint8_t msg[HASH_BYTES + 1 + 4 + HASH_BYTES];

	out->is_sk = true;
	if (tail->left != 5)
		return verdict_fail(v, TCODE_SSHSIG,
				    "want flags and counter after a hardware "
				    "key's signature");
	hash_sha256(k->application, strlen(k->application), msg);
	memcpy(msg + HASH_BYTES, tail->at, 5);
	hash_sha256(data, len, msg + HASH_BYTES + 5);
	(void)wire_u8(tail, &out->flags);
	(void)wire_u32(tail, &out->counter);
	return evp_verify(k, k->type->digest, msg, sizeof(msg), sig, v);
}

int pubkey_verify(const struct pubkey *k, const void *data, size_t len,
		  const struct wire_span *sig,
		  struct pubkey_presence *out_presence, struct verdict *v)
{
	struct pubkey_presence presence = {0};
	const char *digest = k->type->digest;
	struct wire w = wire_of(sig);
	struct wire_span alg;
	struct wire_span raw;
	bool match = false;
	int r;

	if (!wire_string(&w, &alg) || !wire_string(&w, &raw))
		return verdict_fail(v, TCODE_SSHSIG,
				    "the signature blob is malformed");
	match = wire_is(&alg, k->type->name);
	if (k->type->kind == RSA_KEY) {
		match = true;
		if (wire_is(&alg, "rsa-sha2-256"))
			digest = "SHA256";
		else if (wire_is(&alg, "rsa-sha2-512"))
			digest = "SHA512";
		else
			match = false;
	}
	if (!match)
		return wrong_algorithm(k, &alg, v);
	if (k->type->sk) {
		r = sk_verify(k, data, len, &raw, &w, &presence, v);
	} else if (w.left != 0) {
		r = verdict_fail(v, TCODE_SSHSIG,
				 "%zu bytes after the signature", w.left);
	} else {
		r = evp_verify(k, digest, data, len, &raw, v);
	}
	if (r == 0 && out_presence != NULL)
		*out_presence = presence;
	return r;
}

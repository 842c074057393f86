/*
 * pubkey.h - SSH public keys and their signatures, on OpenSSL 3 (EVP).
 *
 * Pure; the input is hostile.  Allowed: ed25519, ecdsa (P-256, P-384, P-521),
 * rsa of 3072..8192 bits with rsa-sha2-256/512, and the two FIDO forms
 * sk-ssh-ed25519 and sk-ecdsa (PROTOCOL.u2f).  DSA, ssh-rsa with SHA-1, short
 * RSA and webauthn signatures are refused.  The result of every OpenSSL
 * verification is compared with 1.
 */
#ifndef POLICY_TRUST_PUBKEY_H
#define POLICY_TRUST_PUBKEY_H

#include "policy/trust/verdict.h"
#include "policy/trust/wire.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#define PUBKEY_FINGERPRINT 51 /* "SHA256:" + 43 + NUL */
#define PUBKEY_RSA_BITS_MIN 3072
#define PUBKEY_RSA_BITS_MAX 8192
#define PUBKEY_BLOB_MAX 16384

struct pubkey_type; /* a row of the table of key types */

struct pubkey {
	const struct pubkey_type *type;
	EVP_PKEY *pkey;	      /* owned */
	char application[64]; /* of a FIDO key, else "" */
	char fingerprint[PUBKEY_FINGERPRINT];
};

/* What a FIDO key says about how it was used; 0 for other keys. */
struct pubkey_presence {
	bool is_sk;
	uint8_t flags;
	uint32_t counter;
};
#define PUBKEY_SK_TOUCHED 0x01u
#define PUBKEY_SK_VERIFIED 0x04u

/* Plain key blob (string type, fields).  *out is owned: pubkey_release().
 * T117 (type or size), T114 (malformed). */
int pubkey_parse(const struct wire_span *blob, struct pubkey *out,
		 struct verdict *v);
void pubkey_release(struct pubkey *k);
/* sig: the SSH signature blob (string algorithm, string bytes, FIDO tail).
 * T114, T116, T117, T118. */
int pubkey_verify(const struct pubkey *k, const void *data, size_t len,
		  const struct wire_span *sig,
		  struct pubkey_presence *out_presence, struct verdict *v);
/* Reads the fields of a key of type `name` off w; *out_blob gets the plain key
 * blob of them (appended), for certificates.  T117, T114. */
int pubkey_read_fields(const struct pubkey_type *type, struct wire *w,
		       struct buf *out_blob, struct verdict *v);
/* Row for "ssh-ed25519" etc., or by the name of its certificates; NULL. */
const struct pubkey_type *pubkey_type_find(const struct wire_span *name);
const struct pubkey_type *pubkey_cert_type_find(const struct wire_span *name);
const char *pubkey_type_name(const struct pubkey_type *type);
/* "SHA256:..." of a plain key blob. */
void pubkey_fingerprint(const struct wire_span *blob,
			char out[PUBKEY_FINGERPRINT]);

#endif

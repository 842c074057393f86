/*
 * cmscert.h - the certificate that made a CMS signature: what it may be used
 * for, who it names, and whether a pinned authority stands behind it (RFC 5280,
 * by OpenSSL).  Pure: no file, no network, no store but what is given.
 *
 * The certificates are hostile, the authority is not.  Rules (docs/trust.md
 * section 3): RFC 5280 in full (X509_V_FLAG_X509_STRICT), RSA of 3072 to 8192
 * bits or P-256, P-384, P-521 and nothing weaker than SHA-256 in the whole
 * chain, a chain of at most CMSCERT_DEPTH_MAX, the name in a SAN and nowhere
 * else.
 */
#ifndef POLICY_TRUST_CMSCERT_H
#define POLICY_TRUST_CMSCERT_H

#include "policy/trust/pubkey.h"
#include "policy/trust/verdict.h"

#include <openssl/x509.h>

#define CMSCERT_DEPTH_MAX 4 /* certificates between signer and authority */
#define CMSCERT_AUTHORITIES_MAX 16
#define CMSCERT_PEM_BYTES_MAX 65536
#define CMSCERT_SERIAL_HEX 43 /* 20 bytes, a sign byte, NUL */

struct cmscert_authority; /* the pinned certificates */

/* PEM of one or more certificates of authorities (each CA:TRUE); nothing but
 * blank lines around them.  *out owned.  T127. */
int cmscert_authority_new(const char *pem, size_t len,
			  struct cmscert_authority **out, struct verdict *v);
void cmscert_authority_free(struct cmscert_authority *a); /* NULL allowed */

/* May it sign commits at all: no authority itself, digitalSignature where there
 * is a KeyUsage, emailProtection or codeSigning, an allowed key.  T127, T117.
 */
int cmscert_check_use(X509 *cert, struct verdict *v);
/* "email:..." or "uri:..." is one of its SANs, byte for byte? */
bool cmscert_has_name(const X509 *cert, const char *identity);
/* The first such name, escaped, for messages; "no name" if there is none. */
const char *cmscert_name(const X509 *cert, char *out, size_t len);
/* The OIDC issuer in Fulcio's extensions (1.3.6.1.4.1.57264.1.1 and .1.8) is
 * this one; both must agree when both are there. */
bool cmscert_has_issuer(const X509 *cert, const char *issuer);
/* Chain from cert over extra certificates (untrusted) to the authority, every
 * window of it holding at `at` (unix s).  *out_chain owned: free with
 * sk_X509_pop_free(.., X509_free).  T128, T133, T117. */
int cmscert_chain(X509 *cert, STACK_OF(X509) * extra,
		  const struct cmscert_authority *a, int64_t at,
		  STACK_OF(X509) * *out_chain, struct verdict *v);
/* "SHA256:..." of the whole certificate (DER). */
bool cmscert_fingerprint(const X509 *cert, char out[PUBKEY_FINGERPRINT]);
/* Serial: as a number (0 if over 64 bits) and in lower-case hex. */
uint64_t cmscert_serial(const X509 *cert, char out_hex[CMSCERT_SERIAL_HEX]);

#endif

/*
 * cms.h - a detached CMS signature (RFC 5652), as gpgsm, smimesign, gitsign and
 * `openssl cms` make it for git; OpenSSL verifies.  Pure; the input is hostile.
 *
 * One reading, and little that can be changed without the signer:
 *   bytes: DER, or DER with the four open lengths that gpgsm writes; nothing
 *     behind the end;
 *   one SignerInfo with signed attributes (content type, message digest and
 *     what else is in a table), no unsigned ones; no content, no revocation
 *     lists; one digest algorithm: SHA-256, SHA-384 or SHA-512;
 *   the signer's certificate, once, and at most those between it and the
 *     pinned authority.
 * The signing time is not looked at: the signer chooses it.
 */
#ifndef POLICY_TRUST_CMS_H
#define POLICY_TRUST_CMS_H

#include "policy/trust/cmscert.h"
#include "policy/trust/cmsform.h"
#include "policy/trust/commit.h"

#include <openssl/cms.h>

#define CMS_BYTES_MAX CMSFORM_BYTES_MAX
#define CMS_CERTS_MAX 8

struct cms {
	CMS_ContentInfo *content;	      /* owned */
	STACK_OF(X509) * certs;		      /* owned: all that it carries */
	X509 *signer;			      /* borrowed from certs */
	char fingerprint[PUBKEY_FINGERPRINT]; /* of the signer's certificate */
};

/* All but the signature and the chain.  *out owned, also on failure (then with
 * the fingerprint if the signer is known): cms_release().  T116, T126. */
int cms_parse(const void *bytes, size_t len, struct cms *out,
	      struct verdict *v);
void cms_release(struct cms *c);
/* The signature is the signer's, over exactly these bytes.  T118. */
int cms_verify(const struct cms *c, const struct commit_span *parts,
	       size_t n_parts, struct verdict *v);
/* Every certificate that it carries is in this chain.  T126. */
int cms_check_extra(const struct cms *c, STACK_OF(X509) * chain,
		    struct verdict *v);

#endif

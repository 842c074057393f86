/*
 * cmsform.h - the bytes of a CMS signature that OpenSSL reads and nobody signs:
 * they have one value each, else anybody could make another commit id of a good
 * signature.  Pure; the input is hostile.
 *
 * DER, or DER with the four open lengths that gpgsm writes; versions as
 * RFC 5652 sets them; the one digest algorithm is the signer's; the signer's
 * issuer is written as in the certificate (X509_NAME_cmp() folds case).
 */
#ifndef POLICY_TRUST_CMSFORM_H
#define POLICY_TRUST_CMSFORM_H

#include "policy/trust/verdict.h"

#include <openssl/cms.h>

#define CMSFORM_BYTES_MAX 49152

/* bytes: what was read as content; signer: the certificate of si.  T126. */
int cmsform_check(const CMS_ContentInfo *content, CMS_SignerInfo *si,
		  const X509 *signer, const void *bytes, size_t len,
		  struct verdict *v);

#endif

/*
 * cms.c - see cms.h.
 */
#include "policy/trust/cms.h"

#include "lib/text.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

static int bad(struct verdict *v, const char *why)
{
	return verdict_fail(v, TCODE_CMS, "%s", why);
}

/* --- what may be inside ----------------------------------------------------
 */

/* Signed attributes: all others are refused, each of these only once. */
static const struct {
	int nid;
	bool wanted;
} attributes[] = {
	{NID_pkcs9_contentType, true},
	{NID_pkcs9_messageDigest, true},
	{NID_pkcs9_signingTime, false},
	{NID_SMIMECapabilities, false},
};

static int check_attributes(const CMS_SignerInfo *si, struct verdict *v)
{
	int known = 0;
	const ASN1_OBJECT *type;
	const ASN1_OCTET_STRING *digest;
	int n = CMS_signed_get_attr_count(si);

#ifdef GUARD_OFF_CMS_ATTRIBUTES
	return 0;
#endif
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]);
	     i++) {
		int at = CMS_signed_get_attr_by_NID(si, attributes[i].nid, -1);

		if (at < 0 && attributes[i].wanted)
			return bad(v, "want the signed attributes content type "
				      "and message digest");
		known += at >= 0;
		if (at >= 0 &&
		    CMS_signed_get_attr_by_NID(si, attributes[i].nid, at) >= 0)
			return bad(v, "a signed attribute is there twice");
	}
	if (n != known)
		return bad(v, "a signed attribute that is not known here");
	if (CMS_unsigned_get_attr_count(si) > 0)
		return bad(v, "attributes that are not signed");
	/* -3: one attribute with one value, else NULL */
	type = CMS_signed_get0_data_by_OBJ(
		si, OBJ_nid2obj(NID_pkcs9_contentType), -3, V_ASN1_OBJECT);
	digest = CMS_signed_get0_data_by_OBJ(
		si, OBJ_nid2obj(NID_pkcs9_messageDigest), -3,
		V_ASN1_OCTET_STRING);
	if (type == NULL || OBJ_obj2nid(type) != NID_pkcs7_data ||
	    digest == NULL)
		return bad(v, "want one content type, which is data, and one "
			      "message digest");
	return 0;
}

/* Digest, and signature algorithms that fit it; no PSS, no MD5 and SHA-1. */
static const struct {
	int digest;
	int signatures[2];
} algorithms[] = {
	{NID_sha256, {NID_sha256WithRSAEncryption, NID_ecdsa_with_SHA256}},
	{NID_sha384, {NID_sha384WithRSAEncryption, NID_ecdsa_with_SHA384}},
	{NID_sha512, {NID_sha512WithRSAEncryption, NID_ecdsa_with_SHA512}},
};

static int algorithm_of(const X509_ALGOR *a, bool *out_plain)
{
	const ASN1_OBJECT *object = NULL;
	int parameters = V_ASN1_UNDEF;

	X509_ALGOR_get0(&object, &parameters, NULL, a);
	*out_plain &= parameters == V_ASN1_UNDEF || parameters == V_ASN1_NULL;
	return OBJ_obj2nid(object);
}

static int check_algorithms(CMS_SignerInfo *si, struct verdict *v)
{
	X509_ALGOR *digest = NULL;
	X509_ALGOR *signature = NULL;
	bool plain = true; /* no parameters */
	bool good = false;
	int d, s;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, &signature);
	d = algorithm_of(digest, &plain);
	s = algorithm_of(signature, &plain);
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		good |= plain && d == algorithms[i].digest &&
			(s == NID_rsaEncryption ||
			 s == algorithms[i].signatures[0] ||
			 s == algorithms[i].signatures[1]);
#ifdef GUARD_OFF_CMS_HASH
	good = true;
#endif
	if (good)
		return 0;
	return verdict_fail(v, TCODE_HASH,
			    "want SHA-256, SHA-384 or SHA-512 with RSA (PKCS "
			    "1) or ECDSA, have %s and %s",
			    OBJ_nid2sn(d) != NULL ? OBJ_nid2sn(d) : "unknown",
			    OBJ_nid2sn(s) != NULL ? OBJ_nid2sn(s) : "unknown");
}

/* The one certificate that the SignerInfo means. */
static int find_signer(struct cms *c, CMS_SignerInfo *si, struct verdict *v)
{
	int n = sk_X509_num(c->certs);

	if (n <= 0)
		return bad(v, "want the signer's certificate, have none");
	if (n > CMS_CERTS_MAX)
		return verdict_fail(v, TCODE_CMS,
				    "want at most %d certificates, have %d",
				    CMS_CERTS_MAX, n);
	for (int i = 0; i < n; i++) {
		X509 *cert = sk_X509_value(c->certs, i);

		if (CMS_SignerInfo_cert_cmp(si, cert) != 0)
			continue;
		if (c->signer != NULL)
			return bad(v, "two certificates could be the signer's");
		c->signer = cert;
	}
	if (c->signer == NULL)
		return bad(v, "the signer's certificate is not among those "
			      "that it carries");
	return cmscert_fingerprint(c->signer, c->fingerprint)
		       ? 0
		       : bad(v, "the certificate has no digest");
}

static int check_shape(struct cms *c, CMS_SignerInfo **out, struct verdict *v)
{
	CMS_ContentInfo *content = c->content;
	ASN1_OCTET_STRING **inside;
	STACK_OF(CMS_SignerInfo) * signers;
	STACK_OF(X509_CRL) * crls;
	int n;

	if (OBJ_obj2nid(CMS_get0_type(content)) != NID_pkcs7_signed)
		return bad(v, "want signed data, have another kind of CMS");
	inside = CMS_get0_content(content);
#ifndef GUARD_OFF_CMS_SHAPE
	if (OBJ_obj2nid(CMS_get0_eContentType(content)) != NID_pkcs7_data ||
	    inside == NULL || *inside != NULL)
		return bad(v, "want a detached signature over data, have one "
			      "with content of its own");
	signers = CMS_get0_SignerInfos(content);
	n = sk_CMS_SignerInfo_num(signers);
	if (n != 1)
		return verdict_fail(v, TCODE_CMS,
				    "want exactly one signer, have %d",
				    n < 0 ? 0 : n);
	crls = CMS_get1_crls(content);
	n = sk_X509_CRL_num(crls);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	if (n > 0)
		return bad(v, "it carries revocation lists");
#else
	(void)inside;
	(void)crls;
	(void)n;
	signers = CMS_get0_SignerInfos(content);
#endif
	*out = sk_CMS_SignerInfo_value(signers, 0);
	return 0;
}

int cms_parse(const void *bytes, size_t len, struct cms *out, struct verdict *v)
{
	const uint8_t *at = bytes;
	CMS_SignerInfo *si = NULL;
	int r;

	*out = (struct cms){0};
	if (len == 0 || len > CMS_BYTES_MAX)
		return verdict_fail(v, TCODE_CMS,
				    "want 1 to %d bytes, have "
				    "%zu",
				    CMS_BYTES_MAX, len);
	ERR_clear_error();
	out->content = d2i_CMS_ContentInfo(NULL, &at, (long)len);
	if (out->content == NULL) {
		ERR_clear_error();
		return bad(v, "this is no CMS");
	}
	r = check_shape(out, &si, v);
	if (r < 0)
		return r;
	out->certs = CMS_get1_certs(out->content);
	r = find_signer(out, si, v);
	if (r == 0)
		r = cmsform_check(out->content, si, out->signer, bytes, len, v);
	if (r == 0)
		r = check_algorithms(si, v);
	if (r == 0)
		r = check_attributes(si, v);
	ERR_clear_error();
	return r;
}

void cms_release(struct cms *c)
{
	sk_X509_pop_free(c->certs, X509_free);
	CMS_ContentInfo_free(c->content);
	c->certs = NULL;
	c->content = NULL;
	c->signer = NULL;
}

/* --- signature -------------------------------------------------------------
 */

int cms_verify(const struct cms *c, const struct commit_span *parts,
	       size_t n_parts, struct verdict *v)
{
	BIO *data = BIO_new(BIO_s_mem());
	int good = data != NULL;

	for (size_t i = 0; good == 1 && i < n_parts; i++)
		good = parts[i].len == 0 ||
		       BIO_write(data, parts[i].at, (int)parts[i].len) ==
			       (int)parts[i].len;
	/* The chain is cmscert_chain()'s: this one would ask for S/MIME alone
	 * and knows neither pins nor the time. */
	if (good == 1)
		good = CMS_verify(c->content, NULL, NULL, data, NULL,
				  CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY);
#ifdef GUARD_OFF_CMS_SIGNATURE
	good = 1;
#endif
	BIO_free(data);
	ERR_clear_error();
	return good == 1 ? 0
			 : verdict_fail(v, TCODE_BAD_SIGNATURE,
					"certificate %s", c->fingerprint);
}

int cms_check_extra(const struct cms *c, STACK_OF(X509) * chain,
		    struct verdict *v)
{
#ifndef GUARD_OFF_CMS_EXTRA
	for (int i = 0; i < sk_X509_num(c->certs); i++) {
		bool part = false;

		for (int k = 0; k < sk_X509_num(chain) && !part; k++)
			part = X509_cmp(sk_X509_value(c->certs, i),
					sk_X509_value(chain, k)) == 0;
		for (int k = 0; k < i && part; k++)
			part = X509_cmp(sk_X509_value(c->certs, i),
					sk_X509_value(c->certs, k)) != 0;
		if (!part)
			return bad(v, "it carries a certificate that has no "
				      "part in the chain to the authority");
	}
#else
	(void)c;
	(void)chain;
	(void)v;
#endif
	return 0;
}

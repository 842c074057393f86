/*
 * cms.c - see cms.h.
 */
#include "policy/trust/cms.h"

#include "lib/text.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

static int bad(struct verdict *v, const char *why)
{
	return verdict_fail(v, TCODE_CMS, "%s", why);
}

/* --- bytes -----------------------------------------------------------------
 */

struct der {
	const uint8_t *at;
	size_t left;
};

/* Enters the next element if it has this tag: *out_header is the length of its
 * header, *out_body its contents; d goes behind it.  Definite lengths only. */
static bool der_next(struct der *d, int tag, int class, struct der *out_body)
{
	const uint8_t *p = d->at;
	long len = 0;
	int have_tag = 0;
	int have_class = 0;
	int r = ASN1_get_object(&p, &len, &have_tag, &have_class,
				(long)d->left);

	if ((r & 0x81) != 0 || have_tag != tag || have_class != class)
		return false;
	out_body->at = p;
	out_body->left = (size_t)len;
	d->left -= (size_t)(p - d->at) + (size_t)len;
	d->at = p + len;
	return true;
}

/* From DER: what is inside the three outer headers, cut where gpgsm leaves a
 * length open. */
struct layout {
	struct der type;   /* OBJECT IDENTIFIER, whole element */
	struct der front;  /* version and digest algorithms, whole elements */
	struct der inner;  /* contents of encapContentInfo */
	struct der behind; /* all behind it */
};

static bool read_layout(const uint8_t *der, size_t len, struct layout *out)
{
	struct der d = {der, len};
	struct der info, wrapped, data, digests, element;

	if (!der_next(&d, V_ASN1_SEQUENCE, 0, &info) || d.left != 0)
		return false;
	out->type.at = info.at;
	if (!der_next(&info, V_ASN1_OBJECT, 0, &element))
		return false;
	out->type.left = (size_t)(info.at - out->type.at);
	if (!der_next(&info, 0, V_ASN1_CONTEXT_SPECIFIC, &wrapped) ||
	    info.left != 0 || !der_next(&wrapped, V_ASN1_SEQUENCE, 0, &data) ||
	    wrapped.left != 0)
		return false;
	out->front.at = data.at;
	if (!der_next(&data, V_ASN1_INTEGER, 0, &element) ||
	    !der_next(&data, V_ASN1_SET, 0, &digests))
		return false;
	out->front.left = (size_t)(data.at - out->front.at);
	/* not signed: exactly one, which must be the signer's */
	if (!der_next(&digests, V_ASN1_SEQUENCE, 0, &element) ||
	    digests.left != 0)
		return false;
	if (!der_next(&data, V_ASN1_SEQUENCE, 0, &out->inner))
		return false;
	out->behind = data;
	return true;
}

static void put(struct buf *out, const struct der *d)
{
	buf_put(out, d->at, d->left);
}

/* The same signature as gpgsm writes it. */
static void write_open(const struct layout *l, struct buf *out)
{
	buf_put(out, "\x30\x80", 2);
	put(out, &l->type);
	buf_put(out, "\xa0\x80\x30\x80", 4);
	put(out, &l->front);
	buf_put(out, "\x30\x80", 2);
	put(out, &l->inner);
	buf_put(out, "\0\0", 2);
	put(out, &l->behind);
	buf_put(out, "\0\0\0\0\0\0", 6);
}

/* Encodes anew and compares: in DER, or in DER with gpgsm's open lengths. */
static int check_bytes(const CMS_ContentInfo *content, const void *bytes,
		       size_t len, struct verdict *v)
{
	struct layout layout;
	uint8_t *der = NULL;
	int n = i2d_CMS_ContentInfo(content, &der);
	struct buf open;
	bool good = false;

	buf_init(&open, CMS_BYTES_MAX + 64);
	if (n > 0 && read_layout(der, (size_t)n, &layout)) {
		write_open(&layout, &open);
		good = ((size_t)n == len && memcmp(der, bytes, len) == 0) ||
		       (!open.failed && open.len == len &&
			memcmp(open.data, bytes, len) == 0);
	}
	buf_release(&open);
	OPENSSL_free(der);
#ifdef GUARD_OFF_CMS_DER
	good = true;
#endif
	return good ? 0
		    : bad(v, "want DER, or what gpgsm writes, and nothing "
			     "behind its end");
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

static int check_algorithms(CMS_SignerInfo *si, struct verdict *v)
{
	const ASN1_OBJECT *object = NULL;
	X509_ALGOR *digest = NULL;
	X509_ALGOR *signature = NULL;
	bool good = false;
	int d, s;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, &signature);
	X509_ALGOR_get0(&object, NULL, NULL, digest);
	d = OBJ_obj2nid(object);
	X509_ALGOR_get0(&object, NULL, NULL, signature);
	s = OBJ_obj2nid(object);
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		good |= d == algorithms[i].digest &&
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
	r = check_bytes(out->content, bytes, len, v);
	if (r < 0)
		return r;
	out->certs = CMS_get1_certs(out->content);
	r = find_signer(out, si, v);
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

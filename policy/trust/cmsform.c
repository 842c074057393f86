/*
 * cmsform.c - see cmsform.h.
 */
#include "policy/trust/cmsform.h"

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <string.h>

struct der {
	const uint8_t *at;
	size_t left;
};

/* Takes the next element off d if it has this tag: *out_body is what is in it.
 * Definite lengths only. */
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

/* The same, but the whole element. */
static bool der_whole(struct der *d, int tag, int class, struct der *out)
{
	struct der body;

	out->at = d->at;
	if (!der_next(d, tag, class, &body))
		return false;
	out->left = (size_t)(d->at - out->at);
	return true;
}

static bool der_same(const struct der *a, const struct der *b)
{
	return a->left == b->left && memcmp(a->at, b->at, a->left) == 0;
}

/* What is inside the three outer headers, whole elements. */
struct layout {
	struct der type;    /* OBJECT IDENTIFIER */
	struct der version; /* of SignedData */
	struct der digests; /* the SET of one */
	struct der digest;  /* that one */
	struct der inner;   /* contents of encapContentInfo */
	struct der behind;  /* all behind it */
	/* of the SignerInfo */
	struct der si_version, si_id, si_digest;
};

static bool read_signer(struct layout *l)
{
	struct der d = l->behind;
	struct der signers, info;

	if (!der_next(&d, 0, V_ASN1_CONTEXT_SPECIFIC, &info) || /* certs */
	    !der_next(&d, V_ASN1_SET, 0, &signers) || d.left != 0 ||
	    !der_next(&signers, V_ASN1_SEQUENCE, 0, &info) || signers.left != 0)
		return false;
	return der_whole(&info, V_ASN1_INTEGER, 0, &l->si_version) &&
	       (der_next(&info, V_ASN1_SEQUENCE, 0, &l->si_id) ||
		der_next(&info, 0, V_ASN1_CONTEXT_SPECIFIC, &l->si_id)) &&
	       der_whole(&info, V_ASN1_SEQUENCE, 0, &l->si_digest);
}

static bool read_layout(const uint8_t *der, size_t len, struct layout *out)
{
	struct der d = {der, len};
	struct der info, wrapped, data, digests;

	if (!der_next(&d, V_ASN1_SEQUENCE, 0, &info) || d.left != 0 ||
	    !der_whole(&info, V_ASN1_OBJECT, 0, &out->type) ||
	    !der_next(&info, 0, V_ASN1_CONTEXT_SPECIFIC, &wrapped) ||
	    info.left != 0 || !der_next(&wrapped, V_ASN1_SEQUENCE, 0, &data) ||
	    wrapped.left != 0 ||
	    !der_whole(&data, V_ASN1_INTEGER, 0, &out->version))
		return false;
	d = data;
	if (!der_whole(&data, V_ASN1_SET, 0, &out->digests) ||
	    !der_next(&d, V_ASN1_SET, 0, &digests) ||
	    !der_whole(&digests, V_ASN1_SEQUENCE, 0, &out->digest) ||
	    digests.left != 0 ||
	    !der_next(&data, V_ASN1_SEQUENCE, 0, &out->inner))
		return false;
	out->behind = data;
	return read_signer(out);
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
	put(out, &l->version);
	put(out, &l->digests);
	buf_put(out, "\x30\x80", 2);
	put(out, &l->inner);
	buf_put(out, "\0\0", 2);
	put(out, &l->behind);
	buf_put(out, "\0\0\0\0\0\0", 6);
}

/* What is not signed has one value. */
static bool check_unsigned(const struct layout *l, CMS_SignerInfo *si,
			   const X509 *signer)
{
	static const uint8_t one[] = {2, 1, 1}, three[] = {2, 1, 3};
	ASN1_OCTET_STRING *key = NULL;
	struct der version, name, issuer, id = l->si_id;
	uint8_t *der = NULL;
	bool good;
	int n;

	if (CMS_SignerInfo_get0_signer_id(si, &key, NULL, NULL) != 1)
		return false;
	version = (struct der){key != NULL ? three : one, sizeof(one)};
	if (!der_same(&l->version, &version) ||
	    !der_same(&l->si_version, &version) ||
	    !der_same(&l->digest, &l->si_digest))
		return false;
	if (key != NULL)
		return true;
	n = i2d_X509_NAME(X509_get_issuer_name(signer), &der);
	issuer = (struct der){der, n > 0 ? (size_t)n : 0};
	good = n > 0 && der_whole(&id, V_ASN1_SEQUENCE, 0, &name) &&
	       der_same(&name, &issuer);
	OPENSSL_free(der);
	return good;
}

int cmsform_check(const CMS_ContentInfo *content, CMS_SignerInfo *si,
		  const X509 *signer, const void *bytes, size_t len,
		  struct verdict *v)
{
	struct layout l;
	uint8_t *der = NULL;
	int n = i2d_CMS_ContentInfo(content, &der);
	struct buf open;
	bool form = false;
	bool rest = false;

	buf_init(&open, CMSFORM_BYTES_MAX + 64);
	if (n > 0 && read_layout(der, (size_t)n, &l)) {
		write_open(&l, &open);
		form = ((size_t)n == len && memcmp(der, bytes, len) == 0) ||
		       (!open.failed && open.len == len &&
			memcmp(open.data, bytes, len) == 0);
		rest = check_unsigned(&l, si, signer);
	}
	buf_release(&open);
	OPENSSL_free(der);
#ifdef GUARD_OFF_CMS_DER
	form = true;
#endif
#ifdef GUARD_OFF_CMS_UNSIGNED
	rest = true;
#endif
	if (!form)
		return verdict_fail(v, TCODE_CMS,
				    "want DER, or what gpgsm writes, and "
				    "nothing behind its end");
	if (!rest)
		return verdict_fail(v, TCODE_CMS,
				    "want versions 1 (or 3 with a key "
				    "identifier), the signer's digest "
				    "algorithm and issuer as in the "
				    "certificate");
	return 0;
}

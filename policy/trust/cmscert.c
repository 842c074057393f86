/*
 * cmscert.c - see cmscert.h.
 */
#include "policy/trust/cmscert.h"

#include "lib/encode.h"
#include "lib/text.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define AUTH_LEVEL 3 /* 128 bits: RSA of 3072, SHA-256 */
#define ISSUER_V1 "1.3.6.1.4.1.57264.1.1"
#define ISSUER_V2 "1.3.6.1.4.1.57264.1.8"

struct cmscert_authority {
	X509_STORE *store;
};

/* --- keys and use ----------------------------------------------------------
 */

static bool curve_allowed(EVP_PKEY *key)
{
	static const char *const curves[] = {"prime256v1", "secp384r1",
					     "secp521r1"};
	char name[32] = "";

	if (EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) != 1)
		return false;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (strcmp(name, curves[i]) == 0)
			return true;
	return false;
}

static int check_key(const X509 *cert, struct verdict *v)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;

#ifndef GUARD_OFF_CMS_KEY
	if (key != NULL && EVP_PKEY_is_a(key, "EC") && curve_allowed(key))
		return 0;
	if (key != NULL && EVP_PKEY_is_a(key, "RSA") &&
	    bits >= PUBKEY_RSA_BITS_MIN && bits <= PUBKEY_RSA_BITS_MAX)
		return 0;
	return verdict_fail(
		v, TCODE_KEY_TYPE,
		"want RSA of %d to %d bits or P-256, P-384, P-521 "
		"in a certificate, have %s of %d bits",
		PUBKEY_RSA_BITS_MIN, PUBKEY_RSA_BITS_MAX,
		key != NULL ? EVP_PKEY_get0_type_name(key) : "no key", bits);
#else
	(void)curve_allowed;
	(void)bits;
	(void)v;
	return 0;
#endif
}

static int unfit(struct verdict *v, const char *why)
{
	return verdict_fail(v, TCODE_CMS_CERT, "%s", why);
}

int cmscert_check_use(X509 *cert, struct verdict *v)
{
	uint32_t flags = X509_get_extension_flags(cert);

#ifndef GUARD_OFF_CMS_USE
	if (flags & EXFLAG_INVALID)
		return unfit(v, "an extension of the certificate is malformed");
	if (X509_check_ca(cert) != 0)
		return unfit(v, "it is an authority itself: people sign with "
				"certificates that end a chain");
	if ((flags & EXFLAG_KUSAGE) != 0 &&
	    (X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE) == 0)
		return unfit(v, "its key usage has no digitalSignature");
	if ((flags & EXFLAG_XKUSAGE) == 0 ||
	    (X509_get_extended_key_usage(cert) & (XKU_SMIME | XKU_CODE_SIGN)) ==
		    0)
		return unfit(v, "want emailProtection or codeSigning in its "
				"extended key usage");
#else
	(void)flags;
	(void)unfit;
#endif
	return check_key(cert, v);
}

/* --- names -----------------------------------------------------------------
 */

static const struct {
	int type;
	const char *prefix;
} name_kinds[] = {{GEN_EMAIL, "email:"}, {GEN_URI, "uri:"}};

/* Kind and text of a name that can be pinned; NULL: another kind. */
static const char *name_text(const GENERAL_NAME *name, const char **out,
			     size_t *out_len)
{
	int type = GEN_OTHERNAME;
	const ASN1_STRING *text = GENERAL_NAME_get0_value(name, &type);

	for (size_t i = 0; i < sizeof(name_kinds) / sizeof(name_kinds[0]); i++)
		if (type == name_kinds[i].type && text != NULL) {
			*out = (const char *)ASN1_STRING_get0_data(text);
			*out_len = (size_t)ASN1_STRING_length(text);
			return name_kinds[i].prefix;
		}
	return NULL;
}

/* NULL also when there are two such extensions. */
static GENERAL_NAMES *names_of(const X509 *cert)
{
	return X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
}

bool cmscert_has_name(const X509 *cert, const char *identity)
{
	GENERAL_NAMES *names = names_of(cert);
	bool found = false;

#ifdef GUARD_OFF_CMS_NAME
	found = true;
#endif
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		const char *text = NULL;
		size_t len = 0;
		const char *kind =
			name_text(sk_GENERAL_NAME_value(names, i), &text, &len);
		size_t n = kind != NULL ? strlen(kind) : 0;

		found = kind != NULL && strncmp(identity, kind, n) == 0 &&
			strlen(identity + n) == len &&
			memcmp(identity + n, text, len) == 0;
	}
	GENERAL_NAMES_free(names);
	return found;
}

const char *cmscert_name(const X509 *cert, char *out, size_t len)
{
	GENERAL_NAMES *names = names_of(cert);
	const char *text = NULL;
	size_t text_len = 0;

	(void)text_safe(out, len, "no name", 7);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const char *kind = name_text(sk_GENERAL_NAME_value(names, i),
					     &text, &text_len);

		if (kind == NULL)
			continue;
		(void)text_safe(out, len, kind, strlen(kind));
		(void)text_safe(out + strlen(kind), len - strlen(kind), text,
				text_len);
		break;
	}
	GENERAL_NAMES_free(names);
	return out;
}

/* 1: the extension says so, 0: it says something else, -1: it is not there.
 * The older one holds the bare text, the newer one a UTF8String. */
static int issuer_says(const X509 *cert, const char *oid, bool bare,
		       const char *issuer)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = X509_get_ext_by_OBJ(cert, object, -1);
	int second = at < 0 ? -1 : X509_get_ext_by_OBJ(cert, object, at);
	const ASN1_STRING *value;
	ASN1_STRING *inner = NULL;
	const uint8_t *bytes;
	int says = at < 0 ? -1 : 0;
	long len;

	ASN1_OBJECT_free(object);
	if (at < 0 || second >= 0)
		return says;
	value = X509_EXTENSION_get_data(X509_get_ext(cert, at));
	bytes = ASN1_STRING_get0_data(value);
	len = ASN1_STRING_length(value);
	if (!bare) {
		const uint8_t *end = bytes + len;

		inner = d2i_ASN1_UTF8STRING(NULL, &bytes, len);
		if (inner == NULL || bytes != end)
			goto out;
		bytes = ASN1_STRING_get0_data(inner);
		len = ASN1_STRING_length(inner);
	}
	says = (size_t)len == strlen(issuer) &&
	       memcmp(bytes, issuer, (size_t)len) == 0;
out:
	ASN1_UTF8STRING_free(inner);
	return says;
}

bool cmscert_has_issuer(const X509 *cert, const char *issuer)
{
	int old = issuer_says(cert, ISSUER_V1, true, issuer);
	int new = issuer_says(cert, ISSUER_V2, false, issuer);

#ifdef GUARD_OFF_CMS_ISSUER
	return true;
#endif
	return old != 0 && new != 0 && (old == 1 || new == 1);
}

/* --- chains ----------------------------------------------------------------
 */

static int chain_failed(int why, int depth, struct verdict *v)
{
	bool window = why == X509_V_ERR_CERT_HAS_EXPIRED ||
		      why == X509_V_ERR_CERT_NOT_YET_VALID;

	if (window)
		return verdict_fail(v, TCODE_CERT_WINDOW, "%s (%s)",
				    X509_verify_cert_error_string(why),
				    depth == 0 ? "the signer's certificate"
					       : "an authority's certificate");
	return verdict_fail(v, TCODE_CMS_CHAIN,
			    "%s (certificate %d of the chain)",
			    X509_verify_cert_error_string(why), depth);
}

static int check_chain_keys(STACK_OF(X509) * chain, struct verdict *v)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		int r = check_key(sk_X509_value(chain, i), v);

		if (r < 0)
			return verdict_wrap(v, "certificate %d of the chain",
					    i);
	}
	return 0;
}

int cmscert_chain(X509 *cert, STACK_OF(X509) * extra,
		  const struct cmscert_authority *a, int64_t at,
		  STACK_OF(X509) * *out_chain, struct verdict *v)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	STACK_OF(X509) *chain = NULL;
	int r;

	if (ctx == NULL ||
	    X509_STORE_CTX_init(ctx, a->store, cert, extra) != 1) {
		r = verdict_fail(v, TCODE_CMS_CHAIN, "out of memory");
		goto out;
	}
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)at);
	X509_VERIFY_PARAM_set_depth(param, CMSCERT_DEPTH_MAX);
#ifndef GUARD_OFF_CMS_STRICT
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	(void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
#endif
	(void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	r = X509_verify_cert(ctx);
#ifdef GUARD_OFF_CMS_CHAIN
	r = 1;
#endif
	if (r != 1) {
		r = chain_failed(X509_STORE_CTX_get_error(ctx),
				 X509_STORE_CTX_get_error_depth(ctx), v);
		goto out;
	}
	chain = X509_STORE_CTX_get1_chain(ctx);
	r = chain == NULL ? verdict_fail(v, TCODE_CMS_CHAIN, "out of memory")
			  : check_chain_keys(chain, v);
	if (r < 0)
		goto out;
	*out_chain = chain;
	chain = NULL;
out:
	sk_X509_pop_free(chain, X509_free);
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return r;
}

/* --- pinned authorities ----------------------------------------------------
 */

static int add_authority(struct cmscert_authority *a, X509 *cert,
			 struct verdict *v)
{
	if (X509_check_ca(cert) != 1)
		return verdict_fail(v, TCODE_CMS_CERT,
				    "authority: want basicConstraints CA:TRUE "
				    "in each pinned certificate");
	if (check_key(cert, v) < 0)
		return verdict_wrap(v, "authority");
	if (X509_STORE_add_cert(a->store, cert) != 1)
		return verdict_fail(v, TCODE_CMS_CERT,
				    "authority: cannot be stored");
	return 0;
}

/* Only blocks of certificates and blank lines: no key slips into a file. */
static bool only_certificates(const char *pem, size_t len)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	const char *end = pem + len;
	bool inside = false;

	if (memchr(pem, '\0', len) != NULL)
		return false;
	while (pem < end) {
		const char *eol = memchr(pem, '\n', (size_t)(end - pem));
		size_t n = (size_t)((eol != NULL ? eol : end) - pem);

		if (n >= sizeof(begin) - 1 &&
		    memcmp(pem, begin, sizeof(begin) - 1) == 0)
			inside = true;
		else if (!inside && n > 0)
			return false;
		else if (n > 8 && memcmp(pem, "-----END", 8) == 0)
			inside = false;
		pem += n + (eol != NULL);
	}
	return !inside;
}

int cmscert_authority_new(const char *pem, size_t len,
			  struct cmscert_authority **out, struct verdict *v)
{
	struct cmscert_authority *a = calloc(1, sizeof(*a));
	BIO *in = NULL;
	X509 *cert = NULL;
	int n = 0;
	int r = 0;

	if (a == NULL || (a->store = X509_STORE_new()) == NULL) {
		r = verdict_fail(v, TCODE_CMS_CERT, "out of memory");
		goto out;
	}
	if (len > CMSCERT_PEM_BYTES_MAX || !only_certificates(pem, len) ||
	    (in = BIO_new_mem_buf(pem, (int)len)) == NULL) {
		r = verdict_fail(v, TCODE_CMS_CERT,
				 "authority: want PEM certificates alone, at "
				 "most %d bytes",
				 CMSCERT_PEM_BYTES_MAX);
		goto out;
	}
	while (r == 0 && n <= CMSCERT_AUTHORITIES_MAX &&
	       (cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
		r = add_authority(a, cert, v);
		X509_free(cert);
		n++;
	}
	if (r < 0)
		goto out;
	if (n == 0 || n > CMSCERT_AUTHORITIES_MAX ||
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		r = verdict_fail(v, TCODE_CMS_CERT,
				 "authority: want 1 to %d certificates in PEM, "
				 "the %dth cannot be read",
				 CMSCERT_AUTHORITIES_MAX, n + 1);
		goto out;
	}
	*out = a;
	a = NULL;
out:
	ERR_clear_error();
	BIO_free(in);
	cmscert_authority_free(a);
	return r;
}

void cmscert_authority_free(struct cmscert_authority *a)
{
	if (a == NULL)
		return;
	X509_STORE_free(a->store);
	free(a);
}

/* --- what revocation names -------------------------------------------------
 */

bool cmscert_fingerprint(const X509 *cert, char out[PUBKEY_FINGERPRINT])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	struct buf text;
	bool good;

	buf_init(&text, 64);
	good = X509_digest(cert, EVP_sha256(), digest, &len) == 1;
	if (good) {
		encode_base64(&text, digest, len);
		good = !text.failed && text.len == 44;
	}
	if (good) {
		memcpy(out, "SHA256:", 7);
		memcpy(out + 7, text.data, 43); /* without the padding */
		out[PUBKEY_FINGERPRINT - 1] = '\0';
	}
	buf_release(&text);
	return good;
}

uint64_t cmscert_serial(const X509 *cert, char out_hex[CMSCERT_SERIAL_HEX])
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	size_t len = (size_t)ASN1_STRING_length(serial);
	uint64_t number = 0;

	out_hex[0] = '\0';
	if (len <= (CMSCERT_SERIAL_HEX - 1) / 2)
		encode_hex(out_hex, ASN1_STRING_get0_data(serial), len);
	if (ASN1_INTEGER_get_uint64(&number, serial) != 1)
		number = 0;
	ERR_clear_error();
	return number;
}

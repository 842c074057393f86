/*
 * identity.c - reading names out of certificates; keys and requests.
 * See identity.h.
 */
#include "channel/identity.h"

#include "lib/encode.h"
#include "lib/text.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

int identity_ssl_error(struct err *err, int code, const char *what)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	return err_set(err, code, "%s: %s", what,
		       reason ? reason : "OpenSSL says no more");
}

bool identity_domain_ok(const char *domain)
{
	size_t len = strlen(domain);

	return len > 0 && len < IDENTITY_NAME_MAX &&
	       strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == len;
}

void identity_uri(char out[IDENTITY_URI_MAX], const char *domain,
		  const char *name)
{
	if (name)
		(void)snprintf(out, IDENTITY_URI_MAX, "spiffe://%s/host/%s",
			       domain, name);
	else
		(void)snprintf(out, IDENTITY_URI_MAX, "spiffe://%s/manager",
			       domain);
}

/* uri is NUL terminated and holds no other NUL. */
static int parse_uri(const char *uri, enum identity_role role,
		     struct identity *out, struct err *err)
{
	static const char scheme[] = "spiffe://";
	static const char host[] = "/host/";
	char want[IDENTITY_URI_MAX];
	const char *slash;
	size_t n;

	if (strncmp(uri, scheme, sizeof(scheme) - 1) != 0)
		return err_set(err, ERR_TRUST, "name is not a SPIFFE id");
	uri += sizeof(scheme) - 1;
	slash = strchr(uri, '/');
	n = slash ? (size_t)(slash - uri) : 0;
	if (n == 0 || n >= sizeof(out->domain))
		return err_set(err, ERR_TRUST, "SPIFFE id without a domain");
	memcpy(out->domain, uri, n);
	out->domain[n] = '\0';
	out->name[0] = '\0';
	if (role == IDENTITY_HOST) {
		if (strncmp(slash, host, sizeof(host) - 1) != 0)
			return err_set(err, ERR_TRUST,
				       "not a host's SPIFFE id");
		slash += sizeof(host) - 1;
		if (!text_is_dns_subdomain(slash))
			return err_set(err, ERR_TRUST,
				       "host name in the SPIFFE id is not "
				       "canonical");
		memcpy(out->name, slash, strlen(slash) + 1);
	}
	/* Composed again it must be the same: one spelling of a name. */
	identity_uri(want, out->domain,
		     role == IDENTITY_HOST ? out->name : NULL);
	if (!identity_domain_ok(out->domain) ||
	    strcmp(want, uri - (sizeof(scheme) - 1)) != 0)
		return err_set(err, ERR_TRUST,
			       role == IDENTITY_HOST
				       ? "host's SPIFFE id is not canonical"
				       : "not the manager's SPIFFE id");
	return 0;
}

static int read_name(const X509 *leaf, enum identity_role role,
		     struct identity *out, struct err *err)
{
	GENERAL_NAMES *names;
	const GENERAL_NAME *name;
	const char *data;
	char uri[IDENTITY_URI_MAX];
	int len, r;

	names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	if (!names)
		return err_set(err, ERR_TRUST,
			       "certificate has no subject alternative name");
	name = sk_GENERAL_NAME_value(names, 0);
#ifndef GUARD_OFF_ONE_NAME
	if (sk_GENERAL_NAME_num(names) != 1) {
		r = err_set(err, ERR_TRUST, "want one name, have %d",
			    sk_GENERAL_NAME_num(names));
		goto out;
	}
#endif
	if (!name || name->type != GEN_URI) {
		r = err_set(err, ERR_TRUST, "want a URI name");
		goto out;
	}
	data = (const char *)ASN1_STRING_get0_data(
		name->d.uniformResourceIdentifier);
	len = ASN1_STRING_length(name->d.uniformResourceIdentifier);
	if (len <= 0 || (size_t)len >= sizeof(uri)) {
		r = err_set(err, ERR_TRUST, "name of %d bytes", len);
		goto out;
	}
	memcpy(uri, data, (size_t)len);
	uri[len] = '\0';
#ifndef GUARD_OFF_NAME_NUL
	if (strlen(uri) != (size_t)len) {
		r = err_set(err, ERR_TRUST, "name has a NUL byte");
		goto out;
	}
#endif
	r = parse_uri(uri, role, out, err);
out:
	GENERAL_NAMES_free(names);
	return r;
}

static int check_usage(const X509 *leaf, enum identity_role role,
		       struct err *err)
{
	int want = role == IDENTITY_HOST ? NID_client_auth : NID_server_auth;
	BASIC_CONSTRAINTS *bc;
	EXTENDED_KEY_USAGE *eku;
	X509 *mutable_leaf;
	bool ca, fits;

	bc = X509_get_ext_d2i(leaf, NID_basic_constraints, NULL, NULL);
	ca = !bc || bc->ca;
	BASIC_CONSTRAINTS_free(bc);
	(void)ca;
#ifndef GUARD_OFF_LEAF_CA
	if (ca)
		return err_set(err, ERR_TRUST,
			       "certificate may be used as a CA");
#endif
	/* Only caches flags; the parameter is not const by its age. */
	mutable_leaf = X509_dup(leaf);
	if (!mutable_leaf)
		return err_set(err, ERR_NOMEM, "certificate");
	fits = X509_get_key_usage(mutable_leaf) == KU_DIGITAL_SIGNATURE;
	X509_free(mutable_leaf);
	if (!fits)
		return err_set(err, ERR_TRUST,
			       "key usage is not digitalSignature alone");
	eku = X509_get_ext_d2i(leaf, NID_ext_key_usage, NULL, NULL);
	fits = eku && sk_ASN1_OBJECT_num(eku) == 1 &&
	       OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, 0)) == want;
	EXTENDED_KEY_USAGE_free(eku);
	(void)fits;
#ifndef GUARD_OFF_EKU
	if (!fits)
		return err_set(
			err, ERR_TRUST, "extended key usage is not %s alone",
			role == IDENTITY_HOST ? "clientAuth" : "serverAuth");
#endif
	return 0;
}

static int check_key(EVP_PKEY *key, struct err *err)
{
	char group[64] = "";
	size_t n = 0;

	if (key && EVP_PKEY_is_a(key, "ED25519"))
		return 0;
	if (key && EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), &n) == 1 &&
	    strcmp(group, "prime256v1") == 0)
		return 0;
	ERR_clear_error();
	return err_set(err, ERR_TRUST, "key is not EC P-256 or Ed25519");
}

static int read_time(const ASN1_TIME *t, int64_t *out, struct err *err)
{
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return err_set(err, ERR_TRUST, "certificate with a bad time");
	*out = (int64_t)timegm(&tm);
	return 0;
}

int identity_read(const X509 *leaf, enum identity_role role,
		  struct identity *out, struct err *err)
{
	struct identity id = {.name = ""};
	const ASN1_INTEGER *serial = X509_get0_serialNumber(leaf);
	int len = serial ? ASN1_STRING_length(serial) : 0;
	int r;

	if (X509_get_version(leaf) != X509_VERSION_3)
		return err_set(err, ERR_TRUST, "certificate is not version 3");
	if (len <= 0 || len > 20)
		return err_set(err, ERR_TRUST, "serial number of %d bytes",
			       len);
	encode_hex(id.serial, ASN1_STRING_get0_data(serial), (size_t)len);
	r = check_usage(leaf, role, err);
	if (r == 0)
		r = check_key(X509_get0_pubkey(leaf), err);
	if (r == 0)
		r = read_name(leaf, role, &id, err);
	if (r == 0)
		r = read_time(X509_get0_notBefore(leaf), &id.not_before, err);
	if (r == 0)
		r = read_time(X509_get0_notAfter(leaf), &id.not_after, err);
	if (r == 0)
		*out = id;
	return r;
}

int identity_key_new(EVP_PKEY **out, struct err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	if (!key)
		return identity_ssl_error(err, ERR_SYS, "make a key");
	*out = key;
	return 0;
}

/* Appends what a memory BIO holds and wipes it. */
static int take_bio(BIO *bio, struct buf *out, struct err *err)
{
	char *data;
	long n = BIO_get_mem_data(bio, &data);

	if (n > 0) {
		buf_put(out, data, (size_t)n);
		OPENSSL_cleanse(data, (size_t)n);
	}
	return buf_check(out, err);
}

int identity_key_write(EVP_PKEY *key, struct buf *out, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	int r;

	if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL,
						 NULL) == 1)
		r = take_bio(bio, out, err);
	else
		r = identity_ssl_error(err, ERR_SYS, "write a key");
	BIO_free(bio);
	return r;
}

/* An encrypted key is an error, never a prompt. */
static int no_password(char *out, int len, int writing, void *ctx)
{
	(void)out;
	(void)len;
	(void)writing;
	(void)ctx;
	return -1;
}

int identity_key_read(const char *pem, size_t len, EVP_PKEY **out,
		      struct err *err)
{
	EVP_PKEY *key = NULL;
	BIO *bio;
	int r;

	if (len > IDENTITY_KEY_PEM_MAX)
		return err_set(err, ERR_INPUT, "key of %zu bytes", len);
	bio = BIO_new_mem_buf(pem, (int)len);
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (!key)
		return identity_ssl_error(err, ERR_INPUT, "read a key");
	r = check_key(key, err);
	if (r < 0)
		EVP_PKEY_free(key);
	else
		*out = key;
	return r;
}

static const EVP_MD *digest_of(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
}

int identity_csr_new(EVP_PKEY *key, struct buf *out, struct err *err)
{
	X509_REQ *req = X509_REQ_new();
	unsigned char *der = NULL;
	int len, r = 0;

	if (!req || X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 ||
	    X509_REQ_set_pubkey(req, key) != 1 ||
	    X509_REQ_sign(req, key, digest_of(key)) <= 0) {
		r = identity_ssl_error(err, ERR_SYS, "make a request");
		goto out;
	}
	len = i2d_X509_REQ(req, &der);
	if (len <= 0) {
		r = identity_ssl_error(err, ERR_SYS, "encode a request");
		goto out;
	}
	buf_put(out, der, (size_t)len);
	r = buf_check(out, err);
out:
	OPENSSL_free(der);
	X509_REQ_free(req);
	return r;
}

/* The request says nothing but its key, in one encoding. */
static int check_csr(X509_REQ *req, const void *der, size_t len,
		     struct err *err)
{
	unsigned char *again = NULL;
	int n = i2d_re_X509_REQ_tbs(req, &again);
	bool same;

	OPENSSL_free(again);
	again = NULL;
	if (n <= 0)
		return identity_ssl_error(err, ERR_TRUST, "request");
	n = i2d_X509_REQ(req, &again);
	same = n > 0 && (size_t)n == len && memcmp(again, der, len) == 0;
	OPENSSL_free(again);
	if (!same)
		return err_set(err, ERR_TRUST, "request is not canonical DER");
	if (X509_NAME_entry_count(X509_REQ_get_subject_name(req)) != 0 ||
	    X509_REQ_get_attr_count(req) != 0)
		return err_set(err, ERR_TRUST,
			       "request asks for more than its key");
	return 0;
}

int identity_csr_read(const void *der, size_t len, EVP_PKEY **out_key,
		      struct err *err)
{
	const unsigned char *p = der;
	X509_REQ *req = NULL;
	EVP_PKEY *key = NULL;
	int r;

	if (len == 0 || len > IDENTITY_CSR_MAX)
		return err_set(err, ERR_TRUST, "request of %zu bytes", len);
	req = d2i_X509_REQ(NULL, &p, (long)len);
	if (!req)
		return identity_ssl_error(err, ERR_TRUST, "request");
	r = check_csr(req, der, len, err);
	if (r < 0)
		goto out;
	key = X509_REQ_get_pubkey(req);
	r = check_key(key, err);
	if (r < 0)
		goto out;
#ifndef GUARD_OFF_CSR_PROOF
	if (X509_REQ_verify(req, key) != 1) {
		ERR_clear_error();
		r = err_set(err, ERR_TRUST,
			    "request is not signed by its own key");
		goto out;
	}
#endif
	if (out_key) {
		*out_key = key;
		key = NULL;
	}
out:
	EVP_PKEY_free(key);
	X509_REQ_free(req);
	return r;
}

int identity_cert_read(const void *der, size_t len, X509 **out, struct err *err)
{
	const unsigned char *p = der;
	const unsigned char *end = p + len;
	X509 *cert;

	if (len == 0 || len > 16384)
		return err_set(err, ERR_TRUST, "certificate of %zu bytes", len);
	cert = d2i_X509(NULL, &p, (long)len);
	if (!cert)
		return identity_ssl_error(err, ERR_TRUST, "certificate");
	if (p != end) {
		X509_free(cert);
		return err_set(err, ERR_TRUST, "bytes after a certificate");
	}
	*out = cert;
	return 0;
}

int identity_cert_der(X509 *cert, struct buf *out, struct err *err)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);

	if (n <= 0)
		return identity_ssl_error(err, ERR_SYS, "encode a certificate");
	buf_put(out, der, (size_t)n);
	OPENSSL_free(der);
	return buf_check(out, err);
}

int identity_cert_pem(X509 *cert, struct buf *out, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int r;

	if (bio && PEM_write_bio_X509(bio, cert) == 1)
		r = take_bio(bio, out, err);
	else
		r = identity_ssl_error(err, ERR_SYS, "write a certificate");
	BIO_free(bio);
	return r;
}

void identity_wipe(struct buf *secret)
{
	if (secret->data)
		OPENSSL_cleanse(secret->data, secret->cap);
	buf_release(secret);
}

/* pki.c - the manager's certificate authority.  See pki.h. */
#include "channel/pki.h"

#include "channel/identity.h"
#include "lib/encode.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/text.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum {
	SERIAL_BYTES = 16,
	CA_VALID_S = 10 * 365 * 24 * 3600,
	HOST_VALID_MAX_S = 7 * 24 * 3600,
	FILE_MAX_BYTES = 16384,
};

struct pki {
	EVP_PKEY *key;
	X509 *cert;
	char domain[IDENTITY_NAME_MAX];
};

/* What one certificate is to say. */
struct wish {
	const char *subject; /* common name; NULL: an empty subject */
	const char *constraints;
	const char *key_usage;
	const char *ext_key_usage; /* NULL: none */
	const char *name;	   /* subject alternative name; NULL: none */
	const char *permitted;	   /* name constraint; NULL: none */
	int64_t now, valid_s;
};

static int set_serial(X509 *cert, char out_hex[PKI_SERIAL_HEX])
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *n = NULL;
	int ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return 0;
	/* Positive and always of 16 bytes. */
	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
	BN_free(n);
	if (out_hex)
		encode_hex(out_hex, bytes, sizeof(bytes));
	return ok;
}

static int set_times(X509 *cert, int64_t now, int64_t valid_s)
{
	return ASN1_TIME_set(X509_getm_notBefore(cert),
			     (time_t)(now - PKI_SKEW_S)) != NULL &&
	       ASN1_TIME_set(X509_getm_notAfter(cert),
			     (time_t)(now + valid_s)) != NULL;
}

static int add_ext(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	int ok;

	if (!value)
		return 1;
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static int set_subject(X509 *cert, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(cert);

	if (!common_name)
		return 1;
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					  (const unsigned char *)common_name,
					  -1, -1, 0) == 1;
}

/* ca_cert NULL: the certificate is its own issuer.  *out owned. */
static int issue(const struct wish *w, EVP_PKEY *subject_key, X509 *ca_cert,
		 EVP_PKEY *ca_key, char out_serial[PKI_SERIAL_HEX], X509 **out,
		 struct err *err)
{
	X509 *cert = X509_new();
	X509 *issuer = ca_cert ? ca_cert : cert;
	int ok;

	ok = cert && X509_set_version(cert, X509_VERSION_3) == 1 &&
	     set_serial(cert, out_serial) &&
	     set_times(cert, w->now, w->valid_s) &&
	     set_subject(cert, w->subject) &&
	     X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
	     X509_set_pubkey(cert, subject_key) == 1 &&
	     add_ext(cert, issuer, NID_basic_constraints, w->constraints) &&
	     add_ext(cert, issuer, NID_key_usage, w->key_usage) &&
	     add_ext(cert, issuer, NID_ext_key_usage, w->ext_key_usage) &&
	     add_ext(cert, issuer, NID_subject_alt_name, w->name) &&
	     add_ext(cert, issuer, NID_name_constraints, w->permitted) &&
	     add_ext(cert, issuer, NID_subject_key_identifier, "hash") &&
	     add_ext(cert, issuer, NID_authority_key_identifier,
		     "keyid:always") &&
	     X509_sign(cert, ca_key, EVP_sha256()) > 0;
	if (!ok) {
		X509_free(cert);
		return identity_ssl_error(err, ERR_SYS, "issue a certificate");
	}
	*out = cert;
	return 0;
}

static int write_key(int dirfd, const char *name, EVP_PKEY *key,
		     struct err *err)
{
	struct buf pem;
	int r;

	buf_init(&pem, IDENTITY_KEY_PEM_MAX);
	r = identity_key_write(key, &pem, err);
	if (r == 0)
		r = file_replace(dirfd, name, 0600, pem.data, pem.len, err);
	identity_wipe(&pem);
	return r;
}

static int write_certs(int dirfd, const char *name, X509 *first, X509 *second,
		       struct err *err)
{
	struct buf pem;
	int r;

	buf_init(&pem, FILE_MAX_BYTES);
	r = identity_cert_pem(first, &pem, err);
	if (r == 0 && second)
		r = identity_cert_pem(second, &pem, err);
	if (r == 0)
		r = file_replace(dirfd, name, 0644, pem.data, pem.len, err);
	buf_release(&pem);
	return r;
}

int pki_ca_create(int dirfd, const char *domain, int64_t now, struct err *err)
{
	char permitted[IDENTITY_URI_MAX];
	struct wish w = {.subject = "reconcile CA",
			 .constraints = "critical,CA:TRUE,pathlen:0",
			 .key_usage = "critical,keyCertSign,cRLSign",
			 .permitted = permitted,
			 .now = now,
			 .valid_s = CA_VALID_S};
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	struct stat st;
	int r;

	if (!identity_domain_ok(domain))
		return err_set(err, ERR_INPUT,
			       "trust domain: want lower-case letters, digits "
			       "and .-_");
	if (fstatat(dirfd, "ca.key", &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, ERR_CONFLICT, "ca.key is there already");
	(void)snprintf(permitted, sizeof(permitted),
		       "critical,permitted;URI:%s", domain);
	r = identity_key_new(&key, err);
	if (r == 0)
		r = issue(&w, key, NULL, key, NULL, &cert, err);
	if (r == 0)
		r = write_certs(dirfd, "ca.pem", cert, NULL, err);
	if (r == 0)
		r = write_key(dirfd, "ca.key", key, err);
	X509_free(cert);
	EVP_PKEY_free(key);
	return r;
}

/* The trust domain is what the name constraint permits. */
static int read_domain(struct pki *ca, struct err *err)
{
	NAME_CONSTRAINTS *nc;
	const GENERAL_SUBTREE *tree;
	const ASN1_STRING *s = NULL;
	int len, r = 0;

	nc = X509_get_ext_d2i(ca->cert, NID_name_constraints, NULL, NULL);
	if (nc && sk_GENERAL_SUBTREE_num(nc->permittedSubtrees) == 1) {
		tree = sk_GENERAL_SUBTREE_value(nc->permittedSubtrees, 0);
		if (tree->base->type == GEN_URI)
			s = tree->base->d.uniformResourceIdentifier;
	}
	len = s ? ASN1_STRING_length(s) : 0;
	if (len > 0 && (size_t)len < sizeof(ca->domain))
		memcpy(ca->domain, ASN1_STRING_get0_data(s), (size_t)len);
	if (!identity_domain_ok(ca->domain))
		r = err_set(err, ERR_INPUT, "ca.pem: no trust domain in it");
	NAME_CONSTRAINTS_free(nc);
	return r;
}

int pki_open(int dirfd, struct pki **out, struct err *err)
{
	struct pki *ca = calloc(1, sizeof(*ca));
	struct buf pem, key;
	BIO *bio = NULL;
	int r;

	if (!ca)
		return err_set(err, ERR_NOMEM, "certificate authority");
	buf_init(&pem, FILE_MAX_BYTES);
	buf_init(&key, IDENTITY_KEY_PEM_MAX);
	r = file_read(dirfd, "ca.key", IDENTITY_KEY_PEM_MAX, &key, err);
	if (r == 0)
		r = file_read(dirfd, "ca.pem", FILE_MAX_BYTES, &pem, err);
	if (r == 0)
		r = identity_key_read(key.data ? key.data : "", key.len,
				      &ca->key, err);
	if (r < 0)
		goto out;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	ca->cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (!ca->cert || X509_check_private_key(ca->cert, ca->key) != 1) {
		r = identity_ssl_error(err, ERR_INPUT,
				       "ca.pem does not fit ca.key");
		goto out;
	}
	r = read_domain(ca, err);
	if (r == 0) {
		*out = ca;
		ca = NULL;
	}
out:
	BIO_free(bio);
	identity_wipe(&key);
	buf_release(&pem);
	pki_free(ca);
	return r;
}

void pki_free(struct pki *ca)
{
	if (!ca)
		return;
	EVP_PKEY_free(ca->key);
	X509_free(ca->cert);
	free(ca);
}

const char *pki_domain(const struct pki *ca)
{
	return ca->domain;
}

int pki_ca_sha256(const struct pki *ca, uint8_t out[PKI_DIGEST_BYTES],
		  struct err *err)
{
	struct buf der;
	int r;

	buf_init(&der, FILE_MAX_BYTES);
	r = identity_cert_der(ca->cert, &der, err);
	if (r == 0)
		hash_sha256(der.data, der.len, out);
	buf_release(&der);
	return r;
}

int pki_server_issue(const struct pki *ca, int dirfd, int64_t now,
		     int64_t valid_s, struct err *err)
{
	char uri[IDENTITY_URI_MAX];
	char name[IDENTITY_URI_MAX + 16];
	struct wish w = {.constraints = "critical,CA:FALSE",
			 .key_usage = "critical,digitalSignature",
			 .ext_key_usage = "serverAuth",
			 .name = name,
			 .now = now,
			 .valid_s = valid_s};
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int r;

	identity_uri(uri, ca->domain, NULL);
	(void)snprintf(name, sizeof(name), "critical,URI:%s", uri);
	r = identity_key_new(&key, err);
	if (r == 0)
		r = issue(&w, key, ca->cert, ca->key, NULL, &cert, err);
	if (r == 0)
		r = write_key(dirfd, "server.key", key, err);
	if (r == 0)
		r = write_certs(dirfd, "server.pem", cert, ca->cert, err);
	if (r == 0)
		r = write_certs(dirfd, "ca.pem", ca->cert, NULL, err);
	X509_free(cert);
	EVP_PKEY_free(key);
	return r;
}

int pki_host_issue(const struct pki *ca, const void *csr_der, size_t csr_len,
		   const char *host, int64_t now, int64_t valid_s,
		   struct pki_issued *out, struct err *err)
{
	char uri[IDENTITY_URI_MAX];
	char name[IDENTITY_URI_MAX + 16];
	struct wish w = {.constraints = "critical,CA:FALSE",
			 .key_usage = "critical,digitalSignature",
			 .ext_key_usage = "clientAuth",
			 .name = name,
			 .now = now,
			 .valid_s = valid_s};
	struct pki_issued issued = {.not_after = now + valid_s};
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int r;

	if (!text_is_dns_subdomain(host))
		return err_set(err, ERR_INPUT,
			       "host name: want an RFC 1123 name");
	if (valid_s < 1 || valid_s > HOST_VALID_MAX_S)
		return err_set(err, ERR_INPUT,
			       "validity: want 1 s to 7 days, have %lld s",
			       (long long)valid_s);
	buf_init(&issued.leaf_der, FILE_MAX_BYTES);
	buf_init(&issued.ca_der, FILE_MAX_BYTES);
	identity_uri(uri, ca->domain, host);
	(void)snprintf(name, sizeof(name), "critical,URI:%s", uri);
	r = identity_csr_read(csr_der, csr_len, &key, err);
	if (r == 0)
		r = issue(&w, key, ca->cert, ca->key, issued.serial, &cert,
			  err);
	if (r == 0)
		r = identity_cert_der(cert, &issued.leaf_der, err);
	if (r == 0)
		r = identity_cert_der(ca->cert, &issued.ca_der, err);
	X509_free(cert);
	EVP_PKEY_free(key);
	if (r == 0)
		*out = issued;
	else
		pki_issued_release(&issued);
	return r;
}

void pki_issued_release(struct pki_issued *issued)
{
	buf_release(&issued->leaf_der);
	buf_release(&issued->ca_der);
}

static int add_revoked(X509_CRL *crl, const char *serial_hex, int64_t now,
		       struct err *err)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)now);
	ASN1_INTEGER *serial = NULL;
	BIGNUM *n = NULL;
	int ok = 0;

	if (text_is_hex(serial_hex, PKI_SERIAL_HEX - 1) &&
	    BN_hex2bn(&n, serial_hex) > 0)
		serial = BN_to_ASN1_INTEGER(n, NULL);
	if (entry && when && serial &&
	    X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
	    X509_REVOKED_set_revocationDate(entry, when) == 1 &&
	    X509_CRL_add0_revoked(crl, entry) == 1) {
		entry = NULL;
		ok = 1;
	}
	BN_free(n);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(when);
	X509_REVOKED_free(entry);
	return ok ? 0
		  : err_set(err, ERR_INPUT, "serial: want %d hex digits",
			    PKI_SERIAL_HEX - 1);
}

/* Version 2 wants a number and the issuer's key id (RFC 5280, 5.2). */
static int crl_fill(const struct pki *ca, X509_CRL *crl, int64_t now,
		    int64_t valid_s)
{
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(now - PKI_SKEW_S));
	ASN1_TIME *to = ASN1_TIME_set(NULL, (time_t)(now + valid_s));
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	X509_EXTENSION *ext = NULL;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx(&ctx, ca->cert, NULL, NULL, crl, 0);
	X509V3_set_ctx_nodb(&ctx);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier,
				  "keyid:always");
	ok = from && to && number && ext &&
	     ASN1_INTEGER_set_int64(number, now) == 1 &&
	     X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
	     X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert)) ==
		     1 &&
	     X509_CRL_set1_lastUpdate(crl, from) == 1 &&
	     X509_CRL_set1_nextUpdate(crl, to) == 1 &&
	     X509_CRL_add_ext(crl, ext, -1) == 1 &&
	     X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1;
	X509_EXTENSION_free(ext);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return ok;
}

int pki_crl_write(const struct pki *ca, int dirfd, const char *const *serials,
		  size_t n_serials, int64_t now, int64_t valid_s,
		  struct err *err)
{
	X509_CRL *crl = X509_CRL_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long len;
	int r = 0;

	if (!crl || !bio || !crl_fill(ca, crl, now, valid_s)) {
		r = identity_ssl_error(err, ERR_SYS, "make a revocation list");
		goto out;
	}
	for (size_t i = 0; i < n_serials && r == 0; i++)
		r = add_revoked(crl, serials[i], now, err);
	if (r < 0)
		goto out;
	if (X509_CRL_sort(crl) != 1 ||
	    X509_CRL_sign(crl, ca->key, EVP_sha256()) <= 0 ||
	    PEM_write_bio_X509_CRL(bio, crl) != 1) {
		r = identity_ssl_error(err, ERR_SYS, "sign a revocation list");
		goto out;
	}
	len = BIO_get_mem_data(bio, &pem);
	r = file_replace(dirfd, "crl.pem", 0644, pem, (size_t)len, err);
out:
	BIO_free(bio);
	X509_CRL_free(crl);
	return r;
}

int pki_csr_make(struct buf *out_key_pem, struct buf *out_csr_der,
		 struct err *err)
{
	EVP_PKEY *key = NULL;
	int r;

	r = identity_key_new(&key, err);
	if (r == 0)
		r = identity_csr_new(key, out_csr_der, err);
	if (r == 0)
		r = identity_key_write(key, out_key_pem, err);
	EVP_PKEY_free(key);
	return r;
}

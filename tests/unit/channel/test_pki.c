/* test_pki.c - the CA, requests, revocation, and who a certificate is. */
#include "channel/pki.h"

#include "channel/identity.h"
#include "channel/tls.h"
#include "lib/file.h"
#include "lib/hash.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char path[64];
	int dir;
	struct pki *ca;
	int64_t now;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};

	(void)snprintf(f->path, sizeof(f->path), "/tmp/test-pki.XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->now = time(NULL);
	f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return tls_start(&err) || pki_ca_create(f->dir, "demo", f->now, &err) ||
	       pki_open(f->dir, &f->ca, &err) ||
	       pki_server_issue(f->ca, f->dir, f->now, 3600, &err);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	struct err err;

	pki_free(f->ca);
	(void)close(f->dir);
	(void)file_remove_tree(AT_FDCWD, f->path, &err);
	free(f);
	return 0;
}

/* Issues for host; *leaf owned. */
static void issue(struct fixture *f, const char *host, int64_t valid_s,
		  int64_t age_s, X509 **leaf, char serial[PKI_SERIAL_HEX])
{
	struct pki_issued issued;
	struct err err = {0};
	struct buf key, csr;

	buf_init(&key, 4096);
	buf_init(&csr, 4096);
	assert_int_equal(pki_csr_make(&key, &csr, &err), 0);
	assert_int_equal(pki_host_issue(f->ca, csr.data, csr.len, host,
					f->now - age_s, valid_s, &issued, &err),
			 0);
	assert_int_equal(identity_cert_read(issued.leaf_der.data,
					    issued.leaf_der.len, leaf, &err),
			 0);
	memcpy(serial, issued.serial, PKI_SERIAL_HEX);
	pki_issued_release(&issued);
	identity_wipe(&key);
	buf_release(&csr);
}

static void test_files_and_modes(void **state)
{
	struct fixture *f = *state;
	uint8_t digest[32], want[32];
	struct err err = {0};
	struct stat st;
	struct buf pem;
	BIO *bio;
	X509 *ca;

	assert_int_equal(fstatat(f->dir, "ca.key", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(f->dir, "server.key", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_string_equal(pki_domain(f->ca), "demo");
	assert_int_equal(pki_ca_create(f->dir, "demo", f->now, &err),
			 ERR_CONFLICT);
	assert_int_equal(pki_ca_create(f->dir, "De mo", f->now, &err),
			 ERR_INPUT);
	buf_init(&pem, 65536);
	assert_int_equal(file_read(f->dir, "ca.pem", 65536, &pem, &err), 0);
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(ca);
	assert_int_equal(X509_digest(ca, EVP_sha256(), want, NULL), 1);
	assert_int_equal(pki_ca_sha256(f->ca, digest, &err), 0);
	assert_memory_equal(digest, want, 32);
	assert_int_equal(X509_get_pathlen(ca), 0);
	X509_free(ca);
	BIO_free(bio);
	buf_release(&pem);
}

static void test_issue_and_read(void **state)
{
	char serial[PKI_SERIAL_HEX], other[PKI_SERIAL_HEX];
	struct fixture *f = *state;
	struct err err = {0};
	struct identity id;
	X509 *leaf = NULL, *second = NULL;

	issue(f, "host-a", 600, 0, &leaf, serial);
	issue(f, "host-a", 600, 0, &second, other);
	assert_string_not_equal(serial, other);
	assert_int_equal(strlen(serial), 32);
	assert_int_equal(identity_read(leaf, IDENTITY_HOST, &id, &err), 0);
	assert_string_equal(id.name, "host-a");
	assert_string_equal(id.domain, "demo");
	assert_string_equal(id.serial, serial);
	assert_int_equal(id.not_after, f->now + 600);
	/* P04: not as a manager */
	assert_int_equal(identity_read(leaf, IDENTITY_MANAGER, &id, &err),
			 ERR_TRUST);
	assert_string_equal(err.msg,
			    "extended key usage is not serverAuth alone");
	X509_free(leaf);
	X509_free(second);
}

static void test_issue_refuses(void **state)
{
	static const char *const names[] = {
		"", "Host", "a b", "a/b", "*", "host-a,URI:x", "..", "host\n"};
	struct fixture *f = *state;
	struct pki_issued issued;
	struct err err = {0};
	struct buf key, csr;

	buf_init(&key, 4096);
	buf_init(&csr, 4096);
	assert_int_equal(pki_csr_make(&key, &csr, &err), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(pki_host_issue(f->ca, csr.data, csr.len,
						names[i], f->now, 600, &issued,
						&err),
				 ERR_INPUT);
	assert_int_equal(pki_host_issue(f->ca, csr.data, csr.len, "a", f->now,
					8 * 86400, &issued, &err),
			 ERR_INPUT);
	assert_int_equal(pki_host_issue(f->ca, csr.data, csr.len, "a", f->now,
					0, &issued, &err),
			 ERR_INPUT);
	/* every byte changed, cut off, or one more */
	for (size_t i = 0; i < csr.len; i++) {
		csr.data[i] = (char)(csr.data[i] ^ 0x20);
		assert_int_equal(
			identity_csr_read(csr.data, csr.len, NULL, &err),
			ERR_TRUST);
		csr.data[i] = (char)(csr.data[i] ^ 0x20);
		assert_int_equal(identity_csr_read(csr.data, i, NULL, &err),
				 ERR_TRUST);
	}
	buf_putc(&csr, 0);
	assert_int_equal(identity_csr_read(csr.data, csr.len, NULL, &err),
			 ERR_TRUST);
	assert_string_equal(err.msg, "request is not canonical DER");
	identity_wipe(&key);
	buf_release(&csr);
}

/* A request with another's key: signed by a second key. */
static void test_S01_key_proof(void **state)
{
	X509_REQ *req = X509_REQ_new();
	EVP_PKEY *a = EVP_EC_gen("P-256"), *b = EVP_EC_gen("P-256");
	unsigned char *der = NULL;
	struct err err = {0};
	int n;

	(void)state;
	(void)X509_REQ_set_version(req, 0);
	assert_int_equal(X509_REQ_set_pubkey(req, a), 1);
	assert_true(X509_REQ_sign(req, b, EVP_sha256()) > 0);
	n = i2d_X509_REQ(req, &der);
	assert_int_equal(identity_csr_read(der, (size_t)n, NULL, &err),
			 ERR_TRUST);
	assert_string_equal(err.msg, "request is not signed by its own key");
	OPENSSL_free(der);
	X509_REQ_free(req);
	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
}

static void csr_of(EVP_PKEY *key, const EVP_MD *md, const char *cn, int want,
		   const char *message)
{
	X509_REQ *req = X509_REQ_new();
	unsigned char *der = NULL;
	struct err err = {0};
	int n;

	(void)X509_REQ_set_version(req, 0);
	if (cn)
		X509_NAME_add_entry_by_txt(
			X509_REQ_get_subject_name(req), "CN", MBSTRING_ASC,
			(const unsigned char *)cn, -1, -1, 0);
	assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
	assert_true(X509_REQ_sign(req, key, md) > 0);
	n = i2d_X509_REQ(req, &der);
	assert_int_equal(identity_csr_read(der, (size_t)n, NULL, &err), want);
	if (message)
		assert_string_equal(err.msg, message);
	OPENSSL_free(der);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

static void test_P06_key_types(void **state)
{
	const char *type = "key is not EC P-256 or Ed25519";

	(void)state;
	csr_of(EVP_EC_gen("P-256"), EVP_sha256(), NULL, 0, NULL);
	csr_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, NULL, 0, NULL);
	csr_of(EVP_EC_gen("P-384"), EVP_sha256(), NULL, ERR_TRUST, type);
	csr_of(EVP_RSA_gen(3072), EVP_sha256(), NULL, ERR_TRUST, type);
	csr_of(EVP_EC_gen("P-256"), EVP_sha256(), "host-a", ERR_TRUST,
	       "request asks for more than its key");
}

/* --- names and usages, made by hand --------------------------------------- */
struct odd {
	const char *name; /* conf text of the SAN; NULL: none */
	const char *raw;  /* with raw_len: a URI of these bytes */
	int raw_len;
	const char *constraints, *usage, *extended;
	const char *message; /* NULL: fine */
};

#define LEAF "critical,CA:FALSE"
#define SIGN "critical,digitalSignature"
#define GOOD "URI:spiffe://demo/host/host-a"

static const struct odd odd_ones[] = {
	{GOOD, NULL, 0, LEAF, SIGN, "clientAuth", NULL},
	/* P03 */
	{NULL, NULL, 0, LEAF, SIGN, "clientAuth",
	 "certificate has no subject alternative name"},
	{"DNS:host-a", NULL, 0, LEAF, SIGN, "clientAuth", "want a URI name"},
	{"IP:10.0.0.1", NULL, 0, LEAF, SIGN, "clientAuth", "want a URI name"},
	{GOOD ",URI:spiffe://demo/host/host-b", NULL, 0, LEAF, SIGN,
	 "clientAuth", "want one name, have 2"},
	{GOOD ",DNS:host-a", NULL, 0, LEAF, SIGN, "clientAuth",
	 "want one name, have 2"},
	{"URI:spiffe://demo/host/*", NULL, 0, LEAF, SIGN, "clientAuth",
	 "host name in the SPIFFE id is not canonical"},
	{"URI:spiffe://demo/host/Host-a", NULL, 0, LEAF, SIGN, "clientAuth",
	 "host name in the SPIFFE id is not canonical"},
	{"URI:spiffe://demo/host/a/b", NULL, 0, LEAF, SIGN, "clientAuth",
	 "host name in the SPIFFE id is not canonical"},
	{"URI:spiffe://DEMO/host/host-a", NULL, 0, LEAF, SIGN, "clientAuth",
	 "host's SPIFFE id is not canonical"},
	{"URI:SPIFFE://demo/host/host-a", NULL, 0, LEAF, SIGN, "clientAuth",
	 "name is not a SPIFFE id"},
	{"URI:https://demo/host/host-a", NULL, 0, LEAF, SIGN, "clientAuth",
	 "name is not a SPIFFE id"},
	{"URI:spiffe://demo/manager", NULL, 0, LEAF, SIGN, "clientAuth",
	 "not a host's SPIFFE id"},
	{"URI:spiffe:///host/host-a", NULL, 0, LEAF, SIGN, "clientAuth",
	 "SPIFFE id without a domain"},
	{NULL, "spiffe://demo/host/host-a\0.evil", 31, LEAF, SIGN, "clientAuth",
	 "name has a NUL byte"},
	/* P04 */
	{GOOD, NULL, 0, LEAF, SIGN, "serverAuth",
	 "extended key usage is not clientAuth alone"},
	{GOOD, NULL, 0, LEAF, SIGN, "clientAuth,serverAuth",
	 "extended key usage is not clientAuth alone"},
	{GOOD, NULL, 0, LEAF, SIGN, "codeSigning",
	 "extended key usage is not clientAuth alone"},
	{GOOD, NULL, 0, LEAF, SIGN, NULL,
	 "extended key usage is not clientAuth alone"},
	{GOOD, NULL, 0, "critical,CA:TRUE", SIGN, "clientAuth",
	 "certificate may be used as a CA"},
	{GOOD, NULL, 0, NULL, SIGN, "clientAuth",
	 "certificate may be used as a CA"},
	{GOOD, NULL, 0, LEAF, "critical,digitalSignature,keyCertSign",
	 "clientAuth", "key usage is not digitalSignature alone"},
	{GOOD, NULL, 0, LEAF, NULL, "clientAuth",
	 "key usage is not digitalSignature alone"},
};

static void add(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext;

	if (!value)
		return;
	ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void add_raw(X509 *cert, const char *bytes, int len)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();

	(void)ASN1_STRING_set(s, bytes, len);
	GENERAL_NAME_set0_value(name, GEN_URI, s);
	(void)sk_GENERAL_NAME_push(names, name);
	assert_int_equal(
		X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0), 1);
	GENERAL_NAMES_free(names);
}

static void test_P03_P04_names_and_usages(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	(void)state;
	for (size_t i = 0; i < sizeof(odd_ones) / sizeof(odd_ones[0]); i++) {
		const struct odd *o = &odd_ones[i];
		X509 *cert = X509_new();
		struct err err = {0};
		struct identity id;
		int r;

		(void)X509_set_version(cert, 2);
		(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 5);
		(void)X509_gmtime_adj(X509_getm_notBefore(cert), 0);
		(void)X509_gmtime_adj(X509_getm_notAfter(cert), 60);
		(void)X509_set_pubkey(cert, key);
		X509_NAME_add_entry_by_txt(
			X509_get_subject_name(cert), "CN", MBSTRING_ASC,
			(const unsigned char *)"host-a", -1, -1, 0);
		add(cert, NID_basic_constraints, o->constraints);
		add(cert, NID_key_usage, o->usage);
		add(cert, NID_ext_key_usage, o->extended);
		add(cert, NID_subject_alt_name, o->name);
		if (o->raw)
			add_raw(cert, o->raw, o->raw_len);
		assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
		r = identity_read(cert, IDENTITY_HOST, &id, &err);
		if (o->message)
			assert_string_equal(err.msg, o->message);
		assert_int_equal(r, o->message ? ERR_TRUST : 0);
		X509_free(cert);
	}
	EVP_PKEY_free(key);
}

/* A79 P05: the list names what was revoked; without one nothing starts. */
static void test_A79_P05_revocation(void **state)
{
	char good[PKI_SERIAL_HEX], bad[PKI_SERIAL_HEX], old[PKI_SERIAL_HEX];
	X509 *leaf = NULL, *revoked = NULL, *expired = NULL;
	struct fixture *f = *state;
	struct err err = {0};
	struct tls *tls = NULL;
	struct identity id;
	const char *list[1];

	issue(f, "host-a", 600, 0, &leaf, good);
	issue(f, "host-a", 600, 0, &revoked, bad);
	issue(f, "host-a", 600, 900, &expired, old);
	list[0] = bad;
	(void)unlinkat(f->dir, "crl.pem", 0);
	assert_int_equal(tls_server_new(f->dir, &tls, &err), ERR_NOTFOUND);
	assert_non_null(strstr(err.msg, "crl.pem"));
	assert_int_equal(
		pki_crl_write(f->ca, f->dir, list, 1, f->now, 600, &err), 0);
	assert_int_equal(tls_server_new(f->dir, &tls, &err), 0);
	assert_int_equal(tls_crl_until(tls), f->now + 600);
	assert_false(tls_revoked(tls, good));
	assert_true(tls_revoked(tls, bad));
	assert_true(tls_revoked(tls, "not hex"));
	assert_int_equal(tls_check(tls, leaf, IDENTITY_HOST, &id, &err), 0);
	assert_int_equal(tls_check(tls, revoked, IDENTITY_HOST, &id, &err),
			 ERR_TRUST);
	assert_string_equal(err.msg, "certificate: certificate revoked");
	assert_int_equal(tls_check(tls, expired, IDENTITY_HOST, &id, &err),
			 ERR_TRUST);
	assert_string_equal(err.msg, "certificate: certificate has expired");
	tls_free(tls);
	/* a list that has ended */
	assert_int_equal(
		pki_crl_write(f->ca, f->dir, list, 1, f->now - 700, 600, &err),
		0);
	assert_int_equal(tls_server_new(f->dir, &tls, &err), 0);
	assert_int_equal(tls_check(tls, leaf, IDENTITY_HOST, &id, &err),
			 ERR_TRUST);
	assert_string_equal(err.msg, "certificate: CRL has expired");
	tls_free(tls);
	list[0] = "xyz";
	assert_int_equal(
		pki_crl_write(f->ca, f->dir, list, 1, f->now, 600, &err),
		ERR_INPUT);
	X509_free(leaf);
	X509_free(revoked);
	X509_free(expired);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_and_modes),
		cmocka_unit_test(test_issue_and_read),
		cmocka_unit_test(test_issue_refuses),
		cmocka_unit_test(test_S01_key_proof),
		cmocka_unit_test(test_P06_key_types),
		cmocka_unit_test(test_P03_P04_names_and_usages),
		cmocka_unit_test(test_A79_P05_revocation),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

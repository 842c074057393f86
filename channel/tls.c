/*
 * tls.c - TLS contexts and the verification of peers.  See tls.h.
 *
 * The server decides between its two protocols in the client hello callback,
 * that is before it asks for a certificate: only a hello that offers exactly
 * reconcile-join/1 is let off the certificate, and such a session can do
 * nothing but ask to join (frame.h).
 */
#include "channel/tls.h"

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/file.h"
#include "lib/hash.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <errno.h>
#include <string.h>
#include <time.h>

enum { CERT_LIST_MAX_BYTES = 16384, VERIFY_DEPTH = 0 };

struct tls {
	SSL_CTX *ctx;
	X509_CRL *crl; /* server only */
	X509 *ca;      /* NULL in a joining host */
	bool server, join;
	uint8_t pin[HASH_BYTES];
	char domain[IDENTITY_NAME_MAX];
};

int tls_start(struct err *err)
{
	const uint64_t opts =
		OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT;

	if (OPENSSL_init_crypto(opts, NULL) != 1 ||
	    OPENSSL_init_ssl(opts, NULL) != 1)
		return identity_ssl_error(err, ERR_SYS, "start OpenSSL");
	return 0;
}

/* --- verification -------------------------------------------------------- */
static struct tls_peer *peer_of(const SSL *ssl)
{
	return SSL_get_app_data(ssl);
}

static const struct tls *tls_of(const SSL *ssl)
{
	return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

static void set_params(X509_VERIFY_PARAM *param, bool crl, bool server)
{
	unsigned long flags = X509_V_FLAG_X509_STRICT;

#ifndef GUARD_OFF_CRL
	if (crl)
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
#else
	(void)crl;
#endif
	(void)X509_VERIFY_PARAM_set_flags(param, flags);
	X509_VERIFY_PARAM_set_depth(param, VERIFY_DEPTH);
	(void)X509_VERIFY_PARAM_set_purpose(param,
					    server ? X509_PURPOSE_SSL_CLIENT
						   : X509_PURPOSE_SSL_SERVER);
}

/* Role and domain of a leaf whose chain is good. */
static int check_leaf(const struct tls *tls, const X509 *leaf,
		      enum identity_role role, struct identity *out,
		      struct err *err)
{
	struct identity id;
	int r;

	r = identity_read(leaf, role, &id, err);
	if (r < 0)
		return r;
	if (tls->domain[0] && strcmp(tls->domain, id.domain) != 0)
		return err_set(err, ERR_TRUST,
			       "certificate of another trust domain");
	*out = id;
	return 0;
}

/* Called for each certificate of the chain, the leaf last. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_peer *peer = peer_of(ssl);
	const struct tls *tls = tls_of(ssl);
	int error = X509_STORE_CTX_get_error(store);

	if (!ok) {
		err_set(&peer->why, ERR_TRUST, "certificate: %s",
			X509_verify_cert_error_string(error));
		return 0;
	}
	if (X509_STORE_CTX_get_error_depth(store) > 0)
		return 1;
	if (check_leaf(tls, X509_STORE_CTX_get_current_cert(store),
		       tls->server ? IDENTITY_HOST : IDENTITY_MANAGER,
		       &peer->id, &peer->why) < 0) {
		X509_STORE_CTX_set_error(store,
					 X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	return 1;
}

/* The certificate of the chain that the token names, as the only anchor. */
static X509 *pinned(const struct tls *tls, STACK_OF(X509) * chain)
{
	uint8_t digest[HASH_BYTES];
	unsigned int len = sizeof(digest);

	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *cert = sk_X509_value(chain, i);

		if (X509_digest(cert, EVP_sha256(), digest, &len) != 1)
			continue;
#ifndef GUARD_OFF_CA_PIN
		if (CRYPTO_memcmp(digest, tls->pin, sizeof(digest)) == 0)
			return cert;
#else
		(void)tls;
		if (X509_check_ca(cert))
			return cert;
#endif
	}
	return NULL;
}

static int verify_under(X509 *leaf, X509 *ca, X509_CRL *crl, bool server,
			struct err *err)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int r = 0;

	if (!store || !ctx || X509_STORE_add_cert(store, ca) != 1 ||
	    (crl && X509_STORE_add_crl(store, crl) != 1)) {
		r = err_set(err, ERR_NOMEM, "certificate store");
		goto out;
	}
	set_params(X509_STORE_get0_param(store), crl != NULL, server);
	if (X509_STORE_CTX_init(ctx, store, leaf, NULL) != 1)
		r = err_set(err, ERR_NOMEM, "certificate store");
	else if (X509_verify_cert(ctx) != 1)
		r = err_set(err, ERR_TRUST, "certificate: %s",
			    X509_verify_cert_error_string(
				    X509_STORE_CTX_get_error(ctx)));
out:
	ERR_clear_error();
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return r;
}

/* Replaces OpenSSL's verification in a joining host. */
static int on_join_verify(X509_STORE_CTX *store, void *arg)
{
	const struct tls *tls = arg;
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_peer *peer = peer_of(ssl);
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	X509 *ca = pinned(tls, X509_STORE_CTX_get0_untrusted(store));
	int r;

	if (!ca)
		r = err_set(&peer->why, ERR_TRUST,
			    "the manager's CA is not the one that the token "
			    "names");
	else
		r = verify_under(leaf, ca, NULL, false, &peer->why);
	if (r == 0)
		r = check_leaf(tls, leaf, IDENTITY_MANAGER, &peer->id,
			       &peer->why);
	if (r == 0)
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

/* --- protocol choice, on the server -------------------------------------- */
static bool offers(const unsigned char *list, size_t len, const char *name)
{
	size_t n = strlen(name);

	/* u16 length of the list, u8 length of its only name, the name */
	return len == n + 3 && list[0] == 0 && list[1] == n + 1 &&
	       list[2] == n && memcmp(list + 3, name, n) == 0;
}

static int on_hello(SSL *ssl, int *alert, void *arg)
{
	struct tls_peer *peer = peer_of(ssl);
	const unsigned char *list;
	size_t len;

	(void)arg;
	*alert = SSL_AD_NO_APPLICATION_PROTOCOL;
	if (SSL_client_hello_get0_ext(
		    ssl, TLSEXT_TYPE_application_layer_protocol_negotiation,
		    &list, &len) != 1) {
		err_set(&peer->why, ERR_PROTO, "no application protocol");
		return SSL_CLIENT_HELLO_ERROR;
	}
	if (offers(list, len, TLS_ALPN_JOIN)) {
		peer->join = true;
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	} else if (!offers(list, len, TLS_ALPN)) {
		err_set(&peer->why, ERR_PROTO, "unknown application protocol");
		return SSL_CLIENT_HELLO_ERROR;
	}
	return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		   const unsigned char *in, unsigned int in_len, void *arg)
{
	/* on_hello() has checked that there is exactly this one. */
	(void)ssl;
	(void)arg;
	if (in_len < 1 || in[0] != in_len - 1)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = in + 1;
	*out_len = in[0];
	return SSL_TLSEXT_ERR_OK;
}

/* --- contexts ------------------------------------------------------------ */
static int common(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
				      SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, CERT_LIST_MAX_BYTES);
	SSL_CTX_set_security_level(ctx, 2);
#ifndef GUARD_OFF_TLS13
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1)
		return 0;
#endif
	return SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_max_early_data(ctx, 0) == 1 &&
	       SSL_CTX_set_recv_max_early_data(ctx, 0) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
	       SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384:"
					     "TLS_CHACHA20_POLY1305_SHA256:"
					     "TLS_AES_128_GCM_SHA256") == 1 &&
	       SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1 &&
	       SSL_CTX_set1_sigalgs_list(ctx, "ECDSA+SHA256:ed25519") == 1;
}

static int make(bool server, struct tls **out, struct err *err)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return err_set(err, ERR_NOMEM, "TLS");
	tls->server = server;
	tls->ctx =
		SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	if (!tls->ctx || !common(tls->ctx)) {
		tls_free(tls);
		return identity_ssl_error(err, ERR_SYS, "TLS context");
	}
	SSL_CTX_set_app_data(tls->ctx, tls);
	*out = tls;
	return 0;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	X509_CRL_free(tls->crl);
	X509_free(tls->ca);
	free(tls);
}

/* The anchor, the list and how strictly they are used. */
static int set_trust(struct tls *tls, struct err *err)
{
	X509_STORE *store = SSL_CTX_get_cert_store(tls->ctx);

	if (X509_STORE_add_cert(store, tls->ca) != 1 ||
	    (tls->crl && X509_STORE_add_crl(store, tls->crl) != 1))
		return identity_ssl_error(err, ERR_SYS, "certificate store");
	set_params(SSL_CTX_get0_param(tls->ctx), tls->server, tls->server);
	SSL_CTX_set_verify(tls->ctx,
			   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   on_verify);
	return 0;
}

static int set_own(struct tls *tls, EVP_PKEY *key, X509 *leaf,
		   enum identity_role role, struct err *err)
{
	struct identity id;
	int r;

	r = identity_read(leaf, role, &id, err);
	if (r < 0)
		return r;
	memcpy(tls->domain, id.domain, sizeof(id.domain));
	if (SSL_CTX_use_certificate(tls->ctx, leaf) != 1 ||
	    SSL_CTX_use_PrivateKey(tls->ctx, key) != 1 ||
	    SSL_CTX_check_private_key(tls->ctx) != 1)
		return identity_ssl_error(err, ERR_INPUT,
					  "own certificate and key");
	return 0;
}

/* First PEM object of a file by `read`. */
static int read_pem(int dirfd, const char *name, struct buf *out,
		    struct err *err)
{
	int r = file_read(dirfd, name, TLS_FILE_MAX, out, err);

	if (r == 0 && out->len == 0)
		r = err_set(err, ERR_INPUT, "%s is empty", name);
	return r;
}

static int read_cert(int dirfd, const char *name, X509 **out, struct err *err)
{
	struct buf pem;
	BIO *bio = NULL;
	int r;

	buf_init(&pem, TLS_FILE_MAX);
	r = read_pem(dirfd, name, &pem, err);
	if (r == 0) {
		bio = BIO_new_mem_buf(pem.data, (int)pem.len);
		*out = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
		if (!*out)
			r = identity_ssl_error(err, ERR_INPUT, name);
	}
	BIO_free(bio);
	buf_release(&pem);
	return r;
}

static int read_crl(struct tls *tls, int dirfd, struct err *err)
{
	struct buf pem;
	BIO *bio = NULL;
	int r;

	buf_init(&pem, TLS_FILE_MAX);
	r = read_pem(dirfd, "crl.pem", &pem, err);
	if (r == 0) {
		bio = BIO_new_mem_buf(pem.data, (int)pem.len);
		tls->crl = bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)
			       : NULL;
		if (!tls->crl)
			r = identity_ssl_error(err, ERR_INPUT, "crl.pem");
		else if (X509_CRL_verify(tls->crl, X509_get0_pubkey(tls->ca)) !=
			 1)
			r = identity_ssl_error(
				err, ERR_TRUST,
				"crl.pem is not signed by the CA");
	}
	BIO_free(bio);
	buf_release(&pem);
	return r;
}

static int read_key(int dirfd, EVP_PKEY **out, struct err *err)
{
	struct buf pem;
	int r;

	buf_init(&pem, IDENTITY_KEY_PEM_MAX);
	r = file_read(dirfd, "server.key", IDENTITY_KEY_PEM_MAX, &pem, err);
	if (r == 0)
		r = identity_key_read(pem.data ? pem.data : "", pem.len, out,
				      err);
	identity_wipe(&pem);
	return r;
}

int tls_server_new(int dirfd, struct tls **out, struct err *err)
{
	struct tls *tls = NULL;
	EVP_PKEY *key = NULL;
	X509 *leaf = NULL;
	int r;

	r = make(true, &tls, err);
	if (r < 0)
		return r;
	r = read_cert(dirfd, "ca.pem", &tls->ca, err);
	if (r == 0)
		r = read_cert(dirfd, "server.pem", &leaf, err);
	if (r == 0)
		r = read_key(dirfd, &key, err);
	if (r == 0)
		r = read_crl(tls, dirfd, err);
	if (r == 0)
		r = set_own(tls, key, leaf, IDENTITY_MANAGER, err);
	if (r == 0)
		r = set_trust(tls, err);
	/* The CA goes along: a joining host compares it with its token. */
	if (r == 0 && SSL_CTX_add1_chain_cert(tls->ctx, tls->ca) != 1)
		r = identity_ssl_error(err, ERR_SYS, "server chain");
	if (r == 0) {
		SSL_CTX_set_client_hello_cb(tls->ctx, on_hello, NULL);
		SSL_CTX_set_alpn_select_cb(tls->ctx, on_alpn, NULL);
		*out = tls;
		tls = NULL;
	}
	EVP_PKEY_free(key);
	X509_free(leaf);
	tls_free(tls);
	return r;
}

static int set_protocol(struct tls *tls, const char *name, struct err *err)
{
	unsigned char wire[32];
	size_t n = strlen(name);

	wire[0] = (unsigned char)n;
	memcpy(wire + 1, name, n);
	if (SSL_CTX_set_alpn_protos(tls->ctx, wire, (unsigned int)n + 1) != 0)
		return err_set(err, ERR_NOMEM, "TLS protocol name");
	return 0;
}

int tls_client_new(EVP_PKEY *key, X509 *leaf, X509 *ca, struct tls **out,
		   struct err *err)
{
	struct tls *tls = NULL;
	int r;

	r = make(false, &tls, err);
	if (r < 0)
		return r;
	if (X509_up_ref(ca) == 1)
		tls->ca = ca;
	r = set_own(tls, key, leaf, IDENTITY_HOST, err);
	if (r == 0)
		r = set_trust(tls, err);
	if (r == 0)
		r = set_protocol(tls, TLS_ALPN, err);
	if (r == 0)
		*out = tls;
	else
		tls_free(tls);
	return r;
}

int tls_join_new(const uint8_t ca_sha256[32], struct tls **out, struct err *err)
{
	struct tls *tls = NULL;
	int r;

	r = make(false, &tls, err);
	if (r < 0)
		return r;
	tls->join = true;
	memcpy(tls->pin, ca_sha256, sizeof(tls->pin));
	SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(tls->ctx, on_join_verify, tls);
	r = set_protocol(tls, TLS_ALPN_JOIN, err);
	if (r == 0)
		*out = tls;
	else
		tls_free(tls);
	return r;
}

const char *tls_domain(const struct tls *tls)
{
	return tls->domain;
}

int64_t tls_crl_until(const struct tls *tls)
{
	const ASN1_TIME *t = X509_CRL_get0_nextUpdate(tls->crl);
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

bool tls_revoked(const struct tls *tls, const char *serial)
{
	X509_REVOKED *entry = NULL;
	ASN1_INTEGER *number = NULL;
	BIGNUM *n = NULL;
	bool found = true; /* what cannot be looked up is not let in */

	if (BN_hex2bn(&n, serial) > 0)
		number = BN_to_ASN1_INTEGER(n, NULL);
	if (number)
		found = X509_CRL_get0_by_serial(tls->crl, &entry, number) != 0;
	ASN1_INTEGER_free(number);
	BN_free(n);
	return found;
}

int tls_check(const struct tls *tls, X509 *leaf, enum identity_role role,
	      struct identity *out, struct err *err)
{
	int r;

	r = verify_under(leaf, tls->ca, tls->crl, role == IDENTITY_HOST, err);
	if (r == 0)
		r = check_leaf(tls, leaf, role, out, err);
	return r;
}

/* --- sessions ------------------------------------------------------------ */
int tls_session_new(struct tls *tls, int fd, struct tls_peer *peer, SSL **out,
		    struct err *err)
{
	SSL *ssl = SSL_new(tls->ctx);

	*peer = (struct tls_peer){.join = false};
	if (!ssl || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return identity_ssl_error(err, ERR_NOMEM, "TLS session");
	}
	SSL_set_app_data(ssl, peer);
	if (tls->server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	*out = ssl;
	return 0;
}

int tls_failed(SSL *ssl, int r, struct err *err)
{
	const struct tls_peer *peer = peer_of(ssl);
	int cause = errno;
	int kind = SSL_get_error(ssl, r);
	unsigned long e = ERR_peek_error();

	if (peer->why.code) {
		ERR_clear_error();
		return err_set(err, peer->why.code, "%s", peer->why.msg);
	}
	if (kind == SSL_ERROR_ZERO_RETURN) {
		ERR_clear_error();
		return err_set(err, ERR_NOTFOUND, "closed by the peer");
	}
	if (kind == SSL_ERROR_SYSCALL ||
	    ERR_GET_REASON(e) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		ERR_clear_error();
		if (kind == SSL_ERROR_SYSCALL && cause != 0 && e == 0)
			return err_sys(err, cause, "connection");
		return err_set(err, ERR_NOTFOUND, "connection lost");
	}
	return identity_ssl_error(err, ERR_PROTO, "TLS");
}

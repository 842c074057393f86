/*
 * tls.h - TLS 1.3 between hosts and the manager: contexts, and the checks of
 * the peer that OpenSSL does not do by itself.
 *
 * Only TLS 1.3, two groups, two signature algorithms, AEAD suites; no tickets,
 * no resumption, no early data, no compression, no renegotiation.  A chain is
 * a leaf directly under the one CA, checked strictly and against a revocation
 * list that must be there and in date.  The leaf must be what identity.h says.
 *
 * Runs in reconcile-channel (holds the server's key) and reconcile-link (holds
 * the host's key); neither has a capability.  All bytes of the peer are
 * hostile.  Configuration files and the environment of OpenSSL have no effect
 * (tls_start()).  RFC 8446, RFC 7301, threats P01 to P08.
 */
#ifndef CHANNEL_TLS_H
#define CHANNEL_TLS_H

#include "channel/identity.h"
#include "lib/err.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#define TLS_ALPN "reconcile/1"
#define TLS_ALPN_JOIN "reconcile-join/1"
#define TLS_FILE_MAX (1u << 20)

/* What is known of the other end; lives as long as the SSL that it was given
 * to, in the caller's storage. */
struct tls_peer {
	bool join;	    /* the other end has no certificate */
	struct identity id; /* valid when the handshake is over and !join */
	struct err why;	    /* a named reason when the handshake failed */
};

struct tls; /* a context: keys, CA, revocation list */

/* First call of a program, before it reads its input. */
int tls_start(struct err *err);

/* Manager: server.key, server.pem, ca.pem and crl.pem of dirfd.  A missing or
 * unreadable list is an error.  *out owned: tls_free(); a session whose
 * handshake is over may outlive it, one before that may not. */
int tls_server_new(int dirfd, struct tls **out, struct err *err);
/* Host: key and chain.  ca_pem: the CA. */
int tls_client_new(EVP_PKEY *key, X509 *leaf, X509 *ca, struct tls **out,
		   struct err *err);
/* Joining host: no certificate, the manager's CA known by its SHA-256. */
int tls_join_new(const uint8_t ca_sha256[32], struct tls **out,
		 struct err *err);
void tls_free(struct tls *tls); /* NULL allowed */

/* Trust domain that this end's certificate names; borrowed. */
const char *tls_domain(const struct tls *tls);
/* Unix seconds until which the revocation list is good. */
int64_t tls_crl_until(const struct tls *tls);
/* Whether the list names this serial (lower-case hex). */
bool tls_revoked(const struct tls *tls, const char *serial);
/* A leaf that the CA of tls signed for this role and domain, in date and not
 * revoked.  ERR_TRUST. */
int tls_check(const struct tls *tls, X509 *leaf, enum identity_role role,
	      struct identity *out, struct err *err);

/* One session on fd, not started.  peer borrowed.  *out owned: SSL_free(). */
int tls_session_new(struct tls *tls, int fd, struct tls_peer *peer, SSL **out,
		    struct err *err);
/* Fills err for a failed handshake or connection; r is what the call returned.
 * ERR_TRUST, ERR_NOTFOUND (closed by the peer), ERR_PROTO. */
int tls_failed(SSL *ssl, int r, struct err *err);

#endif

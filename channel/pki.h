/*
 * pki.h - the certificate authority of a manager: one P-256 key that signs the
 * manager's server certificate, short-lived host certificates and the
 * revocation list.  Everything about a certificate is decided here; a host's
 * request contributes its public key and nothing else.
 *
 * Runs in `reconcile`, the only holder of the CA's key (file ca.key, 0600);
 * reconcile-channel gets its own folder with server.key, server.pem, ca.pem
 * and crl.pem.  Requests are hostile (identity_csr_read()).  RFC 5280.
 */
#ifndef CHANNEL_PKI_H
#define CHANNEL_PKI_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define PKI_HOST_VALID_S (24 * 3600)
#define PKI_SERVER_VALID_S (90 * 24 * 3600)
#define PKI_CRL_VALID_S (7 * 24 * 3600)
#define PKI_SERIAL_HEX 33
#define PKI_DIGEST_BYTES 32
#define PKI_SKEW_S 300 /* a certificate begins so long before its issue */
/* A host asks for a new certificate at this share of the old one's life. */
#define PKI_RENEW_NUMERATOR 2
#define PKI_RENEW_DENOMINATOR 3

struct pki;

/* Makes ca.key and ca.pem in dirfd.  domain: trust domain of the SPIFFE ids
 * (lower-case letters, digits and .-_).  now in unix seconds, here and below.
 * ERR_CONFLICT when ca.key is there already, ERR_INPUT. */
int pki_ca_create(int dirfd, const char *domain, int64_t now, struct err *err);
/* *out owned: pki_free(). */
int pki_open(int dirfd, struct pki **out, struct err *err);
void pki_free(struct pki *ca); /* NULL allowed */
/* Trust domain of the CA; borrowed until pki_free(). */
const char *pki_domain(const struct pki *ca);
/* SHA-256 of the CA's certificate in DER: what a join token pins. */
int pki_ca_sha256(const struct pki *ca, uint8_t out[PKI_DIGEST_BYTES],
		  struct err *err);

/* Makes a new server key and certificate, and writes server.key, server.pem
 * (with the CA behind) and ca.pem into dirfd, each atomically. */
int pki_server_issue(const struct pki *ca, int dirfd, int64_t now,
		     int64_t valid_s, struct err *err);

struct pki_issued {
	char serial[PKI_SERIAL_HEX]; /* lower-case hex */
	int64_t not_after;	     /* unix seconds */
	struct buf leaf_der;	     /* owned: pki_issued_release() */
	struct buf ca_der;
};
/* Checks the request and issues for spiffe://DOMAIN/host/NAME, clientAuth.
 * valid_s from 1 to 7 days.  ERR_TRUST: bad request.  ERR_INPUT: bad name. */
int pki_host_issue(const struct pki *ca, const void *csr_der, size_t csr_len,
		   const char *host, int64_t now, int64_t valid_s,
		   struct pki_issued *out, struct err *err);
void pki_issued_release(struct pki_issued *issued);

/* Writes crl.pem atomically: serials (hex as in pki_issued) are revoked.  A
 * list is needed even when it is empty: a channel without one admits nobody.
 */
int pki_crl_write(const struct pki *ca, int dirfd, const char *const *serials,
		  size_t n_serials, int64_t now, int64_t valid_s,
		  struct err *err);

/* A host's new key (PKCS#8 PEM; wipe with identity_wipe()) and request. */
int pki_csr_make(struct buf *out_key_pem, struct buf *out_csr_der,
		 struct err *err);

#endif

/*
 * identity.h - who a certificate speaks for: exactly one SPIFFE id in the
 * subject alternative name, spiffe://DOMAIN/host/NAME for a host and
 * spiffe://DOMAIN/manager for the manager; and the key and the request behind
 * it.  A common name is never looked at.
 *
 * Runs in reconcile-channel, reconcile-link and, for requests, in reconcile.
 * Certificates and requests are hostile.  RFC 5280, SPIFFE X509-SVID.
 */
#ifndef CHANNEL_IDENTITY_H
#define CHANNEL_IDENTITY_H

#include "lib/buf.h"
#include "lib/err.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDENTITY_NAME_MAX 254
#define IDENTITY_URI_MAX 640
#define IDENTITY_SERIAL_MAX 41 /* 20 bytes in hex and NUL */
#define IDENTITY_CSR_MAX 2048
#define IDENTITY_KEY_PEM_MAX 4096

enum identity_role { IDENTITY_HOST = 1, IDENTITY_MANAGER };

struct identity {
	char domain[IDENTITY_NAME_MAX];
	char name[IDENTITY_NAME_MAX];	  /* host's name; "" for the manager */
	char serial[IDENTITY_SERIAL_MAX]; /* lower-case hex */
	int64_t not_before, not_after;	  /* unix seconds */
};

/* Lower-case letters, digits and .-_ : a SPIFFE trust domain. */
bool identity_domain_ok(const char *domain);
/* name NULL for the manager. */
void identity_uri(char out[IDENTITY_URI_MAX], const char *domain,
		  const char *name);
/* Reads a leaf whose signature was already verified: version 3, not a CA,
 * digitalSignature only, exactly the one extended key usage of role, exactly
 * one name, which is canonical, and a key of a permitted type.  ERR_TRUST. */
int identity_read(const X509 *leaf, enum identity_role role,
		  struct identity *out, struct err *err);

/* P-256.  *out owned: EVP_PKEY_free(). */
int identity_key_new(EVP_PKEY **out, struct err *err);
/* PKCS#8 PEM, unencrypted; the caller wipes out with identity_wipe(). */
int identity_key_write(EVP_PKEY *key, struct buf *out, struct err *err);
int identity_key_read(const char *pem, size_t len, EVP_PKEY **out,
		      struct err *err);
/* A request that holds the key and nothing else; appends DER. */
int identity_csr_new(EVP_PKEY *key, struct buf *out, struct err *err);
/* Checks a hostile request: canonical DER, no subject, no attribute, EC P-256
 * or Ed25519 key, its own signature.  *out_key owned, may be NULL.
 * ERR_TRUST. */
int identity_csr_read(const void *der, size_t len, EVP_PKEY **out_key,
		      struct err *err);
/* Exactly one certificate in DER.  *out owned: X509_free().  ERR_TRUST. */
int identity_cert_read(const void *der, size_t len, X509 **out,
		       struct err *err);
int identity_cert_der(X509 *cert, struct buf *out, struct err *err);
int identity_cert_pem(X509 *cert, struct buf *out, struct err *err);
/* Overwrites and releases. */
void identity_wipe(struct buf *secret);
/* ERR_TRUST with OpenSSL's reason behind ": "; empties its error queue. */
int identity_ssl_error(struct err *err, int code, const char *what);

#endif

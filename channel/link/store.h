/*
 * store.h - the files of a host's end of the channel, in one folder, 0600:
 *
 *   host.key       private key (PKCS#8 PEM), made here and never sent
 *   host.key.next  the next key while its certificate is asked for
 *   host.pem       the host's certificate
 *   ca.pem         the manager's CA
 *   manager        address:port
 *   trust-root.pb  packed verify.TrustRoot, its digest was in the token
 *   join.pb        packed JoinReply
 *
 * Each is replaced atomically.  A crash between host.pem and host.key is
 * mended when they are read: the key that fits the certificate is the one.
 */
#ifndef CHANNEL_LINK_STORE_H
#define CHANNEL_LINK_STORE_H

#include "channel/address.h"
#include "channel/agent.pb-c.h"
#include "channel/identity.h"
#include "lib/err.h"

struct store {
	EVP_PKEY *key;
	X509 *leaf, *ca;
	struct identity id;
	struct address manager;
};

/* ERR_NOTFOUND: this host has not joined.  store_release(). */
int store_load(int dirfd, struct store *out, struct err *err);
void store_release(struct store *s);
/* The key of a join: the one that a broken join left, else a new one, written
 * before it is used.  *out owned. */
int store_join_key(int dirfd, EVP_PKEY **out, struct err *err);
/* All that a join brought; host.pem last. */
int store_join_write(int dirfd, const Channel__JoinReply *reply, X509 *leaf,
		     X509 *ca, const char *manager, struct err *err);
/* A key for the next certificate, written as host.key.next.  *out owned. */
int store_next_key(int dirfd, EVP_PKEY **out, struct err *err);
/* The next certificate is here: it and its key become the host's. */
int store_renew(int dirfd, X509 *leaf, struct err *err);

#endif

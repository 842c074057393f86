/*
 * revoked.h - the revocation list: one entry a line,
 *
 *   ssh-ed25519 AAAA... [comment]    a public key
 *   SHA256:fingerprint               a public key by its fingerprint
 *   serial: N or N-M                 certificates by serial, of any authority
 *   id: TEXT                         certificates by key id
 *   # comment
 *
 * Pure.  No line at all is an error (T161): "nothing revoked" must be said.
 */
#ifndef POLICY_TRUST_REVOKED_H
#define POLICY_TRUST_REVOKED_H

#include "lib/arena.h"
#include "policy/trust/pubkey.h"

enum revoked_kind { REVOKED_FINGERPRINT, REVOKED_SERIAL, REVOKED_ID };

struct revoked_entry {
	enum revoked_kind kind;
	const char *text;  /* fingerprint or id */
	uint64_t from, to; /* serials */
};

struct revoked {
	struct revoked_entry *items; /* in the arena */
	size_t n;
};

/* T161, T162. */
int revoked_parse(const char *text, size_t len, struct arena *arena,
		  struct revoked *out, struct verdict *v);
bool revoked_has_key(const struct revoked *r, const char *fingerprint);
bool revoked_has_cert(const struct revoked *r, uint64_t serial,
		      const struct wire_span *id);

#endif

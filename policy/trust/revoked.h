/*
 * revoked.h - what is revoked: keys, certificates, and commits or tags by the
 * digest of their signed bytes.  Three sources fill one list:
 *
 *   a text, one entry a line
 *     ssh-ed25519 AAAA... [comment]    a public key
 *     SHA256:fingerprint               a public key by its fingerprint
 *     40 or 64 upper-case hex digits   an OpenPGP certificate
 *     serial: N or N-M                 certificates by serial, of any authority
 *     id: TEXT                         certificates by key id
 *     sha256:64 hex digits             signed bytes of a commit or tag (A16)
 *     # comment
 *   a binary KRL (krl.h)
 *   single entries of a trust policy
 *
 * Pure.  A text without a line, and no bytes at all, are an error (T161):
 * "nothing revoked" must be said.
 */
#ifndef POLICY_TRUST_REVOKED_H
#define POLICY_TRUST_REVOKED_H

#include "lib/arena.h"
#include "lib/hash.h"
#include "policy/trust/sshcert.h"

#define REVOKED_ENTRIES_MAX 200000

enum revoked_kind {
	REVOKED_KEY,	  /* what: SHA-256 of a key blob */
	REVOKED_KEY_SHA1, /* what: SHA-1 of a key blob */
	REVOKED_OPENPGP,  /* what: fingerprint in upper-case hex */
	REVOKED_PAYLOAD,  /* what: SHA-256 of signed bytes */
	REVOKED_ID,	  /* what: key id of certificates */
	REVOKED_SERIAL,	  /* from, to */
};

struct revoked_entry {
	enum revoked_kind kind;
	struct wire_span what;
	struct wire_span authority; /* key blob; len 0: any */
	uint64_t from, to;
};

struct revoked {
	struct arena *arena; /* borrowed; entries live in it */
	struct revoked_entry *items;
	size_t n, cap;
};

void revoked_init(struct revoked *r, struct arena *arena);
/* Adds a text or a KRL, which is told by its first bytes.  T161, T162. */
int revoked_add(struct revoked *r, const char *bytes, size_t len,
		struct verdict *v);
/* Adds one entry as it stands in a line of the text; false: malformed. */
bool revoked_add_line(struct revoked *r, const char *line, size_t len);
/* Adds an entry whose spans are copied; false over the limit. */
bool revoked_put(struct revoked *r, const struct revoked_entry *e);
/* After the last entry, before the first question. */
void revoked_finish(struct revoked *r);

/* Plain key blob. */
bool revoked_has_key(const struct revoked *r, const struct wire_span *blob);
/* By serial or id alone; its keys are the caller's to ask for.  authority: key
 * blob of who issued it; NULL asks only for entries of any authority. */
bool revoked_has_cert(const struct revoked *r, uint64_t serial,
		      const struct wire_span *id,
		      const struct wire_span *authority);
/* "SHA256:..." of a key blob, or an OpenPGP fingerprint. */
bool revoked_has_fingerprint(const struct revoked *r, const char *text);
bool revoked_has_payload(const struct revoked *r,
			 const uint8_t digest[HASH_BYTES]);

#endif

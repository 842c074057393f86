/*
 * signers.h - who may sign: an OpenSSH allowed_signers file read strictly, and
 * the list of what is revoked.
 *
 * Pure.  The text comes from the trust root; it is not hostile, but a mistake
 * in it must be loud: a line that does not parse is an error, never skipped.
 * Differences from ssh-keygen are in reconcile-allowed-signers(5).
 */
#ifndef POLICY_TRUST_SIGNERS_H
#define POLICY_TRUST_SIGNERS_H

#include "lib/hash.h"
#include "policy/trust/armor.h"
#include "policy/trust/pubkey.h"
#include "policy/trust/revoked.h"
#include "policy/trust/sshcert.h"

#define SIGNERS_TEXT_MAX (4u << 20)
#define SIGNERS_LINES_MAX 20000

/* Whose a key is.  Only persons count where a number of people is wanted. */
enum signer_use {
	SIGNER_PERSON,
	SIGNER_CARRIER,	  /* a forge: brings what persons signed */
	SIGNER_TIMESTAMP, /* says "still the newest" by empty commits */
};

struct cmscert_authority; /* policy/trust/cmscert.h */

/* The pins of the two other kinds, as texts of the trust policy. */
struct signer_x509 {
	const char *identity; /* "email:..." or "uri:...": a SAN, exactly */
	const char *issuer;   /* OIDC issuer of the certificate; NULL: any */
	const struct cmscert_authority *authority; /* of its PEM */
};
struct signer_openpgp {
	const char *fingerprint; /* primary key, 40 upper-case hex digits */
	const char *certificate; /* armored */
};

struct signer {
	enum armor_kind kind; /* x509 and openpgp are not NULL for theirs */
	const struct signer_x509 *x509;
	const struct signer_openpgp *openpgp;
	unsigned int line;
	const char *principals; /* "a,b" as written, NUL terminated */
	const char *name;	/* the first of them */
	const char *person;	/* whose it is, whatever name a certificate has;
				 * NULL: the name that fits */
	enum signer_use use;
	bool authority; /* cert-authority */
	bool no_touch_required, verify_required;
	int64_t valid_after, valid_before; /* unix s; INT64_MIN / MAX */
	struct wire_span blob;
	struct pubkey key;
};

struct signers;

/* revoked: text or binary KRL (revoked.h).  T160..T164.  *out owned:
 * signers_free(). */
int signers_new(const char *allowed, size_t allowed_len, const char *revoked,
		size_t revoked_len, struct signers **out, struct verdict *v);
/* From signers that were made one by one (signers_read_key); all of it is of
 * the arena, but the keys in items, which *out owns: signers_free(). */
struct signers *signers_of(struct signer *items, size_t n,
			   const struct revoked *revoked, struct arena *arena);
/* The line of a .pub file, "type base64 [comment]", into blob (of the arena)
 * and key (owned) of *out.  T160, T114, T117. */
int signers_read_key(const char *line, struct arena *arena, struct signer *out,
		     struct verdict *v);
void signers_free(struct signers *s); /* NULL allowed */
/* Next line with this key and kind after *prev (NULL: the first); borrowed. */
const struct signer *signers_next(const struct signers *s,
				  const struct wire_span *blob, bool authority,
				  const struct signer *prev);
/* Next of all after *prev (NULL: the first), in the order they were given. */
const struct signer *signers_each(const struct signers *s,
				  const struct signer *prev);
/* Next signer of a kind after *prev (NULL: the first); borrowed. */
const struct signer *signers_next_of(const struct signers *s,
				     enum armor_kind kind,
				     const struct signer *prev);
/* Whether a name fits the pattern list of a line (*, ?, ! as OpenSSH). */
bool signers_name_fits(const struct signer *line, const struct wire_span *name);
/* Plain key blob on the revocation list? */
bool signers_key_revoked(const struct signers *s, const struct wire_span *blob);
/* "SHA256:..." or 40 upper-case hex digits on the revocation list? */
bool signers_fingerprint_revoked(const struct signers *s,
				 const char *fingerprint);
/* A serial, or an id (of X.509: the serial in lower-case hex)? */
bool signers_serial_revoked(const struct signers *s, uint64_t serial,
			    const struct wire_span *id);
/* Certificate revoked by its serial, its id, its key or its authority? */
bool signers_cert_revoked(const struct signers *s, const struct sshcert *cert);
/* SHA-256 of the signed bytes of a commit or tag on the deny-list (A16)? */
bool signers_payload_revoked(const struct signers *s,
			     const uint8_t digest[HASH_BYTES]);

#endif

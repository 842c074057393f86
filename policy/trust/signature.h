/*
 * signature.h - signed bytes against the allowed signers: the whole question
 * "who signed this, and may they".  Pure; bytes and signature are hostile.
 *
 * Rules in order (docs/trust.md section 3): not from the future; the signed
 * bytes not on the deny-list; one SSH
 * signature in canonical armor; namespace "git"; the key (or its certificate's
 * authority) is listed; not revoked; signature and presence are good; committer
 * date inside the validity of key and certificate, and for a commit that is
 * seen for the first time, now inside it too.
 */
#ifndef POLICY_TRUST_SIGNATURE_H
#define POLICY_TRUST_SIGNATURE_H

#include "policy/trust/armor.h"
#include "policy/trust/signers.h"

#define SIGNATURE_FUTURE_S 600
#define SIGNATURE_NAME_BYTES 256

struct openpgp_run; /* policy/trust/openpgp.h */

/* How a signature is judged that is not about the signature. */
struct signature_time {
	int64_t now;	 /* unix seconds */
	bool first_seen; /* false: accepted before, only its date counts */
	/* Who looks at OpenPGP; NULL: nobody, such signatures are refused */
	const struct openpgp_run *openpgp;
};

/* What one signature is about. */
struct signature_ask {
	struct commit_span armor;	 /* plain lines, no last newline */
	const struct commit_span *parts; /* the signed bytes, in order */
	size_t n_parts;
	const char *namespace; /* of SSHSIG; "git" for commits and tags */
	int64_t when;	       /* the date that it is dated with, unix s */
};

struct signature_by {
	char principal[SIGNATURE_NAME_BYTES];
	char key[PUBKEY_FINGERPRINT];
	enum armor_kind format;
	enum signer_use use;	     /* a person's key, or a machine's */
	bool touched, verified;	     /* a hardware key: touched, given a PIN */
	uint8_t payload[HASH_BYTES]; /* SHA-256 of the signed bytes */
};

/* Whether signers allow these bytes to be signed so.  Any T1xx but T101 to
 * T104 and T110.  out_by->payload is always filled; out_by->key is filled as
 * soon as the key is known, also when the signature is refused; principal only
 * on success. */
int signature_check_bytes(const struct signers *s,
			  const struct signature_ask *ask,
			  const struct signature_time *t,
			  struct signature_by *out_by, struct verdict *v);
/* Refused because nobody who may sign has such a key. */
bool signature_is_unknown(enum tcode code);
/* The window of a signer, [after, before): the date, and for what is seen for
 * the first time, now.  T123, T124. */
int signature_check_window(const struct signer *line,
			   const struct signature_ask *ask,
			   const struct signature_time *t, struct verdict *v);
/* The signature of a commit.  Any T1xx. */
int signature_check(const struct signers *s, const struct commit *c,
		    const struct signature_time *t, struct signature_by *out_by,
		    struct verdict *v);

#endif

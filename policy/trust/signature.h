/*
 * signature.h - one commit against the allowed signers: the whole question
 * "who signed this, and may they".  Pure; the commit is hostile.
 *
 * Rules in order (docs/trust.md section 3): not from the future; one SSH
 * signature in canonical armor; namespace "git"; the key (or its certificate's
 * authority) is listed; not revoked; signature and presence are good; committer
 * date inside the validity of key and certificate, and for a commit that is
 * seen for the first time, now inside it too.
 */
#ifndef POLICY_TRUST_SIGNATURE_H
#define POLICY_TRUST_SIGNATURE_H

#include "policy/trust/commit.h"
#include "policy/trust/signers.h"

#define SIGNATURE_FUTURE_S 600
#define SIGNATURE_NAME_BYTES 256

struct signature_time {
	int64_t now;	 /* unix seconds */
	bool first_seen; /* false: accepted before, only its date counts */
};

struct signature_by {
	char principal[SIGNATURE_NAME_BYTES];
	char key[PUBKEY_FINGERPRINT];
};

/* Any T1xx.  out_by->key is filled as soon as the key is known, also when the
 * commit is refused; principal only on success. */
int signature_check(const struct signers *s, const struct commit *c,
		    const struct signature_time *t, struct signature_by *out_by,
		    struct verdict *v);

#endif

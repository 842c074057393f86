/*
 * sshcert.h - OpenSSH certificates (PROTOCOL.certkeys), only as far as a signer
 * of commits needs: user type, principals, window, no critical option but
 * verify-required, signed by a plain key of the allowed types.
 *
 * Pure; the input is hostile.  Times are checked by the caller, who knows which
 * time counts.
 */
#ifndef POLICY_TRUST_SSHCERT_H
#define POLICY_TRUST_SSHCERT_H

#include "policy/trust/pubkey.h"
#include "policy/trust/wire.h"

#define SSHCERT_PRINCIPALS_MAX 64

struct sshcert {
	struct pubkey key;   /* certified key; owned */
	struct buf key_blob; /* its plain blob; owned */
	uint64_t serial;
	struct wire_span id; /* spans borrow from the cert blob */
	struct wire_span principals[SSHCERT_PRINCIPALS_MAX];
	size_t n_principals;
	uint64_t valid_after, valid_before; /* unix s, [after, before) */
	bool verify_required;
	bool no_touch_required;	 /* extension of FIDO certificates */
	struct wire_span ca_key; /* plain blob of the authority */
};

/* Whether a key blob is a certificate at all (by its type name). */
bool sshcert_is(const struct wire_span *blob);
/* Everything but time and trust, the authority's signature included.  *out is
 * owned: sshcert_release().  T130, T131, T132, T134, T135, T117. */
int sshcert_parse(const struct wire_span *blob, struct sshcert *out,
		  struct verdict *v);
void sshcert_release(struct sshcert *c);

#endif

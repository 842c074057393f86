/*
 * krl.h - OpenSSH's binary key revocation list (PROTOCOL.krl), as ssh-keygen -k
 * writes it, read into a list of revoked things.
 *
 * Pure.  It comes from the trust root or a trust policy and is as strict as
 * both: what is not understood could revoke something, so it is an error.  The
 * only thing that may be passed over is an extension that says so itself.
 * Signed KRLs are refused: nothing names the key that may sign one, and what
 * brought the list here (join token, trust policy) protects it already.
 */
#ifndef POLICY_TRUST_KRL_H
#define POLICY_TRUST_KRL_H

#include "policy/trust/revoked.h"

/* By the magic that it begins with. */
bool krl_is(const struct wire_span *bytes);
/* T162; out may have some of the entries then. */
int krl_read(const struct wire_span *bytes, struct revoked *out,
	     struct verdict *v);

#endif

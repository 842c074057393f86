/*
 * pins.h - signatures of X.509 and OpenPGP against what the trust policy pins:
 * an authority and a name, or a certificate.  Pure but for struct openpgp_run;
 * bytes and signature are hostile.
 *
 * X.509, in order: CMS as cms.h says; the certificate may sign, and a pin has
 * its name (and issuer); the chain ends in the pin's authority and every
 * window of it holds the committer date; nothing in it is revoked; the
 * signature is good; for a commit that is seen for the first time every window
 * holds now too.  A certificate of ten minutes therefore introduces commits
 * for ten minutes: no log or time stamp that could say "then" is asked.
 *
 * OpenPGP, in order: one packet as openpgp.h says; of several pinned
 * certificates sqv finds the one behind it; sqv, which now knows this one and
 * its window alone, says the same; not revoked; the pin's window.
 */
#ifndef POLICY_TRUST_PINS_H
#define POLICY_TRUST_PINS_H

#include "policy/trust/signature.h"

/* T112, T113, T116 to T118, T120, T122 to T124, T126 to T129, T133. */
int pins_check_x509(const struct signers *s, const struct signature_ask *ask,
		    const struct signature_time *t, struct signature_by *by,
		    struct verdict *v);
/* T112, T113, T116, T117, T120, T122 to T124, T136 to T139. */
int pins_check_openpgp(const struct signers *s, const struct signature_ask *ask,
		       const struct signature_time *t, struct signature_by *by,
		       struct verdict *v);

#endif

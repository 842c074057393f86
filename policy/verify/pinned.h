/*
 * pinned.h - trust by the lists that are pinned in the trust root.
 */
#ifndef POLICY_VERIFY_PINNED_H
#define POLICY_VERIFY_PINNED_H

#include "policy/verify/errand.h"

/* Signatures of everything new.  ERR_TRUST: refused, the reply says why; in a
 * proposal what is refused is only told. */
int pinned_check(struct errand *job, struct verdict *v);
/* By signers in force at the target: whoever may not sign any more may not tag
 * either. */
int pinned_check_tag(struct errand *job, const struct signers *signers,
		     struct verdict *v);

#endif

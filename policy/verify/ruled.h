/*
 * ruled.h - trust by the policy that stands in the history itself.
 */
#ifndef POLICY_VERIFY_RULED_H
#define POLICY_VERIFY_RULED_H

#include "policy/verify/errand.h"

/* Is the trust root whole: lists or a trust policy, never both?  ERR_INPUT. */
int ruled_check_root(const Verify__TrustRoot *root, struct err *err);
/* Everything new, step by step.  ERR_TRUST: refused, the reply says why. */
int ruled_check(struct errand *job, struct verdict *v);
/* A proposal, by the trust policy of BASE; what is missing goes into the reply.
 * ERR_TRUST: it cannot be judged. */
int ruled_propose(struct errand *job, struct verdict *v);

#endif

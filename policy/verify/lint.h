/*
 * lint.h - files of a work tree for people who have not committed yet: decoded,
 * and judged by the policy that is among them.  Mode LINT of verify.proto.
 * Nothing is accepted by it.  Runs in reconcile-verify below its sandbox.
 */
#ifndef POLICY_VERIFY_LINT_H
#define POLICY_VERIFY_LINT_H

#include "policy/verify/reply.h"

/* Fills the reply. */
int lint_answer(const Verify__VerifyRequest *req, struct reply *reply,
		struct err *err);

#endif

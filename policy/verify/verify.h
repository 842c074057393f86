/*
 * verify.h - one request of verify.proto to one reply: trust first, then
 * judgement.  Runs in reconcile-verify below its sandbox.
 */
#ifndef POLICY_VERIFY_VERIFY_H
#define POLICY_VERIFY_VERIFY_H

#include "lib/buf.h"
#include "lib/err.h"
#include "policy/verify/verify.pb-c.h"

/* Appends the packed VerifyReply to out.  Refusals and failures are replies;
 * a negative result only when no reply could be made. */
int verify_answer(const Verify__VerifyRequest *req, struct buf *out,
		  struct err *err);

#endif

/*
 * verify.h - one request of verify.proto to one reply: trust first, then
 * judgement.  Runs in reconcile-verify below its sandbox.
 */
#ifndef POLICY_VERIFY_VERIFY_H
#define POLICY_VERIFY_VERIFY_H

#include "lib/buf.h"
#include "lib/err.h"
#include "policy/trust/openpgp.h"
#include "policy/verify/verify.pb-c.h"

/* openpgp: who looks at OpenPGP signatures; NULL: nobody.  Appends the packed
 * VerifyReply to out.  Refusals and failures are replies; a negative result
 * only when no reply could be made. */
int verify_answer(const Verify__VerifyRequest *req,
		  const struct openpgp_run *openpgp, struct buf *out,
		  struct err *err);

#endif

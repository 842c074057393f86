/*
 * reply.h - building a VerifyReply; everything lives in the arena.
 */
#ifndef POLICY_VERIFY_REPLY_H
#define POLICY_VERIFY_REPLY_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "manifest/manifest.h"
#include "policy/trust/signature.h"
#include "policy/trust/verdict.h"
#include "policy/verify/verify.pb-c.h"

struct reply {
	Verify__VerifyReply message;
	struct arena *arena;
};

void reply_init(struct reply *r, struct arena *arena);
void reply_target(struct reply *r, const struct commit_id *id);
/* v NULL: the commit is good. */
void reply_commit(struct reply *r, const struct commit_id *id,
		  const struct signature_by *by, const struct verdict *v);
void reply_diags(struct reply *r, const struct diags *d);
void reply_snapshot(struct reply *r, const struct buf *bytes);
/* Not trusted: the verdict becomes a diagnostic. */
void reply_refused(struct reply *r, const struct verdict *v);
/* Could not decide. */
void reply_failed(struct reply *r, const struct err *why);
int reply_pack(const struct reply *r, struct buf *out, struct err *err);

#endif

/*
 * reply.h - building a VerifyReply; everything lives in the arena.
 */
#ifndef POLICY_VERIFY_REPLY_H
#define POLICY_VERIFY_REPLY_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "manifest/manifest.h"
#include "policy/trust/line.h"
#include "policy/verify/verify.pb-c.h"

#define REPLY_COMMITS_MAX 10000

struct reply {
	Verify__VerifyReply message;
	struct arena *arena;
};

void reply_init(struct reply *r, struct arena *arena);
void reply_target(struct reply *r, const struct commit_id *id);
/* BASE of a proposal; NULL: from nothing. */
void reply_accepted(struct reply *r, const struct commit_id *id);
/* One of many that are wanted, up to REPLY_COMMITS_MAX. */
void reply_listed(struct reply *r, const struct commit_id *id,
		  const struct signature_by *by, const struct verdict *v,
		  const uint8_t payload[HASH_BYTES], const char *subject);
/* Refused ones and the head, unless they are listed. */
void reply_history(struct reply *r, const struct history_result *h,
		   const struct commit_id *target);
void reply_refusals(struct reply *r, const struct history_result *h);
/* Requirements, wanted commits, version and freshness. */
void reply_line(struct reply *r, const struct line_result *line);
/* What is not met, as diagnostics. */
void reply_unmet(struct reply *r, const struct line_result *line);
void reply_fact(struct reply *r, const char *text);
void reply_statement(struct reply *r, const char *bytes, size_t len);
/* v NULL: the commit is good. */
void reply_commit(struct reply *r, const struct commit_id *id,
		  const struct signature_by *by, const struct verdict *v);
void reply_diags(struct reply *r, const struct diags *d);
/* The verdict that errors among them make. */
void reply_judged(struct reply *r, const struct diags *d);
void reply_snapshot(struct reply *r, const struct buf *bytes);
/* Not trusted: the verdict becomes the first diagnostic, unless it is OK: then
 * there are some that say it. */
void reply_refused(struct reply *r, const struct verdict *v);
/* Could not decide. */
void reply_failed(struct reply *r, const struct err *why);
int reply_pack(const struct reply *r, struct buf *out, struct err *err);

#endif

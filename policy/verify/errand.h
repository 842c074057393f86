/*
 * errand.h - one request on its way through reconcile-verify.
 */
#ifndef POLICY_VERIFY_ERRAND_H
#define POLICY_VERIFY_ERRAND_H

#include "lib/arena.h"
#include "policy/trust/history.h"
#include "policy/verify/reply.h"
#include "policy/verify/tagged.h"

struct errand {
	const Verify__VerifyRequest *req;
	const struct openpgp_run *openpgp; /* for signature_time; or NULL */
	bool trusted;			   /* mode FULL */
	bool proposal;			   /* mode PROPOSAL */
	struct arena *arena;
	struct reply reply;
	struct store store;
	struct commit_id target, accepted;
	bool has_accepted;
	bool has_merged; /* a proposal beside BASE: the tree of both */
	struct commit_id merged;
	struct tagged tag; /* in front of the target, if the ref is a tag */
	struct history_result *history;
};

#endif

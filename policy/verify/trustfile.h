/*
 * trustfile.h - one trust policy for people to read: what it says, what is
 * wrong with it, and whether it may follow the one before.  Nothing is accepted
 * by it.  Runs in reconcile-verify below its sandbox.
 */
#ifndef POLICY_VERIFY_TRUSTFILE_H
#define POLICY_VERIFY_TRUSTFILE_H

#include "policy/verify/reply.h"
#include "policy/verify/store.h"

/* What is wrong with the trust policy of a tree, where there is one: adds
 * diagnostics.  ERR_TRUST where the store is not good. */
int trustfile_faults(struct store *store, const struct commit_id *tree,
		     struct arena *arena, struct diags *diags,
		     struct verdict *v);
/* Fills the reply, mode TRUST of verify.proto.  ERR_TRUST with a verdict where
 * the revision or the store is not good; other codes in err. */
int trustfile_answer(const Verify__VerifyRequest *req, struct store *store,
		     struct reply *reply, struct verdict *v, struct err *err);

#endif

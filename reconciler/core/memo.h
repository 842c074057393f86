/*
 * memo.h - "nothing to do" remembered.  The plan is a function of its inputs;
 * when every input is what it was at the end of a converged pass, the plan is
 * empty again and need not be computed.
 */
#ifndef RECONCILER_CORE_MEMO_H
#define RECONCILER_CORE_MEMO_H

#include "reconciler/core/core.h"

#include "lib/hash.h"

/* Digest of all inputs: program version, commit, trust root, configuration,
 * hosts and pods as observed. */
int memo_digest(struct core *c, const char *commit, const struct world *w,
		struct arena *arena, char out[HASH_HEX], struct err *err);
/* Of hosts and pods alone. */
void memo_world(const struct core *c, const struct world *w,
		char out[HASH_HEX]);
/* Compares with, or stores, the digest of the last converged pass. */
int memo_matches(struct core *c, const char *digest, struct arena *arena,
		 bool *out, struct err *err);
int memo_store(struct core *c, const char *digest, struct err *err);

#endif

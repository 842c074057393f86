/*
 * anchor.h - the ratchet of the manager: the last accepted commit, how it
 * moves, and how a person puts it somewhere else.
 *
 * An advance is a note in the state, a durable record, and then the state
 * (policy/trust/ratchet.h); what does not fit together is refused with T181.
 */
#ifndef RECONCILER_CORE_ANCHOR_H
#define RECONCILER_CORE_ANCHOR_H

#include "reconciler/core/core.h"

/* The last accepted commit, NULL at first trust; in the arena.  ERR_TRUST when
 * state and audit log disagree: nothing may be accepted then. */
int anchor_load(struct core *c, struct arena *arena, const char **out,
		struct err *err);
/* After verification; record is commit.accept by signer.  Nothing when accepted
 * is commit already. */
int anchor_advance(struct core *c, const char *accepted, const char *commit,
		   const char *signer, struct err *err);
/* On an operator's word, record trust.anchor.  reason may be NULL. */
int anchor_set(struct core *c, const char *commit, const char *reason,
	       struct err *err);
/* What state and log say now, for people; "none" where nothing is said. */
int anchor_words(struct core *c, struct arena *arena, const char **out_state,
		 const char **out_log, struct err *err);

#endif

/*
 * witness.h - the hosts as witnesses of the manager's audit log (threats A95,
 * A96): they cosign its checkpoints, and refuse one that does not extend what
 * they cosigned before.
 *
 * The store keeps, for each host, the verifier key that it had at first sight
 * ("witness-key:HOST"), the checkpoint that it cosigned last with its signature
 * line ("witness:HOST"), and the checkpoint that was offered last
 * ("witness-offer"), by which an answer that comes late is judged.
 */
#ifndef RECONCILER_CORE_WITNESS_H
#define RECONCILER_CORE_WITNESS_H

#include "reconciler/core/core.h"

/* The newest checkpoint with its cosignatures, in the folder of the log. */
#define WITNESS_FILE "cosigned"

/* At the end of a pass.  Takes answers that came late; if the pass acted, signs
 * a checkpoint, offers it to every connected host and waits for them, at most
 * 500 ms.  *out_refusal: in words, in arena, when a host refused; else
 * untouched. */
int witness_offer(struct core *c, bool acted, struct arena *arena,
		  const char **out_refusal, struct err *err);
/* The host joins anew: its next key is taken at first sight. */
int witness_forget(struct core *c, const char *host, struct err *err);
/* Keys of the store; in arena. */
const char *witness_key_name(const char *host, struct arena *arena);
const char *witness_name(const char *host, struct arena *arena);

#endif

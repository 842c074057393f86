/*
 * checkpoint.h - C2SP tlog-checkpoint in a signed note, with one extension line
 * "head HEX": the chain's hash of the last entry, which lets a verifier tell
 * from which side of a broken link the damage is.
 */
#ifndef AUDIT_CHECKPOINT_H
#define AUDIT_CHECKPOINT_H

#include "audit/key.h"
#include "audit/merkle.h"
#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

struct audit_checkpoint {
	char origin[AUDIT_NAME_MAX + 1];
	uint64_t size;
	uint8_t root[AUDIT_HASH_BYTES];
	bool has_head;
	uint8_t head[AUDIT_HASH_BYTES];
};

/* Appends a note signed by key, whose public half is vkey (name = origin). */
int audit_checkpoint_make(const struct audit_checkpoint *cp,
			  const struct audit_key *key,
			  const struct audit_vkey *vkey, struct buf *out,
			  struct err *err);
/* Reads a note.  vkey: must have signed it (ERR_TRUST) and bear the origin's
 * name; NULL: nothing is checked but the form. */
int audit_checkpoint_open(const char *note, const struct audit_vkey *vkey,
			  struct audit_checkpoint *out, struct err *err);

#endif

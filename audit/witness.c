/*
 * witness.c - cosigning on hosts, counting cosignatures anywhere.  The note and
 * the proof come from a manager that may be hostile.
 */
#include "audit/witness.h"
#include "audit/checkpoint.h"
#include "audit/note.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TIME_BYTES 8
#define COSIG_BYTES (TIME_BYTES + AUDIT_SIG_BYTES)

/* C2SP tlog-cosignature: what is signed is this head and the note's text. */
static void put_message(struct buf *out, const char *text, size_t len,
			uint64_t unix_s)
{
	buf_printf(out, "cosignature/v1\ntime %" PRIu64 "\n", unix_s);
	buf_put(out, text, len);
}

static int check_history(const struct audit_witness_state *state,
			 const struct audit_checkpoint *cp,
			 const struct audit_proof *proof, struct err *err)
{
#ifndef GUARD_OFF_WITNESS_FORK
	int r;

	if (cp->size < state->size)
		return err_set(err, ERR_CONFLICT,
			       "witness: want a log of at least %" PRIu64
			       " entries, have %" PRIu64,
			       state->size, cp->size);
	r = audit_proof_check_consistency(proof, state->size, state->root,
					  cp->size, cp->root, err);
	if (r < 0)
		return err_set(err, r,
			       "witness: the log of %" PRIu64 " entries does "
			       "not extend the one of %" PRIu64
			       " that was cosigned: a fork",
			       cp->size, state->size);
#else
	(void)state;
	(void)cp;
	(void)proof;
	(void)err;
#endif
	return 0;
}

static int cosign(const char *note, const struct audit_key *key,
		  const struct audit_vkey *own, uint64_t unix_s,
		  struct buf *out, struct err *err)
{
	const char *gap = strstr(note, "\n\n"); /* it has been parsed */
	uint8_t body[COSIG_BYTES];
	struct buf message;
	int r;

	buf_init(&message, AUDIT_NOTE_MAX + 256);
	put_message(&message, note, (size_t)(gap - note) + 1, unix_s);
	r = buf_check(&message, err);
	if (r == 0)
		r = audit_key_sign(key, message.data, message.len,
				   body + TIME_BYTES, err);
	buf_release(&message);
	if (r < 0)
		return r;
	for (int i = 0; i < TIME_BYTES; i++) /* big endian */
		body[i] = (uint8_t)(unix_s >> (8 * (TIME_BYTES - 1 - i)));
	audit_note_put_sig(out, own, body, sizeof(body));
	return buf_check(out, err);
}

int audit_witness_sign(struct audit_witness_state *state, const char *note,
		       const struct audit_vkey *log,
		       const struct audit_proof *proof,
		       const struct audit_key *key, const char *name,
		       int64_t unix_s, struct buf *out, struct err *err)
{
	struct audit_checkpoint cp;
	struct audit_vkey own;
	int r;

	if (unix_s <= 0)
		return err_set(err, ERR_INPUT, "witness: bad time");
	r = audit_checkpoint_open(note, log, &cp, err);
	if (r == 0)
		r = check_history(state, &cp, proof, err);
	if (r == 0)
		r = audit_key_public(key, AUDIT_KEY_WITNESS, name, &own, err);
	if (r == 0)
		r = cosign(note, key, &own, (uint64_t)unix_s, out, err);
	if (r < 0)
		return r;
	state->size = cp.size;
	memcpy(state->root, cp.root, sizeof(state->root));
	return 0;
}

static bool cosigned(const struct audit_note *note,
		     const struct audit_vkey *witness)
{
	const struct audit_note_sig *sig = audit_note_find(note, witness);
	uint64_t unix_s = 0;
	struct buf message;
	bool ok;

	if (!sig || sig->body_len != COSIG_BYTES ||
	    witness->type != AUDIT_KEY_WITNESS)
		return false;
	for (int i = 0; i < TIME_BYTES; i++)
		unix_s = unix_s << 8 | sig->body[i];
	buf_init(&message, AUDIT_NOTE_MAX + 256);
	put_message(&message, note->text, note->text_len, unix_s);
	ok = !message.failed &&
	     audit_key_verify(witness, message.data, message.len,
			      sig->body + TIME_BYTES, NULL) == 0;
	buf_release(&message);
	return ok;
}

static bool seen_before(const struct audit_vkey *witnesses, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (memcmp(witnesses[k].pub, witnesses[i].pub,
			   AUDIT_KEY_BYTES) == 0)
			return true;
	return false;
}

int audit_witness_count(const char *note, const struct audit_vkey *log,
			const struct audit_vkey *witnesses, size_t n,
			size_t *out_count, struct err *err)
{
	struct audit_note *parsed = calloc(1, sizeof(*parsed));
	struct audit_checkpoint cp;
	size_t count = 0;
	int r;

	if (!parsed)
		return err_set(err, ERR_NOMEM, "out of memory");
	r = audit_checkpoint_open(note, log, &cp, err);
	if (r == 0)
		r = audit_note_parse(note, parsed, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!seen_before(witnesses, i) &&
		    cosigned(parsed, &witnesses[i]))
			count++;
	if (r == 0)
		*out_count = count;
	free(parsed);
	return r;
}

/*
 * note.h - C2SP signed notes: a text, an empty line, signature lines
 * "— name base64(key id, signature)".
 */
#ifndef AUDIT_NOTE_H
#define AUDIT_NOTE_H

#include "audit/key.h"
#include "lib/buf.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define AUDIT_NOTE_MAX ((size_t)64 * 1024)
#define AUDIT_NOTE_SIGS_MAX 128
#define AUDIT_NOTE_BODY_MAX 72 /* 8 bytes of time and an Ed25519 signature */

struct audit_note_sig {
	const char *name; /* borrowed from the note, not terminated */
	size_t name_len;
	uint8_t id[4];
	uint8_t body[AUDIT_NOTE_BODY_MAX];
	size_t body_len; /* 0: of a kind that we do not know, longer */
};

struct audit_note {
	const char *text; /* borrowed; its last newline included */
	size_t text_len;
	struct audit_note_sig sigs[AUDIT_NOTE_SIGS_MAX];
	size_t n_sigs;
};

/* note is borrowed by out.  ERR_INPUT. */
int audit_note_parse(const char *note, struct audit_note *out, struct err *err);
/* One signature line. */
void audit_note_put_sig(struct buf *out, const struct audit_vkey *vkey,
			const uint8_t *body, size_t len);
/* The first signature by vkey's name and id, NULL if none. */
const struct audit_note_sig *audit_note_find(const struct audit_note *note,
					     const struct audit_vkey *vkey);

#endif

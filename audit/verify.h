/*
 * verify.h - is the log what was written?  Reads a log folder, trusts nothing
 * in it, and names the first bad entry.
 */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, text) */
#define AUDIT_REASON_LIST(X)                                                   \
	X(GOOD, "good")                                                        \
	X(FORM, "not a record of this format")                                 \
	X(SEQ, "wrong sequence number: deleted, inserted or reordered")        \
	X(PREV, "does not follow the entry before it")                         \
	X(HASH, "content does not match its hash")                             \
	X(ORIGIN, "log begins with another origin")                            \
	X(TRUNCATED, "missing: the log is shorter than its checkpoint")        \
	X(ROOT, "differs from what the checkpoint signed")                     \
	X(SIGNATURE, "checkpoint is not signed by the log's key")              \
	X(NOCHECKPOINT, "there is no checkpoint to compare with")

#define AUDIT_REASON_ENUM(name, text) AUDIT_REASON_##name,
enum audit_reason { AUDIT_REASON_LIST(AUDIT_REASON_ENUM) AUDIT_REASON_COUNT };
#undef AUDIT_REASON_ENUM

struct audit_verdict {
	enum audit_reason reason;
	/* Number of the first bad entry = its line in the file, from 1; with
	 * ROOT the bad one is between bad_seq and bad_seq_last. */
	uint64_t bad_seq, bad_seq_last;
	uint64_t entries;    /* good ones from the start */
	uint64_t signed_to;  /* entries that good checkpoints cover */
	uint64_t recoveries; /* torn tails that the writer recorded */
	size_t torn_bytes;   /* at the end now: a crash, kept at next open */
	uint8_t head[32];    /* hash of the last good entry */
	uint8_t root[32];    /* Merkle root over the good entries */
	char text[512];	     /* the verdict as a sentence */
};

/* vkey: text of the log's public key, NULL: chain only.  checkpoint: a signed
 * note kept elsewhere (a host that cosigned it); NULL: the folder's own file;
 * with a vkey one of the two must exist.  0 if good; ERR_AUDIT if not (verdict
 * and message say which entry); other codes if it could not be read, out
 * untouched then. */
int audit_verify_log(int dirfd, const char *vkey, const char *checkpoint,
		     struct audit_verdict *out, struct err *err);
/* "TRUNCATED" and the text behind it; borrowed. */
const char *audit_verify_reason(enum audit_reason reason);
const char *audit_verify_reason_text(enum audit_reason reason);

#endif

/*
 * log.h - the writer's view of a log folder: opening (with recovery of a torn
 * tail), appending batches, signing checkpoints.  One process at a time.
 */
#ifndef AUDIT_LOG_H
#define AUDIT_LOG_H

#include "audit/event.h"
#include "audit/key.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/hash.h"

#include <stddef.h>
#include <stdint.h>

struct audit_log;

struct audit_log_state {
	uint64_t last_seq;
	uint8_t head[HASH_BYTES];
	uint64_t recovered_bytes; /* torn tail recorded by open */
};

/* dirfd and key are borrowed until audit_log_close().  A new log gets its first
 * entry "log.open" with the origin.  ERR_AUDIT: the log is not what it was
 * (names the entry), or is held by another writer. */
int audit_log_open(int dirfd, const char *origin, const struct audit_key *key,
		   int64_t now_ms, struct audit_log **out, struct err *err);
void audit_log_close(struct audit_log *log); /* NULL allowed; signs nothing */
/* All or nothing, durable when it returns 0.  ERR_INPUT: an event is bad,
 * nothing was written.  ERR_AUDIT: nothing is to be relied on; after a failed
 * fsync every further call fails too. */
int audit_log_append(struct audit_log *log, const struct audit_event *events,
		     size_t n, int64_t now_ms, uint64_t *out_first_seq,
		     struct err *err);
struct audit_log_state audit_log_state(const struct audit_log *log);
/* Signs the log as it is, writes it to the folder, appends the note to out. */
int audit_log_checkpoint(struct audit_log *log, struct buf *out,
			 struct err *err);
/* Entries since the last checkpoint. */
uint64_t audit_log_unsigned(const struct audit_log *log);

#endif

/*
 * record.h - one entry as one line: docs/audit-format.md section 2.
 */
#ifndef AUDIT_RECORD_H
#define AUDIT_RECORD_H

#include "audit/event.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest line, newline not counted. */
#define AUDIT_RECORD_MAX ((size_t)512 * 1024)

struct audit_record_scan { /* the members that link entries */
	uint64_t seq;
	uint8_t prev[HASH_BYTES];
	uint8_t hash[HASH_BYTES]; /* as the line claims */
	int64_t time_ms;
};

/* The limits of event.h; ERR_INPUT.  Types "log.*" are for the writer alone. */
int audit_record_check(const struct audit_event *event, bool own,
		       struct err *err);
/* Appends the line with its newline; head: hash of the entry before, then of
 * this one.  event has been checked. */
void audit_record_write(struct buf *out, struct hash *h,
			const struct audit_event *event, uint64_t seq,
			int64_t time_ms, uint8_t head[HASH_BYTES]);
/* line without newline; false if it is not of the form. */
bool audit_record_scan(const char *line, size_t len,
		       struct audit_record_scan *out);
/* What the line's hash member must be; scan() has accepted the line. */
void audit_record_hash(struct hash *h, const char *line, size_t len,
		       uint8_t out[HASH_BYTES]);
/* "intent"; borrowed. */
const char *audit_record_phase(enum audit_phase phase);

#endif

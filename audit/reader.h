/* reader.h - the lines of a log file, in a fixed buffer. */
#ifndef AUDIT_READER_H
#define AUDIT_READER_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define AUDIT_FILE_LOG "log"
#define AUDIT_FILE_CHECKPOINT "checkpoint"
#define AUDIT_FILE_HISTORY "checkpoints"
#define AUDIT_FILE_EDGE "edge"
#define AUDIT_FILE_TORN "torn"
#define AUDIT_FILE_LOCK "lock"
#define AUDIT_FILE_WITNESS "witness." /* and a digest of the log's key */

struct audit_reader {
	int fd; /* borrowed */
	char *data;
	size_t start, end; /* unread bytes in data */
	uint64_t offset;   /* in the file, of data[start] */
	size_t torn;	   /* after the end: bytes behind the last newline */
};

/* Reads from offset on. */
int audit_reader_init(struct audit_reader *r, int fd, uint64_t offset,
		      struct err *err);
void audit_reader_release(struct audit_reader *r);
/* 1 and the next line (without newline, borrowed until the next call), 0 at the
 * end.  A line that is longer than any record is given in pieces, which no
 * check accepts. */
int audit_reader_next(struct audit_reader *r, const char **out_line,
		      size_t *out_len, struct err *err);

#endif

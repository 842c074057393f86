/*
 * log_open.h - internal to the writer: how far the log on disk can be trusted
 * when it is opened.
 */
#ifndef AUDIT_LOG_OPEN_H
#define AUDIT_LOG_OPEN_H

#include "audit/checkpoint.h"
#include "audit/merkle.h"

#include <stddef.h>
#include <stdint.h>

struct audit_log_place { /* where the next entry goes */
	uint64_t end;	 /* offset behind the last whole line */
	uint64_t signed_size;
	struct audit_merkle tree;
	uint8_t head[AUDIT_HASH_BYTES];
	size_t torn; /* bytes behind end */
};

/* Reads the folder's checkpoint and the entries behind it (all of them where
 * the edge file is missing or of another checkpoint). */
int audit_log_open_place(int dirfd, int fd, const char *origin,
			 const struct audit_vkey *vkey, struct hash *h,
			 struct audit_log_place *out, struct err *err);
/* Text of the edge file: where the checkpoint that is being written ends. */
void audit_log_open_edge(const struct audit_log_place *place, struct buf *out);

#endif

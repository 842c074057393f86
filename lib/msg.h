/*
 * msg.h - frames between sibling programs over a stream socketpair.
 *
 * Frame: u32 length of payload (little endian), u16 type, u16 number of file
 * descriptors (0..MSG_FDS_MAX), payload.  Descriptors ride as SCM_RIGHTS on the
 * first byte.  Payloads are packed protobuf messages.  A peer that breaks
 * framing is stopped: msg_recv() returns ERR_PROTO and the caller ends it.
 */
#ifndef LIB_MSG_H
#define LIB_MSG_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define MSG_FDS_MAX 8
#define MSG_HEADER_BYTES 8
#define MSG_PAYLOAD_MAX (64u << 20)
#define MSG_STALL_MS 10000

struct msg {
	uint16_t type;
	struct buf payload;   /* caller: buf_init(&m.payload, max) first */
	int fds[MSG_FDS_MAX]; /* owned by the receiver; -1 when unused */
	size_t n_fds;
};

/* Blocking send of one whole frame.  fds stay the caller's. */
int msg_send(int sock, uint16_t type, const void *payload, size_t len,
	     const int *fds, size_t n_fds, struct err *err);
/* Blocking receive.  ERR_NOTFOUND when the peer closed between two frames,
 * ERR_PROTO on a bad header or a frame over payload.max, ERR_AGAIN after
 * timeout_ms (-1: none) without the first byte of a frame.  A frame that has
 * begun must come without a pause of MSG_STALL_MS (no limit if timeout_ms is
 * -1): ERR_PROTO.  m's old payload and descriptors are released first. */
int msg_recv(int sock, struct msg *m, int timeout_ms, struct err *err);
void msg_init(struct msg *m, size_t max);
void msg_release(struct msg *m); /* closes leftover fds */

#endif

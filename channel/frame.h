/*
 * frame.h - the frames between a host and the manager: which type, in which
 * direction, in which state of the session, of how many bytes and how often a
 * second.  One const table; whatever is not in it ends the session.
 *
 * Frame: u32 length of the payload, u16 type, u16 zero (little endian), then a
 * packed message of agent.proto: the header of lib/msg.h without descriptors.
 *
 *            JOINING --JoinRequest--> ASKED          (host without certificate)
 *            FRESH   --Hello-------> OPEN --Hello--> OPEN   (with certificate)
 *
 * Runs in reconcile-channel and reconcile-link; the bytes are hostile.  Pure:
 * time comes in.  docs/channel-protocol.md, "Frames".
 */
#ifndef CHANNEL_FRAME_H
#define CHANNEL_FRAME_H

#include "channel/shape.h"
#include "lib/buf.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER_BYTES 8
#define FRAME_TEXT_MAX 4096	       /* a message for people */
#define FRAME_REASON_MAX 256	       /* a word or a short reason */
#define FRAME_REPORT_MAX (2u << 20)    /* packed Report */
#define FRAME_ASSIGN_MAX (4u << 20)    /* packed Assignment */
#define FRAME_PACK_DATA_MAX (1u << 20) /* Pack.data */
#define FRAME_PODS_MAX 4096
#define FRAME_TYPES 20

enum frame_from { FRAME_FROM_HOST = 1, FRAME_FROM_MANAGER };

enum frame_state {
	FRAME_JOINING = 1, /* no certificate; its one request is awaited */
	FRAME_ASKED = 2,   /* no certificate; the answer is awaited */
	FRAME_FRESH = 4,   /* certificate; Hello is awaited */
	FRAME_OPEN = 8,	   /* Hello was seen */
};

/* What is kept of a frame for a manager program that attaches later. */
enum frame_keep { FRAME_KEEP_NONE, FRAME_KEEP_LAST, FRAME_KEEP_QUEUE };

struct frame_type {
	uint16_t type; /* enum MsgType of agent.proto */
	uint16_t per_second;
	const char *name;
	enum frame_from from;
	unsigned int states; /* of the session, FRAME_* or-ed */
	uint32_t max_bytes;
	enum frame_keep keep;
	const struct shape *shape;
};

/* Row of the table, NULL for other types.  Static. */
const struct frame_type *frame_find(uint16_t type);
/* i-th row, NULL behind the last. */
const struct frame_type *frame_row(size_t i);

/* One direction of one session. */
struct frame_gate {
	enum frame_from from;
	enum frame_state state;
	int64_t window_ms;
	uint16_t count[FRAME_TYPES]; /* by row, in this window */
	uint64_t session;	     /* of Hello */
	uint64_t sequence;	     /* of the last Report */
};

void frame_gate_init(struct frame_gate *gate, enum frame_from from,
		     enum frame_state state);
/* Decides by the header alone, before one byte of the payload is stored.
 * ERR_PROTO: unknown type, wrong direction or state, last field not zero.
 * ERR_LIMIT: too long, too many this second.  now_ms is monotonic. */
int frame_gate_header(struct frame_gate *gate,
		      const uint8_t header[FRAME_HEADER_BYTES], int64_t now_ms,
		      const struct frame_type **out_type, uint32_t *out_len,
		      struct err *err);
/* Checks the payload, moves the state and appends the payload packed anew to
 * out.  ERR_PROTO (also a Report that replays), ERR_LIMIT, ERR_NOMEM. */
int frame_gate_payload(struct frame_gate *gate, const struct frame_type *type,
		       const void *bytes, size_t len, struct buf *out,
		       struct err *err);
void frame_header(uint8_t out[FRAME_HEADER_BYTES], uint16_t type, uint32_t len);
/* The fields of a header as they are; unchecked. */
void frame_split(const uint8_t header[FRAME_HEADER_BYTES], uint32_t *out_len,
		 uint16_t *out_type, uint16_t *out_last);
/* Shape of a join token's inside. */
const struct shape *frame_token_shape(void);

#endif

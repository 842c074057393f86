/*
 * keep.h - what is remembered of one host for a core that attaches later: the
 * last Hello and Report always, other frames only while nobody took them.
 * Every byte is counted against a bound of the whole server, so that hosts
 * together cannot grow it (guarantee R14).
 */
#ifndef CHANNEL_SERVER_KEEP_H
#define CHANNEL_SERVER_KEEP_H

#include "channel/frame.h"
#include "channel/server/server.h"

struct keep_item {
	struct keep_item *next;
	size_t len;
	uint16_t type;
	uint8_t bytes[];
};

struct keep {
	struct keep_item *last[FRAME_TYPES]; /* by row of the table */
	struct keep_item *queue;	     /* oldest first */
	struct keep_item **queue_end;
};

void keep_init(struct keep *k);
void keep_release(struct server *srv, struct keep *k);
/* Remembers a frame as its row says.  taken: a core has had it.  ERR_LIMIT when
 * the reports of all hosts are over their bound. */
int keep_put(struct server *srv, struct keep *k, const struct frame_type *type,
	     const void *bytes, size_t len, bool taken, struct err *err);
/* Calls fn for each frame, Hello first, then forgets all that is not to be
 * replayed again. */
void keep_replay(struct server *srv, struct keep *k,
		 void (*fn)(void *ctx, const struct keep_item *item),
		 void *ctx);

#endif

/*
 * report.h - what one connection is (struct peer), and how the core and the log
 * are told of it.  Text of a host is escaped here before it is shown.
 */
#ifndef CHANNEL_SERVER_REPORT_H
#define CHANNEL_SERVER_REPORT_H

#include "channel/address.h"
#include "channel/server/keep.h"
#include "channel/server/server.h"
#include "channel/stream.h"

enum phase { PHASE_HANDSHAKE, PHASE_JOIN, PHASE_HOST };

struct peer {
	struct server *srv;
	struct peer *next, **prev; /* all connections */
	struct peer *hash_next;	   /* of a live host */
	struct stream *stream;
	struct tls_peer tls;
	enum phase phase;
	struct frame_gate gate;
	const struct frame_type *type; /* of the frame being read */
	struct event *timer;
	char address[ADDRESS_TEXT_MAX];
	char renewed[IDENTITY_SERIAL_MAX]; /* serial issued in this session */
	int64_t not_after;
	uint64_t join_id;   /* 0: no request yet */
	struct buf request; /* of a join, kept until it is answered */
	struct keep keep;
	bool due; /* not yet told to the core that is attached */
	uint64_t sent, told_sent; /* bytes of payload, see HostRoom */
};

/* A connection that was not let in: logged and told, 100 a minute, the rest
 * counted. */
void report_denied(struct peer *p, const char *reason);
void report_up(struct peer *p);
/* ctx: struct peer; for keep_replay(). */
void report_frame(void *ctx, const struct keep_item *item);
void report_join(struct peer *p);
/* How much the host has taken, once a MiB, when nothing waits. */
void report_room(struct peer *p);
/* by: the session that takes over, else NULL. */
void report_down(struct peer *p, const char *code, const char *reason,
		 const struct peer *by);

#endif

/*
 * client.h - the manager program's end of channel.sock: attach to
 * reconcile-channel, learn of hosts, send them frames.
 *
 * Runs in `reconcile` (manager).  The channel is a sibling of the same user;
 * payloads of hosts in its events were unpacked, checked against frame.h and
 * packed again by it, so they unpack, but what they claim is the host's word.
 *
 * Sequence: open; recv until READY (every host that is connected is told with
 * HOST_UP and its last Hello and Report, every pending join with JOIN_ASKED);
 * then events as they come.  Blocking; channel_client_fd() may be polled, and
 * then recv with timeout 0 until ERR_AGAIN.
 *
 * Bulk: a host that has more than 8 MiB waiting in the channel is cut with code
 * SLOW.  The client sees to it that this is only a host that does not read: it
 * sends at most CHANNEL_CLIENT_AHEAD_MAX beyond what the host has taken and
 * keeps the rest until recv gets the channel's HOST_ROOM.  So whoever sends
 * must receive, too.
 */
#ifndef CHANNEL_CLIENT_H
#define CHANNEL_CLIENT_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANNEL_CLIENT_AHEAD_MAX (4u << 20)
#define CHANNEL_CLIENT_KEPT_MAX (64u << 20) /* bytes kept for one host */

struct channel_client;

enum channel_event_kind {
	CHANNEL_EVENT_HOST_UP = 1, /* host serial address not_after */
	CHANNEL_EVENT_HOST_DOWN,   /* host code reason address by_address
				      same_certificate */
	CHANNEL_EVENT_HOST_FRAME,  /* host type payload len */
	CHANNEL_EVENT_JOIN_ASKED,  /* id address; payload: packed JoinRequest */
	CHANNEL_EVENT_READY,
	CHANNEL_EVENT_HOST_ROOM, /* host sent */
	CHANNEL_EVENT_DENIED,	 /* address reason more */
	CHANNEL_EVENT_RELOADED,	 /* ok reason */
};

/* Fields that a kind does not have are "" or 0.  Pointers are borrowed from
 * the event until channel_client_event_release(). */
struct channel_event {
	enum channel_event_kind kind;
	const char *host, *serial, *address, *by_address, *code, *reason;
	int64_t not_after; /* unix seconds */
	uint64_t id, sent;
	uint32_t more; /* connections denied and not told one by one */
	uint16_t type; /* enum MsgType of agent.proto */
	bool ok, same_certificate;
	const uint8_t *payload;
	size_t len;
	void *owner;
};

/* Connects to path, for at most timeout_ms while nobody listens there, and
 * attaches.  *out owned: channel_client_close().  ERR_AGAIN: no channel there;
 * ERR_CONFLICT: another core is attached. */
int channel_client_open(const char *path, int timeout_ms,
			struct channel_client **out, struct err *err);
void channel_client_close(struct channel_client *c); /* NULL allowed */
int channel_client_fd(const struct channel_client *c);
/* Whether an event can be had without reading the descriptor. */
bool channel_client_pending(const struct channel_client *c);
/* Next event.  timeout_ms -1: none.  ERR_AGAIN after it; ERR_NOTFOUND when the
 * channel has gone; ERR_PROTO. */
int channel_client_recv(struct channel_client *c, int timeout_ms,
			struct channel_event *out, struct err *err);
void channel_client_event_release(struct channel_event *event);

/* A packed message of agent.proto for a host; nothing when it is not connected,
 * as far as the events received until now say.  ERR_LIMIT: more than
 * CHANNEL_CLIENT_KEPT_MAX would be kept for it. */
int channel_client_send_host(struct channel_client *c, const char *host,
			     uint16_t type, const void *payload, size_t len,
			     struct err *err);
/* Ends a host's session at once; reason for its HOST_DOWN, code CUT. */
int channel_client_cut(struct channel_client *c, const char *host,
		       const char *reason, struct err *err);
/* reply: packed JoinReply; with `pending` set another may follow. */
int channel_client_join_answer(struct channel_client *c, uint64_t id,
			       const void *reply, size_t len, struct err *err);
/* The channel reads crl.pem and its certificate again and ends revoked
 * sessions; answered by RELOADED. */
int channel_client_reload(struct channel_client *c, struct err *err);

#endif

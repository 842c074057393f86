/*
 * peer.h - one TLS connection of a host, or of a machine that asks to join.
 *
 *   HANDSHAKE --certificate--> HOST (FRESH --Hello--> OPEN)
 *       \------no certificate, ALPN reconcile-join/1--> JOIN (one request)
 *
 * Invariants: (1) a host's name comes from its certificate and nowhere else;
 * (2) at most one HOST session a name: a second one ends the first, and both
 * are reported; (3) every session that was reported up is reported down once.
 */
#ifndef CHANNEL_SERVER_PEER_H
#define CHANNEL_SERVER_PEER_H

#include "channel/server/server.h"
#include "lib/err.h"

struct peer;

/* Accepts what the listening socket has. */
void peer_accept(struct server *srv, int listener);
/* Live session of a host, NULL if none. */
struct peer *peer_find(struct server *srv, const char *host);
/* Sends a frame of agent.proto.  ERR_INPUT: not a frame for a host.  A host
 * that does not keep up is cut, which is not an error. */
int peer_send(struct peer *p, uint32_t type, const void *bytes, size_t len,
	      struct err *err);
/* Answers a pending join; nothing when it is gone. */
int peer_join_answer(struct server *srv, uint64_t id, const void *bytes,
		     size_t len, struct err *err);
/* Ends the session and reports it.  code: see HostDown. */
void peer_end(struct peer *p, const char *code, const char *reason);
void peer_end_all(struct server *srv, const char *code, const char *reason);
/* Ends those whose certificate has ended or is revoked, and handshakes under
 * way when all_handshakes. */
void peer_sweep(struct server *srv, bool all_handshakes);
void peer_pause_all(struct server *srv, bool pause);
/* A core has attached: everything is to be told again. */
void peer_replay_start(struct server *srv);
/* Tells the next hosts until the core's queue is full; true when all are told.
 */
bool peer_replay_next(struct server *srv);

#endif

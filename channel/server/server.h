/*
 * server.h - the state of reconcile-channel: one struct, made in main.c.
 *
 * Runs with the server's TLS key, no capability and no right to open anything
 * but its folder of certificates.  Hosts' bytes are hostile; the core is the
 * same user's and trusted to say what it likes to whom.
 */
#ifndef CHANNEL_SERVER_SERVER_H
#define CHANNEL_SERVER_SERVER_H

#include "channel/server/rate.h"
#include "channel/tls.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_BUCKETS 1024
#define SERVER_PEERS_MAX 4096
#define SERVER_STRANGERS_MAX 256 /* in a handshake, or joining */
#define SERVER_JOINS_MAX 64
#define SERVER_KEPT_MAX (256u << 20)  /* last reports of all hosts, bytes */
#define SERVER_WAITING_MAX (8u << 20) /* frames that wait for a core, bytes */
#define SERVER_HOST_QUEUE_MAX (8u << 20)
#define SERVER_CORE_HIGH (4u << 20) /* above it hosts are not read */
#define SERVER_CORE_LOW (1u << 20)
#define SERVER_CORE_QUEUE_MAX (64u << 20)
#define SERVER_HANDSHAKE_S 5
#define SERVER_HELLO_S 10
#define SERVER_JOIN_S 900
#define SERVER_SWEEP_S 5

struct peer;
struct core;

struct server {
	struct event_base *base;
	struct tls *tls; /* NULL: the last reload failed, nobody is let in */
	int pki_dir;
	struct peer *peers;		    /* all connections, a list */
	struct peer *hosts[SERVER_BUCKETS]; /* live sessions by host name */
	size_t n_peers, n_strangers, n_joins;
	uint64_t last_join_id;
	size_t kept, waiting; /* bytes, see keep.h */
	struct core *core;    /* attached, NULL: none */
	struct core *callers; /* not attached yet */
	size_t n_callers;
	bool core_full; /* hosts are paused */
	bool replaying;
	struct rate *rate;
	int64_t denied_since_ms;
	uint32_t denied;
	int64_t crl_alarm; /* unix seconds of the last one */
};

#endif

/*
 * net.h - frames between reconcile-agent and reconcile-net (descriptor 3,
 * lib/msg.h framing, type = enum net_op, payload = the fixed structs below).
 *
 * Both ends are of one build on one machine, so structs travel as they are;
 * the receiver checks the length exactly and every field.  All addresses and
 * ports are in host byte order.  There is no text but interface names and the
 * table's name, which have a grammar of [a-z0-9_-] (threat K17).
 *
 * Every request is answered by one NET_REPLY with its id, in order; requests
 * may be sent ahead.
 */
#ifndef AGENT_NET_NET_H
#define AGENT_NET_NET_H

#include <stdint.h>

#define NET_NAME_BYTES 16 /* IFNAMSIZ */
#define NET_TABLE_BYTES 64
#define NET_TEXT_BYTES 256
#define NET_BACKENDS_MAX 4096 /* in one frame of NET_SERVICES */
#define NET_ROUTES_MAX 1024

enum net_op {
	NET_NONE = 0,
	NET_SETUP,    /* struct net_setup: bridge, forwarding, table */
	NET_ATTACH,   /* struct net_attach, fd: network namespace */
	NET_DETACH,   /* struct net_detach */
	NET_SOCKET,   /* struct net_socket, fd: namespace; reply has an fd */
	NET_SERVICES, /* struct net_services and its array: all of them */
	NET_ROUTES,   /* struct net_routes and its array: all of them */
	NET_TEARDOWN, /* struct net_plain: what NET_SETUP made, and ports */
	NET_REPLY = 100,
};

struct net_setup {
	uint32_t id;
	uint32_t gateway;      /* the bridge's address */
	uint32_t cidr;	       /* network address of the pods */
	uint32_t prefix;       /* 8..30 */
	uint32_t service_cidr; /* 0: no services */
	uint32_t service_prefix;
	char bridge[NET_NAME_BYTES];
	char table[NET_TABLE_BYTES]; /* nft table `inet NAME` */
};

struct net_attach {
	uint32_t id;
	uint32_t ip;
	char host_if[NET_NAME_BYTES]; /* the end on the bridge */
};

struct net_detach {
	uint32_t id;
	uint32_t reserved;
	char host_if[NET_NAME_BYTES];
};

enum { NET_TCP = 6, NET_UDP = 17 };

struct net_socket {
	uint32_t id;
	uint32_t protocol; /* NET_TCP */
};

struct net_backend {
	uint32_t vip; /* service address */
	uint16_t port;
	uint16_t protocol;
	uint32_t ip; /* a ready pod; 0: the service has none */
	uint16_t target_port;
	uint16_t reserved;
};

/* Sorted by vip, protocol, port. */
struct net_services {
	uint32_t id;
	uint32_t n;
	struct net_backend items[];
};

struct net_route {
	uint32_t cidr, prefix, via;
};

struct net_routes {
	uint32_t id;
	uint32_t n;
	struct net_route items[];
};

struct net_plain {
	uint32_t id;
	uint32_t reserved;
};

struct net_reply {
	uint32_t id;
	int32_t code; /* 0 or ERR_* */
	int32_t sys_errno;
	uint32_t took_us;
	char text[NET_TEXT_BYTES];
};

#endif

/*
 * link.h - bridge, pod ends, addresses and routes of one host.
 */
#ifndef AGENT_NET_LINK_H
#define AGENT_NET_LINK_H

#include "agent/net/net.h"
#include "agent/net/netlink.h"
#include "lib/err.h"

struct link_host {
	struct netlink nl;	/* of the host's namespace */
	int self_ns;		/* the host's namespace, to come back to */
	struct net_setup setup; /* zero before NET_SETUP */
	unsigned int bridge;	/* index */
};

int link_init(struct link_host *h, struct err *err);
void link_release(struct link_host *h);
/* Makes (or takes over) the bridge, its address and the forwarding switches. */
int link_setup(struct link_host *h, const struct net_setup *s, struct err *err);
/* veth between bridge and `eth0` of the namespace, address, default route. */
int link_attach(struct link_host *h, const struct net_attach *a, int ns,
		struct err *err);
/* Absent is done. */
int link_detach(struct link_host *h, const char *host_if, struct err *err);
/* A non-blocking TCP socket made in the namespace; *out_fd owned. */
int link_socket(struct link_host *h, int ns, int *out_fd, struct err *err);
/* The routes via other hosts: exactly these. */
int link_routes(struct link_host *h, const struct net_route *routes, uint32_t n,
		struct err *err);
/* Bridge and every port of it. */
int link_teardown(struct link_host *h, struct err *err);

#endif

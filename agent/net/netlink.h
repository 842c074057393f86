/*
 * netlink.h - batches of rtnetlink requests by libmnl.
 *
 * A batch is one send; each request is acknowledged; the first refusal is the
 * result.  Kernel answers are read by libmnl's checked iterators.
 */
#ifndef AGENT_NET_NETLINK_H
#define AGENT_NET_NETLINK_H

#include "lib/err.h"

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_BATCH_BYTES 8192

struct netlink {
	struct mnl_socket *sock; /* owned */
	uint32_t seq;
};

/* A socket of the namespace the caller is in now. */
int netlink_open(struct netlink *nl, struct err *err);
void netlink_close(struct netlink *nl);

struct netlink_batch {
	union {
		struct nlmsghdr align;
		char bytes[NETLINK_BATCH_BYTES];
	} mem;
	size_t used;
	uint32_t first, next; /* sequence numbers */
	const char *what[16]; /* of each request, literals */
	int ignore[16];	      /* an errno that is as good as done */
};

void netlink_batch_init(struct netlink_batch *b, struct netlink *nl);
/* Begins a request; the caller adds its body, then the next one. */
struct nlmsghdr *netlink_batch_add(struct netlink_batch *b, uint16_t type,
				   uint16_t flags, const char *what,
				   int ignore_errno);
/* After the body of a request is written. */
void netlink_batch_end(struct netlink_batch *b, const struct nlmsghdr *h);
int netlink_batch_run(struct netlink *nl, struct netlink_batch *b,
		      struct err *err);
/* Calls cb for every message of a dump. */
int netlink_dump(struct netlink *nl, uint16_t type, uint8_t family, mnl_cb_t cb,
		 void *ctx, struct err *err);
/* Index of an interface in the socket's namespace, 0 (errno) if none. */
unsigned int netlink_index(struct netlink *nl, const char *name);

#endif

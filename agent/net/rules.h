/*
 * rules.h - the nftables text of one host: pure, numbers in, text out.
 *
 * Everything in the text is a constant, a number, an address or the table's
 * name, which must match [a-z0-9_]+ (threat K17).  Each text is one
 * transaction of `nft -f -`.
 */
#ifndef AGENT_NET_RULES_H
#define AGENT_NET_RULES_H

#include "agent/net/net.h"
#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>

/* Interface and table names: [a-z0-9_-], not empty, NUL within size. */
bool rules_name_ok(const char *name, size_t size);
/* The table, its chains and masquerading, without services. */
void rules_setup(const struct net_setup *s, struct buf *out);
/* Replaces all of the service rules.  ERR_INPUT unless the backends are
 * sorted by vip, protocol, port and each has ports and a protocol. */
int rules_services(const struct net_setup *s, const struct net_backend *b,
		   uint32_t n, struct buf *out, struct err *err);
void rules_teardown(const struct net_setup *s, struct buf *out);

#endif

/*
 * rules.c - see rules.h.
 *
 * Shape: one verdict map `services` from (address, protocol, port) to a chain
 * of the service; that chain is one rule, dnat by a random index into an
 * anonymous map of its ready pods.  A packet costs one look-up however many
 * services there are.  A service without a ready pod rejects.
 */
#include "agent/net/rules.h"

#include <string.h>

bool rules_name_ok(const char *name, size_t size)
{
	size_t n = strnlen(name, size);

	if (n == 0 || n == size)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') ||
		      (name[i] >= '0' && name[i] <= '9') || name[i] == '_' ||
		      name[i] == '-'))
			return false;
	return true;
}

static void put_ip(struct buf *out, uint32_t ip)
{
	buf_printf(out, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
		   ip & 255);
}

static void put_cidr(struct buf *out, uint32_t ip, uint32_t prefix)
{
	put_ip(out, ip);
	buf_printf(out, "/%u", prefix);
}

/* add, delete: gone afterwards whether it was there or not. */
static void put_fresh(const struct net_setup *s, struct buf *out)
{
	buf_printf(out, "add table inet %s\ndelete table inet %s\n", s->table,
		   s->table);
}

void rules_setup(const struct net_setup *s, struct buf *out)
{
	put_fresh(s, out);
	buf_printf(out, "table inet %s {\n", s->table);
	buf_puts(out, "\tmap services {\n"
		      "\t\ttype ipv4_addr . inet_proto . inet_service : "
		      "verdict\n\t}\n"
		      "\tset hairpin {\n\t\ttype ipv4_addr . ipv4_addr\n\t}\n"
		      "\tchain to_service {\n\t\tip daddr . meta l4proto . "
		      "th dport vmap @services\n\t}\n"
		      "\tchain prerouting {\n\t\ttype nat hook prerouting "
		      "priority dstnat; policy accept;\n");
	if (s->service_cidr != 0) {
		buf_puts(out, "\t\tip daddr ");
		put_cidr(out, s->service_cidr, s->service_prefix);
		buf_puts(out, " jump to_service\n");
	}
	buf_puts(out, "\t}\n\tchain output {\n\t\ttype nat hook output "
		      "priority -100; policy accept;\n");
	if (s->service_cidr != 0) {
		buf_puts(out, "\t\tip daddr ");
		put_cidr(out, s->service_cidr, s->service_prefix);
		buf_puts(out, " jump to_service\n");
	}
	buf_puts(out, "\t}\n\tchain postrouting {\n\t\ttype nat hook "
		      "postrouting priority srcnat; policy accept;\n");
	/* A pod that reaches itself through its service needs another source.
	 */
	buf_puts(out, "\t\tip saddr . ip daddr @hairpin masquerade\n");
	buf_puts(out, "\t\tip saddr ");
	put_cidr(out, s->cidr, s->prefix);
	buf_printf(out, " oifname != \"%s\" masquerade\n\t}\n", s->bridge);
	/* What is still for a service address after the look-up has no pod. */
	buf_puts(out, "\tchain forward {\n\t\ttype filter hook forward "
		      "priority filter; policy accept;\n");
	if (s->service_cidr != 0) {
		buf_puts(out, "\t\tip daddr ");
		put_cidr(out, s->service_cidr, s->service_prefix);
		buf_puts(out, " reject with icmp port-unreachable\n");
	}
	buf_puts(out, "\t}\n}\n");
}

static bool same_service(const struct net_backend *a,
			 const struct net_backend *b)
{
	return a->vip == b->vip && a->protocol == b->protocol &&
	       a->port == b->port;
}

static int64_t order(const struct net_backend *a, const struct net_backend *b)
{
	if (a->vip != b->vip)
		return a->vip < b->vip ? -1 : 1;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	return (int64_t)a->port - b->port;
}

static int check(const struct net_backend *b, uint32_t n, struct err *err)
{
	for (uint32_t i = 0; i < n; i++) {
		if (b[i].vip == 0 || b[i].port == 0 ||
		    (b[i].ip != 0 && b[i].target_port == 0) ||
		    (b[i].protocol != NET_TCP && b[i].protocol != NET_UDP))
			return err_set(err, ERR_INPUT,
				       "service %u: want address, port and "
				       "protocol",
				       i);
		if (i > 0 && order(&b[i - 1], &b[i]) > 0)
			return err_set(err, ERR_INPUT,
				       "service %u: want sorted backends", i);
	}
	return 0;
}

static const char *proto_name(uint16_t protocol)
{
	return protocol == NET_TCP ? "tcp" : "udp";
}

/* The chain's name is the key in hex: unique, bounded, no text from outside. */
static void put_chain(struct buf *out, const struct net_backend *b)
{
	buf_printf(out, "s%08x_%u_%u", b->vip, b->protocol, b->port);
}

static void put_service(const struct net_setup *s, const struct net_backend *b,
			uint32_t n, struct buf *out)
{
	uint32_t pods = 0;

	for (uint32_t i = 0; i < n; i++)
		pods += b[i].ip != 0 ? 1 : 0;
	if (pods == 0)
		return;
	buf_printf(out, "add chain inet %s ", s->table);
	put_chain(out, b);
	buf_printf(out, "\nadd rule inet %s ", s->table);
	put_chain(out, b);
	buf_printf(out,
		   " meta l4proto %s dnat ip to numgen random mod %u map { ",
		   proto_name(b->protocol), pods);
	pods = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (b[i].ip == 0)
			continue;
		buf_printf(out, "%s%u : ", pods > 0 ? ", " : "", pods);
		put_ip(out, b[i].ip);
		buf_printf(out, " . %u", b[i].target_port);
		pods++;
	}
	buf_printf(out, " }\nadd element inet %s services { ", s->table);
	put_ip(out, b->vip);
	buf_printf(out, " . %s . %u : goto ", proto_name(b->protocol), b->port);
	put_chain(out, b);
	buf_puts(out, " }\n");
}

/* (pod, pod) once for each pod behind a service. */
static void put_hairpin(const struct net_setup *s, const struct net_backend *b,
			uint32_t n, struct buf *out)
{
	for (uint32_t i = 0; i < n; i++) {
		if (b[i].ip == 0)
			continue;
		buf_printf(out, "add element inet %s hairpin { ", s->table);
		put_ip(out, b[i].ip);
		buf_puts(out, " . ");
		put_ip(out, b[i].ip);
		buf_puts(out, " }\n");
	}
}

int rules_services(const struct net_setup *s, const struct net_backend *b,
		   uint32_t n, struct buf *out, struct err *err)
{
	int r = check(b, n, err);

	if (r < 0)
		return r;
	/* The whole table anew in one transaction: packets see the old rules or
	 * the new ones, and connections already translated are not touched. */
	rules_setup(s, out);
	for (uint32_t i = 0; i < n;) {
		uint32_t j = i + 1;

		while (j < n && same_service(&b[i], &b[j]))
			j++;
		put_service(s, b + i, j - i, out);
		i = j;
	}
	put_hairpin(s, b, n, out);
	return buf_check(out, err);
}

void rules_teardown(const struct net_setup *s, struct buf *out)
{
	put_fresh(s, out);
}

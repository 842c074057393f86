/*
 * link.c - see link.h.  Runs in reconcile-net: CAP_NET_ADMIN, and
 * CAP_SYS_ADMIN for setns() into a pod's network namespace and back.
 *
 * Invariant: every function returns in the host's namespace; when coming back
 * fails the process ends, because all that it would do next would be done in
 * the wrong place.
 */
#include "agent/net/link.h"
#include "lib/sys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define POD_IF "eth0"
/* RTPROT of the routes that we own, so that we remove only ours. */
#define ROUTE_PROTOCOL 0x72
#define MAC_BYTES 6

struct sysctl {
	const char *path, *value;
};

/* Host: forwards, but never for packets with impossible sources; 127/8 stays
 * on the loopback (threat K14). */
static const struct sysctl host_sysctls[] = {
	{"/proc/sys/net/ipv4/ip_forward", "1"},
	{"/proc/sys/net/ipv4/conf/all/send_redirects", "0"},
	{"/proc/sys/net/ipv4/conf/all/route_localnet", "0"},
};

/* Pod: no IPv6 at all, so no router advertisement can give it an address or a
 * route (threats N05, N11); the unprivileged port floor stays the kernel's. */
static const struct sysctl pod_sysctls[] = {
	{"/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"},
	{"/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"},
	{"/proc/sys/net/ipv4/ping_group_range", "0 65535"},
};

static int set_sysctl(const struct sysctl *s, struct err *err)
{
	int fd = open(s->path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(s->value);
	int r = 0;

	if (fd < 0)
		return errno == ENOENT
			       ? 0
			       : err_sys(err, errno, "open %s", s->path);
	if (write(fd, s->value, len) != (ssize_t)len)
		r = err_sys(err, errno, "write %s", s->path);
	(void)close(fd);
	return r;
}

int link_init(struct link_host *h, struct err *err)
{
	int r;

	*h = (struct link_host){.self_ns = -1};
	h->self_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (h->self_ns < 0)
		return err_sys(err, errno, "open own network namespace");
	r = netlink_open(&h->nl, err);
	if (r < 0)
		link_release(h);
	return r;
}

void link_release(struct link_host *h)
{
	netlink_close(&h->nl);
	if (h->self_ns >= 0)
		(void)close(h->self_ns);
	h->self_ns = -1;
}

static void come_back(const struct link_host *h)
{
	if (sys_setns(h->self_ns, CLONE_NEWNET) < 0)
		abort();
}

/* 02:00 and the address: the same after every restart, unique on the host. */
static void mac_of(uint32_t ip, uint8_t mac[MAC_BYTES])
{
	mac[0] = 0x02;
	mac[1] = 0x00;
	for (int i = 0; i < 4; i++)
		mac[2 + i] = (uint8_t)(ip >> (24 - 8 * i));
}

static void put_link(struct nlmsghdr *h, int index, unsigned int flags)
{
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifi_family = AF_UNSPEC;
	i->ifi_index = index;
	i->ifi_flags = flags;
	i->ifi_change = flags;
}

static void put_addr(struct nlmsghdr *h, unsigned int index, uint32_t ip,
		     uint32_t prefix)
{
	struct ifaddrmsg *a = mnl_nlmsg_put_extra_header(h, sizeof(*a));

	a->ifa_family = AF_INET;
	a->ifa_prefixlen = (uint8_t)prefix;
	a->ifa_scope = RT_SCOPE_UNIVERSE;
	a->ifa_index = index;
	mnl_attr_put_u32(h, IFA_LOCAL, htonl(ip));
	mnl_attr_put_u32(h, IFA_ADDRESS, htonl(ip));
}

static void put_route(struct nlmsghdr *h, const struct net_route *r)
{
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	m->rtm_family = AF_INET;
	m->rtm_dst_len = (uint8_t)r->prefix;
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = ROUTE_PROTOCOL;
	m->rtm_scope = r->via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	m->rtm_type = RTN_UNICAST;
	if (r->prefix > 0)
		mnl_attr_put_u32(h, RTA_DST, htonl(r->cidr));
	if (r->via)
		mnl_attr_put_u32(h, RTA_GATEWAY, htonl(r->via));
}

static int make_bridge(struct link_host *h, const struct net_setup *s,
		       struct err *err)
{
	uint8_t mac[MAC_BYTES];
	struct netlink_batch b;
	struct nlattr *info;
	struct nlmsghdr *m;

	mac_of(s->gateway, mac);
	netlink_batch_init(&b, &h->nl);
	m = netlink_batch_add(&b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
			      "make bridge", EEXIST);
	put_link(m, 0, 0);
	mnl_attr_put_strz(m, IFLA_IFNAME, s->bridge);
	mnl_attr_put(m, IFLA_ADDRESS, sizeof(mac), mac);
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(m, info);
	netlink_batch_end(&b, m);
	return netlink_batch_run(&h->nl, &b, err);
}

/* Out by the interface it came in is how pods reach each other here, so no
 * redirects; sources must be where the routes say (strict). */
static int bridge_sysctls(const char *bridge, struct err *err)
{
	static const struct sysctl keys[] = {
		{"send_redirects", "0"},
		{"rp_filter", "1"},
		{"accept_source_route", "0"},
	};
	char path[128];
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct sysctl one = {path, keys[i].value};

		(void)snprintf(path, sizeof(path),
			       "/proc/sys/net/ipv4/conf/%s/%s", bridge,
			       keys[i].path);
		r = set_sysctl(&one, err);
	}
	return r;
}

int link_setup(struct link_host *h, const struct net_setup *s, struct err *err)
{
	struct netlink_batch b;
	struct nlmsghdr *m;
	int r = make_bridge(h, s, err);

	if (r < 0)
		return r;
	h->bridge = netlink_index(&h->nl, s->bridge);
	if (h->bridge == 0)
		return err_sys(err, errno, "bridge %s", s->bridge);
	netlink_batch_init(&b, &h->nl);
	m = netlink_batch_add(&b, RTM_NEWLINK, 0, "bring bridge up", 0);
	put_link(m, (int)h->bridge, IFF_UP);
	netlink_batch_end(&b, m);
	m = netlink_batch_add(&b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
			      "give the bridge its address", EEXIST);
	put_addr(m, h->bridge, s->gateway, s->prefix);
	netlink_batch_end(&b, m);
	if (s->service_cidr != 0) {
		/* The host itself reaches services; it needs some route. */
		struct net_route svc = {.cidr = s->service_cidr,
					.prefix = s->service_prefix};

		m = netlink_batch_add(&b, RTM_NEWROUTE,
				      NLM_F_CREATE | NLM_F_REPLACE,
				      "route services to the bridge", 0);
		put_route(m, &svc);
		mnl_attr_put_u32(m, RTA_OIF, h->bridge);
		netlink_batch_end(&b, m);
	}
	r = netlink_batch_run(&h->nl, &b, err);
	for (size_t i = 0;
	     r == 0 && i < sizeof(host_sysctls) / sizeof(host_sysctls[0]); i++)
		r = set_sysctl(&host_sysctls[i], err);
	if (r == 0)
		r = bridge_sysctls(s->bridge, err);
	if (r == 0)
		h->setup = *s;
	return r;
}

/*
 * What came in by a port may leave by it: a pod that reaches itself through its
 * own service.  Needed where br_netfilter is loaded, because there the address
 * is translated inside the bridge, which by itself never sends a frame back.
 */
static void add_hairpin(struct netlink_batch *b, const char *host_if)
{
	struct nlattr *info, *data;
	struct nlmsghdr *m = netlink_batch_add(
		b, RTM_NEWLINK, 0, "let the pod's port answer itself", 0);

	put_link(m, 0, 0);
	mnl_attr_put_strz(m, IFLA_IFNAME, host_if);
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(m, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(m, IFLA_BRPORT_MODE, 1);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
	netlink_batch_end(b, m);
}

/* Both ends in one request: the peer is born in the pod's namespace with its
 * name and address. */
static int make_veth(struct link_host *h, const struct net_attach *a, int ns,
		     struct err *err)
{
	/* A peer cannot be up before the pair is tied together. */
	struct ifinfomsg peer_link = {0};
	struct nlattr *info, *data, *peer;
	uint8_t mac[MAC_BYTES];
	struct netlink_batch b;
	struct nlmsghdr *m;

	mac_of(a->ip, mac);
	netlink_batch_init(&b, &h->nl);
	m = netlink_batch_add(&b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
			      "make pod interface", 0);
	put_link(m, 0, IFF_UP);
	mnl_attr_put_strz(m, IFLA_IFNAME, a->host_if);
	mnl_attr_put_u32(m, IFLA_MASTER, h->bridge);
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(m, VETH_INFO_PEER);
	memcpy(mnl_nlmsg_get_payload_tail(m), &peer_link, sizeof(peer_link));
	m->nlmsg_len += (uint32_t)((sizeof(peer_link) + 3) & ~3ul);
	mnl_attr_put_strz(m, IFLA_IFNAME, POD_IF);
	mnl_attr_put_u32(m, IFLA_NET_NS_FD, (uint32_t)ns);
	mnl_attr_put(m, IFLA_ADDRESS, sizeof(mac), mac);
	mnl_attr_nest_end(m, peer);
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, info);
	netlink_batch_end(&b, m);
	add_hairpin(&b, a->host_if);
	return netlink_batch_run(&h->nl, &b, err);
}

/*
 * In the pod's namespace.  The address is a /32 and all goes by the gateway:
 * so the host's rules see pod to pod traffic too, and answers of a service's
 * pod come back through the translation that sent the request there.
 */
static int dress_pod(const struct link_host *h, const struct net_attach *a,
		     struct netlink *nl, struct err *err)
{
	struct net_route gateway = {.cidr = h->setup.gateway, .prefix = 32};
	struct net_route out = {.via = h->setup.gateway};
	unsigned int eth = netlink_index(nl, POD_IF);
	struct netlink_batch b;
	struct nlmsghdr *m;

	if (eth == 0)
		return err_sys(err, errno, "pod interface %s", POD_IF);
	netlink_batch_init(&b, nl);
	m = netlink_batch_add(&b, RTM_NEWLINK, 0, "bring pod loopback up", 0);
	put_link(m, 1, IFF_UP);
	netlink_batch_end(&b, m);
	m = netlink_batch_add(&b, RTM_NEWLINK, 0, "bring pod interface up", 0);
	put_link(m, (int)eth, IFF_UP);
	netlink_batch_end(&b, m);
	m = netlink_batch_add(&b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
			      "give the pod its address", 0);
	put_addr(m, eth, a->ip, 32);
	netlink_batch_end(&b, m);
	m = netlink_batch_add(&b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
			      "give the pod its gateway", 0);
	put_route(m, &gateway);
	mnl_attr_put_u32(m, RTA_OIF, eth);
	netlink_batch_end(&b, m);
	m = netlink_batch_add(&b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
			      "give the pod its default route", 0);
	put_route(m, &out);
	netlink_batch_end(&b, m);
	return netlink_batch_run(nl, &b, err);
}

int link_attach(struct link_host *h, const struct net_attach *a, int ns,
		struct err *err)
{
	struct netlink inside = {0};
	int r = 0;

	if (h->bridge == 0)
		return err_set(err, ERR_CONFLICT,
			       "attach: want NET_SETUP first");
	if (sys_setns(ns, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "enter the pod's namespace");
	for (size_t i = 0;
	     r == 0 && i < sizeof(pod_sysctls) / sizeof(pod_sysctls[0]); i++)
		r = set_sysctl(&pod_sysctls[i], err);
	if (r == 0)
		r = netlink_open(&inside, err);
	if (r == 0)
		r = make_veth(h, a, ns, err);
	if (r == 0)
		r = dress_pod(h, a, &inside, err);
	netlink_close(&inside);
	come_back(h);
	if (r < 0)
		(void)link_detach(h, a->host_if, NULL);
	return r;
}

int link_detach(struct link_host *h, const char *host_if, struct err *err)
{
	struct netlink_batch b;
	struct nlmsghdr *m;

	netlink_batch_init(&b, &h->nl);
	m = netlink_batch_add(&b, RTM_DELLINK, 0, "remove pod interface",
			      ENODEV);
	put_link(m, 0, 0);
	mnl_attr_put_strz(m, IFLA_IFNAME, host_if);
	netlink_batch_end(&b, m);
	return netlink_batch_run(&h->nl, &b, err);
}

int link_socket(struct link_host *h, int ns, int *out_fd, struct err *err)
{
	int fd, e;

	if (sys_setns(ns, CLONE_NEWNET) < 0)
		return err_sys(err, errno, "enter the pod's namespace");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	e = errno;
	come_back(h);
	if (fd < 0)
		return err_sys(err, e, "socket in the pod's namespace");
	*out_fd = fd;
	return 0;
}

struct want_attr {
	uint16_t type;
	uint32_t value;
	bool found;
};

static int pick_attr(const struct nlattr *a, void *ctx)
{
	struct want_attr *w = ctx;

	if (mnl_attr_get_type(a) == w->type &&
	    mnl_attr_get_payload_len(a) == sizeof(w->value)) {
		w->value = mnl_attr_get_u32(a);
		w->found = true;
	}
	return MNL_CB_OK;
}

/* The 32-bit attribute of a message behind `head` bytes; false if absent. */
static bool get_attr(const struct nlmsghdr *h, unsigned int head, uint16_t type,
		     uint32_t *out)
{
	struct want_attr w = {.type = type};

	(void)mnl_attr_parse(h, head, pick_attr, &w);
	*out = w.value;
	return w.found;
}

struct route_list {
	struct net_route items[NET_ROUTES_MAX];
	uint32_t n;
};

static int collect_route(const struct nlmsghdr *h, void *ctx)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct route_list *l = ctx;
	struct net_route r = {.prefix = m->rtm_dst_len};
	uint32_t v;

	if (m->rtm_protocol != ROUTE_PROTOCOL || m->rtm_dst_len == 0)
		return MNL_CB_OK;
	if (get_attr(h, sizeof(*m), RTA_DST, &v))
		r.cidr = ntohl(v);
	if (get_attr(h, sizeof(*m), RTA_GATEWAY, &v))
		r.via = ntohl(v);
	if (r.via != 0 && l->n < NET_ROUTES_MAX)
		l->items[l->n++] = r;
	return MNL_CB_OK;
}

static bool has_route(const struct net_route *list, uint32_t n,
		      const struct net_route *r)
{
	for (uint32_t i = 0; i < n; i++)
		if (memcmp(&list[i], r, sizeof(*r)) == 0)
			return true;
	return false;
}

static int change_route(struct link_host *h, uint16_t type, uint16_t flags,
			const struct net_route *r, struct err *err)
{
	struct netlink_batch b;
	struct nlmsghdr *m;

	netlink_batch_init(&b, &h->nl);
	m = netlink_batch_add(&b, type, flags,
			      type == RTM_NEWROUTE ? "add a host's route"
						   : "remove a host's route",
			      type == RTM_NEWROUTE ? EEXIST : ESRCH);
	put_route(m, r);
	netlink_batch_end(&b, m);
	return netlink_batch_run(&h->nl, &b, err);
}

int link_routes(struct link_host *h, const struct net_route *routes, uint32_t n,
		struct err *err)
{
	struct route_list *now = calloc(1, sizeof(*now));
	int r;

	if (!now)
		return err_set(err, ERR_NOMEM, "out of memory");
	r = netlink_dump(&h->nl, RTM_GETROUTE, AF_INET, collect_route, now,
			 err);
	for (uint32_t i = 0; r == 0 && i < now->n; i++)
		if (!has_route(routes, n, &now->items[i]))
			r = change_route(h, RTM_DELROUTE, 0, &now->items[i],
					 err);
	for (uint32_t i = 0; r == 0 && i < n; i++)
		if (!has_route(now->items, now->n, &routes[i]))
			r = change_route(h, RTM_NEWROUTE,
					 NLM_F_CREATE | NLM_F_EXCL, &routes[i],
					 err);
	free(now);
	return r;
}

struct port_list {
	unsigned int bridge;
	int items[4096];
	size_t n;
};

static int collect_port(const struct nlmsghdr *h, void *ctx)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	struct port_list *l = ctx;
	uint32_t master;

	if (get_attr(h, sizeof(*i), IFLA_MASTER, &master) &&
	    master == l->bridge &&
	    l->n < sizeof(l->items) / sizeof(l->items[0]))
		l->items[l->n++] = i->ifi_index;
	return MNL_CB_OK;
}

static int remove_link(struct link_host *h, int index, struct err *err)
{
	struct netlink_batch b;
	struct nlmsghdr *m;

	netlink_batch_init(&b, &h->nl);
	m = netlink_batch_add(&b, RTM_DELLINK, 0, "remove interface", ENODEV);
	put_link(m, index, 0);
	netlink_batch_end(&b, m);
	return netlink_batch_run(&h->nl, &b, err);
}

int link_teardown(struct link_host *h, struct err *err)
{
	struct port_list *l;
	int r;

	if (h->bridge == 0)
		return 0;
	l = calloc(1, sizeof(*l));
	if (!l)
		return err_set(err, ERR_NOMEM, "out of memory");
	l->bridge = h->bridge;
	r = netlink_dump(&h->nl, RTM_GETLINK, AF_UNSPEC, collect_port, l, err);
	for (size_t i = 0; r == 0 && i < l->n; i++)
		r = remove_link(h, l->items[i], err);
	if (r == 0)
		r = remove_link(h, (int)h->bridge, err);
	if (r == 0)
		r = link_routes(h, NULL, 0, err);
	if (r == 0)
		h->bridge = 0;
	free(l);
	return r;
}

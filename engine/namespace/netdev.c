/* netdev.c - see netdev.h. */
#include "engine/namespace/netdev.h"

#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NETDEV_REQUEST_BYTES 512
#define NETDEV_ANSWER_BYTES 32768 /* the most that the kernel puts in one */
#define NETDEV_ADDRS_MAX 64
#define NETDEV_ADDR_BYTES 16
#define NETDEV_INDEX_TRIES 64

#ifndef IFLA_NEW_IFINDEX
#define IFLA_NEW_IFINDEX 49 /* Linux 5.13 */
#endif

struct netdev_request {
	struct nlmsghdr h;
	unsigned char body[NETDEV_REQUEST_BYTES];
};

struct netdev_attr {
	bool set;
	unsigned char bytes[NETDEV_ADDR_BYTES];
	size_t len;
};

struct netdev_addr {
	unsigned char family, prefix;
	struct netdev_attr local, address, broadcast;
};

struct netdev_link {
	int index;
	unsigned int flags;
	struct netdev_addr addr[NETDEV_ADDRS_MAX];
	size_t n_addr;
	bool more; /* than fit */
};

/* Called with each message of an answer. */
typedef void netdev_each(struct nlmsghdr *h, void *arg);

static void netdev_begin(struct netdev_request *q, uint16_t type,
			 uint16_t flags, const void *head, size_t len)
{
	memset(q, 0, sizeof(*q));
	q->h.nlmsg_type = type;
	q->h.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	q->h.nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	memcpy(NLMSG_DATA(&q->h), head, len);
}

/* Requests are ours: the longest has some 100 bytes. */
static void netdev_put(struct netdev_request *q, uint16_t type,
		       const void *bytes, size_t len)
{
	struct rtattr *a =
		(struct rtattr *)((char *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), bytes, len);
	q->h.nlmsg_len = NLMSG_ALIGN(q->h.nlmsg_len) +
			 (uint32_t)RTA_ALIGN(RTA_LENGTH(len));
}

/* 1: the answer is complete; 0: more follows; -1 and errno. */
static int netdev_read(void *bytes, size_t len, netdev_each *each, void *arg)
{
	struct nlmsghdr *h = bytes;
	const struct nlmsgerr *e;
	size_t left = len;

	for (; left >= sizeof(*h) && h->nlmsg_len >= sizeof(*h) &&
	       h->nlmsg_len <= left;) {
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR) {
			e = NLMSG_DATA(h);
			errno = -e->error;
			return e->error == 0 ? 1 : -1;
		}
		if (each != NULL)
			each(h, arg);
		if (NLMSG_ALIGN(h->nlmsg_len) >= left)
			break;
		left -= NLMSG_ALIGN(h->nlmsg_len);
		h = (void *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));
	}
	return 0;
}

static int netdev_talk(int sock, struct netdev_request *q, netdev_each *each,
		       void *arg)
{
	union {
		struct nlmsghdr align;
		unsigned char bytes[NETDEV_ANSWER_BYTES];
	} answer;
	int r = 0;

	if (send(sock, q, q->h.nlmsg_len, 0) < 0)
		return -1;
	while (r == 0) {
		ssize_t n = recv(sock, &answer, sizeof(answer), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		r = netdev_read(&answer, (size_t)n, each, arg);
	}
	return r < 0 ? -1 : 0;
}

static void netdev_see_link(struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *info = NLMSG_DATA(h);
	struct netdev_link *link = arg;

	if (h->nlmsg_type != RTM_NEWLINK ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
		return;
	link->index = info->ifi_index;
	link->flags = info->ifi_flags;
}

/* By name, or by index where name is NULL.  -1 and errno, ENODEV if there is
 * none. */
static int netdev_find(int sock, const char *name, int index,
		       struct netdev_link *out)
{
	const struct ifinfomsg info = {.ifi_index = index};
	struct netdev_request q;

	netdev_begin(&q, RTM_GETLINK, NLM_F_ACK, &info, sizeof(info));
	if (name != NULL)
		netdev_put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	return netdev_talk(sock, &q, netdev_see_link, out);
}

static void netdev_keep(struct netdev_attr *to, struct rtattr *a)
{
	size_t len = RTA_PAYLOAD(a);

	if (len > sizeof(to->bytes))
		return;
	memcpy(to->bytes, RTA_DATA(a), len);
	to->len = len;
	to->set = true;
}

static void netdev_see_addr(struct nlmsghdr *h, void *arg)
{
	struct ifaddrmsg *info = NLMSG_DATA(h);
	struct netdev_link *link = arg;
	struct netdev_addr addr = {.family = 0};
	struct rtattr *a;
	uint32_t flags;
	size_t left;

	if (h->nlmsg_type != RTM_NEWADDR ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*info)) ||
	    info->ifa_index != (unsigned int)link->index ||
	    info->ifa_scope != RT_SCOPE_UNIVERSE)
		return;
	addr.family = info->ifa_family;
	addr.prefix = info->ifa_prefixlen;
	flags = info->ifa_flags;
	left = h->nlmsg_len - NLMSG_LENGTH(sizeof(*info));
	for (a = IFA_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFA_FLAGS && RTA_PAYLOAD(a) == 4)
			memcpy(&flags, RTA_DATA(a), 4);
		if (a->rta_type == IFA_LOCAL)
			netdev_keep(&addr.local, a);
		if (a->rta_type == IFA_ADDRESS)
			netdev_keep(&addr.address, a);
		if (a->rta_type == IFA_BROADCAST)
			netdev_keep(&addr.broadcast, a);
	}
	if ((flags & IFA_F_PERMANENT) == 0)
		return;
	if (link->n_addr == NETDEV_ADDRS_MAX)
		link->more = true;
	else
		link->addr[link->n_addr++] = addr;
}

static int netdev_look(int host, int inside, const struct spec_netdev *d,
		       const char *name, struct netdev_link *out,
		       struct err *err)
{
	const struct ifaddrmsg any = {.ifa_family = AF_UNSPEC};
	struct netdev_link other = {.index = 0};
	struct netdev_request q;

	if (netdev_find(host, d->key, 0, out) < 0 || out->index == 0)
		return errno == ENODEV ? err_set(err, ERR_NOTFOUND,
						 "there is no such device")
				       : err_sys(err, errno, "look for it");
	if ((out->flags & IFF_LOOPBACK) != 0)
		return err_set(err, ERR_INPUT,
			       "a loopback device stays where it is");
	if (strchr(name, '%') == NULL &&
	    netdev_find(inside, name, 0, &other) == 0)
		return err_set(err, ERR_CONFLICT,
			       "the container has a device %s already", name);
	netdev_begin(&q, RTM_GETADDR, NLM_F_DUMP, &any, sizeof(any));
	if (netdev_talk(host, &q, netdev_see_addr, out) < 0)
		return err_sys(err, errno, "read its addresses");
	if (out->more)
		return err_set(err, ERR_LIMIT, "more than %d addresses",
			       NETDEV_ADDRS_MAX);
	return 0;
}

/* It keeps its index where that is free: otherwise we choose one, so as to
 * know it. */
static int netdev_free_index(int inside, int index)
{
	struct netdev_link other = {.index = 0};
	int i;

	for (i = 0; i < NETDEV_INDEX_TRIES; i++)
		if (netdev_find(inside, NULL, index + i, &other) < 0)
			break;
	return index + i;
}

static int netdev_add(int inside, int index, const struct netdev_addr *addr)
{
	const struct ifaddrmsg info = {.ifa_family = addr->family,
				       .ifa_prefixlen = addr->prefix,
				       .ifa_index = (unsigned int)index};
	struct netdev_request q;

	netdev_begin(&q, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
		     &info, sizeof(info));
	if (addr->local.set)
		netdev_put(&q, IFA_LOCAL, addr->local.bytes, addr->local.len);
	if (addr->address.set)
		netdev_put(&q, IFA_ADDRESS, addr->address.bytes,
			   addr->address.len);
	if (addr->broadcast.set)
		netdev_put(&q, IFA_BROADCAST, addr->broadcast.bytes,
			   addr->broadcast.len);
	return netdev_talk(inside, &q, NULL, NULL);
}

static int netdev_change(int host, int inside, const char *name, int ns_fd,
			 struct netdev_link *link, struct err *err)
{
	const int index = netdev_free_index(inside, link->index);
	const uint32_t ns = (uint32_t)ns_fd;
	struct ifinfomsg info = {.ifi_index = link->index};
	struct netdev_request q;
	size_t i;

	netdev_begin(&q, RTM_NEWLINK, NLM_F_ACK, &info, sizeof(info));
	netdev_put(&q, IFLA_NET_NS_FD, &ns, sizeof(ns));
	netdev_put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	if (index != link->index)
		netdev_put(&q, IFLA_NEW_IFINDEX, &index, sizeof(index));
	if (netdev_talk(host, &q, NULL, NULL) < 0)
		return err_sys(err, errno, "move it");
	for (i = 0; i < link->n_addr; i++)
		if (netdev_add(inside, index, &link->addr[i]) < 0)
			return err_sys(err, errno, "give it its addresses");
	info.ifi_index = index;
	info.ifi_change = IFF_UP;
	info.ifi_flags = IFF_UP;
	netdev_begin(&q, RTM_NEWLINK, NLM_F_ACK, &info, sizeof(info));
	if (netdev_talk(inside, &q, NULL, NULL) < 0)
		return err_sys(err, errno, "set it up");
	return 0;
}

static int netdev_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

/* A socket stays in the namespace it was made in: we go there for that. */
static int netdev_socket_in(int ns_fd, int *out, struct err *err)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int sock = -1, r = 0;

	if (own < 0)
		return err_sys(err, errno, "open /proc/self/ns/net");
	if (sys_setns(ns_fd, CLONE_NEWNET) < 0) {
		r = err_sys(err, errno, "enter the network namespace");
	} else {
		sock = netdev_socket();
		if (sock < 0)
			r = err_sys(err, errno, "netlink");
		if (sys_setns(own, CLONE_NEWNET) < 0)
			r = err_sys(err, errno, "back to our own network");
	}
	(void)close(own);
	if (r < 0 && sock >= 0)
		(void)close(sock);
	else
		*out = sock;
	return r;
}

int netdev_move(const struct spec_netdev *v, size_t n, int ns_fd,
		struct err *err)
{
	int host = -1, inside = -1;
	size_t i;
	int r = netdev_socket_in(ns_fd, &inside, err);

	if (r == 0)
		host = netdev_socket();
	if (r == 0 && host < 0)
		r = err_sys(err, errno, "netlink");
	for (i = 0; i < n && r == 0; i++) {
		const char *name = v[i].name != NULL && v[i].name[0] != '\0'
					   ? v[i].name
					   : v[i].key;
		struct netdev_link link = {.index = 0};

		r = netdev_look(host, inside, &v[i], name, &link, err);
		if (r == 0)
			r = netdev_change(host, inside, name, ns_fd, &link,
					  err);
		if (r < 0)
			r = err_wrap(err, "linux.netDevices: %s", v[i].key);
	}
	if (host >= 0)
		(void)close(host);
	if (inside >= 0)
		(void)close(inside);
	return r;
}

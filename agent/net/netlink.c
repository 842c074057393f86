/*
 * netlink.c - see netlink.h.  Runs in reconcile-net with CAP_NET_ADMIN; the
 * only other end is the kernel.
 */
#include "agent/net/netlink.h"

#include <assert.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

int netlink_open(struct netlink *nl, struct err *err)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int one = 1;

	if (!s)
		return err_sys(err, errno, "open netlink socket");
	/* Answers without the request inside: shorter reads. */
	(void)mnl_socket_setsockopt(s, NETLINK_CAP_ACK, &one, sizeof(one));
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		int e = errno;

		(void)mnl_socket_close(s);
		return err_sys(err, e, "bind netlink socket");
	}
	nl->sock = s;
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl->sock)
		(void)mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

void netlink_batch_init(struct netlink_batch *b, struct netlink *nl)
{
	b->used = 0;
	b->first = b->next = nl->seq + 1;
}

struct nlmsghdr *netlink_batch_add(struct netlink_batch *b, uint16_t type,
				   uint16_t flags, const char *what,
				   int ignore_errno)
{
	struct nlmsghdr *h;
	uint32_t i = b->next - b->first;

	assert(i < 16 && b->used + 512 < sizeof(b->mem.bytes));
	h = mnl_nlmsg_put_header(b->mem.bytes + b->used);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	h->nlmsg_seq = b->next++;
	b->what[i] = what;
	b->ignore[i] = ignore_errno;
	return h;
}

void netlink_batch_end(struct netlink_batch *b, const struct nlmsghdr *h)
{
	b->used += ((size_t)h->nlmsg_len + 3) & ~(size_t)3;
	assert(b->used < sizeof(b->mem.bytes));
}

/* One acknowledgement; fills err once. */
static void take_ack(const struct netlink_batch *b, const struct nlmsghdr *h,
		     struct err *err)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	uint32_t i = h->nlmsg_seq - b->first;

	if (i >= b->next - b->first || e->error == 0 ||
	    -e->error == b->ignore[i] || err->code != 0)
		return;
	(void)err_sys(err, -e->error, "%s", b->what[i]);
}

int netlink_batch_run(struct netlink *nl, struct netlink_batch *b,
		      struct err *err)
{
	union {
		struct nlmsghdr align;
		char bytes[NETLINK_BATCH_BYTES];
	} in;
	uint32_t want = b->next - b->first;
	struct err first = {0};

	nl->seq = b->next - 1;
	if (want == 0)
		return 0;
	if (mnl_socket_sendto(nl->sock, b->mem.bytes, b->used) < 0)
		return err_sys(err, errno, "send to netlink");
	while (want > 0) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, in.bytes,
						sizeof(in.bytes));
		const struct nlmsghdr *h = &in.align;
		int left = (int)n;

		if (n < 0)
			return err_sys(err, errno, "receive from netlink");
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			if (h->nlmsg_type == NLMSG_ERROR &&
			    h->nlmsg_seq - b->first < b->next - b->first) {
				take_ack(b, h, &first);
				want--;
			}
	}
	if (first.code != 0 && err)
		*err = first;
	return first.code;
}

int netlink_dump(struct netlink *nl, uint16_t type, uint8_t family, mnl_cb_t cb,
		 void *ctx, struct err *err)
{
	union {
		struct nlmsghdr align;
		char bytes[32768];
	} mem;
	struct nlmsghdr *h = mnl_nlmsg_put_header(mem.bytes);
	struct ifinfomsg *body;
	uint32_t seq = ++nl->seq;
	int r = MNL_CB_OK;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = seq;
	body = mnl_nlmsg_put_extra_header(h, sizeof(*body));
	body->ifi_family = family;
	if (mnl_socket_sendto(nl->sock, h, h->nlmsg_len) < 0)
		return err_sys(err, errno, "send to netlink");
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, mem.bytes,
						sizeof(mem.bytes));

		if (n < 0)
			return err_sys(err, errno, "receive from netlink");
		r = mnl_cb_run(mem.bytes, (size_t)n, seq,
			       mnl_socket_get_portid(nl->sock), cb, ctx);
	}
	if (r == MNL_CB_ERROR)
		return err_sys(err, errno, "netlink dump");
	return 0;
}

static int take_index(const struct nlmsghdr *h, void *ctx)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	unsigned int *out = ctx;

	if (h->nlmsg_type == RTM_NEWLINK)
		*out = (unsigned int)i->ifi_index;
	return MNL_CB_STOP;
}

unsigned int netlink_index(struct netlink *nl, const char *name)
{
	union {
		struct nlmsghdr align;
		char bytes[16384];
	} mem;
	struct nlmsghdr *h = mnl_nlmsg_put_header(mem.bytes);
	struct ifinfomsg *body;
	unsigned int index = 0;
	uint32_t seq = ++nl->seq;
	ssize_t n;

	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_REQUEST;
	h->nlmsg_seq = seq;
	body = mnl_nlmsg_put_extra_header(h, sizeof(*body));
	body->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	if (mnl_socket_sendto(nl->sock, h, h->nlmsg_len) < 0)
		return 0;
	n = mnl_socket_recvfrom(nl->sock, mem.bytes, sizeof(mem.bytes));
	if (n < 0 ||
	    mnl_cb_run(mem.bytes, (size_t)n, seq,
		       mnl_socket_get_portid(nl->sock), take_index, &index) < 0)
		return 0;
	return index;
}

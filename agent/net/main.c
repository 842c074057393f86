/*
 * main.c - reconcile-net: the host's bridge, pod interfaces, services.
 *
 * Runs as root with CAP_NET_ADMIN and CAP_SYS_ADMIN (setns() only) and nothing
 * else, started by reconcile-agent, which is its only peer.  Requests are
 * fixed structs of net.h; every field is checked here again.
 *
 * nft is executed (libnftables is GPL-2) by its absolute path with an empty
 * environment and the rules on its standard input.
 */
#include "agent/net/link.h"
#include "agent/net/net.h"
#include "agent/net/rules.h"
#include "lib/log.h"
#include "lib/msg.h"
#include "lib/proc.h"
#include "lib/sandbox.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SOCK_FD 3
#define RULES_BYTES_MAX (4u << 20)
#define NFT_MS 20000
#define NFT_ERROR_BYTES 160

struct net {
	struct link_host host;
	struct msg in;
	int rules, errors; /* memory files of nft, made before the sandbox */
};

static const struct sandbox_path paths[] = {
	{"/usr/sbin", false}, /* nft, */
	{"/usr/lib", false},  /* its libraries, */
	{"/lib64", false},    /* its loader */
	{"/etc/ld.so.cache", false}, {"/proc/self", false},
	{"/proc/sys/net", true}, /* of whichever namespace is entered */
	{"/dev/null", true},
};

static const struct sandbox profile = {
	.name = "reconcile-net",
	.allow = SANDBOX_FILE_READ | SANDBOX_FILE_WRITE | SANDBOX_CONNECT |
		 SANDBOX_SPAWN | SANDBOX_NETLINK,
	.paths = paths,
	.n_paths = sizeof(paths) / sizeof(paths[0]),
	.landlock = true,
	.keep_caps = 1ull << CAP_NET_ADMIN | 1ull << CAP_SYS_ADMIN,
	.max_files = 256,
};

/* Empties a memory file and writes text (NULL: nothing) at its begin. */
static int refill(int fd, const struct buf *text, struct err *err)
{
	int r = text ? buf_check(text, err) : 0;

	if (r == 0 && (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0))
		r = err_sys(err, errno, "empty a memory file");
	if (r == 0 && text)
		r = file_write_fd(fd, text->data, text->len, err);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = err_sys(err, errno, "rewind a memory file");
	return r;
}

/* One transaction.  What nft says on failure is about our own text. */
static int run_nft(struct net *n, const struct buf *text, struct err *err)
{
	static const char *const argv[] = {"nft", "-f", "-", NULL};
	struct proc_spec spec = {
		.path = "/usr/sbin/nft",
		.argv = argv,
		.in = n->rules,
		.out = -1,
		.err = n->errors,
		.die_with_parent = true,
	};
	char said[NFT_ERROR_BYTES] = "";
	struct proc p = {0};
	int status = 0;
	int r = refill(n->rules, text, err);

	if (r == 0)
		r = refill(n->errors, NULL, err);
	if (r == 0)
		r = proc_spawn(&spec, &p, err);
	if (r < 0)
		return r;
	r = proc_wait(&p, NFT_MS, &status, err);
	if (r == ERR_AGAIN)
		proc_kill(&p);
	if (r == 0 && status != 0) {
		ssize_t len = pread(n->errors, said, sizeof(said) - 1, 0);

		for (ssize_t i = 0; i < len; i++)
			if (said[i] < ' ')
				said[i] = ' ';
		r = err_set(err, ERR_SYS, "nft ended with %d: %s", status,
			    said);
	}
	return r;
}

static int bad_frame(struct err *err, const char *what)
{
	return err_set(err, ERR_INPUT, "%s: frame is not as agreed", what);
}

static int do_setup(struct net *n, const void *body, size_t len,
		    struct err *err)
{
	struct net_setup s;
	struct buf text;
	int r;

	if (len != sizeof(s))
		return bad_frame(err, "setup");
	memcpy(&s, body, sizeof(s));
	if (!rules_name_ok(s.bridge, sizeof(s.bridge)) ||
	    !rules_name_ok(s.table, sizeof(s.table)) || s.prefix < 8 ||
	    s.prefix > 30 || s.service_prefix > 32)
		return bad_frame(err, "setup");
	buf_init(&text, RULES_BYTES_MAX);
	rules_setup(&s, &text);
	r = link_setup(&n->host, &s, err);
	if (r == 0)
		r = run_nft(n, &text, err);
	buf_release(&text);
	return r;
}

static int do_attach(struct net *n, const void *body, size_t len,
		     struct err *err)
{
	const struct net_setup *s = &n->host.setup;
	uint32_t mask;
	struct net_attach a;

	if (len != sizeof(a) || n->in.n_fds != 1)
		return bad_frame(err, "attach");
	memcpy(&a, body, sizeof(a));
	if (!rules_name_ok(a.host_if, sizeof(a.host_if)))
		return bad_frame(err, "attach");
	if (n->host.bridge == 0)
		return err_set(err, ERR_CONFLICT, "attach: want setup first");
	mask = ~0u << (32 - s->prefix);
	if ((a.ip & mask) != s->cidr || a.ip == s->gateway)
		return err_set(err, ERR_INPUT,
			       "attach: want an address of the pods' network");
	return link_attach(&n->host, &a, n->in.fds[0], err);
}

static int do_detach(struct net *n, const void *body, size_t len,
		     struct err *err)
{
	struct net_detach d;

	if (len != sizeof(d))
		return bad_frame(err, "detach");
	memcpy(&d, body, sizeof(d));
	if (!rules_name_ok(d.host_if, sizeof(d.host_if)))
		return bad_frame(err, "detach");
	return link_detach(&n->host, d.host_if, err);
}

static int do_services(struct net *n, const void *body, size_t len,
		       struct err *err)
{
	const struct net_services *s = body;
	struct buf text;
	int r;

	if (len < sizeof(*s) || s->n > NET_BACKENDS_MAX ||
	    len != sizeof(*s) + s->n * sizeof(s->items[0]))
		return bad_frame(err, "services");
	if (n->host.bridge == 0)
		return err_set(err, ERR_CONFLICT, "services: want setup first");
	buf_init(&text, RULES_BYTES_MAX);
	r = rules_services(&n->host.setup, s->items, s->n, &text, err);
	if (r == 0)
		r = run_nft(n, &text, err);
	buf_release(&text);
	return r;
}

static int do_routes(struct net *n, const void *body, size_t len,
		     struct err *err)
{
	const struct net_routes *q = body;

	if (len < sizeof(*q) || q->n > NET_ROUTES_MAX ||
	    len != sizeof(*q) + q->n * sizeof(q->items[0]))
		return bad_frame(err, "routes");
	for (uint32_t i = 0; i < q->n; i++)
		if (q->items[i].prefix < 8 || q->items[i].prefix > 32)
			return bad_frame(err, "routes");
	return link_routes(&n->host, q->items, q->n, err);
}

static int do_teardown(struct net *n, const void *body, size_t len,
		       struct err *err)
{
	struct buf text;
	int r;

	(void)body;
	if (len != sizeof(struct net_plain))
		return bad_frame(err, "teardown");
	if (n->host.bridge == 0)
		return 0;
	buf_init(&text, RULES_BYTES_MAX);
	rules_teardown(&n->host.setup, &text);
	r = run_nft(n, &text, err);
	buf_release(&text);
	if (r == 0)
		r = link_teardown(&n->host, err);
	return r;
}

struct handler {
	int (*run)(struct net *n, const void *body, size_t len,
		   struct err *err);
};

static const struct handler handlers[] = {
	[NET_SETUP] = {do_setup},   [NET_ATTACH] = {do_attach},
	[NET_DETACH] = {do_detach}, [NET_SERVICES] = {do_services},
	[NET_ROUTES] = {do_routes}, [NET_TEARDOWN] = {do_teardown},
};

static int64_t now_us(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Answers one request; an error of the frame itself ends the program. */
static int answer(struct net *n, struct err *err)
{
	const void *body = n->in.payload.data;
	size_t len = n->in.payload.len;
	struct net_reply reply = {0};
	int64_t began = now_us();
	struct err e = {0};
	int fd = -1, r;

	if (len < sizeof(struct net_plain))
		return err_set(err, ERR_PROTO, "frame of %zu bytes", len);
	memcpy(&reply.id, body, sizeof(reply.id));
	if (n->in.type == NET_SOCKET && len == sizeof(struct net_socket) &&
	    n->in.n_fds == 1)
		r = link_socket(&n->host, n->in.fds[0], &fd, &e);
	else if (n->in.type < sizeof(handlers) / sizeof(handlers[0]) &&
		 handlers[n->in.type].run)
		r = handlers[n->in.type].run(n, body, len, &e);
	else
		return err_set(err, ERR_PROTO, "frame of type %u", n->in.type);
	reply.code = r;
	reply.sys_errno = e.sys_errno;
	reply.took_us = (uint32_t)(now_us() - began);
	if (r < 0)
		(void)snprintf(reply.text, sizeof(reply.text), "%.*s",
			       (int)sizeof(reply.text) - 1, e.msg);
	r = msg_send(SOCK_FD, NET_REPLY, &reply, sizeof(reply), &fd,
		     fd >= 0 ? 1 : 0, err);
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int serve(struct net *n, struct err *err)
{
	for (;;) {
		int r = msg_recv(SOCK_FD, &n->in, -1, err);

		if (r == 0)
			r = answer(n, err);
		if (r == ERR_NOTFOUND) /* the agent is gone */
			return 0;
		if (r < 0)
			return r;
	}
}

int main(void)
{
	struct err err = {0};
	struct net n = {0};
	int r;

	log_init("reconcile-net", LOG_LEVEL_INFO);
	msg_init(&n.in, 1u << 20);
	if (fcntl(SOCK_FD, F_SETFD, FD_CLOEXEC) < 0) {
		log_line(LOG_LEVEL_ERROR, "net.start",
			 "reason=\"descriptor 3 is not open: this program is "
			 "started by reconcile-agent\"");
		return 3;
	}
	n.rules = memfd_create("rules", MFD_CLOEXEC);
	n.errors = memfd_create("errors", MFD_CLOEXEC);
	if (n.rules < 0 || n.errors < 0)
		r = err_sys(&err, errno, "memory files for nft");
	else
		r = sandbox_enter(&profile, &err);
	if (r == 0)
		r = link_init(&n.host, &err);
	if (r == 0)
		r = serve(&n, &err);
	if (r < 0)
		log_line(LOG_LEVEL_ERROR, "net.end", "code=%s reason=\"%s\"",
			 err_name(r), err.msg);
	link_release(&n.host);
	msg_release(&n.in);
	return err_exit_status(r);
}

/*
 * reconcile-dial - connects to one host and port, as often as it is asked, and
 * hands the sockets over.
 *
 * Started by reconcile-fetch, which so needs no network itself.  Hostile input:
 * answers of name servers; nothing of what the git server says, and it is never
 * given a credential.  May resolve and connect, to this one port where the
 * kernel can tell ports (Landlock, ABI 4); reads the resolver's files.
 *
 * usage: reconcile-dial HOST PORT, frames of dial.h on descriptor 3.
 */
#include "reconciler/dial/dial.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/msg.h"
#include "lib/num.h"
#include "lib/sandbox.h"
#include "lib/text.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCK 3
#define CONNECT_MS 10000 /* all addresses of the name together */
#define DNS_PORT 53

static const struct sandbox_path paths[] = {
	{"/etc/resolv.conf", false}, {"/etc/hosts", false},
	{"/etc/host.conf", false},   {"/etc/nsswitch.conf", false},
	{"/etc/gai.conf", false},    {"/etc/services", false},
};

static int enter(uint16_t port, struct err *err)
{
	const uint16_t ports[] = {port, DNS_PORT};
	const struct sandbox profile = {
		.name = "reconcile-dial",
		.allow = SANDBOX_FILE_READ | SANDBOX_CONNECT,
		.paths = paths,
		.n_paths = sizeof(paths) / sizeof(paths[0]),
		.landlock = true,
		.tcp_ports = ports,
		.n_tcp_ports = sizeof(ports) / sizeof(ports[0]),
		.max_memory = (size_t)256 << 20,
		.max_files = 32,
	};

	return sandbox_enter(&profile, err);
}

/* 0, or the errno that says why not. */
static int finish_connect(int fd, int64_t until_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int64_t left = until_ms - clock_boot_ms();
	int why = 0;
	socklen_t len = sizeof(why);
	int n;

	do
		n = poll(&p, 1, left > 0 ? (int)left : 0);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return ETIMEDOUT;
	if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
		return errno;
	return why;
}

static int connect_one(const struct addrinfo *a, int64_t until_ms, int *out_fd)
{
	const int on = 1;
	int why = 0;
	int fd =
		socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       IPPROTO_TCP);

	if (fd < 0)
		return errno;
	/* its user may not set options any more */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0)
		why = errno == EINPROGRESS ? finish_connect(fd, until_ms)
					   : errno;
	if (why != 0) {
		(void)close(fd);
		return why;
	}
	*out_fd = fd;
	return 0;
}

static int dial(const char *host, const char *port, int *out_fd,
		struct err *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICSERV};
	struct addrinfo *all = NULL;
	int64_t until_ms;
	int why;

	why = getaddrinfo(host, port, &hints, &all);
	if (why != 0)
		return err_set(err, ERR_AGAIN, "%s: %s", host,
			       why == EAI_SYSTEM ? strerror(errno)
						 : gai_strerror(why));
	why = EADDRNOTAVAIL;
	until_ms = clock_boot_ms() + CONNECT_MS;
	for (struct addrinfo *a = all; a != NULL && why != 0; a = a->ai_next)
		why = connect_one(a, until_ms, out_fd);
	freeaddrinfo(all);
	if (why != 0)
		return err_set(err, ERR_AGAIN, "%s port %s: %s", host, port,
			       strerror(why));
	return 0;
}

static int serve(const char *host, const char *port, struct err *err)
{
	struct err why = {0};
	struct msg m;
	int fd = -1;
	int r;

	msg_init(&m, 0);
	for (;;) {
		r = msg_recv(SOCK, &m, -1, err);
		if (r == 0 && (m.type != DIAL_ASK || m.n_fds != 0))
			r = err_set(err, ERR_PROTO, "want a request, have %u",
				    m.type);
		if (r < 0)
			break;
		if (dial(host, port, &fd, &why) == 0)
			r = msg_send(SOCK, DIAL_DONE, "", 0, &fd, 1, err);
		else
			r = msg_send(SOCK, DIAL_FAILED, why.msg,
				     strlen(why.msg), NULL, 0, err);
		if (fd >= 0)
			(void)close(fd);
		fd = -1;
		if (r < 0)
			break;
	}
	msg_release(&m);
	return r == ERR_NOTFOUND ? 0 : r; /* the starter has no more to ask */
}

static int check_arguments(int argc, char **argv, uint64_t *port)
{
	size_t len = argc == 3 ? strlen(argv[1]) : 0;

	if (len == 0 || len > 255 || argv[1][0] == '-' ||
	    !num_parse_u64(argv[2], strlen(argv[2]), 65535, port) || *port == 0)
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct err err = {0};
	uint64_t port = 0;
	int r;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("reconcile-dial " RECONCILE_VERSION);
		return 0;
	}
	if (check_arguments(argc, argv, &port) < 0) {
		bool help = argc == 2 && strcmp(argv[1], "--help") == 0;

		(void)fputs("usage: reconcile-dial HOST PORT | --version\n"
			    "Started by reconcile-fetch with a socket as "
			    "descriptor 3; see reconcile-dial(8).\n",
			    help ? stdout : stderr);
		return help ? 0 : err_exit_status(ERR_INPUT);
	}
	log_init("reconcile-dial", LOG_LEVEL_WARN);
	(void)signal(SIGPIPE, SIG_IGN);
	r = enter((uint16_t)port, &err);
	if (r == 0)
		r = serve(argv[1], argv[2], &err);
	if (r < 0)
		log_line(LOG_LEVEL_ERROR, "dial.end", "code=%s reason=\"%s\"",
			 err_name(r), err.msg);
	return err_exit_status(r);
}

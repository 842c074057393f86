/*
 * seccomp_agent.c - a listener for SCMP_ACT_NOTIFY: seccomp_agent SOCKET LOG.
 *
 * Appends each container process state that arrives to LOG, one a line, with
 * the number of descriptors that came.  Then it answers: mkdir(2) makes the
 * name with "-made" behind it, in the container's root; chmod(2) and its kin
 * fail with ENOMEDIUM; everything else goes on.  Ends with SIGTERM.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define AGENT_FDS 64
#define AGENT_STATE_BYTES 65536

static void agent_die(const char *what)
{
	perror(what);
	exit(1);
}

/* Path argument of a stopped process, read from its memory. */
static int agent_path(pid_t pid, unsigned long long at, char *out, size_t len)
{
	char mem[64];
	ssize_t n;
	int fd;

	(void)snprintf(mem, sizeof(mem), "/proc/%d/mem", pid);
	fd = open(mem, O_RDONLY | O_CLOEXEC);
	n = pread(fd, out, len - 1, (off_t)at);
	(void)close(fd);
	if (n <= 0)
		return -1;
	out[n] = '\0';
	return 0;
}

static int agent_mkdir(pid_t pid, unsigned long long at)
{
	char path[4096], full[4300];

	if (agent_path(pid, at, path, sizeof(path)) < 0)
		return -EFAULT;
	(void)snprintf(full, sizeof(full), "/proc/%d/root%s-made", pid, path);
	return mkdir(full, 0755) < 0 ? -errno : 0;
}

static void agent_answer(int listener)
{
	struct seccomp_notif req = {.id = 0};
	struct seccomp_notif_resp resp = {.id = 0};

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
		return;
	resp.id = req.id;
	switch (req.data.nr) {
	case SYS_mkdirat:
		resp.error = agent_mkdir((pid_t)req.pid, req.data.args[1]);
		break;
#ifdef SYS_mkdir
	case SYS_mkdir:
		resp.error = agent_mkdir((pid_t)req.pid, req.data.args[0]);
		break;
	case SYS_chmod:
#endif
	case SYS_fchmod:
	case SYS_fchmodat:
		resp.error = -ENOMEDIUM;
		break;
	default:
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

/* The whole state of one connection; gives back its listener. */
static int agent_accept(int server, const char *log)
{
	static char state[AGENT_STATE_BYTES];
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {.iov_base = state, .iov_len = sizeof(state) - 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	int conn = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n = recvmsg(conn, &msg, MSG_CMSG_CLOEXEC), more;
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	size_t fds = c == NULL ? 0 : (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int listener = -1;
	FILE *f = fopen(log, "a");

	if (n < 0 || f == NULL)
		agent_die("state");
	while ((more = read(conn, state + n, sizeof(state) - (size_t)n - 1)) >
	       0)
		n += more;
	state[n] = '\0';
	if (fds > 0)
		memcpy(&listener, CMSG_DATA(c), sizeof(int));
	(void)fprintf(f, "%zu %s\n", fds, state);
	(void)fclose(f);
	(void)close(conn);
	return listener;
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct pollfd p[AGENT_FDS] = {{.events = POLLIN}};
	nfds_t n = 1, i;

	if (argc != 3 || strlen(argv[1]) >= sizeof(addr.sun_path))
		return 2;
	(void)strcpy(addr.sun_path, argv[1]);
	p[0].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(p[0].fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(p[0].fd, 8) < 0)
		agent_die("bind");
	for (;;) {
		if (poll(p, n, -1) < 0)
			agent_die("poll");
		for (i = 1; i < n; i++) {
			if (p[i].revents & POLLIN)
				agent_answer(p[i].fd);
			else if (p[i].revents != 0) {
				(void)close(p[i].fd);
				p[i--] = p[--n];
			}
		}
		if (p[0].revents & POLLIN && n < AGENT_FDS) {
			p[n].fd = agent_accept(p[0].fd, argv[2]);
			p[n].events = POLLIN;
			p[n].revents = 0;
			n += p[n].fd >= 0;
		}
	}
}

/* link.c - see link.h. */
#include "engine/run/link.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Without an error its text stays behind. */
#define LINK_SHORT offsetof(struct link_msg, err)

union link_control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

ssize_t link_pass(int sock, const void *bytes, size_t len, int fd)
{
	union link_control control = {.bytes = {0}};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes,
			    .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* As recv(2); the descriptor that came with it, -1 if there was none.  A peer
 * that ended with a message of ours unread makes the first call fail; what it
 * had said before is still there. */
ssize_t link_take(int sock, void *bytes, size_t len, int *out_fd)
{
	union link_control control = {.bytes = {0}};
	struct iovec iov = {.iov_base = bytes, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c;
	bool reset = false;
	ssize_t n;

	for (;;) {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | MSG_TRUNC);
		if (n < 0 && errno == ECONNRESET && !reset)
			reset = true;
		else if (n >= 0 || errno != EINTR)
			break;
	}
	if (n == 0 && reset) {
		errno = ECONNRESET;
		n = -1;
	}
	c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	*out_fd = -1;
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(out_fd, CMSG_DATA(c), sizeof(int));
	return n;
}

static int link_died(struct err *err)
{
	return err_set(err, ERR_SYS,
		       "the container's first process died early (killed, or "
		       "over its memory or pids limit)");
}

static int link_read(ssize_t n, struct link_msg *m, struct err *err)
{
	if (n == 0) {
		*m = (struct link_msg){.type = LINK_NONE};
		return 0;
	}
	if (n < 0 && errno == ECONNRESET)
		return link_died(err);
	if (n < 0)
		return err_sys(err, errno, "the container's first process");
	if (n != (ssize_t)LINK_SHORT && n != (ssize_t)sizeof(*m))
		return err_set(err, ERR_PROTO,
			       "the container's first process sent %zd bytes",
			       n);
	m->err.msg[ERR_MSG_BYTES - 1] = '\0';
	if (m->type == LINK_ERROR)
		return err_set(err, m->err.code < 0 ? m->err.code : ERR_SYS,
			       "%s", m->err.msg);
	return 0;
}

int link_recv_fd(int sock, struct link_msg *out, int *out_fd, struct err *err)
{
	struct link_msg m = {.type = LINK_NONE};
	int fd = -1;
	int r = link_read(link_take(sock, &m, sizeof(m), &fd), &m, err);

	if (r < 0 && fd >= 0)
		(void)close(fd);
	if (r == 0) {
		*out = m;
		*out_fd = fd;
	}
	return r;
}

int link_recv(int sock, struct link_msg *out, struct err *err)
{
	int fd = -1;
	int r = link_recv_fd(sock, out, &fd, err);

	if (fd >= 0)
		(void)close(fd);
	return r;
}

int link_send(int sock, enum link_type type, uint32_t value,
	      const struct err *why, struct err *err)
{
	struct link_msg m = {.type = type, .value = value};
	size_t len = LINK_SHORT;
	ssize_t n;

	if (why != NULL) {
		m.err = *why;
		len = sizeof(m);
	}
	do {
		n = send(sock, &m, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	/* The other side has ended: it may have said why. */
	if (n < 0 && errno == EPIPE) {
		int r = link_recv(sock, &m, err);

		return r < 0 ? r : link_died(err);
	}
	if (n != (ssize_t)len)
		return err_sys(err, errno, "the container's first process");
	return 0;
}

int link_want(int sock, enum link_type want, struct link_msg *out,
	      struct err *err)
{
	int r = link_recv(sock, out, err);

	if (r < 0 || out->type == want)
		return r;
	if (out->type == LINK_NONE)
		return link_died(err);
	return err_set(err, ERR_PROTO,
		       "want message %d, the container's first process sent "
		       "%u",
		       (int)want, out->type);
}

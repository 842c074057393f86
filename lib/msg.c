/*
 * msg.c - frames between siblings.  Runs in every program; the peer may have
 * been taken over, so each field of a header is hostile until checked here.
 *
 * Invariant: descriptors that arrive are either in m->fds or closed.
 */
#include "lib/msg.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)256 * 1024)

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * MSG_FDS_MAX)];
};

void msg_init(struct msg *m, size_t max)
{
	*m = (struct msg){0};
	buf_init(&m->payload, max < MSG_PAYLOAD_MAX ? max : MSG_PAYLOAD_MAX);
	for (size_t i = 0; i < MSG_FDS_MAX; i++)
		m->fds[i] = -1;
}

static void close_fds(struct msg *m)
{
	for (size_t i = 0; i < MSG_FDS_MAX; i++) {
		if (m->fds[i] >= 0)
			(void)close(m->fds[i]);
		m->fds[i] = -1;
	}
	m->n_fds = 0;
}

void msg_release(struct msg *m)
{
	close_fds(m);
	buf_release(&m->payload);
}

/* Waits for events; 1 ready, 0 time is up, or ERR_SYS. */
static int wait_for(int sock, short events, int timeout_ms, struct err *err)
{
	struct pollfd p = {.fd = sock, .events = events};
	int n;

	do {
		n = poll(&p, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, errno, "poll");
	return n;
}

static void put_header(unsigned char h[MSG_HEADER_BYTES], size_t len,
		       uint16_t type, size_t n_fds)
{
	h[0] = (unsigned char)len;
	h[1] = (unsigned char)(len >> 8);
	h[2] = (unsigned char)(len >> 16);
	h[3] = (unsigned char)(len >> 24);
	h[4] = (unsigned char)type;
	h[5] = (unsigned char)(type >> 8);
	h[6] = (unsigned char)n_fds;
	h[7] = 0;
}

static void put_fds(struct msghdr *mh, union control *control, const int *fds,
		    size_t n_fds)
{
	struct cmsghdr *c;

	if (n_fds == 0)
		return;
	memset(control, 0, sizeof(*control));
	mh->msg_control = control->bytes;
	mh->msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
	c = CMSG_FIRSTHDR(mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
}

/* Moves the two-part vector forward by n bytes. */
static void advance(struct iovec iov[2], size_t n)
{
	for (int i = 0; i < 2; i++) {
		size_t take = n < iov[i].iov_len ? n : iov[i].iov_len;

		iov[i].iov_base = (char *)iov[i].iov_base + take;
		iov[i].iov_len -= take;
		n -= take;
	}
}

int msg_send(int sock, uint16_t type, const void *payload, size_t len,
	     const int *fds, size_t n_fds, struct err *err)
{
	unsigned char header[MSG_HEADER_BYTES];
	union control control;
	struct iovec iov[2] = {
		{.iov_base = header, .iov_len = sizeof(header)},
		{.iov_base = (void *)(uintptr_t)payload, .iov_len = len},
	};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = 2};

	assert(n_fds <= MSG_FDS_MAX);
	if (len > MSG_PAYLOAD_MAX)
		return err_set(err, ERR_LIMIT,
			       "frame: want at most %u bytes, have %zu",
			       MSG_PAYLOAD_MAX, len);
	put_header(header, len, type, n_fds);
	put_fds(&mh, &control, fds, n_fds);
	while (iov[0].iov_len + iov[1].iov_len > 0) {
		ssize_t n = sendmsg(sock, &mh, MSG_NOSIGNAL);
		int r;

		if (n >= 0) {
			advance(iov, (size_t)n);
			mh.msg_control = NULL; /* rode on the first byte */
			mh.msg_controllen = 0;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return err_sys(err, errno, "send to sibling");
		r = wait_for(sock, POLLOUT, -1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_fds(struct msghdr *mh, struct msg *m, struct err *err)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (n > MSG_FDS_MAX - m->n_fds) /* the buffer is that size */
			n = MSG_FDS_MAX - m->n_fds;
		memcpy(m->fds + m->n_fds, CMSG_DATA(c), n * sizeof(int));
		m->n_fds += n;
	}
	if (mh->msg_flags & MSG_CTRUNC)
		return err_set(err, ERR_PROTO,
			       "frame: want at most %d descriptors, have more",
			       MSG_FDS_MAX);
	return 0;
}

/* What a receive that got nothing means: 0 try again, or an error. */
static int not_ready(int sock, int stall_ms, struct err *err)
{
	int r;

	if (errno == EINTR)
		return 0;
	if (errno == ECONNRESET)
		return err_set(err, ERR_PROTO, "peer died within a frame");
	if (errno != EAGAIN)
		return err_sys(err, errno, "receive from sibling");
	r = wait_for(sock, POLLIN, stall_ms, err);
	if (r == 0)
		return err_set(err, ERR_PROTO,
			       "frame stalled for more than %d ms", stall_ms);
	return r < 0 ? r : 0;
}

static int recv_header(int sock, struct msg *m,
		       unsigned char header[MSG_HEADER_BYTES], int stall_ms,
		       struct err *err)
{
	size_t have = 0;

	while (have < MSG_HEADER_BYTES) {
		union control control;
		struct iovec iov = {.iov_base = header + have,
				    .iov_len = MSG_HEADER_BYTES - have};
		struct msghdr mh = {.msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = control.bytes,
				    .msg_controllen = sizeof(control.bytes)};
		ssize_t n = recvmsg(sock, &mh,
				    MSG_CMSG_CLOEXEC |
					    (have > 0 ? MSG_DONTWAIT : 0));
		int r;

		if (n < 0 && errno == ECONNRESET && have == 0)
			n = 0;
		if (n < 0) {
			r = not_ready(sock, stall_ms, err);
		} else if (n == 0) {
			r = have == 0 ? err_set(err, ERR_NOTFOUND,
						"peer closed the socket")
				      : err_set(err, ERR_PROTO,
						"peer closed within a frame");
		} else {
			have += (size_t)n;
			r = take_fds(&mh, m, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int recv_payload(int sock, struct msg *m, size_t len, int stall_ms,
			struct err *err)
{
	while (m->payload.len < len) {
		size_t left = len - m->payload.len;
		size_t want = left < CHUNK_BYTES ? left : CHUNK_BYTES;
		char *p = buf_reserve(&m->payload, want);
		ssize_t n;
		int r;

		if (!p)
			return err_set(err, ERR_NOMEM, "out of memory");
		n = recv(sock, p, want, MSG_DONTWAIT);
		if (n > 0) {
			buf_commit(&m->payload, (size_t)n);
			continue;
		}
		if (n == 0)
			return err_set(err, ERR_PROTO,
				       "peer closed within a frame");
		r = not_ready(sock, stall_ms, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int msg_recv(int sock, struct msg *m, int timeout_ms, struct err *err)
{
	int stall_ms = timeout_ms < 0 ? -1 : MSG_STALL_MS;
	unsigned char h[MSG_HEADER_BYTES];
	size_t len, n_fds;
	int r;

	close_fds(m);
	buf_reset(&m->payload);
	r = timeout_ms < 0 ? 1 : wait_for(sock, POLLIN, timeout_ms, err);
	if (r == 0)
		return err_set(err, ERR_AGAIN, "no frame within %d ms",
			       timeout_ms);
	if (r > 0)
		r = recv_header(sock, m, h, stall_ms, err);
	if (r < 0)
		goto out;
	len = (size_t)h[0] | (size_t)h[1] << 8 | (size_t)h[2] << 16 |
	      (size_t)h[3] << 24;
	n_fds = (size_t)h[6] | (size_t)h[7] << 8;
	if (len > m->payload.max)
		r = err_set(err, ERR_PROTO,
			    "frame: want at most %zu bytes, have %zu",
			    m->payload.max, len);
	else if (n_fds != m->n_fds)
		r = err_set(err, ERR_PROTO,
			    "frame: want %zu descriptors, have %zu", n_fds,
			    m->n_fds);
	if (r < 0)
		goto out;
	m->type = (uint16_t)(h[4] | h[5] << 8);
	r = recv_payload(sock, m, len, stall_ms, err);
out:
	if (r < 0) {
		close_fds(m);
		buf_reset(&m->payload);
	}
	return r < 0 ? r : 0;
}

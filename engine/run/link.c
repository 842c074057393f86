/* link.c - see link.h. */
#include "engine/run/link.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* Without an error its text stays behind. */
#define LINK_SHORT offsetof(struct link_msg, err)

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
	if (n != (ssize_t)len)
		return err_sys(err, errno, "the container's first process");
	return 0;
}

int link_recv(int sock, struct link_msg *out, struct err *err)
{
	struct link_msg m = {.type = LINK_NONE};
	ssize_t n;

	do {
		n = recv(sock, &m, sizeof(m), 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ECONNRESET)) {
		*out = (struct link_msg){.type = LINK_NONE};
		return 0;
	}
	if (n < 0)
		return err_sys(err, errno, "the container's first process");
	if (n != (ssize_t)LINK_SHORT && n != (ssize_t)sizeof(m))
		return err_set(err, ERR_PROTO,
			       "the container's first process sent %zd bytes",
			       n);
	m.err.msg[ERR_MSG_BYTES - 1] = '\0';
	if (m.type == LINK_ERROR)
		return err_set(err, m.err.code < 0 ? m.err.code : ERR_SYS, "%s",
			       m.err.msg);
	*out = m;
	return 0;
}

int link_want(int sock, enum link_type want, struct link_msg *out,
	      struct err *err)
{
	int r = link_recv(sock, out, err);

	if (r < 0 || out->type == want)
		return r;
	if (out->type == LINK_NONE)
		return err_set(err, ERR_SYS,
			       "the container's first process died early "
			       "(killed, or over its memory or pids limit)");
	return err_set(err, ERR_PROTO,
		       "want message %d, the container's first process sent "
		       "%u",
		       (int)want, out->type);
}

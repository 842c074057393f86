/* notify.c - sd_notify without its library.  See notify.h. */
#include "channel/notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int notify_open(const char *path, int *out_fd, struct err *err)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	int fd, r;

	if (!path) {
		*out_fd = -1;
		return 0;
	}
	if ((path[0] != '/' && path[0] != '@') || len < 2 ||
	    len >= sizeof(to.sun_path))
		return err_set(err, ERR_INPUT,
			       "NOTIFY_SOCKET: want an absolute path");
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "NOTIFY_SOCKET");
	if (connect(fd, (struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) <
	    0) {
		r = err_sys(err, errno, "connect to NOTIFY_SOCKET");
		(void)close(fd);
		return r;
	}
	*out_fd = fd;
	return 0;
}

void notify_send(int fd, const char *state)
{
	/* Who does not listen has not asked. */
	if (fd >= 0)
		(void)!send(fd, state, strlen(state), MSG_NOSIGNAL);
}

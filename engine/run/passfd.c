/* passfd.c - see passfd.h. */
#include "engine/run/passfd.h"

#include "engine/run/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int passfd_connect(const char *option, const char *path, int *out_fd,
		   struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd;

	if (len >= sizeof(addr.sun_path))
		return err_set(err, ERR_INPUT,
			       "--%s: want a path of less than %zu bytes",
			       option, sizeof(addr.sun_path));
	memcpy(addr.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "socket");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int saved = errno;

		(void)close(fd);
		return err_sys(err, saved, "--%s %s", option, path);
	}
	*out_fd = fd;
	return 0;
}

int passfd_send(int sock, int fd, struct err *err)
{
	static const char word[] = "fd"; /* clients want some byte with it */

	if (link_pass(sock, word, sizeof(word), fd) < 0)
		return err_sys(err, errno, "send a descriptor");
	return 0;
}

int passfd_receive(int sock, int *out_fd, struct err *err)
{
	char word[8];
	int fd = -1;

	if (link_take(sock, word, sizeof(word), &fd) < 0)
		return err_sys(err, errno, "receive a descriptor");
	if (fd < 0)
		return err_set(err, ERR_PROTO, "want a descriptor, have none");
	*out_fd = fd;
	return 0;
}

/* tell.c - see tell.h. */
#include "engine/run/tell.h"

#include "engine/run/passfd.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int tell_pidfd(struct run *r, struct err *err)
{
	int sock = -1, rc;

	if (r->opt.pidfd_socket == NULL)
		return 0;
	rc = passfd_connect("pidfd-socket", r->opt.pidfd_socket, &sock, err);
	if (rc == 0)
		rc = passfd_send(sock, r->child.pidfd, err);
	if (sock >= 0)
		(void)close(sock);
	return rc;
}

/* The caller watches the directory: never a half-written file. */
static int tell_write_file(const char *path, const char *text, size_t len,
			   struct err *err)
{
	char temp[4096];
	int fd, rc;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return err_set(err, ERR_INPUT, "--pid-file: too long");
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		  0644);
	if (fd < 0)
		return err_sys(err, errno, "--pid-file %s", temp);
	rc = file_write_fd(fd, text, len, err);
	(void)close(fd);
	if (rc == 0 && rename(temp, path) < 0)
		rc = err_sys(err, errno, "--pid-file %s", path);
	return rc;
}

int tell_pid_file(struct run *r, struct err *err)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%d", r->child.pid);

	if (r->opt.pid_file == NULL)
		return 0;
	return tell_write_file(r->opt.pid_file, text, (size_t)n, err);
}

void tell_undo_pid_file(struct run *r)
{
	if (r->opt.pid_file != NULL)
		(void)unlink(r->opt.pid_file);
}

/* self.c - see self.h. */
#include "engine/main/self.h"

#include "engine/main/cli.h"
#include "engine/sys/esys.h"
#include "lib/num.h"
#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SELF_FDS_MAX 1024

int self_shed(const char *preserve, struct err *err)
{
	uint64_t n = 0;

	if (preserve != NULL &&
	    !num_parse_u64(preserve, strlen(preserve), SELF_FDS_MAX, &n))
		return err_set(err, ERR_INPUT, "--preserve-fds: want 0 to %d",
			       SELF_FDS_MAX);
#ifndef GUARD_OFF_CLOSE
	if (sys_close_range(3 + (unsigned int)n, ~0u, 0) < 0)
		return err_sys(err, errno, "close_range");
#endif
	return 0;
}

int self_cover(const struct opt_command *cmd, char *const *argv,
	       struct err *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	struct statvfs st;
	int fd, r = 0;

	if (cmd == NULL || (cmd->run != make_create && cmd->run != make_run &&
			    cmd->run != make_exec))
		return 0;
#ifdef GUARD_OFF_SELF
	return 0;
#endif
	fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open /proc/self/exe");
	if (fstatvfs(fd, &st) == 0 && (st.f_flag & ST_RDONLY) != 0) {
		(void)close(fd);
		return 0; /* covered already, or a read-only system */
	}
	(void)close(fd);
	fd = esys_open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE);
	if (fd < 0)
		return err_sys(err, errno, "clone our own executable");
	if (esys_mount_setattr(fd, 0, &attr) < 0)
		r = err_sys(err, errno, "make our own executable read-only");
	if (r == 0) {
		(void)esys_fexec(fd, argv, environ);
		r = err_sys(err, errno, "execute ourselves");
	}
	(void)close(fd);
	return r;
}

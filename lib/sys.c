/*
 * sys.c - thin wrappers of system calls that change what a process may do or
 * see.  No policy, no messages: the result or -1 with errno.
 */
#include "lib/sys.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int sys_openat2(int dirfd, const char *path, const struct open_how *how)
{
	return (int)syscall(SYS_openat2, dirfd, path, how, sizeof(*how));
}

static int open_how_is(int dirfd, const char *path, int flags, mode_t mode,
		       uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0,
		.resolve = resolve,
	};

	return sys_openat2(dirfd, path, &how);
}

int sys_open_beneath(int dirfd, const char *path, int flags, mode_t mode)
{
	return open_how_is(dirfd, path, flags, mode,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
				   RESOLVE_NO_MAGICLINKS);
}

int sys_open_in_root(int dirfd, const char *path, int flags, mode_t mode)
{
	return open_how_is(dirfd, path, flags, mode,
			   RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int sys_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int sys_pidfd_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

int sys_prctl(int op, unsigned long a, unsigned long b, unsigned long c,
	      unsigned long d)
{
	return prctl(op, a, b, c, d);
}

int sys_setns(int fd, int nstype)
{
	return setns(fd, nstype);
}

int sys_unshare(int flags)
{
	return unshare(flags);
}

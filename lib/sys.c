/*
 * sys.c - thin wrappers of system calls that change what a process may do or
 * see.  No policy, no messages: the result or -1 with errno.
 */
#include "lib/sys.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifndef OPEN_TREE_CLONE /* musl's <sys/mount.h> knows mount(2) alone */
#include <linux/mount.h>
#endif

#define SYS_RENAME_NOREPLACE 1u /* RENAME_NOREPLACE of <linux/fs.h> */

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

int sys_signal_default(int sig)
{
	/* the kernel's struct sigaction: handler, flags, restorer, mask */
	const uint64_t dfl[4] = {0};

	return (int)syscall(SYS_rt_sigaction, sig, dfl, NULL, sizeof(dfl[0]));
}

int sys_setns(int fd, int nstype)
{
	return setns(fd, nstype);
}

int sys_unshare(int flags)
{
	return unshare(flags);
}

int sys_capget(uint64_t *out_effective, uint64_t *out_permitted)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {0};

	if (syscall(SYS_capget, &head, data) < 0)
		return -1;
	*out_effective = data[0].effective | (uint64_t)data[1].effective << 32;
	*out_permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{
			.effective = (uint32_t)effective,
			.permitted = (uint32_t)permitted,
			.inheritable = (uint32_t)inheritable,
		},
		{
			.effective = (uint32_t)(effective >> 32),
			.permitted = (uint32_t)(permitted >> 32),
			.inheritable = (uint32_t)(inheritable >> 32),
		},
	};

	return (int)syscall(SYS_capset, &head, data);
}

int sys_landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
			    LANDLOCK_CREATE_RULESET_VERSION);
}

/* As of ABI 4; the headers of Debian 12 end at 3. */
struct ruleset_attr {
	uint64_t handled_access_fs, handled_access_net;
};
struct port_attr {
	uint64_t allowed_access, port;
};
#define RULE_NET_PORT 2

int sys_landlock_create(uint64_t handled_access_fs, uint64_t handled_access_net)
{
	struct ruleset_attr attr = {handled_access_fs, handled_access_net};
	size_t len = handled_access_net != 0 ? sizeof(attr)
					     : sizeof(attr.handled_access_fs);

	return (int)syscall(SYS_landlock_create_ruleset, &attr, len, 0);
}

int sys_landlock_add_port(int ruleset, uint16_t port, uint64_t access)
{
	struct port_attr attr = {access, port};

	return (int)syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT,
			    &attr, 0);
}

int sys_landlock_add_path(int ruleset, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr attr = {
		.allowed_access = access,
		.parent_fd = fd,
	};

	return (int)syscall(SYS_landlock_add_rule, ruleset,
			    LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
}

int sys_landlock_restrict(int ruleset)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

int sys_statx(int fd, unsigned int want, struct statx *out)
{
	return (int)syscall(SYS_statx, fd, "", AT_EMPTY_PATH, want, out);
}

int sys_rename_new(int from_dirfd, const char *from, int to_dirfd,
		   const char *to)
{
	return (int)syscall(SYS_renameat2, from_dirfd, from, to_dirfd, to,
			    SYS_RENAME_NOREPLACE);
}

int sys_mount(const char *source, const char *target, const char *type,
	      unsigned long flags, const char *data)
{
	return mount(source, target, type, flags, data);
}

int sys_umount(const char *target, int flags)
{
	return umount2(target, flags);
}

int sys_clone_tree(int fd)
{
	return (int)syscall(SYS_open_tree, fd, "",
			    AT_EMPTY_PATH | OPEN_TREE_CLONE |
				    OPEN_TREE_CLOEXEC);
}

int sys_attach_tree(int fd_tree, int fd_to)
{
	return (int)syscall(SYS_move_mount, fd_tree, "", fd_to, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

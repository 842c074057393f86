/*
 * sys.h - the only door, with engine/sys, to system calls that change the
 * kernel's mind.  Each wrapper returns the result or -1 with errno, exactly as
 * the call, so that faults can be injected here.
 */
#ifndef LIB_SYS_H
#define LIB_SYS_H

#include <linux/openat2.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct statx; /* <linux/stat.h> or the C library's */

int sys_openat2(int dirfd, const char *path, const struct open_how *how);
/* openat2 with RESOLVE_BENEATH|NO_SYMLINKS|NO_MAGICLINKS. */
int sys_open_beneath(int dirfd, const char *path, int flags, mode_t mode);
/* openat2 with RESOLVE_IN_ROOT|NO_MAGICLINKS. */
int sys_open_in_root(int dirfd, const char *path, int flags, mode_t mode);
int sys_pidfd_open(pid_t pid);
int sys_pidfd_signal(int pidfd, int sig);
int sys_close_range(unsigned int first, unsigned int last, unsigned int flags);
int sys_prctl(int op, unsigned long a, unsigned long b, unsigned long c,
	      unsigned long d);
/* SIG_DFL also for the signals that libc keeps for itself (32, 33): a caller
 * may have ignored them. */
int sys_signal_default(int sig);
int sys_setns(int fd, int nstype);
int sys_unshare(int flags);
/* statx(fd, "", AT_EMPTY_PATH): of what fd itself stands for. */
int sys_statx(int fd, unsigned int want, struct statx *out);
/* Fails with EEXIST where renameat(2) would replace. */
int sys_rename_new(int from_dirfd, const char *from, int to_dirfd,
		   const char *to);
int sys_mount(const char *source, const char *target, const char *type,
	      unsigned long flags, const char *data);
int sys_umount(const char *target, int flags);
/* A detached clone of what fd stands for (open_tree, AT_EMPTY_PATH). */
int sys_clone_tree(int fd);
/* Attaches a detached tree at the directory or file that fd_to stands for. */
int sys_attach_tree(int fd_tree, int fd_to);
/* Effective, permitted and inheritable sets of this thread, bit n = capability
 * n. */
int sys_capget(uint64_t *out_effective, uint64_t *out_permitted);
int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
/* ABI version of Landlock, or -1. */
int sys_landlock_abi(void);
/* handled_access_net not 0: needs ABI 4. */
int sys_landlock_create(uint64_t handled_access_fs,
			uint64_t handled_access_net);
int sys_landlock_add_path(int ruleset, int fd, uint64_t access);
int sys_landlock_add_port(int ruleset, uint16_t port, uint64_t access);
int sys_landlock_restrict(int ruleset);

#endif

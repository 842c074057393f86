/* esys.c - see esys.h.  No logic here, only the calls. */
#include "engine/sys/esys.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* <sys/mount.h> cannot be included beside <linux/mount.h> (glibc 2.36). */
#define ESYS_MNT_DETACH 2

pid_t esys_clone3(struct clone_args *args)
{
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

int esys_thread(int (*run)(void *), void *top, void *arg)
{
	return clone(run, top,
		     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			     CLONE_THREAD | CLONE_SYSVSEM,
		     arg);
}

int esys_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, dirfd, path,
			    flags | OPEN_TREE_CLOEXEC);
}

int esys_move_mount(int from, int to_dirfd, const char *to)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH;

	if (to[0] == '\0')
		flags |= MOVE_MOUNT_T_EMPTY_PATH;
	return (int)syscall(SYS_move_mount, from, "", to_dirfd, to, flags);
}

int esys_fsopen(const char *type)
{
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

int esys_fspick(int fd)
{
	return (int)syscall(SYS_fspick, fd, "",
			    FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
}

int esys_fsconfig(int fs, unsigned int cmd, const char *key, const void *val,
		  int aux)
{
	return (int)syscall(SYS_fsconfig, fs, cmd, key, val, aux);
}

int esys_fsmount(int fs, unsigned int attr)
{
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attr);
}

int esys_mount_setattr(int fd, unsigned int flags,
		       const struct mount_attr *attr)
{
	return (int)syscall(SYS_mount_setattr, fd, "", flags | AT_EMPTY_PATH,
			    attr, sizeof(*attr));
}

int esys_pivot_here(void)
{
	return (int)syscall(SYS_pivot_root, ".", ".");
}

int esys_chroot_here(void)
{
	return (int)syscall(SYS_chroot, ".");
}

int esys_umount_here(void)
{
	return (int)syscall(SYS_umount2, ".", ESYS_MNT_DETACH);
}

int esys_mount_here(const char *type, unsigned long flags, const char *data)
{
	return (int)syscall(SYS_mount, type, ".", type, flags, data);
}

int esys_seccomp(unsigned int op, unsigned int flags, const void *args)
{
	return (int)syscall(SYS_seccomp, op, flags, args);
}

int esys_bpf(int cmd, void *attr, size_t len)
{
	return (int)syscall(SYS_bpf, cmd, attr, len);
}

int esys_execve(const char *path, char *const *argv, char *const *envp)
{
	return (int)syscall(SYS_execve, path, argv, envp);
}

int esys_fexec(int fd, char *const *argv, char *const *envp)
{
	return (int)syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
}

int esys_waitid_pidfd(int pidfd, int *out_status, int options)
{
	siginfo_t info = {.si_pid = 0};
	int r;

	do {
		r = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | options);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -1;
	if (info.si_pid == 0)
		return 0;
	*out_status = info.si_code == CLD_EXITED ? info.si_status
						 : 128 + info.si_status;
	return 1;
}

int esys_personality(unsigned long persona)
{
	return personality(persona);
}

int esys_setattr(pid_t pid, const struct esys_sched *attr)
{
	return (int)syscall(SYS_sched_setattr, pid, attr, 0);
}

int esys_new_keyring(void)
{
	return (int)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

int esys_ioprio(pid_t pid, int value)
{
	return (int)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, value);
}

int esys_setaffinity(pid_t pid, const unsigned long *mask, size_t bytes)
{
	return (int)syscall(SYS_sched_setaffinity, pid, bytes, mask);
}

int esys_set_mempolicy(int mode, const unsigned long *nodes, size_t bits)
{
	return (int)syscall(SYS_set_mempolicy, mode, nodes, bits);
}

int esys_prlimit(pid_t pid, int which, const struct rlimit *limit,
		 struct rlimit *out_now)
{
	return (int)syscall(SYS_prlimit64, pid, which, limit, out_now);
}

int esys_mknodat(int dirfd, const char *name, mode_t mode, dev_t dev)
{
	return mknodat(dirfd, name, mode, dev);
}

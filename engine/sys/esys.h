/*
 * esys.h - the raw system calls of the engine: new mount API, clone3,
 * pivot_root, capset, seccomp, bpf, execve.
 *
 * Runs in the engine (root on the host) and in the container's first process.
 * Each wrapper returns the call's result, or -1 with errno, and does nothing
 * else, so that a fault can be injected and a trace recorded here.  Everything
 * that changes mounts, namespaces or privileges goes through here or lib/sys.
 */
#ifndef ENGINE_SYS_ESYS_H
#define ENGINE_SYS_ESYS_H

#include <linux/mount.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* clone3(2); in the child 0.  pidfd and flags are the caller's. */
pid_t esys_clone3(struct clone_args *args);
/* One more thread of this process on its own stack (top: its upper end, it
 * grows down); ends when run returns.  run must not need the C library's
 * threads. */
int esys_thread(int (*run)(void *), void *top, void *arg);
int esys_open_tree(int dirfd, const char *path, unsigned int flags);
int esys_move_mount(int from, int to_dirfd, const char *to);
int esys_fsopen(const char *type);
/* The file system of the mount that fd is the root of. */
int esys_fspick(int fd);
/* cmd: FSCONFIG_*; the last two as the call wants them for cmd. */
int esys_fsconfig(int fs, unsigned int cmd, const char *key, const void *val,
		  int aux);
int esys_fsmount(int fs, unsigned int attr);
int esys_mount_setattr(int fd, unsigned int flags,
		       const struct mount_attr *attr);
int esys_pivot_here(void);  /* pivot_root(".", ".") */
int esys_chroot_here(void); /* chroot(".") */
int esys_umount_here(void); /* umount2(".", MNT_DETACH) */
/* <linux/mount.h> leaves the flags of mount(2) to <sys/mount.h>, which cannot
 * be included beside it. */
#define ESYS_MOUNT_NODEV 4UL
/* mount(type, ".", type, flags, data) */
int esys_mount_here(const char *type, unsigned long flags, const char *data);
int esys_seccomp(unsigned int op, unsigned int flags, const void *args);
int esys_bpf(int cmd, void *attr, size_t len);
int esys_execve(const char *path, char *const *argv, char *const *envp);
/* execveat(fd, "", AT_EMPTY_PATH) */
int esys_fexec(int fd, char *const *argv, char *const *envp);
int esys_waitid_pidfd(int pidfd, int *out_status, int options);
int esys_personality(unsigned long persona);
/* struct sched_attr; <linux/sched/types.h> cannot stand beside <sched.h>. */
struct esys_sched {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};
int esys_setattr(pid_t pid, const struct esys_sched *attr);
/* keyctl(2): joins a session keyring without a name or keys. */
int esys_new_keyring(void);
/* ioprio_set(2) for one process. */
int esys_ioprio(pid_t pid, int value);
int esys_setaffinity(pid_t pid, const unsigned long *mask, size_t bytes);
int esys_set_mempolicy(int mode, const unsigned long *nodes, size_t bits);
/* either may be NULL */
int esys_prlimit(pid_t pid, int which, const struct rlimit *limit,
		 struct rlimit *out_now);
int esys_mknodat(int dirfd, const char *name, mode_t mode, dev_t dev);

#endif

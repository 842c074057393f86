/*
 * engine.c - see engine.h.  The tables are sorted and disjoint (a unit test
 * walks them).
 */
#include "engine/engine.h"

#include "lib/jsonw.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Allowed with any arguments. */
static const char *const engine_allow[] = {"accept",
					   "accept4",
					   "access",
					   "adjtimex",
					   "alarm",
					   "arch_prctl",
					   "bind",
					   "brk",
					   "capget",
					   "capset",
					   "chdir",
					   "chmod",
					   "chown",
					   "clock_adjtime",
					   "clock_getres",
					   "clock_gettime",
					   "clock_nanosleep",
					   "close",
					   "close_range",
					   "connect",
					   "copy_file_range",
					   "creat",
					   "dup",
					   "dup2",
					   "dup3",
					   "epoll_create",
					   "epoll_create1",
					   "epoll_ctl",
					   "epoll_pwait",
					   "epoll_pwait2",
					   "epoll_wait",
					   "eventfd",
					   "eventfd2",
					   "execve",
					   "execveat",
					   "exit",
					   "exit_group",
					   "faccessat",
					   "faccessat2",
					   "fadvise64",
					   "fallocate",
					   "fanotify_mark",
					   "fchdir",
					   "fchmod",
					   "fchmodat",
					   "fchown",
					   "fchownat",
					   "fcntl",
					   "fdatasync",
					   "fgetxattr",
					   "flistxattr",
					   "flock",
					   "fork",
					   "fremovexattr",
					   "fsetxattr",
					   "fstat",
					   "fstatfs",
					   "fsync",
					   "ftruncate",
					   "futex",
					   "futex_waitv",
					   "futimesat",
					   "get_robust_list",
					   "get_thread_area",
					   "getcpu",
					   "getcwd",
					   "getdents",
					   "getdents64",
					   "getegid",
					   "geteuid",
					   "getgid",
					   "getgroups",
					   "getitimer",
					   "getpeername",
					   "getpgid",
					   "getpgrp",
					   "getpid",
					   "getppid",
					   "getpriority",
					   "getrandom",
					   "getresgid",
					   "getresuid",
					   "getrlimit",
					   "getrusage",
					   "getsid",
					   "getsockname",
					   "getsockopt",
					   "gettid",
					   "gettimeofday",
					   "getuid",
					   "getxattr",
					   "inotify_add_watch",
					   "inotify_init",
					   "inotify_init1",
					   "inotify_rm_watch",
					   "io_cancel",
					   "io_destroy",
					   "io_getevents",
					   "io_pgetevents",
					   "io_setup",
					   "io_submit",
					   "ioctl",
					   "ioprio_get",
					   "ioprio_set",
					   "kill",
					   "landlock_add_rule",
					   "landlock_create_ruleset",
					   "landlock_restrict_self",
					   "lchown",
					   "lgetxattr",
					   "link",
					   "linkat",
					   "listen",
					   "listxattr",
					   "llistxattr",
					   "lremovexattr",
					   "lseek",
					   "lsetxattr",
					   "lstat",
					   "madvise",
					   "membarrier",
					   "memfd_create",
					   "memfd_secret",
					   "mincore",
					   "mkdir",
					   "mkdirat",
					   "mknod",
					   "mknodat",
					   "mlock",
					   "mlock2",
					   "mlockall",
					   "mmap",
					   "mprotect",
					   "mq_getsetattr",
					   "mq_notify",
					   "mq_open",
					   "mq_timedreceive",
					   "mq_timedsend",
					   "mq_unlink",
					   "mremap",
					   "msgctl",
					   "msgget",
					   "msgrcv",
					   "msgsnd",
					   "msync",
					   "munlock",
					   "munlockall",
					   "munmap",
					   "name_to_handle_at",
					   "nanosleep",
					   "newfstatat",
					   "open",
					   "openat",
					   "openat2",
					   "pause",
					   "pidfd_open",
					   "pidfd_send_signal",
					   "pipe",
					   "pipe2",
					   "pkey_alloc",
					   "pkey_free",
					   "pkey_mprotect",
					   "poll",
					   "ppoll",
					   "prctl",
					   "pread64",
					   "preadv",
					   "preadv2",
					   "prlimit64",
					   "process_mrelease",
					   "pselect6",
					   "pwrite64",
					   "pwritev",
					   "pwritev2",
					   "read",
					   "readahead",
					   "readlink",
					   "readlinkat",
					   "readv",
					   "recvfrom",
					   "recvmmsg",
					   "recvmsg",
					   "remap_file_pages",
					   "removexattr",
					   "rename",
					   "renameat",
					   "renameat2",
					   "restart_syscall",
					   "rmdir",
					   "rseq",
					   "rt_sigaction",
					   "rt_sigpending",
					   "rt_sigprocmask",
					   "rt_sigqueueinfo",
					   "rt_sigreturn",
					   "rt_sigsuspend",
					   "rt_sigtimedwait",
					   "rt_tgsigqueueinfo",
					   "sched_get_priority_max",
					   "sched_get_priority_min",
					   "sched_getaffinity",
					   "sched_getattr",
					   "sched_getparam",
					   "sched_getscheduler",
					   "sched_rr_get_interval",
					   "sched_setaffinity",
					   "sched_setattr",
					   "sched_setparam",
					   "sched_setscheduler",
					   "sched_yield",
					   "select",
					   "semctl",
					   "semget",
					   "semop",
					   "semtimedop",
					   "sendfile",
					   "sendmmsg",
					   "sendmsg",
					   "sendto",
					   "set_robust_list",
					   "set_thread_area",
					   "set_tid_address",
					   "setfsgid",
					   "setfsuid",
					   "setgid",
					   "setgroups",
					   "setitimer",
					   "setpgid",
					   "setpriority",
					   "setregid",
					   "setresgid",
					   "setresuid",
					   "setreuid",
					   "setrlimit",
					   "setsid",
					   "setsockopt",
					   "setuid",
					   "setxattr",
					   "shmat",
					   "shmctl",
					   "shmdt",
					   "shmget",
					   "shutdown",
					   "sigaltstack",
					   "signalfd",
					   "signalfd4",
					   "socketpair",
					   "splice",
					   "stat",
					   "statfs",
					   "statx",
					   "symlink",
					   "symlinkat",
					   "sync",
					   "sync_file_range",
					   "syncfs",
					   "sysinfo",
					   "tee",
					   "tgkill",
					   "time",
					   "timer_create",
					   "timer_delete",
					   "timer_getoverrun",
					   "timer_gettime",
					   "timer_settime",
					   "timerfd_create",
					   "timerfd_gettime",
					   "timerfd_settime",
					   "times",
					   "tkill",
					   "truncate",
					   "umask",
					   "uname",
					   "unlink",
					   "unlinkat",
					   "utime",
					   "utimensat",
					   "utimes",
					   "vfork",
					   "vmsplice",
					   "wait4",
					   "waitid",
					   "write",
					   "writev",
					   NULL};

/* Known and refused with EPERM, as whatever is not named: the names tell the
 * engine how far our knowledge reaches, above it the answer is ENOSYS. */
static const char *const engine_deny[] = {"_sysctl",
					  "acct",
					  "add_key",
					  "afs_syscall",
					  "bpf",
					  "chroot",
					  "clock_settime",
					  "create_module",
					  "delete_module",
					  "fanotify_init",
					  "finit_module",
					  "fsconfig",
					  "fsmount",
					  "fsopen",
					  "fspick",
					  "get_kernel_syms",
					  "get_mempolicy",
					  "getpmsg",
					  "init_module",
					  "io_uring_enter",
					  "io_uring_register",
					  "io_uring_setup",
					  "ioperm",
					  "iopl",
					  "kcmp",
					  "kexec_file_load",
					  "kexec_load",
					  "keyctl",
					  "lookup_dcookie",
					  "mbind",
					  "migrate_pages",
					  "modify_ldt",
					  "mount",
					  "mount_setattr",
					  "move_mount",
					  "move_pages",
					  "nfsservctl",
					  "open_by_handle_at",
					  "open_tree",
					  "perf_event_open",
					  "pidfd_getfd",
					  "pivot_root",
					  "process_madvise",
					  "process_vm_readv",
					  "process_vm_writev",
					  "ptrace",
					  "putpmsg",
					  "query_module",
					  "quotactl",
					  "quotactl_fd",
					  "reboot",
					  "request_key",
					  "security",
					  "set_mempolicy",
					  "set_mempolicy_home_node",
					  "setdomainname",
					  "sethostname",
					  "setns",
					  "settimeofday",
					  "swapoff",
					  "swapon",
					  "sysfs",
					  "syslog",
					  "tuxcall",
					  "umount2",
					  "unshare",
					  "uselib",
					  "userfaultfd",
					  "ustat",
					  "vhangup",
					  "vserver",
					  NULL};

/* CLONE_NEW* of clone(2); CLONE_NEWTIME is not among its flags. */
#define ENGINE_CLONE_NEW UINT64_C(0x7e020000)

/* AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: no AF_ALG, no AF_VSOCK (E51). */
static const int64_t engine_families[] = {1, 2, 10, 16};

/* PER_LINUX, PER_LINUX32, UNAME26 with both, "tell me". */
static const int64_t engine_personalities[] = {0, 8, 0x20000, 0x20008,
					       0xffffffff};

#if defined(__x86_64__)
#define ENGINE_ARCH "SCMP_ARCH_X86_64"
#elif defined(__aarch64__)
#define ENGINE_ARCH "SCMP_ARCH_AARCH64"
#else
#error "name the architecture of libseccomp here"
#endif

static const char *const engine_masked[] = {"/proc/acpi",
					    "/proc/asound",
					    "/proc/interrupts",
					    "/proc/kcore",
					    "/proc/keys",
					    "/proc/latency_stats",
					    "/proc/sched_debug",
					    "/proc/scsi",
					    "/proc/timer_list",
					    "/proc/timer_stats",
					    "/sys/devices/virtual/powercap",
					    "/sys/firmware",
					    NULL};

static const char *const engine_readonly[] = {
	"/proc/bus",	       "/proc/fs", "/proc/irq", "/proc/sys",
	"/proc/sysrq-trigger", NULL};

static const char *const engine_caps[] = {
	"CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",	 "CAP_FSETID",
	"CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",	 "CAP_SETGID",
	"CAP_SETPCAP", "CAP_SETUID",	       "CAP_SYS_CHROOT", NULL};

const char *const *engine_masked_paths(void)
{
	return engine_masked;
}

const char *const *engine_masked_here(struct arena *arena, unsigned int cpus)
{
	size_t n = sizeof(engine_masked) / sizeof(engine_masked[0]) - 1;
	const char **all = arena_calloc(arena, n + cpus + 1, sizeof(*all));
	unsigned int i;

	memcpy(all, engine_masked, n * sizeof(*all));
	for (i = 0; i < cpus; i++)
		all[n + i] = arena_printf(arena,
					  "/sys/devices/system/cpu/cpu%u/"
					  "thermal_throttle",
					  i);
	return all;
}

const char *const *engine_readonly_paths(void)
{
	return engine_readonly;
}

const char *const *engine_capabilities(void)
{
	return engine_caps;
}

static void engine_strings(struct jsonw *w, const char *key,
			   const char *const *list)
{
	jsonw_key(w, key);
	jsonw_arr(w);
	for (; *list != NULL; list++)
		jsonw_str(w, *list);
	jsonw_arr_end(w);
}

static void engine_rule(struct jsonw *w, const char *const *names,
			const char *action, int64_t error)
{
	jsonw_obj(w);
	engine_strings(w, "names", names);
	jsonw_kstr(w, "action", action);
	if (error != 0)
		jsonw_kint(w, "errnoRet", error);
	jsonw_obj_end(w);
}

/* Allowed if argument 0 is (masked: & value ==) value. */
static void engine_if(struct jsonw *w, const char *name, int64_t value,
		      const char *op)
{
	jsonw_obj(w);
	jsonw_key(w, "names");
	jsonw_arr(w);
	jsonw_str(w, name);
	jsonw_arr_end(w);
	jsonw_kstr(w, "action", "SCMP_ACT_ALLOW");
	jsonw_key(w, "args");
	jsonw_arr(w);
	jsonw_obj(w);
	jsonw_kint(w, "index", 0);
	jsonw_kint(w, "value", value);
	jsonw_kint(w, "valueTwo", 0);
	jsonw_kstr(w, "op", op);
	jsonw_obj_end(w);
	jsonw_arr_end(w);
	jsonw_obj_end(w);
}

static void engine_seccomp(struct jsonw *w)
{
	static const char *const archs[] = {ENGINE_ARCH, NULL};
	static const char *const clone3[] = {"clone3", NULL};
	size_t i;

	jsonw_obj(w);
	jsonw_kstr(w, "defaultAction", "SCMP_ACT_ERRNO");
	jsonw_kint(w, "defaultErrnoRet", EPERM);
	engine_strings(w, "architectures", archs);
	jsonw_key(w, "syscalls");
	jsonw_arr(w);
	engine_rule(w, engine_allow, "SCMP_ACT_ALLOW", 0);
	engine_rule(w, engine_deny, "SCMP_ACT_ERRNO", EPERM);
	engine_rule(w, clone3, "SCMP_ACT_ERRNO", ENOSYS);
	engine_if(w, "clone", (int64_t)ENGINE_CLONE_NEW, "SCMP_CMP_MASKED_EQ");
	for (i = 0; i < sizeof(engine_families) / sizeof(int64_t); i++)
		engine_if(w, "socket", engine_families[i], "SCMP_CMP_EQ");
	for (i = 0; i < sizeof(engine_personalities) / sizeof(int64_t); i++)
		engine_if(w, "personality", engine_personalities[i],
			  "SCMP_CMP_EQ");
	jsonw_arr_end(w);
	jsonw_obj_end(w);
}

void engine_seccomp_default_json(struct buf *out)
{
	struct jsonw w;

	jsonw_init(&w, out);
	engine_seccomp(&w);
}

/*
 * sandbox.c - giving up what a program does not need, before it reads.
 *
 * Order, each step with its reason: (1) no_new_privs, which Landlock and
 * seccomp ask for; (2) bounding set, while CAP_SETPCAP is still there, then the
 * other sets; (3) Landlock, which opens paths; (4) limits; (5) the filter,
 * which forbids all the calls of the steps before.
 */
#include "lib/sandbox.h"
#include "lib/log.h"
#include "lib/sys.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- the groups, as names; a name unknown here and now is skipped --------- */

static const char *const base_calls[] = {
	"read",
	"readv",
	"pread64",
	"preadv",
	"write",
	"writev",
	"pwrite64",
	"pwritev",
	"close",
	"close_range",
	"lseek",
	"fstat",
	"brk",
	"munmap",
	"mremap",
	"madvise",
	"futex",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigpending",
	"rt_sigtimedwait",
	"sigaltstack",
	"signalfd4",
	"exit",
	"exit_group",
	"clock_gettime",
	"clock_getres",
	"clock_nanosleep",
	"nanosleep",
	"gettimeofday",
	"time",
	"times",
	"getrusage",
	"getpid",
	"getppid",
	"gettid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getgroups",
	"getresuid",
	"getresgid",
	"getrandom",
	"poll",
	"ppoll",
	"select",
	"pselect6",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"eventfd2",
	"pipe2",
	"timerfd_create",
	"timerfd_settime",
	"timerfd_gettime",
	"dup",
	"dup2",
	"dup3",
	"fcntl",
	"sendmsg",
	"recvmsg",
	"sendto",
	"recvfrom",
	"shutdown",
	"getsockopt",
	"getsockname",
	"getpeername",
	"restart_syscall",
	"sched_yield",
	"sched_getaffinity",
	"uname",
	"sysinfo",
	"rseq",
	"set_robust_list",
	"membarrier",
	"capget",
};

static const char *const file_read_calls[] = {
	"openat2",    "newfstatat", "stat",	  "lstat",    "statx",
	"access",     "faccessat",  "faccessat2", "readlink", "readlinkat",
	"getdents64", "statfs",	    "fstatfs",	  "getcwd",   "chdir",
	"fchdir",     "fadvise64",  "readahead",
};

static const char *const file_write_calls[] = {
	"open",	     "openat",	  "creat",
	"mkdir",     "mkdirat",	  "rename",
	"renameat",  "renameat2", "unlink",
	"unlinkat",  "rmdir",	  "link",
	"linkat",    "symlink",	  "symlinkat",
	"truncate",  "ftruncate", "fsync",
	"fdatasync", "fallocate", "flock",
	"chmod",     "fchmod",	  "fchmodat",
	"umask",     "utime",	  "utimes",
	"utimensat", "futimesat", "copy_file_range",
	"sendfile",  "splice",	  "sync_file_range",
	"syncfs",    "msync",
};

static const char *const connect_calls[] = {
	"socketpair", "connect",  "bind", "setsockopt",
	"sendmmsg",   "recvmmsg", "mmap", "mprotect",
};

static const char *const accept_calls[] = {
	"accept",
	"accept4",
	"listen",
	"setsockopt",
};

/* what fork, a new program's loader and its own sandbox_enter() need */
static const char *const spawn_calls[] = {
	"clone",
	"clone3",
	"fork",
	"vfork",
	"execve",
	"execveat",
	"wait4",
	"waitid",
	"kill",
	"tgkill",
	"pidfd_open",
	"pidfd_send_signal",
	"setsid",
	"setpgid",
	"getpgid",
	"getsid",
	"socketpair",
	"mmap",
	"mprotect",
	"arch_prctl",
	"set_tid_address",
	"prctl",
	"seccomp",
	"capset",
	"landlock_create_ruleset",
	"landlock_add_rule",
	"landlock_restrict_self",
	"prlimit64",
	"setrlimit",
	"getrlimit",
	"setgroups",
	"setresuid",
	"setresgid",
	"setuid",
	"setgid",
};

/* getaddrinfo() in a thread loads modules of the name service */
static const char *const thread_calls[] = {
	"mmap",		  "mprotect",		"set_tid_address",
	"sched_getparam", "sched_getscheduler",
};

static const char *const owner_calls[] = {
	"chown",      "fchown",	     "lchown",	     "fchownat",
	"setxattr",   "lsetxattr",   "fsetxattr",    "getxattr",
	"lgetxattr",  "fgetxattr",   "listxattr",    "llistxattr",
	"flistxattr", "removexattr", "lremovexattr", "fremovexattr",
	"mknod",      "mknodat",     "utimensat",    "utimes",
	"chmod",      "fchmod",	     "fchmodat",     "umask",
};

static const char *const netlink_calls[] = {
	"setns", "bind", "setsockopt", "sendmmsg", "recvmmsg",
};

static const char *const memory_file_calls[] = {
	"memfd_create",
};

static const char *const exec_calls[] = {
	"execve",     "mmap",	   "mprotect",
	"arch_prctl", "prlimit64", "set_tid_address",
};

static const struct {
	uint32_t group; /* 0: always */
	const char *const *names;
	size_t n;
} groups[] = {
	{0, base_calls, COUNT(base_calls)},
	{SANDBOX_FILE_READ, file_read_calls, COUNT(file_read_calls)},
	{SANDBOX_FILE_WRITE, file_write_calls, COUNT(file_write_calls)},
	{SANDBOX_CONNECT, connect_calls, COUNT(connect_calls)},
	{SANDBOX_ACCEPT, accept_calls, COUNT(accept_calls)},
	{SANDBOX_SPAWN, spawn_calls, COUNT(spawn_calls)},
	{SANDBOX_THREAD, thread_calls, COUNT(thread_calls)},
	{SANDBOX_OWNER, owner_calls, COUNT(owner_calls)},
	{SANDBOX_NETLINK, netlink_calls, COUNT(netlink_calls)},
	{SANDBOX_MEMORY_FILE, memory_file_calls, COUNT(memory_file_calls)},
	{SANDBOX_EXEC, exec_calls, COUNT(exec_calls)},
};

/* --- calls that depend on an argument ------------------------------------- */

#define WRITE_FLAGS ((uint64_t)(O_ACCMODE | O_CREAT | O_TRUNC))
#define ALL_BITS UINT64_MAX

struct by_argument {
	uint32_t group;	 /* 0: always */
	uint32_t unless; /* not when one of these groups is allowed */
	const char *name;
	unsigned int arg;
	uint64_t mask, value; /* (argument & mask) == value */
	int refuse;	      /* errno to return; 0: allow */
};

static const struct by_argument argument_rules[] = {
	/* fstat() of the C library */
	{0, SANDBOX_FILE_READ, "newfstatat", 3, AT_EMPTY_PATH, AT_EMPTY_PATH,
	 0},
	{0, 0, "ioctl", 1, ALL_BITS, TCGETS, 0},
	{0, 0, "ioctl", 1, ALL_BITS, FIONREAD, 0},
	{0, 0, "ioctl", 1, ALL_BITS, TIOCGWINSZ, 0},
	{0, SANDBOX_SPAWN | SANDBOX_EXEC, "prlimit64", 2, ALL_BITS, 0, 0},
	{0, SANDBOX_SPAWN | SANDBOX_THREAD | SANDBOX_CONNECT | SANDBOX_EXEC,
	 "mmap", 2, PROT_EXEC, 0, 0},
	{0, SANDBOX_SPAWN | SANDBOX_THREAD | SANDBOX_CONNECT | SANDBOX_EXEC,
	 "mprotect", 2, PROT_EXEC, 0, 0},
	{SANDBOX_FILE_READ, SANDBOX_FILE_WRITE, "openat", 2, WRITE_FLAGS, 0, 0},
	{SANDBOX_FILE_READ, SANDBOX_FILE_WRITE, "open", 1, WRITE_FLAGS, 0, 0},
	{SANDBOX_THREAD, SANDBOX_SPAWN, "clone", 0, CLONE_THREAD, CLONE_THREAD,
	 0},
	/* flags of clone3 are behind a pointer: the C library falls back */
	{SANDBOX_THREAD, SANDBOX_SPAWN, "clone3", 0, 0, 0, ENOSYS},
	{SANDBOX_CONNECT, 0, "socket", 0, ALL_BITS, AF_UNIX, 0},
	{SANDBOX_CONNECT, 0, "socket", 0, ALL_BITS, AF_INET, 0},
	{SANDBOX_CONNECT, 0, "socket", 0, ALL_BITS, AF_INET6, 0},
	/* the resolver asks for addresses and lives without them */
	{SANDBOX_CONNECT, SANDBOX_NETLINK, "socket", 0, ALL_BITS, AF_NETLINK,
	 EAFNOSUPPORT},
	{SANDBOX_NETLINK, 0, "socket", 0, ALL_BITS, AF_NETLINK, 0},
	{SANDBOX_CONNECTED, SANDBOX_CONNECT, "connect", 0, 0, 0, EINPROGRESS},
};

static int add_call(scmp_filter_ctx f, uint32_t action, const char *name,
		    unsigned int n_args, const struct scmp_arg_cmp *args,
		    struct err *err)
{
	int nr = seccomp_syscall_resolve_name(name);
	int r;

	if (nr == __NR_SCMP_ERROR)
		return 0;
	r = seccomp_rule_add_array(f, action, nr, n_args, args);
	if (r < 0)
		return err_sys(err, -r, "seccomp rule for %s", name);
	return 0;
}

static int add_argument_rule(scmp_filter_ctx f, const struct by_argument *rule,
			     struct err *err)
{
	uint32_t action = rule->refuse ? SCMP_ACT_ERRNO((uint32_t)rule->refuse)
				       : SCMP_ACT_ALLOW;
	struct scmp_arg_cmp cmp = {
		.arg = rule->arg,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = rule->mask,
		.datum_b = rule->value,
	};

	return add_call(f, action, rule->name, rule->mask ? 1 : 0, &cmp, err);
}

/* abort() signals itself; nobody else may be signalled. */
static int add_own_signal(scmp_filter_ctx f, uint32_t allow, struct err *err)
{
	struct scmp_arg_cmp self = {
		.arg = 0,
		.op = SCMP_CMP_EQ,
		.datum_a = (uint64_t)getpid(),
	};

	if (allow & SANDBOX_SPAWN)
		return 0;
	return add_call(f, SCMP_ACT_ALLOW, "tgkill", 1, &self, err);
}

static int fill_filter(scmp_filter_ctx f, uint32_t allow, struct err *err)
{
	int r = add_own_signal(f, allow, err);

	for (size_t g = 0; r == 0 && g < COUNT(groups); g++) {
		if (groups[g].group && !(allow & groups[g].group))
			continue;
		for (size_t i = 0; r == 0 && i < groups[g].n; i++)
			r = add_call(f, SCMP_ACT_ALLOW, groups[g].names[i], 0,
				     NULL, err);
	}
	for (size_t i = 0; r == 0 && i < COUNT(argument_rules); i++) {
		const struct by_argument *rule = &argument_rules[i];

		if (rule->group && !(allow & rule->group))
			continue;
		if (!(allow & rule->unless))
			r = add_argument_rule(f, rule, err);
	}
	return r;
}

/* fill: of the groups in allow, what is allowed and what refused. */
static int load_filter(uint32_t otherwise,
		       int (*fill)(scmp_filter_ctx f, uint32_t allow,
				   struct err *err),
		       uint32_t allow, struct err *err)
{
	scmp_filter_ctx f = seccomp_init(otherwise);
	int r;

	if (!f)
		return err_set(err, ERR_NOMEM, "seccomp: out of memory");
	/* a binary tree: fewer steps a call than a list of a hundred */
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	r = fill(f, allow, err);
	if (r == 0) {
		r = seccomp_load(f);
		if (r < 0)
			r = err_sys(err, -r, "load the seccomp filter");
	}
	seccomp_release(f);
	return r;
}

#if !defined(RECONCILE_SAN) && !defined(GUARD_OFF_SECCOMP)
static int enter_filter(uint32_t allow, struct err *err)
{
	return load_filter(SCMP_ACT_KILL_PROCESS, fill_filter, allow, err);
}
#else
/* A sanitizer needs more than we allow, but what we promise about a call that
 * does nothing must hold. */
static int fill_connected(scmp_filter_ctx f, uint32_t allow, struct err *err)
{
	(void)fill_filter;
	return allow & SANDBOX_CONNECTED
		       ? add_call(f, SCMP_ACT_ERRNO(EINPROGRESS), "connect", 0,
				  NULL, err)
		       : 0;
}

static int enter_filter(uint32_t allow, struct err *err)
{
	return load_filter(SCMP_ACT_ALLOW, fill_connected, allow, err);
}
#endif

/* --- capabilities --------------------------------------------------------- */

static int drop_caps(uint64_t keep, struct err *err)
{
	uint64_t effective, permitted;

	(void)sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long cap = 0; cap < 64; cap++) {
		int has = sys_prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (has < 0)
			break; /* beyond the last of this kernel */
		if (has == 0 || (keep >> cap & 1))
			continue;
		/* without CAP_SETPCAP there is nothing to gain from it: with
		 * no_new_privs an exec gives no capability that is not held */
		if (sys_prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 &&
		    errno != EPERM)
			return err_sys(err, errno, "drop capability %lu", cap);
	}
	if (sys_capget(&effective, &permitted) < 0)
		return err_sys(err, errno, "read the capability sets");
	if (sys_capset(effective & keep, permitted & keep, 0) < 0)
		return err_sys(err, errno, "set the capability sets");
	return 0;
}

/* --- Landlock ------------------------------------------------------------- */

#define FS_TRUNCATE (1ULL << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define NET_CONNECT (1ULL << 1)	  /* ABI 4 */
#define FS_FILE                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |          \
	 LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_DEVICES                                                             \
	(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

static uint64_t handled_rights(int abi)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rights |= FS_TRUNCATE;
	if (abi >= 5)
		rights |= FS_IOCTL_DEV;
	return rights;
}

static int allow_path(int ruleset, const struct sandbox_path *p, uint32_t allow,
		      uint64_t handled, struct err *err)
{
	uint64_t rights = p->write ? handled : FS_READ;
	struct stat st;
	int fd, r = 0;

	if (allow & (SANDBOX_SPAWN | SANDBOX_EXEC))
		rights |= LANDLOCK_ACCESS_FS_EXECUTE;
	else
		rights &= ~LANDLOCK_ACCESS_FS_EXECUTE;
	if (!(allow & SANDBOX_OWNER))
		rights &= ~FS_DEVICES;
	fd = open(p->path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT
			       ? 0
			       : err_sys(err, errno, "open %s", p->path);
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rights &= FS_FILE;
	if (sys_landlock_add_path(ruleset, fd, rights & handled) < 0)
		r = err_sys(err, errno, "Landlock rule for %s", p->path);
	(void)close(fd);
	return r;
}

static int allow_rules(int ruleset, const struct sandbox *s, uint64_t handled,
		       uint64_t net, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_paths; i++)
		r = allow_path(ruleset, &s->paths[i], s->allow, handled, err);
	for (size_t i = 0; r == 0 && net != 0 && i < s->n_tcp_ports; i++)
		if (sys_landlock_add_port(ruleset, s->tcp_ports[i], net) < 0)
			r = err_sys(err, errno, "Landlock rule for port %u",
				    s->tcp_ports[i]);
	return r;
}

static int restrict_paths(const struct sandbox *s, struct err *err)
{
	int abi = sys_landlock_abi();
	uint64_t handled, net;
	int ruleset, r = 0;

	if (abi < 1) {
		log_line(LOG_LEVEL_INFO, "sandbox.landlock",
			 "program=%s state=missing", s->name);
		return 0;
	}
	handled = handled_rights(abi);
	net = s->n_tcp_ports > 0 && abi >= 4 ? NET_CONNECT : 0;
	ruleset = sys_landlock_create(handled, net);
	if (ruleset < 0)
		return err_sys(err, errno, "create the Landlock rules");
	r = allow_rules(ruleset, s, handled, net, err);
	if (r == 0 && sys_landlock_restrict(ruleset) < 0)
		r = err_sys(err, errno, "enter the Landlock rules");
	(void)close(ruleset);
	return r;
}

/* --- limits and the whole ------------------------------------------------- */

static int limit(int what, rlim_t value, const char *name, struct err *err)
{
	struct rlimit old, new = {.rlim_cur = value, .rlim_max = value};

	if (getrlimit((__rlimit_resource_t)what, &old) < 0)
		return err_sys(err, errno, "read limit %s", name);
	if (old.rlim_max < value) /* never raised here */
		new = (struct rlimit){old.rlim_max, old.rlim_max};
	if (setrlimit((__rlimit_resource_t)what, &new) < 0)
		return err_sys(err, errno, "set limit %s", name);
	return 0;
}

static int set_limits(const struct sandbox *s, struct err *err)
{
	int r = 0;

	if (!(s->allow & SANDBOX_NO_FILTER))
		r = limit(RLIMIT_CORE, 0, "core", err);
	if (r == 0 && s->max_files)
		r = limit(RLIMIT_NOFILE, s->max_files, "files", err);
	if (r == 0 && s->max_cpu_s)
		r = limit(RLIMIT_CPU, s->max_cpu_s, "CPU time", err);
	if (r == 0 && s->max_file_bytes)
		r = limit(RLIMIT_FSIZE, s->max_file_bytes, "file size", err);
#if !defined(RECONCILE_SAN)
	if (r == 0 && s->max_memory)
		r = limit(RLIMIT_AS, s->max_memory, "memory", err);
	/* memory may hold secrets: no ptrace by the same user, no dump */
	if (r == 0 && !(s->allow & (SANDBOX_SPAWN | SANDBOX_NO_FILTER)) &&
	    sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = err_sys(err, errno, "set undumpable");
#endif
	return r;
}

int sandbox_enter(const struct sandbox *profile, struct err *err)
{
	bool filter = !(profile->allow & SANDBOX_NO_FILTER);
	int r;

	if (filter && sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_sys(err, errno, "set no_new_privs");
	else
		r = drop_caps(profile->keep_caps, err);
#if !defined(RECONCILE_SAN) /* the leak checker reads /proc in the end */
	if (r == 0 && profile->landlock)
		r = restrict_paths(profile, err);
#else
	(void)restrict_paths;
#endif
	if (r == 0)
		r = set_limits(profile, err);
	if (r == 0 && filter)
		r = enter_filter(profile->allow, err);
	if (r < 0 && err)
		r = err_wrap(err, "%s: sandbox", profile->name);
	return r;
}

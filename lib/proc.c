/*
 * proc.c - starting siblings.  Runs in the programs that start others; the
 * child inherits exactly the descriptors given and a two-line environment.
 *
 * The child shares the parent's memory until it executes (CLONE_VM and
 * CLONE_VFORK, as posix_spawn does): no page tables are copied, so a start
 * costs the same for a manager of 10 MiB and one of 1 GiB.  Hence run_child()
 * and what it calls (1) run on a stack of their own, (2) use system calls only,
 * (3) write no memory of the parent but struct start.
 */
#include "lib/proc.h"
#include "lib/clock.h"
#include "lib/sys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES ((size_t)64 * 1024)
#define FDS_MAX 32
#define FIRST_FD 3
#define ARGS_MAX 64
#define PROBE_PROGRAM "reconcile-verify"

#if defined(RECONCILE_SAN)
#define PLAIN_STACK __attribute__((no_sanitize_address))
#else
#define PLAIN_STACK
#endif

struct start {
	const struct proc_spec *spec;
	char *const *argv;
	char *const *envp;
	pid_t parent;
	int failed; /* errno of the child's step, 0 if it executed */
	const char *step;
};

static const char *const clean_env[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	"LC_ALL=C",
	NULL,
};

PLAIN_STACK static int fail(struct start *s, const char *step)
{
	s->failed = errno;
	s->step = step;
	return -1;
}

/* Handlers of the parent must not run in a child that shares its memory. */
PLAIN_STACK static void default_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		if (sigaction(sig, &dfl, NULL) < 0)
			(void)sys_signal_default(sig);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Copies first above all targets, so that no target overwrites a source. */
PLAIN_STACK static int place_fds(struct start *s)
{
	const struct proc_spec *spec = s->spec;
	int total = FIRST_FD + (int)spec->n_fds;
	int high[FIRST_FD + FDS_MAX];

	for (int i = 0; i < total; i++) {
		int fd = i == 0	  ? spec->in
			 : i == 1 ? spec->out
			 : i == 2 ? spec->err
				  : spec->fds[i - FIRST_FD];

		if (fd < 0)
			fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		high[i] = fcntl(fd, F_DUPFD_CLOEXEC, total);
		if (high[i] < 0)
			return fail(s, "copy descriptors");
	}
	for (int i = 0; i < total; i++)
		if (dup2(high[i], i) < 0)
			return fail(s, "place descriptors");
	if (sys_close_range((unsigned int)total, ~0u, 0) < 0)
		return fail(s, "close descriptors");
	return 0;
}

PLAIN_STACK static int run_child(void *arg)
{
	struct start *s = arg;

	default_signals();
	if (s->spec->new_session && setsid() < 0)
		return fail(s, "setsid");
	if (place_fds(s) < 0)
		return 1;
	if (s->spec->die_with_parent) {
		if (sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
			return fail(s, "set the parent-death signal");
		if (getppid() != s->parent) /* died before it was set */
			_exit(127);
	}
	(void)execve(s->spec->path, s->argv, s->envp);
	return fail(s, "execute");
}

static void reap(int pidfd)
{
	siginfo_t si;

	while (waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED) < 0 && errno == EINTR)
		;
}

/* Casts away const as execve() wants it; the strings are not written. */
static char *const *as_argv(const char *const *v)
{
	return (char *const *)(uintptr_t)v;
}

int proc_spawn(const struct proc_spec *spec, struct proc *out, struct err *err)
{
	struct start s = {
		.spec = spec,
		.argv = as_argv(spec->argv),
		.envp = as_argv(spec->envp ? spec->envp : clean_env),
		.parent = getpid(),
	};
	sigset_t all, old;
	int pidfd = -1, saved;
	char *stack;
	pid_t pid;

	assert(spec->n_fds <= FDS_MAX);
	stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return err_sys(err, errno, "stack for a child");
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	pid = clone(run_child, stack + STACK_BYTES,
		    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &s, &pidfd);
	saved = errno;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	(void)munmap(stack, STACK_BYTES);
	if (pid < 0)
		return err_sys(err, saved, "start %s", spec->path);
	if (s.failed) {
		reap(pidfd);
		(void)close(pidfd);
		return err_sys(err, s.failed, "start %s: %s", spec->path,
			       s.step);
	}
	*out = (struct proc){.pid = pid, .pidfd = pidfd};
	return 0;
}

int proc_libexec(char *out, size_t len, struct err *err)
{
	char probe[PATH_MAX + sizeof(PROBE_PROGRAM)];
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	const char *dir = RECONCILE_LIBEXEC;
	char *slash;

	if (n > 0) {
		exe[n] = '\0';
		slash = strrchr(exe, '/');
		if (slash) {
			*slash = '\0';
			(void)snprintf(probe, sizeof(probe), "%s/%s", exe,
				       PROBE_PROGRAM);
			if (access(probe, X_OK) == 0)
				dir = exe;
		}
	}
	if ((size_t)snprintf(out, len, "%s", dir) >= len)
		return err_set(err, ERR_LIMIT, "path of the siblings too long");
	return 0;
}

int proc_sibling(const char *libexec, const char *name, const char *const *args,
		 struct proc *out, int *out_sock, struct err *err)
{
	char dir[PATH_MAX], path[PATH_MAX + 64];
	const char *argv[ARGS_MAX + 2] = {path};
	struct proc_spec spec = {
		.path = path,
		.argv = argv,
		.n_fds = 1,
		.in = -1,
		.out = -1,
		.err = STDERR_FILENO,
		.die_with_parent = true,
	};
	int pair[2] = {-1, -1};
	int r;

	r = libexec ? 0 : proc_libexec(dir, sizeof(dir), err);
	if (r < 0)
		return r;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s",
			     libexec ? libexec : dir, name) >= sizeof(path))
		return err_set(err, ERR_LIMIT, "path of %s too long", name);
	for (size_t i = 0; args && args[i]; i++) {
		assert(i < ARGS_MAX);
		argv[i + 1] = args[i];
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "socketpair");
	spec.fds = &pair[1];
	r = proc_spawn(&spec, out, err);
	(void)close(pair[1]);
	if (r < 0) {
		(void)close(pair[0]);
		return r;
	}
	*out_sock = pair[0];
	return 0;
}

static int remaining(int64_t deadline)
{
	int64_t left = deadline - clock_boot_ms();

	return left < 0 ? 0 : (int)left;
}

int proc_wait(struct proc *p, int timeout_ms, int *out_status, struct err *err)
{
	int64_t deadline = clock_boot_ms() + timeout_ms;
	struct pollfd pfd = {.fd = p->pidfd, .events = POLLIN};
	siginfo_t si = {0};
	int n;

	do {
		n = poll(&pfd, 1, timeout_ms < 0 ? -1 : remaining(deadline));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, errno, "poll a process");
	if (n == 0)
		return err_set(err, ERR_AGAIN,
			       "process %d has not ended within %d ms", p->pid,
			       timeout_ms);
	if (waitid(P_PIDFD, (id_t)p->pidfd, &si, WEXITED) < 0)
		return err_sys(err, errno, "wait for process %d", p->pid);
	(void)close(p->pidfd);
	*p = (struct proc){.pid = -1, .pidfd = -1};
	*out_status =
		si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
	return 0;
}

void proc_kill(struct proc *p)
{
	if (p->pidfd < 0)
		return;
	(void)sys_pidfd_signal(p->pidfd, SIGKILL);
	reap(p->pidfd);
	(void)close(p->pidfd);
	*p = (struct proc){.pid = -1, .pidfd = -1};
}

/*
 * sweep.c - lets each system call of a command of reconcile-engine fail once,
 * or kills at each; looks afterwards whether anything remains.
 *
 *   sweep [-k] [-a] [-e EVERY] [-s SEED] [-v] ENGINE STATE BUNDLE CGROUP ACT
 *
 *   -k  SIGKILL at the call instead of an error: its process, or all of them
 *   -a  everything: three errors for each call, both kinds of kill
 *   -e  only every EVERY-th call, the first chosen by SEED
 *   -v  one line a trial
 *   ACT a row of the table in sweep_act.c; BUNDLE asks for CGROUP
 *
 * A call is named by its process (0: the engine, then in the order of their
 * creation) and its number within it; a first trial without a fault counts
 * them.  Whoever executes another program is let go.  The calls are changed as
 * fault.c does it, so that it works below a filter.
 *
 * Prints what is wrong, and a closing line with the sums.
 */
#include "tests/fault/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 20
#define IDLE_MS 15
#define OPTIONS                                                                \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK |      \
	 PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)

static const int errors[] = {EIO, EPERM, ENOMEM};
#define ERRORS (sizeof(errors) / sizeof(errors[0]))

/* Cannot fail, or only libc's own start would notice. */
static const long never[] = {SYS_exit,
			     SYS_exit_group,
			     SYS_rt_sigreturn,
			     SYS_getpid,
			     SYS_gettid,
			     SYS_getppid,
			     SYS_getuid,
			     SYS_geteuid,
			     SYS_getgid,
			     SYS_getegid,
			     SYS_umask,
			     SYS_set_tid_address,
			     SYS_set_robust_list,
			     SYS_rseq,
			     SYS_arch_prctl,
			     SYS_rt_sigprocmask,
			     SYS_rt_sigaction,
			     SYS_mprotect};

/* They have done their work even if they tell an error. */
static const long done_anyway[] = {SYS_close, SYS_munmap};

static bool is_among(long nr, const long *list, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof(*list); i++)
		if (list[i] == nr)
			return true;
	return false;
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void set_timer(int ms)
{
	/* again and again: one that comes between two waits would be lost */
	const struct timeval v = {ms / 1000, ms % 1000 * 1000L};
	const struct itimerval t = {.it_interval = v, .it_value = v};

	(void)setitimer(ITIMER_REAL, &t, NULL);
}

/* --- processes ------------------------------------------------------------ */

static struct process *find(struct trial *t, pid_t pid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->p[i].pid == pid)
			return &t->p[i];
	if (t->n == PROCESSES_MAX)
		return NULL;
	t->p[t->n] = (struct process){.pid = pid, .traced = true};
	return &t->p[t->n++];
}

static bool is_engine(pid_t pid)
{
	char path[64], target[4096];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	return strstr(target, "reconcile-engine") != NULL;
}

static void kill_all(const struct trial *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->p[i].traced)
			(void)kill(t->p[i].pid, SIGKILL);
}

/* --- one call --------------------------------------------------------------
 */

/* What a call is about: its path, else what its descriptor is. */
static const struct {
	long nr;
	bool path; /* the second argument; a descriptor is the first */
} subjects[] = {
	{SYS_openat, true},	 {SYS_openat2, true},	 {SYS_newfstatat, true},
	{SYS_faccessat, true},	 {SYS_faccessat2, true}, {SYS_mkdirat, true},
	{SYS_unlinkat, true},	 {SYS_renameat, true},	 {SYS_readlinkat, true},
	{SYS_statx, true},	 {SYS_open_tree, true},	 {SYS_read, false},
	{SYS_write, false},	 {SYS_fstat, false},	 {SYS_fstatfs, false},
	{SYS_getdents64, false}, {SYS_ioctl, false},	 {SYS_fcntl, false},
	{SYS_lseek, false},	 {SYS_pread64, false},	 {SYS_fchmod, false},
	{SYS_dup, false},	 {SYS_close, false},	 {SYS_ftruncate, false},
	{SYS_flock, false},
};

static void describe(struct trial *t, pid_t pid,
		     const struct user_regs_struct *r)
{
	const size_t max = sizeof(t->subject) - 1;
	const size_t page =
		4096 - r->rsi % 4096 < max ? 4096 - r->rsi % 4096 : max;
	struct iovec to = {t->subject, max};
	/* in two parts: the next page may not be there, or hold the rest */
	struct iovec from[2] = {{(void *)r->rsi, page},
				{(void *)(r->rsi + page), max - page}};
	char path[64];
	ssize_t n;
	size_t i;

	memset(t->subject, 0, sizeof(t->subject));
	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		if (subjects[i].nr == (long)r->orig_rax)
			break;
	if (i == sizeof(subjects) / sizeof(subjects[0]))
		return;
	if (subjects[i].path && process_vm_readv(pid, &to, 1, from, 2, 0) > 0 &&
	    t->subject[0] != '\0')
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, (int)r->rdi);
	n = readlink(path, t->subject, sizeof(t->subject) - 1);
	t->subject[n > 0 ? n : 0] = '\0';
}

static void at_entry(struct trial *t, struct process *p)
{
	size_t who = (size_t)(p - t->p);
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, p->pid, NULL, &r) < 0)
		return;
	if (!t->begun)
		return;
	if (t->log != NULL && t->log->n[who] < CALLS_MAX)
		t->log->n[who]++;
	if (who != t->who || p->calls++ != t->ordinal || t->hit)
		return;
	t->nr = (long)r.orig_rax;
	if (is_among(t->nr, never, sizeof(never)))
		return;
	t->hit = true;
	describe(t, p->pid, &r);
	if (t->how == KILL_ONE)
		(void)kill(p->pid, SIGKILL);
	else if (t->how == KILL_ALL)
		kill_all(t);
	if (t->how != FAIL)
		return;
	p->failing = true;
	p->rdi = r.rdi;
	/* brk fails by telling the old end: no errno */
	if (t->nr == SYS_brk)
		r.rdi = 0;
	else if (!is_among(t->nr, done_anyway, sizeof(done_anyway)))
		r.orig_rax = SYS_getpid;
	(void)ptrace(PTRACE_SETREGS, p->pid, NULL, &r);
}

static void at_exit_of_call(const struct trial *t, struct process *p,
			    long result)
{
	size_t who = (size_t)(p - t->p);
	struct user_regs_struct r;

	if (t->log != NULL && t->log->n[who] > 0)
		t->log->result[who][t->log->n[who] - 1] = result;
	if (!p->failing || ptrace(PTRACE_GETREGS, p->pid, NULL, &r) < 0)
		return;
	p->failing = false;
	if (t->nr != SYS_brk)
		r.rax = (unsigned long)-(long)t->error;
	r.rdi = p->rdi; /* the caller relies on it */
	(void)ptrace(PTRACE_SETREGS, p->pid, NULL, &r);
}

static void at_call(struct trial *t, struct process *p)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		at_entry(t, p);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		at_exit_of_call(t, p, (long)info.exit.rval);
}

/* --- following ---------------------------------------------------------------
 */

static void let_go(struct process *p)
{
	(void)ptrace(PTRACE_DETACH, p->pid, NULL, NULL);
	p->traced = false;
}

static void at_stop(struct trial *t, struct process *p, int status)
{
	int event = status >> 16, sig = WSTOPSIG(status), deliver = 0;
	unsigned long pid = 0;

	if (sig == (SIGTRAP | 0x80)) {
		at_call(t, p);
	} else if (event == PTRACE_EVENT_EXEC) {
		if (!is_engine(p->pid)) {
			let_go(p);
			return;
		}
		t->begun = true;
	} else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
		   event == PTRACE_EVENT_CLONE) {
		if (ptrace(PTRACE_GETEVENTMSG, p->pid, NULL, &pid) == 0)
			(void)find(t, (pid_t)pid);
	} else if (event == 0) {
		deliver = sig;
	}
	(void)ptrace(PTRACE_SYSCALL, p->pid, NULL, (long)deliver);
}

static bool any_traced(const struct trial *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->p[i].traced)
			return true;
	return false;
}

/* What is left waits for something: it goes on without us. */
static void release_rest(struct trial *t)
{
	int status;

	for (size_t i = 0; i < t->n; i++) {
		struct process *p = &t->p[i];

		if (!p->traced || ptrace(PTRACE_INTERRUPT, p->pid, 0, 0) < 0)
			continue;
		set_timer(0);
		if (waitpid(p->pid, &status, __WALL) == p->pid &&
		    WIFSTOPPED(status))
			let_go(p);
		p->traced = false;
	}
}

static void follow(struct trial *t, pid_t engine)
{
	struct process *p;
	int status;
	pid_t pid;

	set_timer(SECONDS * 1000);
	while (any_traced(t)) {
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR) {
			t->hung = !t->ended;
			if (t->hung)
				kill_all(t);
			release_rest(t);
			break;
		}
		p = pid > 0 ? find(t, pid) : NULL;
		if (p == NULL)
			break;
		if (WIFSTOPPED(status)) {
			at_stop(t, p, status);
			continue;
		}
		p->traced = false;
		if (pid == engine) {
			t->ended = true;
			t->status = status;
		}
		if (t->ended)
			set_timer(IDLE_MS);
	}
	set_timer(0);
	/* It executed nothing else, so only a kill of ours can be late. */
	if (!t->ended && waitpid(engine, &status, __WALL) == engine)
		t->status = status;
}

/* The program waits for a byte until it is followed. */
static pid_t launch(char *const *argv, int err_fd)
{
	int pipes[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char byte = 0;
	pid_t pid;

	if (null < 0 || pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		if (read(pipes[0], &byte, 1) != 1 || dup2(null, 0) < 0 ||
		    dup2(null, 1) < 0 || dup2(err_fd, 2) < 0)
			_exit(126);
		(void)execv(argv[0], argv);
		_exit(127);
	}
	if (pid > 0 && ptrace(PTRACE_SEIZE, pid, NULL, OPTIONS) == 0)
		(void)!write(pipes[1], &byte, 1);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	(void)close(null);
	return pid;
}

/* A process that waits in a call: its entry again, then it is followed. */
static int follow_also(pid_t pid)
{
	struct __ptrace_syscall_info info = {.op = PTRACE_SYSCALL_INFO_NONE};
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, OPTIONS) < 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
		return -1;
	while (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		if (waitpid(pid, &status, __WALL) != pid ||
		    !WIFSTOPPED(status) ||
		    ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <=
			    0 ||
		    ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0)
			return -1;
	return 0;
}

int sweep_trial(struct trial *t, char *const *argv, pid_t also)
{
	FILE *err = tmpfile();
	pid_t pid = -1;
	size_t n;

	t->n = 0;
	if (err != NULL && (also == 0 || follow_also(also) == 0))
		pid = launch(argv, fileno(err));
	if (pid < 0)
		return -1;
	(void)find(t, pid);
	if (also > 0)
		(void)find(t, also);
	follow(t, pid);
	follow(t, pid);
	rewind(err);
	n = fread(t->text, 1, sizeof(t->text) - 1, err);
	t->text[n] = '\0';
	(void)fclose(err);
	return 0;
}

/* --- the sweep
 * ------------------------------------------------------------------ */

/* Asked with arguments that no kernel takes, to see whether it is there. */
static bool is_probe(const struct log *l, size_t who, unsigned long n)
{
	long r = l->result[who][n];

	return r == -EBADF || r == -EINVAL || r == -EFAULT;
}

static void one(struct sweep *s, enum how how, size_t who, unsigned long n,
		int error)
{
	struct trial t = {.how = how, .who = who, .ordinal = n, .error = error};

	if (sweep_act_before(s) < 0) {
		(void)printf("%s: cannot be prepared\n", s->act->name);
		s->bad++;
		return;
	}
	if (sweep_trial(&t, s->argv, s->act->with_init ? s->init : 0) < 0)
		s->bad++;
	sweep_act_after(s, &t);
}

static void sweep(struct sweep *s, const struct log *l)
{
	unsigned long total = s->seed;

	for (size_t who = 0; who < PROCESSES_MAX; who++)
		for (unsigned long n = 0; n < l->n[who]; n++) {
			unsigned long v = n + s->seed;

			if (is_probe(l, who, n) || ++total % s->every != 0)
				continue;
			if (s->kill && (s->all || v % 2 == 0))
				one(s, KILL_ONE, who, n, 0);
			if (s->kill && (s->all || v % 2 != 0))
				one(s, KILL_ALL, who, n, 0);
			for (size_t i = 0; !s->kill && i < ERRORS; i++)
				if (s->all || v % ERRORS == i)
					one(s, FAIL, who, n, errors[i]);
		}
}

static int parse(struct sweep *s, int argc, char **argv)
{
	int c;

	*s = (struct sweep){.every = 1};
	while ((c = getopt(argc, argv, "kae:s:v")) != -1)
		switch (c) {
		case 'k':
			s->kill = true;
			break;
		case 'a':
			s->all = true;
			break;
		case 'e':
			s->every = strtoul(optarg, NULL, 10);
			break;
		case 's':
			s->seed = strtoul(optarg, NULL, 10);
			break;
		case 'v':
			s->verbose = true;
			break;
		default:
			return -1;
		}
	if (argc - optind != 5 || s->every == 0)
		return -1;
	s->engine = argv[optind];
	s->state = argv[optind + 1];
	s->bundle = argv[optind + 2];
	s->cgroup = argv[optind + 3];
	return sweep_act_init(s, argv[optind + 4]);
}

int main(int argc, char **argv)
{
	const struct sigaction sa = {.sa_handler = on_alarm};
	struct log *log = calloc(1, sizeof(*log));
	struct trial t = {.ordinal = ~0ul, .log = log};
	struct sweep s;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (log == NULL || parse(&s, argc, argv) < 0) {
		(void)fprintf(stderr, "usage: sweep [-k] [-a] [-e EVERY] "
				      "[-s SEED] ENGINE STATE BUNDLE CGROUP "
				      "ACT\n");
		return 2;
	}
	(void)sigaction(SIGALRM, &sa, NULL);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (sweep_act_before(&s) < 0 ||
	    sweep_trial(&t, s.argv, s.act->with_init ? s.init : 0) < 0 ||
	    t.status != 0) {
		(void)printf("%s: fails without a fault: %s\n", s.act->name,
			     t.text);
		s.bad++;
	}
	sweep_act_after(&s, &t);
	if (s.bad == 0)
		sweep(&s, log);
	sweep_act_end(&s);
	free(log);
	(void)printf("%s: %lu trials, %lu failed, %lu killed, %lu went on, "
		     "%lu bad\n",
		     s.act->name, s.trials, s.failed, s.killed, s.went_on,
		     s.bad);
	return s.bad > 0;
}

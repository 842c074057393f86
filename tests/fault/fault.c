/*
 * fault.c - makes one system call of a program fail, also below its seccomp
 * filter (strace cannot: it skips a call by a number that no filter allows).
 *
 *   fault -o REPORT CALL ORDINAL ERRNO PROGRAM ARG...
 *
 * The ORDINAL-th CALL (a row of the table) becomes getpid() at its entry and
 * gets the error at its exit.  REPORT says "injected", "missed" or "killed
 * SIGNAME" in its last line.  Ends as the program ended; a program that dies
 * by a signal gives 128 + its number.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILED 125

static const struct {
	const char *name;
	long nr;
} calls[] = {
	{"openat", SYS_openat},	      {"read", SYS_read},
	{"pread64", SYS_pread64},     {"write", SYS_write},
	{"pwrite64", SYS_pwrite64},   {"fsync", SYS_fsync},
	{"fdatasync", SYS_fdatasync}, {"ftruncate", SYS_ftruncate},
	{"renameat", SYS_renameat},   {"rename", SYS_rename},
	{"mkdir", SYS_mkdir},	      {"mkdirat", SYS_mkdirat},
	{"unlink", SYS_unlink},	      {"unlinkat", SYS_unlinkat},
	{"fchmod", SYS_fchmod},	      {"newfstatat", SYS_newfstatat},
	{"mmap", SYS_mmap},	      {"brk", SYS_brk},
	{"getrandom", SYS_getrandom}, {"link", SYS_link},
};

static const struct {
	const char *name;
	int value;
} errors[] = {
	{"ENOSPC", ENOSPC}, {"EIO", EIO},     {"EMFILE", EMFILE},
	{"ENOMEM", ENOMEM}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT},
};

struct fault {
	long nr, ordinal;
	int error;
	const char *report;
	long seen;
	bool injected;
};

static int usage(void)
{
	(void)fprintf(stderr, "usage: fault -o REPORT CALL ORDINAL ERRNO "
			      "PROGRAM ARG...\n");
	return FAILED;
}

static int parse(struct fault *f, char **argv)
{
	*f = (struct fault){.nr = -1, .report = argv[2]};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, argv[3]) == 0)
			f->nr = calls[i].nr;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(errors[i].name, argv[5]) == 0)
			f->error = errors[i].value;
	f->ordinal = strtol(argv[4], NULL, 10);
	return f->nr < 0 || !f->error || f->ordinal < 1 ? -1 : 0;
}

/* One system call of the program, at its entry. */
static void enter_call(struct fault *f, pid_t pid)
{
	struct user_regs_struct r;
	unsigned long rdi;
	int status;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &r) < 0 ||
	    (long)r.orig_rax != f->nr || ++f->seen != f->ordinal)
		return;
	rdi = r.rdi;
	/* brk fails by telling the old end: no errno */
	if (f->nr == SYS_brk)
		r.rdi = 0;
	else
		r.orig_rax = SYS_getpid;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &r) < 0 ||
	    ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0 ||
	    waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_GETREGS, pid, NULL, &r) < 0)
		return;
	if (f->nr != SYS_brk)
		r.rax = (unsigned long)-(long)f->error;
	r.rdi = rdi; /* the caller relies on it */
	f->injected = ptrace(PTRACE_SETREGS, pid, NULL, &r) == 0;
}

static int follow(struct fault *f, pid_t pid)
{
	bool inside = false;
	int status, deliver = 0;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (long)deliver) < 0 ||
		    waitpid(pid, &status, 0) != pid)
			return -1;
		deliver = 0;
		if (!WIFSTOPPED(status))
			return status;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			deliver = WSTOPSIG(status) == SIGTRAP
					  ? 0
					  : WSTOPSIG(status);
			continue;
		}
		inside = !inside;
		if (inside && !f->injected) {
			enter_call(f, pid);
			inside = !f->injected; /* its exit was consumed */
		}
	}
}

static void report(const struct fault *f, int status)
{
	FILE *out = fopen(f->report, "we");

	if (!out)
		return;
	(void)fprintf(out, "%s\n", f->injected ? "injected" : "missed");
	if (WIFSIGNALED(status))
		(void)fprintf(out, "killed SIG%s\n",
			      sigabbrev_np(WTERMSIG(status)));
	(void)fclose(out);
}

int main(int argc, char **argv)
{
	struct fault f;
	int status;
	pid_t pid;

	if (argc < 7 || strcmp(argv[1], "-o") != 0 || parse(&f, argv) < 0)
		return usage();
	pid = fork();
	if (pid == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)execv(argv[6], argv + 6);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
		return FAILED;
	status = follow(&f, pid);
	report(&f, status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

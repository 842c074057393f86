/*
 * sqv.c - see sqv.h.  Runs in reconcile-openpgp; sqv_profile is entered by the
 * child, which then becomes sqv.  Hostile: signature and payload.  sqv has the
 * files it is given (sealed, in memory), its libraries, its output, and a limit
 * of time, memory and processor; no network, no process, no environment.
 */
#include "policy/openpgp/sqv.h"

#include "lib/clock.h"
#include "lib/proc.h"
#include "lib/sandbox.h"
#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CPU_S 2
#define MEMORY_BYTES ((size_t)1 << 30)
#define FIRST_FILE 3
#define FILES_MAX (OPENPGP_CERTS_MAX + 2) /* signature, payload */
#define PATH_BYTES 48
#define ARGS_MAX (2 * OPENPGP_CERTS_MAX + 8)
#define NOT_STARTED 127

static const struct sandbox_path paths[] = {
	{SQV_PROGRAM, false}, {"/etc/ld.so.cache", false}, {"/lib", false},
	{"/lib64", false},    {"/usr/lib", false},
};

const struct sandbox sqv_starter = {
	.name = "reconcile-openpgp",
	.allow = SANDBOX_FILE_READ | SANDBOX_SPAWN | SANDBOX_MEMORY_FILE,
	.paths = paths,
	.n_paths = sizeof(paths) / sizeof(paths[0]),
	.landlock = true,
	.max_memory = MEMORY_BYTES,
	.max_files = 128,
};

const struct sandbox sqv_profile = {
	.name = "sqv",
	.allow = SANDBOX_FILE_READ | SANDBOX_EXEC,
	.paths = paths,
	.n_paths = sizeof(paths) / sizeof(paths[0]),
	.landlock = true,
	.max_memory = MEMORY_BYTES,
	.max_files = FIRST_FILE + FILES_MAX + 8,
};

struct run {
	int files[FILES_MAX]; /* become 3, 4, ... of sqv */
	size_t n_files;
	int null, output;
	char names[FILES_MAX][PATH_BYTES];
	char not_before[CLOCK_RFC3339_BYTES], not_after[CLOCK_RFC3339_BYTES];
	const char *argv[ARGS_MAX];
};

/* A file in memory that nobody can change any more. */
static int add_file(struct run *r, const char *bytes, size_t len,
		    struct err *err)
{
	int fd = memfd_create("openpgp", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t n;

	if (fd < 0)
		return err_sys(err, errno, "memory file");
	r->files[r->n_files++] = fd;
	for (size_t done = 0; done < len; done += (size_t)n) {
		n = write(fd, bytes + done, len - done);
		if (n < 0)
			return err_sys(err, errno, "write a memory file");
	}
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
		    0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "seal a memory file");
	return 0;
}

/* Whole seconds: sqv knows no fractions. */
static void set_time(int64_t unix_s, char out[CLOCK_RFC3339_BYTES])
{
	char *dot;

	(void)clock_rfc3339(unix_s * 1000, out);
	dot = strchr(out, '.');
	if (dot != NULL)
		(void)snprintf(dot, 2, "Z");
}

static void set_arguments(struct run *r, const struct sqv_request *q)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_files; i++)
		(void)snprintf(r->names[i], PATH_BYTES, "/proc/self/fd/%zu",
			       FIRST_FILE + i);
	set_time(q->head.not_before, r->not_before);
	set_time(q->head.not_after, r->not_after);
	r->argv[n++] = "sqv";
	for (size_t i = 2; i < r->n_files; i++) {
		r->argv[n++] = "--keyring";
		r->argv[n++] = r->names[i];
	}
	r->argv[n++] = "--not-before";
	r->argv[n++] = r->not_before;
	r->argv[n++] = "--not-after";
	r->argv[n++] = r->not_after;
	r->argv[n++] = r->names[0];
	r->argv[n++] = r->names[1];
	r->argv[n] = NULL;
}

static int set_limits(void)
{
	const struct rlimit cpu = {CPU_S, CPU_S};
	const struct rlimit none = {0, 0};

	return setrlimit(RLIMIT_CPU, &cpu) == 0 &&
			       setrlimit(RLIMIT_FSIZE, &none) == 0
		       ? 0
		       : -1;
}

/* Copies first above all targets, so that no target overwrites a source. */
static int place_files(const struct run *r)
{
	int total = FIRST_FILE + (int)r->n_files;
	int high[FIRST_FILE + FILES_MAX];

	for (int i = 0; i < total; i++) {
		int fd = i == 1		  ? r->output
			 : i < FIRST_FILE ? r->null
					  : r->files[i - FIRST_FILE];

		high[i] = fcntl(fd, F_DUPFD, total);
		if (high[i] < 0)
			return -1;
	}
	for (int i = 0; i < total; i++)
		if (dup2(high[i], i) < 0)
			return -1;
	return sys_close_range((unsigned int)total, ~0u, 0);
}

static void become_sqv(const struct run *r, pid_t parent)
{
	char *environment[] = {NULL};

	if (sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    getppid() != parent || place_files(r) < 0 || set_limits() < 0 ||
	    sandbox_enter(&sqv_profile, NULL) < 0)
		_exit(NOT_STARTED);
	(void)execve(SQV_PROGRAM, (char *const *)(uintptr_t)r->argv,
		     environment);
	_exit(NOT_STARTED);
}

/* What it prints, until it closes its end. */
static int read_output(int fd, int64_t deadline, struct openpgp_answer *out,
		       struct err *err)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t left;
	ssize_t n;

	for (;;) {
		left = deadline - clock_boot_ms();
		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return err_set(err, ERR_AGAIN,
				       "sqv is not done in %d ms",
				       SQV_TIMEOUT_MS);
		if (out->len == sizeof(out->output))
			return err_set(err, ERR_LIMIT,
				       "sqv prints over %zu bytes",
				       sizeof(out->output));
		n = read(fd, out->output + out->len,
			 sizeof(out->output) - out->len);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "read what sqv prints");
		out->len += n > 0 ? (size_t)n : 0;
	}
}

static int follow(pid_t pid, int output, struct openpgp_answer *out,
		  struct err *err)
{
	int64_t deadline = clock_boot_ms() + SQV_TIMEOUT_MS;
	struct proc proc = {.pid = pid, .pidfd = sys_pidfd_open(pid)};
	int r;

	if (proc.pidfd < 0)
		return err_sys(err, errno, "pidfd of sqv");
	r = read_output(output, deadline, out, err);
	if (r == 0)
		r = proc_wait(&proc, SQV_TIMEOUT_MS, &out->status, err);
	proc_kill(&proc);
	if (r == 0 && out->status == NOT_STARTED)
		r = err_set(err, ERR_NOTFOUND,
			    "%s cannot be started: is Debian's package sqv "
			    "installed?",
			    SQV_PROGRAM);
	return r;
}

static int start(struct run *run, struct openpgp_answer *out, struct err *err)
{
	pid_t self = getpid();
	int ends[2] = {-1, -1};
	pid_t pid;
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	run->output = ends[1];
	pid = fork();
	if (pid == 0)
		become_sqv(run, self);
	r = pid < 0 ? err_sys(err, errno, "fork") : 0;
	(void)close(ends[1]);
	if (r == 0)
		r = follow(pid, ends[0], out, err);
	(void)close(ends[0]);
	return r;
}

int sqv_run(const struct sqv_request *q, int null, struct openpgp_answer *out,
	    struct err *err)
{
	struct run run = {.null = null};
	int r;

	*out = (struct openpgp_answer){0};
	r = add_file(&run, q->signature, q->head.signature, err);
	if (r == 0)
		r = add_file(&run, q->payload, q->head.payload, err);
	for (size_t i = 0; r == 0 && i < q->head.n_certificates; i++)
		r = add_file(&run, q->certificates[i], q->head.certificates[i],
			     err);
	if (r == 0) {
		set_arguments(&run, q);
		r = start(&run, out, err);
	}
	for (size_t i = 0; i < run.n_files; i++)
		(void)close(run.files[i]);
	return r;
}

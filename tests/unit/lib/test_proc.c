/* test_proc.c - what a started sibling gets, and what it does not. */
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/proc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static int run_shell(const char *script, const int *fds, size_t n_fds,
		     struct buf *out)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct proc p = {.pid = -1, .pidfd = -1};
	struct err e = {0};
	int pipefd[2], status = -1;

	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	const struct proc_spec spec = {
		.path = "/bin/sh",
		.argv = argv,
		.fds = fds,
		.n_fds = n_fds,
		.in = -1,
		.out = pipefd[1],
		.err = STDERR_FILENO,
	};
	assert_int_equal(proc_spawn(&spec, &p, &e), 0);
	(void)close(pipefd[1]);
	assert_int_equal(file_read_fd(pipefd[0], 10000, out, &e), 0);
	(void)close(pipefd[0]);
	assert_int_equal(proc_wait(&p, 5000, &status, &e), 0);
	return status;
}

static void environment_is_clean(void **state)
{
	struct buf b;

	(void)state;
	(void)setenv("LD_PRELOAD", "", 1);
	(void)setenv("CANARY", "1", 1);
	buf_init(&b, 10000);
	assert_int_equal(run_shell("/usr/bin/env | sort", NULL, 0, &b), 0);
	assert_null(strstr(b.data, "CANARY"));
	assert_null(strstr(b.data, "LD_PRELOAD"));
	assert_non_null(strstr(b.data, "LC_ALL=C\n"));
	assert_non_null(strstr(b.data, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"));
	buf_release(&b);
}

/* Descriptors 0..2 and those given, in order, also when they overlap. */
static void exactly_the_descriptors(void **state)
{
	int a = open("/etc/hostname", O_RDONLY);
	int b = open("/etc/passwd", O_RDONLY);
	int spare = open("/etc/group", O_RDONLY);
	int fds[2] = {b, a};
	struct buf out;

	(void)state;
	assert_true(a >= 0 && b >= 0 && spare >= 0);
	buf_init(&out, 10000);
	assert_int_equal(
		run_shell("exec /bin/ls -l /proc/self/fd", fds, 2, &out), 0);
	assert_non_null(strstr(out.data, "0 -> /dev/null"));
	assert_non_null(strstr(out.data, "3 -> /etc/passwd"));
	assert_non_null(strstr(out.data, "4 -> /etc/hostname"));
	assert_null(strstr(out.data, "/etc/group"));
	assert_null(strstr(out.data, "6 ->"));
	buf_release(&out);
	(void)close(a);
	(void)close(b);
	(void)close(spare);
}

static void signals_are_as_new(void **state)
{
	struct sigaction ign = {.sa_handler = SIG_IGN}, old;
	sigset_t set, before;
	struct buf b;

	(void)state;
	(void)sigaction(SIGPIPE, &ign, &old);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	buf_init(&b, 10000);
	assert_int_equal(run_shell("exec /bin/grep -E '^Sig(Blk|Ign)' "
				   "/proc/self/status",
				   NULL, 0, &b),
			 0);
	assert_string_equal(b.data, "SigBlk:\t0000000000000000\n"
				    "SigIgn:\t0000000000000000\n");
	buf_release(&b);
	/* and ours are untouched */
	(void)sigprocmask(SIG_SETMASK, &before, &set);
	assert_true(sigismember(&set, SIGTERM));
	(void)sigaction(SIGPIPE, &old, NULL);
}

static void missing_program(void **state)
{
	const char *argv[] = {"x", NULL};
	const struct proc_spec spec = {
		.path = "/nonexistent/x", .argv = argv, .err = -1};
	struct proc p = {.pid = -1, .pidfd = -1};
	struct err e = {0};

	(void)state;
	assert_int_equal(proc_spawn(&spec, &p, &e), ERR_NOTFOUND);
	assert_string_equal(e.msg, "start /nonexistent/x: execute: "
				   "No such file or directory");
	assert_int_equal(p.pid, -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* none is left */
}

static void wait_and_kill(void **state)
{
	const char *argv[] = {"sleep", "100", NULL};
	const struct proc_spec spec = {.path = "/bin/sleep",
				       .argv = argv,
				       .in = -1,
				       .out = -1,
				       .err = -1,
				       .new_session = true};
	struct err e = {0};
	int status = -1;
	struct proc p;

	(void)state;
	assert_int_equal(proc_spawn(&spec, &p, &e), 0);
	assert_int_equal(getsid(p.pid), p.pid);
	assert_int_equal(proc_wait(&p, 20, &status, &e), ERR_AGAIN);
	assert_int_equal(kill(p.pid, SIGTERM), 0);
	assert_int_equal(proc_wait(&p, 5000, &status, &e), 0);
	assert_int_equal(status, 128 + SIGTERM);
	proc_kill(&p); /* no effect */
	assert_int_equal(proc_spawn(&spec, &p, &e), 0);
	proc_kill(&p);
	assert_int_equal(p.pid, -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void sibling_has_its_socket_at_3(void **state)
{
	const char *args[] = {"-c", "echo hi >&3; cat <&3 >&3", NULL};
	char text[16] = "";
	struct err e = {0};
	int sock = -1, status = -1;
	struct proc p;

	(void)state;
	assert_int_equal(proc_sibling("/bin", "sh", args, &p, &sock, &e), 0);
	assert_int_equal(read(sock, text, sizeof(text) - 1), 3);
	assert_string_equal(text, "hi\n");
	assert_int_equal(write(sock, "abc", 3), 3);
	assert_int_equal(read(sock, text, sizeof(text) - 1), 3);
	assert_int_equal(close(sock), 0);
	assert_int_equal(proc_wait(&p, 5000, &status, &e), 0);
	assert_int_equal(status, 0);
}

static void libexec_falls_back_to_the_build(void **state)
{
	char dir[4096];
	struct err e = {0};

	(void)state;
	assert_int_equal(proc_libexec(dir, sizeof(dir), &e), 0);
	assert_string_equal(dir, RECONCILE_LIBEXEC);
	assert_int_equal(proc_libexec(dir, 1, &e), ERR_LIMIT);
}

/* The figure of the style: a start costs no page tables.  Generous here, as
 * other tests run beside; the measured one is in docs. */
static void start_is_quick_with_much_memory(void **state)
{
	size_t len = 256u << 20;
	char *big = malloc(len);
	const char *argv[] = {"true", NULL};
	const struct proc_spec spec = {.path = "/bin/true",
				       .argv = argv,
				       .in = -1,
				       .out = -1,
				       .err = -1};
	int64_t begin, best = INT64_MAX;
	struct err e = {0};

	(void)state;
	assert_non_null(big);
	memset(big, 1, len);
	for (int round = 0; round < 5; round++) {
		begin = clock_boot_ms();
		for (int i = 0; i < 20; i++) {
			int status = -1;
			struct proc p;

			assert_int_equal(proc_spawn(&spec, &p, &e), 0);
			assert_int_equal(proc_wait(&p, 5000, &status, &e), 0);
		}
		if (clock_boot_ms() - begin < best)
			best = clock_boot_ms() - begin;
	}
	assert_in_range(best, 0, 200); /* 10 ms each; fork takes more */
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(environment_is_clean),
		cmocka_unit_test(exactly_the_descriptors),
		cmocka_unit_test(signals_are_as_new),
		cmocka_unit_test(missing_program),
		cmocka_unit_test(wait_and_kill),
		cmocka_unit_test(sibling_has_its_socket_at_3),
		cmocka_unit_test(libexec_falls_back_to_the_build),
		cmocka_unit_test(start_is_quick_with_much_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

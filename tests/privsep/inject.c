/*
 * inject.c - proves a sandbox on the real program: starts it with a socket as
 * descriptor 3, follows its system calls until its filter is loaded, and turns
 * the next call that it makes into a forbidden one.
 *
 *   inject [-f PATH]... [-m] [-r REQUEST] ACT PROGRAM ARG...
 *
 *   -f PATH     opened (or made) as descriptor 4, 5 ...
 *   -m          write id maps when its first frame comes (reconcile-unpack)
 *   -r REQUEST  verify:REPOSITORY, fetch:STORE, look:CA or unpack: first frame
 *               to send
 *   ACT         a row of the table below; "status" prints what
 *               /proc/PID/status and /proc/PID/environ say at that moment
 *
 * Prints one line: "killed SIGSYS", "errno EACCES", "result N", or why there
 * is none.  Runs as root in the test suite; the program under test is the
 * one that is installed, not a build for tests.
 */
#include "engine/image/image.pb-c.h"
#include "lib/msg.h"
#include "policy/verify/verify.pb-c.h"
#include "reconciler/fetch/fetch.pb-c.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCK 3
#define FDS_MAX 4
#define STEPS_MAX 200000
#define RED_ZONE 4096
#define X32 0x40000000L
#define I386_GETPID 20
#define SECONDS 5
#define ID_BASE 1000000

enum { NR_BIG = 9999, ABI_I386 = -2, REPORT = -3 };

/* Arguments: numbers, or text that is written to the program's stack. */
struct act {
	const char *name;
	long nr;
	const char *text; /* the argument at index `at` */
	int at;
	unsigned long args[6];
};

static const struct act acts[] = {
	{"status", REPORT, NULL, 0, {0}},
	{"socket-inet", SYS_socket, NULL, 0, {AF_INET, SOCK_STREAM}},
	{"socket-inet-raw", SYS_socket, NULL, 0, {AF_INET, SOCK_RAW, 1}},
	{"socket-unix", SYS_socket, NULL, 0, {AF_UNIX, SOCK_STREAM}},
	{"socket-netlink", SYS_socket, NULL, 0, {AF_NETLINK, SOCK_RAW}},
	{"socket-packet", SYS_socket, NULL, 0, {AF_PACKET, SOCK_RAW}},
	{"socket-alg", SYS_socket, NULL, 0, {AF_ALG, SOCK_SEQPACKET}},
	{"socket-vsock", SYS_socket, NULL, 0, {AF_VSOCK, SOCK_STREAM}},
	{"execve", SYS_execve, "/bin/true", 0, {0}},
	{"fork", SYS_clone, NULL, 0, {SIGCHLD}},
	{"fork-vfork", SYS_vfork, NULL, 0, {0}},
	{"clone3", SYS_clone3, NULL, 0, {0, 0}},
	{"new-user-namespace", SYS_unshare, NULL, 0, {CLONE_NEWUSER}},
	{"setns", SYS_setns, NULL, 0, {0, 0}},
	{"mount", SYS_mount, "/", 1, {0, 0, 0, MS_ASYNC}},
	{"chroot", SYS_chroot, "/nowhere", 0, {0}},
	{"ptrace", SYS_ptrace, NULL, 0, {PTRACE_ATTACH, 1}},
	{"process_vm_readv", SYS_process_vm_readv, NULL, 0, {1}},
	{"pidfd_getfd", SYS_pidfd_getfd, NULL, 0, {0, 0, 0}},
	{"kill-other", SYS_kill, NULL, 0, {1, 0}},
	{"tgkill-other", SYS_tgkill, NULL, 0, {1, 1, 0}},
	{"bpf", SYS_bpf, NULL, 0, {0}},
	{"io_uring", SYS_io_uring_setup, NULL, 0, {1, 0}},
	{"keyctl", SYS_keyctl, NULL, 0, {0}},
	{"userfaultfd", SYS_userfaultfd, NULL, 0, {0}},
	{"perf_event_open", SYS_perf_event_open, NULL, 0, {0}},
	{"open_by_handle_at", SYS_open_by_handle_at, NULL, 0, {0}},
	{"init_module", SYS_init_module, NULL, 0, {0}},
	{"kexec_load", SYS_kexec_load, NULL, 0, {0, 0, 0, ~0ul}},
	{"reboot-bad-magic", SYS_reboot, NULL, 0, {0}},
	{"setuid", SYS_setuid, NULL, 0, {0}},
	{"capset", SYS_capset, NULL, 0, {0}},
	{"prctl-dumpable", SYS_prctl, NULL, 0, {PR_SET_DUMPABLE, 1}},
	{"second-filter", SYS_seccomp, NULL, 0, {0, 0, 0}},
	{"mprotect-exec", SYS_mprotect, NULL, 0, {0, 4096, PROT_EXEC}},
	{"mmap-exec",
	 SYS_mmap,
	 NULL,
	 0,
	 {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS}},
	{"chown", SYS_chown, "/nowhere", 0, {0, 0, 0}},
	{"mknod", SYS_mknod, "/nowhere/x", 0, {0, 060600, 0}},
	{"ioctl-tiocsti", SYS_ioctl, NULL, 0, {0, 0x5412, 0}},
	{"unknown-number", NR_BIG, NULL, 0, {0}},
	{"x32-getpid", X32 | SYS_getpid, NULL, 0, {0}},
	{"i386-getpid", ABI_I386, NULL, 0, {0}},
	{"read-shadow",
	 SYS_openat,
	 "/etc/shadow",
	 1,
	 {(unsigned long)AT_FDCWD, 0, O_RDONLY}},
	{"read-proc-1",
	 SYS_openat,
	 "/proc/1/environ",
	 1,
	 {(unsigned long)AT_FDCWD, 0, O_RDONLY}},
	{"list-root",
	 SYS_openat,
	 "/root",
	 1,
	 {(unsigned long)AT_FDCWD, 0, O_RDONLY | O_DIRECTORY}},
	{"write-etc",
	 SYS_openat,
	 "/etc/reconcile-privsep",
	 1,
	 {(unsigned long)AT_FDCWD, 0, O_WRONLY | O_CREAT | O_EXCL, 0600}},
	{"unlink-etc", SYS_unlink, "/etc/reconcile-privsep", 0, {0}},
	{"getpid", SYS_getpid, NULL, 0, {0}}, /* control: allowed everywhere */
};

struct job {
	const struct act *act;
	const char *request;
	bool maps;
	const char *files[FDS_MAX];
	size_t n_files;
	char **argv;
	pid_t pid;
	int sock;
};

static int die(const char *what)
{
	(void)printf("no result: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* --- the program -------------------------------------------------------- */

static void child(const struct job *j, int sock)
{
	int fds[FDS_MAX + 1] = {fcntl(sock, F_DUPFD, 64)};

	for (size_t i = 0; i < j->n_files; i++) {
		int fd = open(j->files[i], O_RDWR | O_CREAT, 0600);

		if (fd < 0 && errno == EISDIR)
			fd = open(j->files[i], O_RDONLY | O_DIRECTORY);
		fds[i + 1] = fcntl(fd, F_DUPFD, 64);
	}
	for (size_t i = 0; i <= j->n_files; i++)
		if (dup2(fds[i], SOCK + (int)i) < 0)
			_exit(126);
	(void)close_range(SOCK + 1 + (unsigned int)j->n_files, ~0u, 0);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(126);
	(void)execv(j->argv[0], j->argv);
	_exit(127);
}

static void send_frame(int sock, uint16_t type, const ProtobufCMessage *m)
{
	uint8_t packed[8192] = {0};
	struct err err;
	size_t len = 0;

	if (m && protobuf_c_message_get_packed_size(m) <= sizeof(packed))
		len = protobuf_c_message_pack(m, packed);
	if (msg_send(sock, type, packed, len, NULL, 0, &err) < 0)
		die(err.msg);
}

static void send_request(const struct job *j)
{
	Verify__VerifyRequest verify = VERIFY__VERIFY_REQUEST__INIT;
	Fetch__MirrorRequest fetch = FETCH__MIRROR_REQUEST__INIT;
	char *path = strchr(j->request, ':');
	char url[4096];

	path = path ? path + 1 : NULL;
	if (strncmp(j->request, "verify:", 7) == 0) {
		verify.repository_path = path;
		send_frame(j->sock, VERIFY__MSG_TYPE__MSG_VERIFY_REQUEST,
			   &verify.base);
	} else if (strncmp(j->request, "fetch:", 6) == 0) {
		(void)snprintf(url, sizeof(url), "file://%s", path);
		fetch.url = url;
		fetch.ref = (char[]){"refs/heads/main"};
		fetch.store_path = path;
		send_frame(j->sock, FETCH__MSG_TYPE__MSG_MIRROR, &fetch.base);
	} else if (strncmp(j->request, "look:", 5) == 0) {
		fetch.url = (char[]){"https://localhost:1/x"};
		fetch.ref = (char[]){"refs/heads/main"};
		fetch.ca_file = path;
		send_frame(j->sock, FETCH__MSG_TYPE__MSG_POLL, &fetch.base);
	} else {
		send_frame(j->sock, IMAGE__FRAME__FRAME_UNPACK_REQUEST, NULL);
	}
}

static void write_map(pid_t pid, const char *name)
{
	char path[64], line[64];
	int fd, n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	n = snprintf(line, sizeof(line), "0 %d 65536\n", ID_BASE);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		die(path);
	(void)close(fd);
}

/* Only once its namespace is there, which its first frame says. */
static void answer(struct job *j)
{
	struct pollfd p = {.fd = j->sock, .events = POLLIN};

	if (!j->maps || poll(&p, 1, 0) != 1)
		return;
	j->maps = false;
	write_map(j->pid, "uid_map");
	write_map(j->pid, "gid_map");
	send_request(j);
}

/* --- following it --------------------------------------------------------- */

static int step(pid_t pid)
{
	int status = 0;

	if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0 ||
	    waitpid(pid, &status, 0) != pid)
		die("follow");
	return status;
}

static bool loads_filter(const struct user_regs_struct *r)
{
	return (r->orig_rax == SYS_seccomp &&
		r->rdi == SECCOMP_SET_MODE_FILTER && r->rdx != 0) ||
	       (r->orig_rax == SYS_prctl && r->rdi == PR_SET_SECCOMP);
}

static bool at_call(int status)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80);
}

/* Until the entry of the first system call under the filter. */
static void run_to_filter(struct job *j)
{
	struct user_regs_struct r;
	bool entry = false, loaded = false;

	for (size_t i = 0; i < STEPS_MAX; i++) {
		int status = step(j->pid);

		if (WIFEXITED(status)) {
			(void)printf("no result: ended with %d before its "
				     "filter\n",
				     WEXITSTATUS(status));
			exit(2);
		}
		if (!at_call(status))
			continue;
		entry = !entry;
		if (ptrace(PTRACE_GETREGS, j->pid, NULL, &r) < 0)
			die("registers");
		if (entry && loaded)
			return;
		if (!entry && loads_filter(&r) && (long)r.rax == 0)
			loaded = true;
		if (!entry)
			answer(j);
	}
	die("no filter was loaded");
}

/* --- the act
 * ------------------------------------------------------------------
 */

static void print_status(pid_t pid)
{
	static const char *const keys[] = {
		"Uid:",	   "CapInh:",	  "CapPrm:", "CapEff:",
		"CapAmb:", "NoNewPrivs:", "Seccomp:"};
	char path[64], line[512];
	FILE *f;
	int c;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (strncmp(line, keys[i], strlen(keys[i])) == 0)
				(void)fputs(line, stdout);
	if (f)
		(void)fclose(f);
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	f = fopen(path, "re");
	while (f && (c = fgetc(f)) != EOF)
		(void)putchar(c ? c : '\n');
	if (f)
		(void)fclose(f);
}

static void put_text(pid_t pid, unsigned long at, const char *text)
{
	size_t len = strlen(text) + 1;

	for (size_t i = 0; i < len; i += sizeof(long)) {
		long word = 0;

		memcpy(&word, text + i,
		       len - i < sizeof(long) ? len - i : sizeof(long));
		if (ptrace(PTRACE_POKEDATA, pid, (char *)at + i, word) < 0)
			die("write to its stack");
	}
}

/* At an entry stop: the call about to be made becomes the act's. */
static void replace_call(pid_t pid, const struct act *a)
{
	unsigned long arg[6];
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &r) < 0)
		die("registers");
	memcpy(arg, a->args, sizeof(arg));
	if (a->text) {
		arg[a->at] = (r.rsp - RED_ZONE) & ~15ul;
		put_text(pid, arg[a->at], a->text);
	}
	r.orig_rax = (unsigned long)a->nr;
	r.rdi = arg[0];
	r.rsi = arg[1];
	r.rdx = arg[2];
	r.r10 = arg[3];
	r.r8 = arg[4];
	r.r9 = arg[5];
	if (ptrace(PTRACE_SETREGS, pid, NULL, &r) < 0)
		die("registers");
}

/* Skips the call, then runs "int $0x80" where its syscall instruction was. */
static void call_i386(pid_t pid)
{
	struct user_regs_struct r;
	long word;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &r) < 0)
		die("registers");
	r.orig_rax = (unsigned long)SYS_getpid;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &r) < 0 || !at_call(step(pid)))
		die("skip a call");
	r.rip -= 2;
	r.rax = I386_GETPID;
	r.orig_rax = ~0ul;
	word = ptrace(PTRACE_PEEKTEXT, pid, (void *)r.rip, NULL);
	word = (long)(((unsigned long)word & ~0xfffful) | 0x80cdul);
	if (ptrace(PTRACE_POKETEXT, pid, (void *)r.rip, word) < 0 ||
	    ptrace(PTRACE_SETREGS, pid, NULL, &r) < 0 || !at_call(step(pid)))
		die("change an instruction");
}

/* A call that the filter kills for has an exit stop too, and then the end. */
static void print_result(pid_t pid)
{
	struct user_regs_struct r = {0};
	int status = step(pid), next;

	if (at_call(status)) {
		if (ptrace(PTRACE_GETREGS, pid, NULL, &r) < 0)
			die("registers");
		next = step(pid);
		if (WIFSIGNALED(next) && WTERMSIG(next) == SIGSYS)
			status = next;
	}
	if (WIFSIGNALED(status))
		(void)printf("killed SIG%s\n", sigabbrev_np(WTERMSIG(status)));
	else if ((long)r.rax < 0 && (long)r.rax > -4096)
		(void)printf("errno %s\n", strerrorname_np(-(int)r.rax));
	else
		(void)printf("result %ld\n", (long)r.rax);
}

static void start(struct job *j)
{
	int pair[2], status;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair");
	j->pid = fork();
	if (j->pid == 0)
		child(j, pair[1]);
	(void)close(pair[1]);
	j->sock = pair[0];
	if (j->pid < 0 || waitpid(j->pid, &status, 0) != j->pid ||
	    !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, j->pid, NULL,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
		die("start");
	if (j->request && !j->maps)
		send_request(j);
}

static void parse(struct job *j, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+f:mr:")) != -1)
		switch (c) {
		case 'f':
			if (j->n_files < FDS_MAX)
				j->files[j->n_files++] = optarg;
			break;
		case 'm':
			j->maps = true;
			break;
		case 'r':
			j->request = optarg;
			break;
		default:
			exit(2);
		}
	if (argc - optind < 2) {
		for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
			(void)puts(acts[i].name);
		exit(0);
	}
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, argv[optind]) == 0)
			j->act = &acts[i];
	j->argv = argv + optind + 1;
	errno = EINVAL;
	if (!j->act)
		die(argv[optind]);
}

int main(int argc, char **argv)
{
	struct job j = {0};

	parse(&j, argc, argv);
	(void)alarm(SECONDS);
	start(&j);
	run_to_filter(&j);
	if (j.act->nr == REPORT) {
		print_status(j.pid);
	} else {
		if (j.act->nr == ABI_I386)
			call_i386(j.pid);
		else
			replace_call(j.pid, j.act);
		print_result(j.pid);
	}
	(void)kill(j.pid, SIGKILL);
	return 0;
}

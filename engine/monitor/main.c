/*
 * main.c - reconcile-monitor: one for each pod; parent (as child subreaper) of
 * the pod's containers, keeper of their logs and exits.  Outlives the agent.
 *
 * Runs as root with the capabilities that the engine needs, because it
 * executes the engine; it parses nothing but fixed frames of a peer with its
 * own uid, and the containers' output goes from pipe to file unread.
 *
 * Invariants: (1) a container's exit is in the state file before anyone is
 * told; (2) without an agent everything goes on; (3) memory is fixed: one
 * struct monitor, no stdio, no heap but while an engine is started.
 */
#include "engine/monitor/command.h"
#include "engine/monitor/logfile.h"
#include "engine/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OUT, ERR, STREAMS };
#define COPY_BYTES 8192
#define ORPHANS_MAX 8
#define READS_A_TURN 8

struct slot {
	struct monitor_event rec;
	struct logfile log;
	pid_t engine;	   /* the engine at work for it, 0 none */
	uint32_t op;	   /* of that engine */
	int pipe[STREAMS]; /* read ends, -1 closed */
};

struct orphan {
	pid_t pid;
	int status;
};

struct monitor {
	struct command_env env;
	struct slot slots[MONITOR_CONTAINERS_MAX];
	size_t n;
	/* ended before their engine said which container they are */
	struct orphan orphans[ORPHANS_MAX];
	size_t n_orphans;
	int sigfd, conn, state_fd;
	bool end;
	char copy[COPY_BYTES];
};

static const char *const stream_name[STREAMS] = {"stdout", "stderr"};

static void put_event(struct monitor *m, const struct monitor_event *e)
{
	if (m->conn >= 0 &&
	    send(m->conn, e, sizeof(*e), MSG_NOSIGNAL) != sizeof(*e)) {
		(void)close(m->conn); /* it connects again and asks */
		m->conn = -1;
	}
}

/* Writes the slot to the state file, then tells.  No fdatasync: the file is
 * for an agent that was started again; after a power loss there is neither
 * this process nor a container to be remembered. */
static void tell(struct monitor *m, struct slot *s, uint32_t kind)
{
	struct timespec ts = {0};
	off_t at = (off_t)((size_t)(s - m->slots) * sizeof(s->rec));

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	s->rec.time_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	s->rec.kind = MONITOR_RECORD;
	if (m->state_fd >= 0)
		(void)!pwrite(m->state_fd, &s->rec, sizeof(s->rec), at);
	s->rec.kind = kind;
	put_event(m, &s->rec);
	s->rec.kind = MONITOR_RECORD;
}

static void close_pipes(struct slot *s)
{
	for (int i = 0; i < STREAMS; i++) {
		if (s->pipe[i] >= 0)
			(void)close(s->pipe[i]);
		s->pipe[i] = -1;
	}
}

/* Moves what is in a pipe to the log; bounded, so that a container which
 * never stops writing cannot keep the monitor from its other work. */
static void copy_out(struct monitor *m, struct slot *s, int stream)
{
	for (int i = 0; i < READS_A_TURN && s->pipe[stream] >= 0; i++) {
		ssize_t n = read(s->pipe[stream], m->copy, sizeof(m->copy));

		if (n > 0) {
			logfile_write(&s->log, stream_name[stream], m->copy,
				      (size_t)n);
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		(void)close(s->pipe[stream]);
		s->pipe[stream] = -1;
	}
}

static struct slot *find(struct monitor *m, const char *name, bool make)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->slots[i].rec.name, name) == 0)
			return &m->slots[i];
	if (!make || m->n == MONITOR_CONTAINERS_MAX)
		return NULL;
	m->slots[m->n] = (struct slot){.pipe = {-1, -1}};
	memcpy(m->slots[m->n].rec.name, name, strlen(name) + 1);
	logfile_init(&m->slots[m->n].log, MONITOR_FD_LOGS,
		     m->slots[m->n].rec.name);
	return &m->slots[m->n++];
}

/* Names become paths: only [a-z0-9.-], no dot first (RFC 1123 label). */
static bool name_ok(const char name[MONITOR_NAME_BYTES])
{
	size_t n = strnlen(name, MONITOR_NAME_BYTES);

	if (n == 0 || n == MONITOR_NAME_BYTES || name[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!(name[i] == '-' || (name[i] >= 'a' && name[i] <= 'z') ||
		      (name[i] >= '0' && name[i] <= '9')))
			return false;
	return true;
}

static void ended(struct monitor *m, struct slot *s, int status)
{
	for (int i = 0; i < STREAMS; i++)
		copy_out(m, s, i);
	close_pipes(s);
	s->rec.state = MONITOR_ENDED;
	s->rec.pid = 0;
	s->rec.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	s->rec.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	s->rec.oom =
		s->rec.signal == SIGKILL && command_oom(&m->env, s->rec.name);
	tell(m, s, MONITOR_EXITED);
}

static void run_done(struct monitor *m, struct slot *s, int status)
{
	pid_t pid = command_pid(&m->env, s->rec.name);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || pid == 0) {
		s->rec.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		s->rec.state = MONITOR_NEW;
		close_pipes(s);
		tell(m, s, MONITOR_FAILED);
		return;
	}
	s->rec.pid = pid;
	s->rec.state = MONITOR_RUNNING;
	s->rec.starts++;
	s->rec.exit_code = s->rec.signal = 0;
	s->rec.oom = 0;
	tell(m, s, MONITOR_STARTED);
	for (size_t i = 0; i < m->n_orphans; i++)
		if (m->orphans[i].pid == pid) {
			m->orphans[i].pid = 0;
			ended(m, s, m->orphans[i].status);
			return;
		}
}

static void engine_done(struct monitor *m, struct slot *s, int status)
{
	s->engine = 0;
	if (s->op == MONITOR_RUN) {
		run_done(m, s, status);
		return;
	}
	s->rec.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (s->rec.exit_code == 0)
		s->rec.state = MONITOR_GONE;
	tell(m, s, MONITOR_DELETED);
}

static void reap(struct monitor *m)
{
	bool busy = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct slot *s = NULL;

		for (size_t i = 0; i < m->n && !s; i++)
			if (m->slots[i].engine == pid ||
			    m->slots[i].rec.pid == pid)
				s = &m->slots[i];
		if (s && s->engine == pid)
			engine_done(m, s, status);
		else if (s)
			ended(m, s, status);
		else if (m->n_orphans < ORPHANS_MAX)
			m->orphans[m->n_orphans++] =
				(struct orphan){pid, status};
	}
	for (size_t i = 0; i < m->n; i++)
		busy = busy || m->slots[i].engine != 0;
	if (!busy)
		m->n_orphans = 0;
}

static int open_pipes(struct slot *s, int write_end[STREAMS])
{
	for (int i = 0; i < STREAMS; i++) {
		int p[2];

		if (pipe2(p, O_CLOEXEC) < 0)
			return -1;
		s->pipe[i] = p[0];
		write_end[i] = p[1];
		if (fcntl(p[0], F_SETFL, O_NONBLOCK) < 0)
			return -1;
	}
	return 0;
}

/* Starts the engine; errno or 0. */
static int do_engine(struct monitor *m, struct slot *s,
		     const struct monitor_request *q)
{
	int wr[STREAMS] = {-1, -1};
	int r = 0;

	if (s->engine != 0 ||
	    (q->op == MONITOR_RUN && s->rec.state == MONITOR_RUNNING))
		return EBUSY;
	if (q->op == MONITOR_RUN) {
		close_pipes(s);
		command_forget(&m->env, s->rec.name);
		if (!(q->flags & MONITOR_NO_LOG) &&
		    (logfile_open(&s->log) < 0 || open_pipes(s, wr) < 0))
			r = errno;
	}
	if (r == 0) {
		s->engine = command_start(&m->env, q->op, q->flags, s->rec.name,
					  wr[OUT], wr[ERR]);
		if (s->engine < 0) {
			r = errno;
			s->engine = 0;
		}
		s->op = q->op;
	}
	for (int i = 0; i < STREAMS; i++)
		if (wr[i] >= 0)
			(void)close(wr[i]);
	if (r != 0)
		close_pipes(s);
	return r;
}

/* The child is ours and not reaped: the pid cannot be another's (E69). */
static int do_kill(struct monitor *m, struct slot *s,
		   const struct monitor_request *q)
{
	struct monitor_event e = s->rec;

	if (s->rec.pid == 0)
		return ESRCH;
	e.exit_code = kill(s->rec.pid, q->arg) < 0 ? errno : 0;
	e.kind = MONITOR_KILLED;
	put_event(m, &e);
	return 0;
}

static int do_end(struct monitor *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->slots[i].rec.pid != 0 || m->slots[i].engine != 0)
			return EBUSY;
	m->end = true;
	return 0;
}

static void request(struct monitor *m, const struct monitor_request *q)
{
	struct slot *s;
	int r = EINVAL;

	if (q->op == MONITOR_END) {
		r = do_end(m);
	} else if (name_ok(q->name)) {
		s = find(m, q->name, q->op != MONITOR_KILL);
		if (!s)
			r = q->op == MONITOR_KILL ? ESRCH : ENOSPC;
		else if (q->op == MONITOR_KILL)
			r = do_kill(m, s, q);
		else if (q->op == MONITOR_RUN || q->op == MONITOR_DELETE)
			r = do_engine(m, s, q);
	}
	if (r != 0) {
		struct monitor_event e = {.kind = MONITOR_REFUSED,
					  .exit_code = r};

		memcpy(e.name, q->name, sizeof(e.name) - 1);
		put_event(m, &e);
	}
}

static void receive(struct monitor *m)
{
	struct monitor_request q;
	ssize_t n = recv(m->conn, &q, sizeof(q), MSG_DONTWAIT | MSG_TRUNC);

	if (n == sizeof(q)) {
		request(m, &q);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	(void)close(m->conn); /* gone, or not of our build */
	m->conn = -1;
}

static void greet(struct monitor *m)
{
	struct monitor_event ready = {.kind = MONITOR_READY, .pid = getpid()};
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	int fd = accept4(MONITOR_FD_LISTEN, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
#ifndef GUARD_OFF_MONITOR_PEER
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    peer.uid != geteuid()) {
		(void)close(fd);
		return;
	}
#endif
	if (m->conn >= 0)
		(void)close(m->conn);
	m->conn = fd;
	for (size_t i = 0; i < m->n; i++)
		put_event(m, &m->slots[i].rec);
	put_event(m, &ready);
}

static void turn(struct monitor *m)
{
	struct pollfd p[3 + STREAMS * MONITOR_CONTAINERS_MAX];
	struct signalfd_siginfo si;
	nfds_t n = 0;

	p[n++] = (struct pollfd){.fd = m->sigfd, .events = POLLIN};
	p[n++] = (struct pollfd){.fd = MONITOR_FD_LISTEN, .events = POLLIN};
	p[n++] = (struct pollfd){.fd = m->conn, .events = POLLIN};
	for (size_t i = 0; i < m->n; i++)
		for (int k = 0; k < STREAMS; k++)
			p[n++] = (struct pollfd){.fd = m->slots[i].pipe[k],
						 .events = POLLIN};
	if (poll(p, n, -1) < 0)
		return;
	for (nfds_t i = 3; i < n; i++)
		if (p[i].revents)
			copy_out(m, &m->slots[(i - 3) / STREAMS],
				 (int)((i - 3) % STREAMS));
	if (p[0].revents) {
		while (read(m->sigfd, &si, sizeof(si)) > 0)
			continue;
		reap(m);
	}
	if (p[2].revents && m->conn >= 0)
		receive(m);
	if (p[1].revents)
		greet(m);
}

/* TERM and INT are for the agent to send to containers, not for us. */
static int block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char **argv)
{
	static const char usage[] =
		"usage: reconcile-monitor engine engine-root run-folder "
		"pod-uid\nStarted by reconcile-agent, one for each pod; of no "
		"use by hand.\n";
	struct monitor m = {.conn = -1};

	if (argc != 5) {
		(void)!write(STDERR_FILENO, usage, sizeof(usage) - 1);
		return 3;
	}
	m.env = (struct command_env){argv[1], argv[2], argv[3], argv[4],
				     MONITOR_FD_RUN};
	/* No no_new_privs here: containers would inherit it, and whether they
	 * have it is the pod's security context (the engine sets it). */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return 7;
	for (int fd = MONITOR_FD_LISTEN; fd <= MONITOR_FD_LOGS; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return 7;
	m.sigfd = block_signals();
	m.state_fd = openat(
		MONITOR_FD_RUN, MONITOR_STATE,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (m.sigfd < 0 || m.state_fd < 0)
		return 7;
	while (!m.end)
		turn(&m);
	return 0;
}

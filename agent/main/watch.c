/*
 * watch.c - the pods' monitors: starting them, finding them again, and what
 * they tell.
 */
#include "agent/main/agent.h"
#include "agent/main/watch.h"
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/jsonp.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define TAIL_BYTES 4096
#define WORDS_BYTES_MAX ((size_t)256 << 10)
#define TERM_BYTES_MAX 4096 /* Kubernetes: terminationMessagePath */

static void on_event(evutil_socket_t fd, short what, void *ctx);

/* A socket address below a folder whose path may be longer than sun_path. */
static int address(int dirfd, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	return snprintf(out->sun_path, sizeof(out->sun_path),
			"/proc/self/fd/%d/" MONITOR_SOCKET,
			dirfd) < (int)sizeof(out->sun_path)
		       ? 0
		       : -1;
}

static int listen_on(int dirfd, struct err *err)
{
	struct sockaddr_un sa;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	mode_t old = umask(0177);

	(void)unlinkat(dirfd, MONITOR_SOCKET, 0);
	if (fd < 0 || address(dirfd, &sa) < 0 ||
	    bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, 2) < 0) {
		int e = errno;

		if (fd >= 0)
			(void)close(fd);
		(void)umask(old);
		return err_sys(err, e, "monitor socket");
	}
	(void)umask(old);
	return fd;
}

int watch_connect(struct pod *p, struct err *err)
{
	struct agent_pod *io = agent_io(p);
	struct sockaddr_un sa;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);

	if (fd < 0 || address(io->run_fd, &sa) < 0 ||
	    connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		int e = errno;

		if (fd >= 0)
			(void)close(fd);
		return err_sys(err, e, "connect to the pod's monitor");
	}
	io->conn = fd;
	io->conn_event = event_new(io->agent->base, fd, EV_READ | EV_PERSIST,
				   on_event, p);
	if (!io->conn_event || event_add(io->conn_event, NULL) < 0)
		return err_set(err, ERR_NOMEM, "out of memory");
	return 0;
}

int watch_spawn(struct pod *p, struct err *err)
{
	struct agent_pod *io = agent_io(p);
	struct agent *a = io->agent;
	char engine[4300], root[4300], monitor[4300];
	const char *argv[] = {"reconcile-monitor", engine, root,
			      io->run_dir,	   p->uid, NULL};
	struct proc_spec spec = {.path = monitor,
				 .argv = argv,
				 .in = -1,
				 .out = -1,
				 .err = -1,
				 .new_session = true,
				 .n_fds = 3};
	int fds[3] = {-1, io->run_fd, -1};
	int r;

	(void)snprintf(engine, sizeof(engine), "%s/reconcile-engine",
		       a->conf.libexec);
	(void)snprintf(root, sizeof(root), "%s/engine", a->conf.run_dir);
	(void)snprintf(monitor, sizeof(monitor), "%s/reconcile-monitor",
		       a->conf.libexec);
	fds[0] = listen_on(io->run_fd, err);
	if (fds[0] < 0)
		return fds[0];
	r = file_mkdirs(io->disk_fd, "logs", 0700, &fds[2], err);
	spec.fds = fds;
	if (r == 0)
		r = proc_spawn(&spec, &io->monitor, err);
	(void)close(fds[0]);
	if (fds[2] >= 0)
		(void)close(fds[2]);
	return r == 0 ? watch_connect(p, err) : r;
}

void watch_release(struct agent_pod *io)
{
	int status;

	if (io->conn_event)
		event_free(io->conn_event);
	io->conn_event = NULL;
	if (io->conn >= 0)
		(void)close(io->conn);
	io->conn = -1;
	if (io->monitor.pid > 0 &&
	    proc_wait(&io->monitor, 100, &status, NULL) < 0 &&
	    io->monitor.pidfd >= 0) {
		(void)close(io->monitor.pidfd); /* it outlives us */
		io->monitor = (struct proc){0};
	}
}

int watch_send(struct pod *p, enum monitor_op op, const char *name, int arg,
	       unsigned int flags, struct err *err)
{
	struct agent_pod *io = agent_io(p);
	struct monitor_request q = {.op = op, .arg = arg, .flags = flags};

	(void)snprintf(q.name, sizeof(q.name), "%s", name);
	if (io->conn < 0)
		return err_set(err, ERR_AGAIN, "the pod has no monitor");
	if (send(io->conn, &q, sizeof(q), MSG_NOSIGNAL) != sizeof(q))
		return err_sys(err, errno, "send to the pod's monitor");
	if (op == MONITOR_RUN || op == MONITOR_DELETE) {
		io->engines++;
		io->agent->engines++;
	}
	return 0;
}

static void engine_done(struct agent_pod *io)
{
	if (io->engines > 0) {
		io->engines--;
		io->agent->engines--;
	}
}

/* The words of a line of the engine's log: msg="...", quoted as in JSON. */
static void put_words(const char *line, char out[POD_TEXT_BYTES])
{
	static const char begin[] = " msg=\"";
	const char *at = strstr(line, begin);
	struct arena *arena = arena_new(WORDS_BYTES_MAX);
	char *words = NULL;
	struct jsonp p;

	if (at != NULL && strlen(at) < WORDS_BYTES_MAX / 4) {
		at += sizeof(begin) - 2;
		jsonp_init(&p, at, strlen(at), 1, arena, NULL);
		(void)jsonp_string(&p, &words);
	}
	agent_coded(out, CODE_ENGINE, words != NULL ? words : line);
	arena_free(arena);
}

/* Last line that the engine logged about a container. */
static void engine_said(struct agent_pod *io, const char *name,
			char out[POD_TEXT_BYTES])
{
	char path[128];
	struct buf b;

	(void)snprintf(path, sizeof(path), "c/%s/engine.log", name);
	buf_init(&b, 1u << 20);
	if (file_read(io->run_fd, path, 1u << 20, &b, NULL) == 0 && b.len > 0) {
		size_t end = b.len, at;

		while (end > 0 && b.data[end - 1] == '\n')
			b.data[--end] = '\0';
		at = end;
		while (at > 0 && b.data[at - 1] != '\n')
			at--;
		put_words(b.data + at, out);
	} else {
		agent_coded(out, CODE_ENGINE, "the engine said nothing");
	}
	buf_release(&b);
}

static void read_termination(struct pod *p, struct pod_container *c)
{
	struct agent_pod *io = agent_io(p);
	char path[128];
	struct buf b;

	c->message[0] = '\0';
	(void)snprintf(path, sizeof(path), "term/%s", c->name);
	buf_init(&b, TERM_BYTES_MAX);
	(void)file_read(io->run_fd, path, TERM_BYTES_MAX, &b, NULL);
	if (b.len > 0) {
		b.data[b.len] = '\0';
		pod_message(c->message, b.data);
	} else if (c->exit_code != 0 &&
		   strcmp(c->spec->termination_message_policy,
			  "FallbackToLogsOnError") == 0) {
		buf_reset(&b);
		if (logs_tail(io, c->name, 10, TERM_BYTES_MAX, &b) == 0 &&
		    b.data)
			pod_message(c->message, b.data);
	}
	buf_release(&b);
}

void watch_lost(struct pod *p, const char *message)
{
	struct agent *a = agent_io(p)->agent;

	if (p->lost || p->stopping || p->final)
		return;
	p->lost = true;
	p->reason = "Lost";
	pod_message(p->message, message);
	record_fact(a, "pod.lost", AUDIT_FACT, p, "", message);
	log_line(LOG_LEVEL_WARN, "pod.lost", "pod=%s reason=\"%s\"", p->name,
		 p->message);
	act_save(p);
	agent_kick(a);
}

static void sandbox_event(struct pod *p, const struct monitor_event *e)
{
	char said[POD_TEXT_BYTES];

	switch (e->kind) {
	case MONITOR_STARTED:
		p->sandbox_up = true;
		p->sandbox_pid = e->pid;
		machine_done(p);
		break;
	case MONITOR_FAILED:
		engine_said(agent_io(p), POD_SANDBOX, said);
		machine_failed(p, "SandboxFailed", said, agent_now());
		break;
	case MONITOR_EXITED:
		p->sandbox_pid = 0;
		watch_lost(p, "the sandbox ended without our doing");
		break;
	case MONITOR_DELETED:
		p->sandbox_gone = true;
		p->busy = false;
		break;
	default:
		break;
	}
}

static void container_event(struct pod *p, struct pod_container *c,
			    const struct monitor_event *e)
{
	struct agent *a = agent_io(p)->agent;
	char said[POD_TEXT_BYTES];
	struct err err = {0};

	switch (e->kind) {
	case MONITOR_STARTED:
		machine_started(p, c, e->pid, agent_now());
		break;
	case MONITOR_FAILED:
		engine_said(agent_io(p), c->name, said);
		record_fact(a, "container.start", AUDIT_OUTCOME, p,
			    code_id(CODE_ENGINE), said);
		machine_start_failed(p, c, "EngineError", said, agent_now());
		break;
	case MONITOR_EXITED:
		if (c->state != POD_C_RUNNING && c->state != POD_C_DELETING)
			break;
		if (c->state == POD_C_RUNNING)
			machine_exited(p, c, e->exit_code, e->signal,
				       e->oom != 0, agent_now());
		read_termination(p, c);
		break;
	case MONITOR_DELETED:
		if (prepare_layer(p, c, &err) < 0)
			log_line(LOG_LEVEL_WARN, "layer.clear",
				 "pod=%s reason=\"%s\"", p->name, err.msg);
		machine_deleted(p, c, agent_now());
		act_save(p);
		break;
	default:
		break;
	}
}

/* What an adopted pod's monitor knows of a container. */
static void record_event(struct pod *p, const struct monitor_event *e)
{
	struct pod_container *c = pod_find(p, e->name);
	int64_t shift = clock_unix_ms() - agent_now();

	if (strcmp(e->name, POD_SANDBOX) == 0) {
		p->sandbox_up = e->state == MONITOR_RUNNING;
		p->sandbox_pid = e->pid;
		p->sandbox_gone = e->state == MONITOR_GONE;
		if (e->state == MONITOR_ENDED)
			watch_lost(p, "the sandbox ended while no agent ran");
		return;
	}
	if (!c || c->state == POD_C_DONE)
		return;
	if (e->state == MONITOR_RUNNING) {
		machine_started(p, c, e->pid, e->time_ms - shift);
	} else if (e->state == MONITOR_ENDED) {
		machine_exited(p, c, e->exit_code, e->signal, e->oom != 0,
			       e->time_ms - shift);
		read_termination(p, c);
	}
}

static void ready_event(struct pod *p)
{
	p->monitor_up = true;
	machine_done(p);
}

static void refused_event(struct pod *p, const struct monitor_event *e)
{
	struct pod_container *c = pod_find(p, e->name);

	if (c && c->state == POD_C_STARTING)
		machine_start_failed(p, c, "MonitorError",
				     strerror(e->exit_code), agent_now());
	else if (c && c->state == POD_C_DELETING)
		machine_deleted(p, c, agent_now());
	else if (strcmp(e->name, POD_SANDBOX) == 0 && p->busy)
		machine_failed(p, "MonitorError", strerror(e->exit_code),
			       agent_now());
}

static void dispatch(struct pod *p, const struct monitor_event *e)
{
	struct pod_container *c = pod_find(p, e->name);

	if (e->kind == MONITOR_STARTED || e->kind == MONITOR_FAILED ||
	    e->kind == MONITOR_DELETED || e->kind == MONITOR_REFUSED)
		engine_done(agent_io(p));
	if (e->kind == MONITOR_READY)
		ready_event(p);
	else if (e->kind == MONITOR_RECORD)
		record_event(p, e);
	else if (e->kind == MONITOR_REFUSED)
		refused_event(p, e);
	else if (strcmp(e->name, POD_SANDBOX) == 0)
		sandbox_event(p, e);
	else if (c)
		container_event(p, c, e);
}

static void closed(struct pod *p)
{
	struct agent_pod *io = agent_io(p);

	while (io->engines > 0)
		engine_done(io);
	watch_release(io);
	p->monitor_up = false;
	if (io->ending) {
		p->monitor_gone = true;
		p->busy = false;
		return;
	}
	p->busy = false;
	watch_lost(p, "the pod's monitor ended without our doing");
}

static void on_event(evutil_socket_t fd, short what, void *ctx)
{
	struct pod *p = ctx;
	struct agent *a = agent_io(p)->agent;
	struct monitor_event e;
	ssize_t n = recv(fd, &e, sizeof(e), MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == sizeof(e)) {
		e.name[sizeof(e.name) - 1] = '\0';
		dispatch(p, &e);
	} else {
		closed(p);
	}
	agent_kick(a);
}

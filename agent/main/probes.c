/*
 * probes.c - asking: HTTP and TCP through a socket that reconcile-net makes in
 * the pod's network namespace, exec through the engine.
 *
 * What answers is hostile: at most 4 KiB are read, a redirect is not followed
 * (threat K12), output of exec probes goes to /dev/null (E65), and the time is
 * the probe's timeout.
 */
#include "agent/main/agent.h"
#include "lib/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES 4096
#define REQUEST_BYTES 4096

struct agent_probe {
	struct agent *agent;
	struct pod *pod; /* NULL: dropped, wait for net's answer only */
	struct pod_container *c;
	int role;
	int fd;
	struct event *event, *timer;
	struct proc proc;
	bool waits_for_net;
	char request[REQUEST_BYTES];
	size_t len, sent;
	char answer[ANSWER_BYTES];
	size_t got;
	struct agent_probe *next;
};

static void probe_free(struct agent_probe *q)
{
	if (q->event)
		event_free(q->event);
	if (q->timer)
		event_free(q->timer);
	if (q->fd >= 0)
		(void)close(q->fd);
	if (q->proc.pid > 0)
		proc_kill(&q->proc);
	free(q);
}

static void unlink_probe(struct agent_probe *q)
{
	struct agent_probe **at = &q->agent->probes;

	while (*at && *at != q)
		at = &(*at)->next;
	if (*at)
		*at = q->next;
}

static const char *const names[PROBE_ROLES] = {"startup", "liveness",
					       "readiness"};

/* Why a container that runs is not ready, for as long as it is not. */
static void say_ready(struct pod_container *c, enum probe_role role, bool ok,
		      const char *why)
{
	static const char not_ready[] = "NotReady";
	char said[POD_TEXT_BYTES];

	if (role == PROBE_LIVENESS)
		return;
	if (!ok && !c->probes[role].passed) {
		(void)snprintf(said, sizeof(said), "%s probe: %s", names[role],
			       why);
		pod_message(c->message, said);
		c->why = not_ready;
	} else if (ok && strcmp(c->why, not_ready) == 0) {
		c->message[0] = '\0';
		c->why = "";
	}
}

static void answer(struct agent_probe *q, bool ok, const char *why)
{
	struct agent *a = q->agent;
	struct pod_container *c = q->c;
	struct pod *p = q->pod;
	enum probe_role role = (enum probe_role)q->role;
	enum probe_verdict v;

	unlink_probe(q);
	if (!p || c->state != POD_C_RUNNING) {
		probe_free(q);
		return;
	}
	v = probe_answer(probe_of(c->spec, role), role, &c->probes[role], ok,
			 agent_now());
	if (!ok)
		log_line(LOG_LEVEL_DEBUG, "probe",
			 "pod=%s container=%s role=%s reason=\"%s\"", p->name,
			 c->name, names[role], why);
	say_ready(c, role, ok, why);
	if (role == PROBE_STARTUP && v == PROBE_PASSED)
		c->started = true;
	if (role == PROBE_READINESS)
		c->ready = c->started && c->probes[role].passed;
	else if (role == PROBE_STARTUP && v == PROBE_PASSED)
		c->ready = c->probes[PROBE_READINESS].passed;
	if (role != PROBE_READINESS && v == PROBE_FAILED) {
		record_fact(a, "container.unhealthy", AUDIT_FACT, p,
			    names[role], why);
		machine_unhealthy(p, c, "Unhealthy", agent_now());
	}
	probe_free(q);
	agent_kick(a);
}

static void on_timeout(evutil_socket_t fd, short what, void *ctx)
{
	struct agent_probe *q = ctx;

	(void)fd;
	(void)what;
	if (q->waits_for_net) { /* its answer frees it */
		struct agent_probe *ghost = q;
		struct agent_probe *copy = malloc(sizeof(*copy));

		if (!copy)
			return;
		*copy = *q;
		copy->event = copy->timer = NULL;
		copy->fd = -1;
		copy->waits_for_net = false;
		ghost->pod = NULL;
		unlink_probe(ghost);
		copy->next = copy->agent->probes;
		copy->agent->probes = copy;
		answer(copy, false, "no socket in time");
		return;
	}
	answer(q, false, "no answer in time");
}

/* "HTTP/1.x NNN": 200 to 399 is healthy. */
static bool status_ok(const struct agent_probe *q)
{
	int status = 0;

	return sscanf(q->answer, "HTTP/1.%*1d %3d", &status) == 1 &&
	       status >= 200 && status < 400;
}

static void on_readable(struct agent_probe *q)
{
	ssize_t n = recv(q->fd, q->answer + q->got,
			 sizeof(q->answer) - 1 - q->got, MSG_DONTWAIT);
	char why[80];

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		q->got += (size_t)n;
	q->answer[q->got] = '\0';
	if (n > 0 && !strchr(q->answer, '\n') && q->got < sizeof(q->answer) - 1)
		return;
	q->answer[strcspn(q->answer, "\r\n")] = '\0';
	(void)snprintf(why, sizeof(why),
		       "want HTTP status 200 to 399, have \"%.24s\"",
		       q->answer);
	answer(q, status_ok(q), why);
}

static void want(struct agent_probe *q, short events, event_callback_fn fn)
{
	if (q->event)
		event_free(q->event);
	q->event = event_new(q->agent->base, q->fd, events | EV_PERSIST, fn, q);
	if (!q->event || event_add(q->event, NULL) < 0)
		answer(q, false, "out of memory");
}

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
	struct agent_probe *q = ctx;
	int e = 0;
	socklen_t len = sizeof(e);
	ssize_t n;

	(void)fd;
	if (what & EV_READ) {
		on_readable(q);
		return;
	}
	if (q->sent == 0 &&
	    (getsockopt(q->fd, SOL_SOCKET, SO_ERROR, &e, &len) < 0 || e != 0)) {
		answer(q, false, strerror(e));
		return;
	}
	if (q->len == 0) { /* TCP: connected is all that is asked */
		answer(q, true, "");
		return;
	}
	n = send(q->fd, q->request + q->sent, q->len - q->sent, MSG_NOSIGNAL);
	if (n > 0)
		q->sent += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		answer(q, false, strerror(errno));
	else
		return;
	if (n > 0 && q->sent == q->len)
		want(q, EV_READ, on_socket);
}

static int64_t port_of(const struct agent_probe *q)
{
	const struct probe *p = probe_of(q->c->spec, (enum probe_role)q->role);

	if (!p->port.is_string)
		return p->port.num;
	for (size_t i = 0; i < q->c->spec->n_ports; i++)
		if (q->c->spec->ports[i].name &&
		    strcmp(q->c->spec->ports[i].name, p->port.text) == 0)
			return q->c->spec->ports[i].port;
	return 0;
}

static void begin_connect(struct agent_probe *q)
{
	const struct probe *p = probe_of(q->c->spec, (enum probe_role)q->role);
	struct sockaddr_in to = {.sin_family = AF_INET};
	uint32_t ip = q->pod->has_ip ? q->pod->ip : INADDR_LOOPBACK;

	if (p->host && !assign_ipv4(p->host, &ip)) {
		answer(q, false, "host: want an IPv4 address");
		return;
	}
	to.sin_addr.s_addr = htonl(ip);
	to.sin_port = htons((uint16_t)port_of(q));
	if (connect(q->fd, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != EINPROGRESS) {
		answer(q, false, strerror(errno));
		return;
	}
	want(q, EV_WRITE, on_socket);
}

static void got_socket(struct agent *a, void *ctx,
		       const struct net_reply *reply, int fd)
{
	struct agent_probe *q = ctx;

	(void)a;
	q->waits_for_net = false;
	q->fd = fd;
	if (!q->pod)
		probe_free(q);
	else if (fd < 0)
		answer(q, false, reply->text);
	else
		begin_connect(q);
}

static void make_request(struct agent_probe *q)
{
	const struct probe *p = probe_of(q->c->spec, (enum probe_role)q->role);
	struct buf b;

	if (p->kind != PROBE_HTTP)
		return;
	buf_init(&b, REQUEST_BYTES - 1);
	buf_printf(&b, "GET %s HTTP/1.1\r\n", p->path ? p->path : "/");
	buf_puts(&b, "Connection: close\r\nUser-Agent: reconcile-probe\r\n"
		     "Accept: */*\r\n");
	for (size_t i = 0; i < p->n_headers; i++)
		if (!strpbrk(p->headers[i].name, "\r\n:") &&
		    !strpbrk(p->headers[i].value, "\r\n"))
			buf_printf(&b, "%s: %s\r\n", p->headers[i].name,
				   p->headers[i].value);
	buf_printf(&b, "Host: %u.%u.%u.%u\r\n\r\n", q->pod->ip >> 24,
		   q->pod->ip >> 16 & 255, q->pod->ip >> 8 & 255,
		   q->pod->ip & 255);
	if (!b.failed) {
		memcpy(q->request, b.data, b.len);
		q->len = b.len;
	}
	buf_release(&b);
}

static void ask_socket(struct agent_probe *q)
{
	struct net_socket frame = {.protocol = NET_TCP};
	char path[64];
	int ns;

	make_request(q);
	if (!q->pod->has_ip) {
		q->fd = socket(AF_INET,
			       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		begin_connect(q);
		return;
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net",
		       q->pod->sandbox_pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0) {
		answer(q, false, "the pod's namespace is gone");
		return;
	}
	q->waits_for_net = true;
	netcall_send(q->agent, NET_SOCKET, &frame, sizeof(frame), ns,
		     got_socket, q);
	(void)close(ns);
}

static void on_exec_end(evutil_socket_t fd, short what, void *ctx)
{
	struct agent_probe *q = ctx;
	int status = 1, r;
	char why[64];

	(void)fd;
	(void)what;
	event_free(q->event);
	q->event = NULL;
	r = proc_wait(&q->proc, 0, &status, NULL);
	if (r == 0)
		q->proc = (struct proc){0};
	(void)snprintf(why, sizeof(why), "want exit status 0, have %d", status);
	answer(q, r == 0 && status == 0, why);
}

static void ask_exec(struct agent_probe *q)
{
	const struct probe *p = probe_of(q->c->spec, (enum probe_role)q->role);
	struct agent *a = q->agent;
	char engine[4300], root[4300], id[128];
	const char *argv[64];
	struct proc_spec spec = {.path = engine,
				 .argv = argv,
				 .in = -1,
				 .out = -1,
				 .err = -1,
				 .die_with_parent = true};
	struct err err = {0};
	size_t n = 0;

	(void)snprintf(engine, sizeof(engine), "%s/reconcile-engine",
		       a->conf.libexec);
	(void)snprintf(root, sizeof(root), "%s/engine", a->conf.run_dir);
	(void)snprintf(id, sizeof(id), "%s.%s", q->pod->uid, q->c->name);
	argv[n++] = "reconcile-engine";
	argv[n++] = "--root";
	argv[n++] = root;
	argv[n++] = "exec";
	argv[n++] = id;
	for (size_t i = 0; i < p->exec.n && n < 63; i++)
		argv[n++] = p->exec.items[i];
	argv[n] = NULL;
	if (proc_spawn(&spec, &q->proc, &err) < 0) {
		answer(q, false, err.msg);
		return;
	}
	q->event = event_new(a->base, q->proc.pidfd, EV_READ, on_exec_end, q);
	if (!q->event || event_add(q->event, NULL) < 0)
		answer(q, false, "out of memory");
}

void probes_ask(struct pod *p, struct pod_container *c, int role)
{
	const struct probe *pr = probe_of(c->spec, (enum probe_role)role);
	struct timeval tv = {.tv_sec = pr->timeout_s > 0 ? pr->timeout_s : 1};
	struct agent *a = agent_io(p)->agent;
	struct agent_probe *q = calloc(1, sizeof(*q));

	c->probes[role].asking = true;
	if (!q)
		return;
	*q = (struct agent_probe){
		.agent = a, .pod = p, .c = c, .role = role, .fd = -1};
	q->next = a->probes;
	a->probes = q;
	q->timer = evtimer_new(a->base, on_timeout, q);
	if (!q->timer || evtimer_add(q->timer, &tv) < 0)
		answer(q, false, "out of memory");
	else if (pr->kind == PROBE_EXEC)
		ask_exec(q);
	else if (pr->kind == PROBE_HTTP && pr->scheme &&
		 strcmp(pr->scheme, "HTTPS") == 0)
		answer(q, false, "scheme HTTPS: not offered by this host");
	else
		ask_socket(q);
}

void probes_drop(struct agent *a, const struct pod *p)
{
	struct agent_probe *q = a->probes, *next;

	for (; q; q = next) {
		next = q->next;
		if (q->pod != p)
			continue;
		unlink_probe(q);
		q->pod = NULL;
		if (!q->waits_for_net)
			probe_free(q);
		else if (q->timer)
			(void)event_del(q->timer);
	}
}

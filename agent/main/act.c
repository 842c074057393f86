/*
 * act.c - carries out what machine.c decides, for all pods, once a turn.
 */
#include "agent/main/agent.h"
#include "agent/main/watch.h"
#include "agent/pod/volume.h"
#include "lib/file.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POD_JSON "pod.json"
#define POD_JSON_BYTES_MAX (8u << 20)
#define ENGINE_MS 5000
#define AUDIT_RETRY_MS 1000

void act_save(struct pod *p)
{
	struct agent_pod *io = agent_io(p);
	struct err err = {0};
	struct buf b;
	int r;

	buf_init(&b, POD_JSON_BYTES_MAX);
	r = pod_encode(p, io->agent->boot_id, &b, &err);
	/* Adoption asks for this boot only; what a final pod came to is kept
	 * for good: a Job that has run is not run again. */
	if (r == 0 && io->disk_fd >= 0 && p->final)
		r = file_replace(io->disk_fd, POD_JSON, 0600, b.data, b.len,
				 &err);
	else if (r == 0 && io->disk_fd >= 0)
		r = agent_write(io->disk_fd, POD_JSON, &b, &err);
	if (r < 0)
		log_line(LOG_LEVEL_ERROR, "pod.save", "pod=%s reason=\"%s\"",
			 p->name, err.msg);
	buf_release(&b);
}

/* A disk that takes no more is the cause, whatever was to be written. */
static enum code_id code_of(enum code_id code, const struct err *err)
{
	static const int disk[] = {ENOSPC, EDQUOT, EROFS, EIO};

	for (size_t i = 0; i < sizeof(disk) / sizeof(disk[0]); i++)
		if (err->sys_errno == disk[i])
			return CODE_DISK;
	return code;
}

static void whole_failed(struct pod *p, enum code_id code, const char *why,
			 const struct err *err)
{
	char said[POD_TEXT_BYTES];

	log_line(LOG_LEVEL_WARN, "pod.act", "pod=%s code=%s reason=\"%s\"",
		 p->name, code_id(code), err->msg);
	if (p->retry_fails == 0)
		record_fact(agent_io(p)->agent, "pod.start", AUDIT_OUTCOME, p,
			    code_id(code), err->msg);
	agent_coded(said, code, err->msg);
	machine_failed(p, why, said, agent_now());
}

static void do_prepare(struct pod *p)
{
	struct err err = {0};

	if (prepare_pod(p, &err) < 0) {
		whole_failed(p, code_of(CODE_VOLUME, &err), "PrepareFailed",
			     &err);
		return;
	}
	p->prepared = true;
	machine_done(p);
	act_save(p);
}

static void do_monitor(struct pod *p)
{
	struct err err = {0};

	p->busy = true;
	if (watch_spawn(p, &err) < 0)
		whole_failed(p, CODE_MONITOR, "MonitorFailed", &err);
}

static void do_sandbox(struct pod *p)
{
	struct err err = {0};

	p->busy = true;
	if (watch_send(p, MONITOR_RUN, POD_SANDBOX, 0, MONITOR_NO_LOG, &err) <
	    0)
		whole_failed(p, CODE_ENGINE, "SandboxFailed", &err);
}

static void attached(struct agent *a, void *ctx, const struct net_reply *reply,
		     int fd)
{
	struct pod *p = ctx;
	struct err err = {0};

	if (fd >= 0)
		(void)close(fd);
	p->busy = false;
	if (reply->code == 0) {
		p->net_up = true;
		machine_done(p);
	} else {
		(void)err_set(&err, ERR_SYS, "%s", reply->text);
		whole_failed(p, CODE_NET, "NetworkFailed", &err);
	}
	agent_kick(a);
}

/* By the address, which is this host's own choice: uids are the manager's. */
static void interface_of(const struct pod *p, char out[NET_NAME_BYTES])
{
	(void)snprintf(out, NET_NAME_BYTES, "rc%08x", p->ip);
}

static void do_attach(struct pod *p)
{
	struct net_attach q = {.ip = p->ip};
	struct err err = {0};
	char path[64];
	int fd;

	if (p->tpl->spec.host_network) {
		p->net_up = true;
		agent_kick(agent_io(p)->agent);
		return;
	}
	p->busy = true;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", p->sandbox_pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		(void)err_sys(&err, errno, "open the pod's namespace");
		whole_failed(p, CODE_NET, "NetworkFailed", &err);
		return;
	}
	interface_of(p, q.host_if);
	netcall_send(agent_io(p)->agent, NET_ATTACH, &q, sizeof(q), fd,
		     attached, p);
	(void)close(fd);
}

static void do_run(struct pod *p, struct pod_container *c)
{
	struct agent *a = agent_io(p)->agent;
	char said[POD_TEXT_BYTES];
	struct err err = {0};
	enum code_id code = CODE_ENGINE;
	int r = 0;

	if (c->ever_ended) {
		record_fact(a, "container.restart", AUDIT_INTENT, p, "",
			    c->name);
		r = record_flush(a, &err);
		code = CODE_AUDIT;
	}
	if (r == 0) {
		code = CODE_VOLUME;
		r = prepare_container(p, c, &code, &err);
		code = code_of(code, &err);
	}
	if (r == 0) {
		r = watch_send(p, MONITOR_RUN, c->name, 0, MONITOR_OVERLAY,
			       &err);
		code = CODE_ENGINE;
	}
	if (r < 0) {
		if (c->fails == 0)
			record_fact(a, "container.start", AUDIT_OUTCOME, p,
				    code_id(code), err.msg);
		log_line(LOG_LEVEL_WARN, "container.start",
			 "pod=%s container=%s code=%s reason=\"%s\"", p->name,
			 c->name, code_id(code), err.msg);
		agent_coded(said, code, err.msg);
		machine_start_failed(p, c, "CreateContainerError", said,
				     agent_now());
	}
}

static bool engine_has(struct agent *a, const struct pod *p, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "engine/%s.%s", p->uid, name);
	return faccessat(a->run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* For pods whose monitor is gone: the engine by ourselves.  Rare, bounded. */
static void delete_directly(struct agent *a, const struct pod *p,
			    const char *name)
{
	char path[4300], root[4300], id[128];
	const char *argv[] = {"reconcile-engine", "--root", root, "delete",
			      "--force",	  id,	    NULL};
	struct proc_spec spec = {
		.path = path, .argv = argv, .in = -1, .out = -1, .err = -1};
	struct proc proc = {0};
	int status;

	(void)snprintf(path, sizeof(path), "%s/reconcile-engine",
		       a->conf.libexec);
	(void)snprintf(root, sizeof(root), "%s/engine", a->conf.run_dir);
	(void)snprintf(id, sizeof(id), "%s.%s", p->uid, name);
	if (!engine_has(a, p, name) || proc_spawn(&spec, &proc, NULL) < 0)
		return;
	if (proc_wait(&proc, ENGINE_MS, &status, NULL) < 0)
		proc_kill(&proc);
}

static void do_delete(struct pod *p, struct pod_container *c)
{
	struct agent *a = agent_io(p)->agent;
	struct err err = {0};

	if (!p->stopping && !p->final && c->ever_ended && c->gone_check_ms &&
	    !engine_has(a, p, c->name)) {
		c->state = POD_C_EXITED;
		watch_lost(p, "a container was removed without our doing");
		return;
	}
	if (!p->monitor_up)
		delete_directly(a, p, c->name);
	if (!p->monitor_up ||
	    watch_send(p, MONITOR_DELETE, c->name, 0, 0, &err) < 0)
		machine_deleted(p, c, agent_now());
}

static void do_kill(struct pod *p, struct pod_container *c, int sig)
{
	struct err err = {0};

	if (watch_send(p, MONITOR_KILL, c->name, sig, 0, &err) < 0)
		log_line(LOG_LEVEL_WARN, "container.kill",
			 "pod=%s reason=\"%s\"", p->name, err.msg);
}

static void do_sandbox_end(struct pod *p)
{
	struct err err = {0};

	if (!p->monitor_up) {
		delete_directly(agent_io(p)->agent, p, POD_SANDBOX);
		p->sandbox_gone = true;
		return;
	}
	if (!p->sandbox_up && p->sandbox_pid == 0 &&
	    !engine_has(agent_io(p)->agent, p, POD_SANDBOX)) {
		p->sandbox_gone = true;
		return;
	}
	p->busy = true;
	if (watch_send(p, MONITOR_DELETE, POD_SANDBOX, 0, 0, &err) < 0) {
		p->busy = false;
		p->sandbox_gone = true;
	}
}

static void detached(struct agent *a, void *ctx, const struct net_reply *reply,
		     int fd)
{
	struct pod *p = ctx;
	struct err err = {0};

	if (fd >= 0)
		(void)close(fd);
	p->busy = false;
	if (reply->code == 0) {
		p->net_gone = true;
	} else {
		(void)err_set(&err, ERR_SYS, "%s", reply->text);
		machine_failed(p, "NetworkFailed", err.msg, agent_now());
	}
	agent_kick(a);
}

static void do_detach(struct pod *p)
{
	struct net_detach q = {0};

	if (!p->has_ip) {
		p->net_gone = true;
		return;
	}
	p->busy = true;
	interface_of(p, q.host_if);
	netcall_send(agent_io(p)->agent, NET_DETACH, &q, sizeof(q), -1,
		     detached, p);
}

static void do_monitor_end(struct pod *p)
{
	struct agent_pod *io = agent_io(p);

	if (!p->monitor_up || watch_send(p, MONITOR_END, "", 0, 0, NULL) < 0) {
		watch_release(io);
		p->monitor_gone = true;
		return;
	}
	io->ending = true;
	p->busy = true;
}

static void do_clean(struct pod *p)
{
	struct agent *a = agent_io(p)->agent;
	struct err err = {0};
	bool dropped = p->stopping;

	if (prepare_clean(p, &err) < 0) {
		machine_failed(p, "CleanFailed", err.msg, agent_now());
		log_line(LOG_LEVEL_WARN, "pod.clean", "pod=%s reason=\"%s\"",
			 p->name, err.msg);
		return;
	}
	p->cleaned = true;
	record_fact(a, dropped ? "pod.stop" : "pod.end", AUDIT_OUTCOME, p,
		    p->reason,
		    dropped				     ? "removed"
		    : pod_phase(p) == CHANNEL__PHASE__FAILED ? "failed"
							     : "succeeded");
	if (!dropped)
		act_save(p);
}

static void carry_out(struct pod *p, const struct machine_do *d)
{
	switch (d->act) {
	case MACHINE_PULL:
		images_pull(p, d->c);
		break;
	case MACHINE_PREPARE:
		do_prepare(p);
		break;
	case MACHINE_MONITOR:
		do_monitor(p);
		break;
	case MACHINE_SANDBOX:
		do_sandbox(p);
		break;
	case MACHINE_ATTACH:
		do_attach(p);
		break;
	case MACHINE_RUN:
		do_run(p, d->c);
		break;
	case MACHINE_KILL:
		do_kill(p, d->c, d->signal);
		break;
	case MACHINE_DELETE:
		do_delete(p, d->c);
		break;
	case MACHINE_SANDBOX_END:
		do_sandbox_end(p);
		break;
	case MACHINE_DETACH:
		do_detach(p);
		break;
	case MACHINE_MONITOR_END:
		do_monitor_end(p);
		break;
	case MACHINE_CLEAN:
		do_clean(p);
		break;
	default:
		break;
	}
}

/* The outcome of a start is told once: everything has been started. */
static void tell_started(struct pod *p)
{
	struct agent_pod *io = agent_io(p);

	if (io->start_told || pod_phase(p) != CHANNEL__PHASE__RUNNING)
		return;
	io->start_told = true;
	record_fact(io->agent, "pod.start", AUDIT_OUTCOME, p, "", "started");
	act_save(p);
}

/* Until it waits; the bound only guards against a mistake of ours. */
static void run_pod(struct pod *p, int64_t now, int64_t *wake)
{
	struct agent *a = agent_io(p)->agent;

	for (int i = 0; i < 256; i++) {
		bool was_final = p->final;
		struct machine_do d;

		if (a->engines >= AGENT_STARTS_MAX && !p->stopping) {
			*wake = now; /* an engine's end kicks us */
			break;
		}
		d = machine_next(p, now, wake);
		if (p->final && !was_final)
			act_save(p);
		if (d.act == MACHINE_WAIT)
			break;
		a->dirty = true;
		carry_out(p, &d);
	}
	for (size_t i = 0; i < p->n; i++) {
		struct pod_container *c = &p->c[i];
		int role;

		if (c->state != POD_C_RUNNING || p->stopping)
			continue;
		while ((role = probe_due(c->spec, c->probes, c->started, now,
					 wake)) >= 0)
			probes_ask(p, c, role);
	}
	tell_started(p);
}

static void wake_in(struct agent *a, int64_t ms)
{
	struct timeval tv;

	if (ms < 1)
		ms = 1;
	tv = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	(void)evtimer_add(a->turn_timer, &tv);
}

void act_turn(struct agent *a)
{
	int64_t now = agent_now(), wake = now + 60000;
	struct err err = {0};

	/* Intents first: without them on disk nothing below happens. */
	if (record_flush(a, &err) < 0) {
		wake_in(a, AUDIT_RETRY_MS);
		return;
	}
	for (size_t i = 0; i < a->n_pods;) {
		struct pod *p = a->pods[i];

		run_pod(p, now, &wake);
		if (p->cleaned && p->stopping) {
			prepare_forget(p);
			adopt_drop(a, p);
		} else {
			i++;
		}
	}
	(void)record_flush(a, NULL);
	if (wake > now)
		wake_in(a, wake - now);
}

/* report.c - what this host says of itself: the whole truth, each time. */
#include "agent/main/agent.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define STATUS_BYTES_MAX (8u << 20)
#define REPORT_ARENA_BYTES (32u << 20)

static char *text(struct arena *arena, const char *s)
{
	return arena_strdup(arena, s ? s : "");
}

static void capacity(const struct agent *a, Channel__Capacity *c)
{
	channel__capacity__init(c);
	c->cpu_m = a->conf.cpu_m > 0 ? a->conf.cpu_m
				     : sysconf(_SC_NPROCESSORS_ONLN) * 1000;
	c->memory = a->conf.memory > 0 ? a->conf.memory
				       : (int64_t)sysconf(_SC_PHYS_PAGES) *
						 sysconf(_SC_PAGESIZE);
	c->pods = a->conf.pods;
}

static Channel__ContainerStatus *container(struct arena *arena,
					   const struct pod_container *c)
{
	Channel__ContainerStatus *s = arena_alloc(arena, sizeof(*s));

	channel__container_status__init(s);
	s->name = text(arena, c->spec->name);
	s->image_digest = text(arena, c->digest);
	s->init = c->init;
	s->running = c->state == POD_C_RUNNING;
	s->ready = c->ready;
	s->started = c->started;
	s->restarts = c->restarts;
	s->exit_code = c->ever_ended ? c->exit_code : -1;
	s->reason = text(arena, c->why);
	s->message = text(arena, c->message);
	return s;
}

static Channel__PodStatus *pod_status(struct arena *arena, struct pod *p)
{
	Channel__PodStatus *s = arena_alloc(arena, sizeof(*s));
	int64_t shift = clock_unix_ms() - agent_now();
	bool ready = pod_ready(p);

	if (ready && p->ready_ms == 0)
		p->ready_ms = agent_now();
	if (!ready)
		p->ready_ms = 0;
	channel__pod_status__init(s);
	s->uid = text(arena, p->uid);
	s->namespace_ = text(arena, p->namespace);
	s->name = text(arena, p->name);
	s->owner_kind = text(arena, p->owner_kind);
	s->owner_name = text(arena, p->owner_name);
	s->template_hash = text(arena, p->template_hash);
	s->commit = text(arena, p->commit);
	s->phase = pod_phase(p);
	s->ready = ready;
	s->ip = p->has_ip ? arena_printf(arena, "%u.%u.%u.%u", p->ip >> 24,
					 p->ip >> 16 & 255, p->ip >> 8 & 255,
					 p->ip & 255)
			  : text(arena, "");
	s->started_ms = p->started_ms ? p->started_ms + shift : 0;
	s->ready_ms = p->ready_ms ? p->ready_ms + shift : 0;
	s->reason = text(arena, p->reason);
	s->message = text(arena, p->message);
	s->n_containers = p->n;
	s->containers = arena_calloc(arena, p->n + 1, sizeof(*s->containers));
	for (size_t i = 0; i < p->n; i++)
		s->containers[i] = container(arena, &p->c[i]);
	return s;
}

static bool settled(const struct agent *a)
{
	if (a->next || !a->now)
		return false;
	for (size_t i = 0; i < a->n_pods; i++) {
		const struct pod *p = a->pods[i];

		if (p->stopping || (!p->final && !p->lost && !pod_ready(p)))
			return false;
	}
	return true;
}

void report_send(struct agent *a)
{
	struct arena *arena = arena_new(REPORT_ARENA_BYTES);
	Channel__Report m;
	Channel__Capacity c;
	uint8_t *packed;

	channel__report__init(&m);
	capacity(a, &c);
	m.session = a->session;
	m.sequence = ++a->sequence;
	m.epoch = a->epoch;
	m.accepted_commit = a->accepted;
	m.capacity = &c;
	m.settled = settled(a);
	m.n_pods = a->n_pods;
	m.pods = arena_calloc(arena, a->n_pods + 1, sizeof(*m.pods));
	for (size_t i = 0; i < a->n_pods; i++)
		m.pods[i] = pod_status(arena, a->pods[i]);
	packed = arena_alloc(arena, channel__report__get_packed_size(&m));
	if (a->link_up)
		link_send(a, CHANNEL__MSG_TYPE__MSG_REPORT, packed,
			  channel__report__pack(&m, packed));
	arena_free(arena);
}

void report_hello(struct agent *a)
{
	Channel__Hello m;
	Channel__Capacity c;
	char version[] = RECONCILE_VERSION, runtime[160];
	struct utsname u = {0};
	uint8_t packed[1024];

	channel__hello__init(&m);
	(void)uname(&u);
	(void)snprintf(
		runtime, sizeof(runtime), "linux %.60s cgroup=%s", u.release,
		access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "v2"
		: access("/sys/fs/cgroup/unified", F_OK) == 0 ? "hybrid"
							      : "v1");
	capacity(a, &c);
	a->sequence = 0;
	m.version = version;
	m.epoch = a->epoch;
	m.accepted_commit = a->accepted;
	m.capacity = &c;
	m.boot_id = a->boot_id;
	m.session = a->session;
	m.runtime = runtime;
	m.witness_key.data =
		(uint8_t *)(uintptr_t)audit_client_witness_key(a->audit);
	m.witness_key.len = strlen(audit_client_witness_key(a->audit));
	if (channel__hello__get_packed_size(&m) <= sizeof(packed))
		link_send(a, CHANNEL__MSG_TYPE__MSG_HELLO, packed,
			  channel__hello__pack(&m, packed));
}

static void put_pod(struct jsonw *w, const struct pod *p)
{
	static const char *const phases[] = {"Unknown",	  "Pending", "Running",
					     "Succeeded", "Failed",  "Lost",
					     "Stopping"};
	char ip[16] = "";

	if (p->has_ip)
		(void)snprintf(ip, sizeof(ip), "%u.%u.%u.%u", p->ip >> 24 & 255,
			       p->ip >> 16 & 255, p->ip >> 8 & 255,
			       p->ip & 255);
	jsonw_obj(w);
	jsonw_kstr(w, "namespace", p->namespace);
	jsonw_kstr(w, "name", p->name);
	jsonw_kstr(w, "uid", p->uid);
	jsonw_kstr(w, "phase", phases[pod_phase(p)]);
	jsonw_kbool(w, "ready", pod_ready(p));
	jsonw_kstr(w, "ip", ip);
	jsonw_kstr(w, "commit", p->commit);
	jsonw_kstr(w, "reason", p->reason);
	jsonw_kstr(w, "message", p->message);
	jsonw_key(w, "containers");
	jsonw_arr(w);
	for (size_t i = 0; i < p->n; i++) {
		jsonw_obj(w);
		jsonw_kstr(w, "name", p->c[i].spec->name);
		jsonw_kbool(w, "running", p->c[i].state == POD_C_RUNNING);
		jsonw_kbool(w, "ready", p->c[i].ready);
		jsonw_kint(w, "pid", p->c[i].pid);
		jsonw_kint(w, "restarts", p->c[i].restarts);
		jsonw_kint(w, "exitCode", p->c[i].exit_code);
		jsonw_kstr(w, "reason", p->c[i].why);
		jsonw_kstr(w, "message", p->c[i].message);
		jsonw_obj_end(w);
	}
	jsonw_arr_end(w);
	jsonw_obj_end(w);
}

void report_status_file(struct agent *a)
{
	struct err err = {0};
	struct jsonw w;
	struct buf b;
	int r;

	buf_init(&b, STATUS_BYTES_MAX);
	jsonw_init(&w, &b);
	jsonw_obj(&w);
	jsonw_kstr(&w, "schema", "reconcile.agent-status/v1");
	jsonw_kstr(&w, "host", a->conf.name);
	jsonw_kbool(&w, "connected", a->link_up);
	jsonw_kint(&w, "epoch", (int64_t)a->epoch);
	jsonw_kstr(&w, "commit", a->accepted);
	jsonw_kstr(&w, "lost", a->lost);
	jsonw_kbool(&w, "stale", trust_is_stale(a));
	jsonw_kint(&w, "freshUntil", a->snap.arena ? a->snap.fresh_until : 0);
	jsonw_kbool(&w, "settled", settled(a));
	jsonw_kint(&w, "replays", (int64_t)a->replays);
	jsonw_key(&w, "pods");
	jsonw_arr(&w);
	for (size_t i = 0; i < a->n_pods; i++)
		put_pod(&w, a->pods[i]);
	jsonw_arr_end(&w);
	jsonw_obj_end(&w);
	buf_putc(&b, '\n');
	r = buf_check(&b, &err);
	if (r == 0)
		r = agent_write(a->run_fd, "status.json", &b, &err);
	if (r < 0)
		log_line(LOG_LEVEL_WARN, "status.write", "reason=\"%s\"",
			 err.msg);
	buf_release(&b);
}

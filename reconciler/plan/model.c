/*
 * model.c - plays rounds of a plan on a copy of the world.  Pure, in the
 * program reconcile; names in reports of hosts may be hostile, they are only
 * compared here and escaped by the renderers.
 *
 * A round asks the state machine of every active workload what may stop and
 * start now, and places what starts.  A workload is active in the first round,
 * and later while it changed, waits or has pods that fit nowhere; so a long
 * roll-out of one workload does not cost a look at all the others.
 */
#include "reconciler/plan/model.h"

#include "lib/buf.h"
#include "policy/admission/admission.h"
#include "reconciler/plan/byname.h"

#include <string.h>

#define REFUSAL_BYTES 1024

static void push_pod(struct model *m, struct rollout_pod ***items, size_t *n,
		     size_t *cap, struct rollout_pod *p)
{
	if (*n == *cap) {
		size_t grown = *cap ? *cap * 2 : 4;
		struct rollout_pod **copy = arena_calloc(
			m->arena, grown, sizeof(struct rollout_pod *));

		if (*n > 0)
			memcpy(copy, *items, *n * sizeof(*copy));
		*items = copy;
		*cap = grown;
	}
	(*items)[(*n)++] = p;
}

static void add_change(struct model *m, const struct plan_change *c,
		       struct rollout_pod *p)
{
	if (m->n_changes == m->cap_changes) {
		size_t cap = m->cap_changes ? m->cap_changes * 2 : 64;
		struct plan_change *changes =
			arena_calloc(m->arena, cap, sizeof(*changes));
		struct rollout_pod **pods = arena_calloc(
			m->arena, cap, sizeof(struct rollout_pod *));

		if (m->n_changes > 0) {
			memcpy(changes, m->changes,
			       m->n_changes * sizeof(*changes));
			memcpy(pods, m->pods_of, m->n_changes * sizeof(*pods));
		}
		m->changes = changes;
		m->pods_of = pods;
		m->cap_changes = cap;
	}
	m->pods_of[m->n_changes] = p;
	m->changes[m->n_changes++] = *c;
}

/* Does the pod take part of its host's capacity? */
static bool uses_capacity(const struct rollout_pod *p)
{
	const struct world_pod *w = &p->pod;

	if (p->removed || (!w->assigned && !w->reported))
		return false;
	return w->phase != POD_SUCCEEDED && w->phase != POD_FAILED &&
	       w->phase != POD_LOST;
}

static void init_pod(struct model *m, struct rollout_pod *p,
		     const struct world_pod *w)
{
	const struct world_host *h = NULL;
	bool fake = m->schedule.hosts[0].any;

	p->pod = *w;
	p->host = fake ? 0 : schedule_host_index(&m->schedule, w->host);
	if (p->host >= 0)
		h = m->schedule.hosts[p->host].host;
	if (fake)
		return;
	if (!h || h->state == HOST_REVOKED || h->state == HOST_REQUESTED) {
		p->host_gone = true;
	} else if (h->state == HOST_LOST) {
		p->host_gone = m->world->now_ms - h->lost_since_ms >=
			       ROLLOUT_LOST_GRACE_MS;
		p->host_lost = !p->host_gone;
	} else if (h->state == HOST_JOINED) {
		p->host_lost = true; /* its first report is still to come */
	}
	p->host_draining = h && h->draining;
	if (uses_capacity(p))
		schedule_use(&m->schedule, p->host, w->cpu_m, w->memory);
	if (!w->assigned && w->reported && !p->host_gone &&
	    w->phase != POD_SUCCEEDED)
		m->n_leaving++;
}

static void init_owners(struct model *m)
{
	const struct objects *set = &m->want->objects;

	m->owners = arena_calloc(m->arena, set->n + 1, sizeof(*m->owners));
	for (size_t i = 0; i < set->n; i++) {
		const struct object *o = &set->items[i];
		const struct pod_template *t = manifest_template(o);
		struct model_owner *owner = &m->owners[m->n_owners];

		if (!t)
			continue;
		*owner = (struct model_owner){
			.object = o, .template = t, .active = true};
		schedule_requests(&t->spec, &owner->cpu_m, &owner->memory);
		byname_put(&m->by_name, manifest_kind_name(o->kind),
			   o->meta.namespace, o->meta.name, m->n_owners++);
	}
}

static void init_pods(struct model *m)
{
	const struct world *w = m->world;
	struct rollout_pod *pods =
		arena_calloc(m->arena, w->n_pods + 1, sizeof(*pods));

	for (size_t i = 0; i < w->n_pods; i++) {
		size_t owner =
			byname_get(&m->by_name, w->pods[i].owner_kind,
				   w->pods[i].namespace, w->pods[i].owner_name);

		init_pod(m, &pods[i], &w->pods[i]);
		if (owner == BYNAME_NONE)
			push_pod(m, &m->orphans, &m->n_orphans, &m->cap_orphans,
				 &pods[i]);
		else
			push_pod(m, &m->owners[owner].pods,
				 &m->owners[owner].n_pods,
				 &m->owners[owner].cap_pods, &pods[i]);
	}
}

/* A host that takes everything stands for all of them. */
static void init_fake_host(struct model *m)
{
	struct world_host *h = arena_alloc(m->arena, sizeof(*h));

	*h = (struct world_host){.name = "*", .state = HOST_READY};
	m->schedule.hosts =
		arena_calloc(m->arena, 1, sizeof(*m->schedule.hosts));
	m->schedule.hosts[0] = (struct schedule_host){.host = h, .any = true};
	m->schedule.n_hosts = 1;
}

static int check_sorted(const struct world *w, struct err *err)
{
	for (size_t i = 1; i < w->n_hosts; i++)
		if (strcmp(w->hosts[i - 1].name, w->hosts[i].name) >= 0)
			return err_set(err, ERR_INPUT,
				       "want hosts sorted by name, have %s "
				       "before %s",
				       w->hosts[i - 1].name, w->hosts[i].name);
	return 0;
}

int model_init(struct model *m, const struct snapshot *want,
	       const struct world *w, bool fake_host, struct arena *arena,
	       struct err *err)
{
	bool binpack = want->policy.placement &&
		       strcmp(want->policy.placement, "binpack") == 0;
	int r;

	r = check_sorted(w, err);
	if (r < 0)
		return r;
	*m = (struct model){.arena = arena, .want = want, .world = w};
	schedule_init(&m->schedule, w, binpack, arena);
	if (fake_host)
		init_fake_host(m);
	m->hosts =
		arena_calloc(arena, m->schedule.n_hosts + 1, sizeof(*m->hosts));
	byname_init(&m->by_name, want->objects.n, arena);
	init_owners(m);
	init_pods(m);
	return 0;
}

static struct plan_change pod_change(const struct model_owner *owner,
				     unsigned int round, bool drift)
{
	const struct object *o = owner->object;

	return (struct plan_change){
		.cause = drift ? PLAN_DRIFT : PLAN_INTENT,
		.wave = round,
		.kind = o->kind,
		.namespace = o->meta.namespace,
		.name = o->meta.name,
		.pos = o->pos,
		.signer = o->signer,
	};
}

static void stop_pod(struct model *m, struct plan_change *c,
		     struct rollout_pod *p, const char *reason)
{
	c->action = PLAN_STOP;
	c->pod = p->pod.name;
	c->host = p->pod.host;
	c->uid = p->pod.uid;
	c->index = p->pod.index;
	c->template_hash = p->pod.template_hash;
	c->reason = reason;
	add_change(m, c, p);
}

static struct rollout_pod *started_pod(struct model *m,
				       const struct model_owner *owner,
				       const struct plan_change *c, int host)
{
	struct rollout_pod *p = arena_alloc(m->arena, sizeof(*p));

	p->pod = (struct world_pod){
		.namespace = c->namespace,
		.name = c->pod,
		.owner_kind = manifest_kind_name(c->kind),
		.owner_name = c->name,
		.template_hash = c->template_hash,
		.index = c->index,
		.host = c->host,
		.assigned = true,
		.reported = true,
		.phase = POD_RUNNING,
		.ready = true,
		.ready_ms = m->world->now_ms,
		.created_ms = m->world->now_ms,
		.cpu_m = owner->cpu_m,
		.memory = owner->memory,
	};
	p->host = host;
	p->settled = true;
	return p;
}

/* Places one pod; false when no host fits. */
static bool start_pod(struct model *m, struct model_owner *owner,
		      const struct rollout_action *a, unsigned int round)
{
	struct schedule_request req = {
		.spec = &owner->template->spec,
		.cpu_m = owner->cpu_m,
		.memory = owner->memory,
		.daemon = owner->object->kind == MANIFEST_DAEMONSET,
	};
	struct plan_change c = pod_change(owner, round, a->drift);
	int host = a->host;

	if (host < 0)
		host = schedule_place(&m->schedule, &req, &owner->refusal);
	else if (!schedule_fits(&m->schedule, host, &req, true))
		host = schedule_why(&m->schedule, host, &req, &owner->refusal);
	if (host < 0)
		return false;
	c.action = PLAN_START;
	c.index = a->index;
	c.host = m->schedule.hosts[host].host->name;
	c.template_hash = owner->template->hash;
	c.pod = plan_pod_name(m->arena, owner->object, a->index, c.host);
	c.reason = a->reason;
	add_change(m, &c, started_pod(m, owner, &c, host));
	schedule_use(&m->schedule, host, owner->cpu_m, owner->memory);
	schedule_owner_has(&m->schedule, host);
	return true;
}

/* Spread counts the pods that stay: the ones of the wanted template. */
static void count_owner_pods(struct model *m, const struct model_owner *owner)
{
	schedule_owner(&m->schedule);
	for (size_t i = 0; i < owner->n_pods; i++) {
		const struct rollout_pod *p = owner->pods[i];

		if (uses_capacity(p) && p->pod.assigned && !p->host_gone &&
		    p->pod.template_hash &&
		    strcmp(p->pod.template_hash, owner->template->hash) == 0)
			schedule_owner_has(&m->schedule, p->host);
	}
}

static void act(struct model *m, struct model_owner *owner,
		const struct rollout *out, unsigned int round)
{
	bool full = false;

	if (out->n == 0)
		return;
	count_owner_pods(m, owner);
	for (size_t i = 0; i < out->n; i++) {
		const struct rollout_action *a = &out->actions[i];
		struct plan_change c = pod_change(owner, round, a->drift);

		if (a->kind == ROLLOUT_STOP) {
			stop_pod(m, &c, a->pod, a->reason);
			continue;
		}
		/* what does not fit once does not fit again this round */
		if (full || !start_pod(m, owner, a, round)) {
			full = a->host < 0;
			owner->n_unplaced++;
		}
	}
}

static void fill_hosts(struct model *m, const struct model_owner *owner)
{
	struct schedule_request req = {.spec = &owner->template->spec,
				       .daemon = true};

	for (size_t i = 0; i < m->schedule.n_hosts; i++)
		m->hosts[i] = (struct rollout_host){
			.name = m->schedule.hosts[i].host->name,
			.index = (int)i,
			.wanted = schedule_fits(&m->schedule, (int)i, &req,
						false),
		};
}

static void owner_round(struct model *m, struct model_owner *owner,
			unsigned int round)
{
	struct rollout_input in = {
		.object = owner->object,
		.template = owner->template,
		.now_ms = m->world->now_ms,
		.pods = owner->pods,
		.n_pods = owner->n_pods,
		.hosts = m->hosts,
		.n_hosts = m->schedule.n_hosts,
	};
	struct rollout out = {.arena = m->arena, .scratch = m->scratch};

	if (owner->object->kind == MANIFEST_DAEMONSET)
		fill_hosts(m, owner);
	rollout_step(&in, &out);
	owner->n_unplaced = 0;
	act(m, owner, &out, round);
	owner->waiting = out.waiting;
	owner->stuck = out.stuck;
	owner->problem = out.problem;
	owner->problem_code = out.problem_code;
	owner->active = out.n > 0 || out.waiting;
}

/* Pods whose workload is not wanted: assigned ones by an older commit, others
 * were never ours. */
static void orphans_round(struct model *m, unsigned int round)
{
	for (size_t i = 0; i < m->n_orphans; i++) {
		struct rollout_pod *p = m->orphans[i];
		const struct world_pod *w = &p->pod;
		struct plan_change c = {
			.wave = round,
			.cause = w->assigned ? PLAN_INTENT : PLAN_DRIFT,
			.namespace = w->namespace,
			.name = w->owner_name ? w->owner_name : w->name};
		enum manifest_kind kind = MANIFEST_POD;

		if (p->removed || (!w->assigned &&
				   (!w->reported || w->phase == POD_STOPPING ||
				    w->phase == POD_SUCCEEDED || p->host_gone ||
				    p->host_lost)))
			continue;
		if (!w->owner_kind ||
		    manifest_kind_from_name(w->owner_kind, &kind) < 0)
			kind = MANIFEST_POD;
		c.kind = kind;
		stop_pod(m, &c, p,
			 w->assigned ? "workload deleted"
				     : "runs without being assigned");
	}
}

size_t model_round(struct model *m, unsigned int round)
{
	size_t before = m->n_changes;

	m->scratch = arena_new((size_t)1 << 30);
	if (round == 1)
		orphans_round(m, round);
	for (size_t i = 0; i < m->n_owners; i++)
		if (m->owners[i].active)
			owner_round(m, &m->owners[i], round);
	arena_free(m->scratch);
	m->scratch = NULL;
	return m->n_changes - before;
}

static void remove_pod(struct model *m, struct rollout_pod *p)
{
	if (uses_capacity(p))
		schedule_release(&m->schedule, p->host, p->pod.cpu_m,
				 p->pod.memory);
	p->removed = true;
}

static void finish_pod(struct model *m, struct rollout_pod *p)
{
	if (uses_capacity(p))
		schedule_release(&m->schedule, p->host, p->pod.cpu_m,
				 p->pod.memory);
	p->pod.phase = POD_SUCCEEDED;
	p->pod.ready = false;
}

static void settle_owner(struct model *m, struct model_owner *owner)
{
	bool job = owner->object->kind == MANIFEST_JOB;
	size_t kept = 0;

	for (size_t i = 0; i < owner->n_pods; i++) {
		struct rollout_pod *p = owner->pods[i];
		bool active = p->pod.phase != POD_SUCCEEDED &&
			      p->pod.phase != POD_FAILED;

		if (p->removed || p->host_lost)
			continue;
		if (!p->pod.assigned) {
			if (p->pod.reported)
				remove_pod(m, p);
			continue;
		}
		p->settled = true;
		if (job && active)
			finish_pod(m, p);
	}
	for (size_t i = 0; i < owner->n_pods; i++)
		if (!owner->pods[i]->removed)
			owner->pods[kept++] = owner->pods[i];
	owner->n_pods = kept;
}

void model_apply(struct model *m)
{
	for (; m->applied < m->n_changes; m->applied++) {
		const struct plan_change *c = &m->changes[m->applied];
		struct rollout_pod *p = m->pods_of[m->applied];
		size_t owner;

		if (c->action == PLAN_STOP) {
			remove_pod(m, p);
			continue;
		}
		owner = byname_get(&m->by_name, manifest_kind_name(c->kind),
				   c->namespace, c->name);
		push_pod(m, &m->owners[owner].pods, &m->owners[owner].n_pods,
			 &m->owners[owner].cap_pods, p);
	}
	for (size_t i = 0; i < m->n_owners; i++)
		if (m->owners[i].active)
			settle_owner(m, &m->owners[i]);
	for (size_t i = 0; i < m->n_orphans; i++)
		if (!m->orphans[i]->removed && !m->orphans[i]->host_lost)
			remove_pod(m, m->orphans[i]);
	m->n_leaving = 0;
}

bool model_waits(const struct model *m)
{
	if (m->n_leaving > 0)
		return true;
	for (size_t i = 0; i < m->n_owners; i++)
		if (m->owners[i].waiting)
			return true;
	return false;
}

static void report_unplaced(const struct model_owner *owner,
			    struct diags *diags)
{
	const struct object *o = owner->object;
	struct buf text;

	buf_init(&text, REFUSAL_BYTES);
	schedule_refusal_text(&owner->refusal, &text);
	diags_add(diags, "R101", DIAG_ERROR, o->pos, NULL,
		  "add or uncordon a host, lower the requests, or change "
		  "nodeSelector and tolerations",
		  "%s %s/%s: %zu pod%s cannot be placed: %s",
		  manifest_kind_name(o->kind),
		  o->meta.namespace ? o->meta.namespace : "", o->meta.name,
		  owner->n_unplaced, owner->n_unplaced == 1 ? "" : "s",
		  text.data ? text.data : "");
	buf_release(&text);
}

bool model_report(const struct model *m, bool final, struct diags *diags)
{
	bool freeing = m->n_leaving > 0;
	bool stuck = false;

	for (size_t i = m->applied; i < m->n_changes && !freeing; i++)
		freeing = m->changes[i].action == PLAN_STOP;
	for (size_t i = 0; i < m->n_owners; i++) {
		const struct model_owner *owner = &m->owners[i];
		const struct object *o = owner->object;

		if (owner->n_unplaced > 0 && (final || !freeing)) {
			report_unplaced(owner, diags);
			stuck = true;
		}
		if (!owner->stuck)
			continue;
		stuck = true;
		diags_add(diags, owner->problem_code, DIAG_ERROR, o->pos, NULL,
			  NULL, "%s %s/%s: %s", manifest_kind_name(o->kind),
			  o->meta.namespace ? o->meta.namespace : "",
			  o->meta.name, owner->problem);
	}
	return stuck;
}

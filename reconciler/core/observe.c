/*
 * observe.c - see observe.h.
 *
 * A pod belongs to a host by (uid, host): what another host says about that uid
 * is a pod that nobody assigned there, and the planner stops it.
 */
#include "reconciler/core/observe.h"

#include "lib/clock.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define NOT_SEEN (-1) /* phase, between overlay_begin() and mark_missing() */

static const char *copy_escaped(struct arena *arena, const char *s)
{
	char safe[640];

	if (s == NULL || s[0] == '\0')
		return NULL;
	return arena_strdup(arena, text_safe(safe, sizeof(safe), s, strlen(s)));
}

/* "ImagePull: H201 image ..."; NULL: nothing to say. */
static const char *trouble(const char *reason, const char *message,
			   struct arena *arena)
{
	if (reason[0] == '\0' || message[0] == '\0')
		return copy_escaped(arena, reason[0] ? reason : message);
	return copy_escaped(arena,
			    arena_printf(arena, "%s: %s", reason, message));
}

/* First trouble of a pod in words: its own reason, else its containers'. */
static const char *pod_reason(const Channel__PodStatus *s, struct arena *arena)
{
	if (s->reason[0] != '\0' || s->message[0] != '\0')
		return trouble(s->reason, s->message, arena);
	for (size_t i = 0; i < s->n_containers; i++) {
		const Channel__ContainerStatus *c = s->containers[i];

		if (!c->ready && c->reason[0] != '\0' &&
		    strcmp(c->reason, "Completed") != 0)
			return trouble(c->reason, c->message, arena);
	}
	return NULL;
}

static unsigned int pod_restarts(const Channel__PodStatus *s)
{
	unsigned int n = 0;

	for (size_t i = 0; i < s->n_containers; i++)
		n += s->containers[i]->restarts;
	return n;
}

static bool has_ended(int phase)
{
	return phase == POD_SUCCEEDED || phase == POD_FAILED;
}

/* Times that hosts do not say are those at which we saw it first. */
static void overlay_times(struct world_pod *p, bool was_ready, int64_t now_ms)
{
	if (!has_ended(p->phase))
		p->finished_ms = 0;
	else if (p->finished_ms == 0)
		p->finished_ms = now_ms;
	if (p->ready)
		p->unready_ms = 0;
	else if (was_ready && p->unready_ms == 0)
		p->unready_ms = now_ms;
}

static void overlay_status(struct world_pod *p, const Channel__PodStatus *s,
			   struct arena *arena)
{
	p->reported = true;
	p->phase = (int)s->phase;
	p->ready = s->ready;
	p->ready_ms = s->ready_ms;
	p->started_ms = s->started_ms;
	p->ip = copy_escaped(arena, s->ip);
	p->reason = pod_reason(s, arena);
	p->restarts = pod_restarts(s);
}

/* A pod that runs on a host though nobody assigned it there.  Before the host
 * has the assignment in force, that is a pod on its way out, no drift. */
static void stray_pod(struct world_pod *p, const struct fleet_host *h,
		      const Channel__PodStatus *s, struct arena *arena)
{
	*p = (struct world_pod){
		.uid = arena_strdup(arena, s->uid),
		.namespace = arena_strdup(arena, s->namespace_),
		.name = arena_strdup(arena, s->name),
		.owner_kind = arena_strdup(arena, s->owner_kind),
		.owner_name = arena_strdup(arena, s->owner_name),
		.template_hash = arena_strdup(arena, s->template_hash),
		.host = h->name,
		.commit = arena_strdup(arena, s->commit),
		.assigned = false,
	};
	overlay_status(p, s, arena);
	if (h->report->epoch < h->sent_epoch)
		p->phase = POD_STOPPING;
}

static int by_uid(const void *a, const void *b)
{
	const struct world_pod *x = *(struct world_pod *const *)a;
	const struct world_pod *y = *(struct world_pod *const *)b;

	return strcmp(x->uid, y->uid);
}

static int key_uid(const void *key, const void *item)
{
	return strcmp(key, (*(struct world_pod *const *)item)->uid);
}

static int by_name(const void *a, const void *b)
{
	const struct world_pod *x = a;
	const struct world_pod *y = b;
	int r = strcmp(x->namespace, y->namespace);

	if (r == 0)
		r = strcmp(x->name, y->name);
	return r != 0 ? r : strcmp(x->uid, y->uid);
}

static size_t count_reported(const struct fleet *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_hosts; i++)
		if (f->hosts[i].report != NULL)
			n += f->hosts[i].report->n_pods;
	return n;
}

/* What a connected host that has our assignment does not report, it has lost.
 * What has ended stays so: a Job is not run again because its host forgot it.
 */
static void mark_missing(struct world_pod *p, const struct world_pod *stored,
			 const struct fleet_host *h)
{
	bool job = strcmp(stored->owner_kind, "Job") == 0;

	if (p->phase != NOT_SEEN)
		return;
	if (stored->phase == POD_SUCCEEDED ||
	    (stored->phase == POD_FAILED && job))
		p->phase = stored->phase;
	else
		p->phase = h->report->epoch >= h->sent_epoch ? POD_LOST
							     : POD_PENDING;
}

static bool is_changed(const struct world_pod *a, const struct world_pod *b)
{
	return a->finished_ms != b->finished_ms ||
	       a->unready_ms != b->unready_ms;
}

struct overlay {
	struct world *w;
	const struct fleet *fleet;
	struct arena *arena;
	struct world_pod *stored;	 /* as they were, n_stored */
	struct world_pod **index;	 /* of w->pods by uid */
	const struct fleet_host **hosts; /* of each stored pod; NULL */
	size_t n_stored;
	struct world_pod *changed; /* to be remembered */
	size_t n_changed;
};

/* Pods of hosts that report are what the report says; others as stored. */
static void overlay_begin(struct overlay *o)
{
	struct world *w = o->w;
	size_t cap = w->n_pods + count_reported(o->fleet);
	struct world_pod *pods = arena_calloc(o->arena, cap, sizeof(*pods));

	o->stored = w->pods;
	o->n_stored = w->n_pods;
	o->index = arena_calloc(o->arena, w->n_pods, sizeof(*o->index));
	o->hosts = arena_calloc(o->arena, w->n_pods,
				sizeof(const struct fleet_host *));
	for (size_t i = 0; i < o->n_stored; i++) {
		const struct fleet_host *h =
			fleet_find(o->fleet, o->stored[i].host);

		pods[i] = o->stored[i];
		o->index[i] = &pods[i];
		if (h == NULL || h->report == NULL)
			continue;
		o->hosts[i] = h;
		pods[i].reported = false;
		if (!pods[i].assigned)
			continue;
		pods[i].phase = NOT_SEEN;
		pods[i].ready = false;
	}
	w->pods = pods;
	qsort(o->index, o->n_stored, sizeof(struct world_pod *), by_uid);
}

static void overlay_report(struct overlay *o, const struct fleet_host *h)
{
	struct world *w = o->w;

	for (size_t j = 0; j < h->report->n_pods; j++) {
		const Channel__PodStatus *s = h->report->pods[j];
		struct world_pod **hit =
			bsearch(s->uid, o->index, o->n_stored,
				sizeof(struct world_pod *), key_uid);

		if (hit != NULL && strcmp((*hit)->host, h->name) == 0)
			overlay_status(*hit, s, o->arena);
		else
			stray_pod(&w->pods[w->n_pods++], h, s, o->arena);
	}
}

static void overlay_pods(struct overlay *o)
{
	struct world *w = o->w;

	overlay_begin(o);
	for (size_t i = 0; i < o->fleet->n_hosts; i++)
		if (o->fleet->hosts[i].report != NULL)
			overlay_report(o, &o->fleet->hosts[i]);
	o->changed = arena_calloc(o->arena, o->n_stored, sizeof(*o->changed));
	for (size_t i = 0; i < o->n_stored; i++) {
		if (o->hosts[i] == NULL || !w->pods[i].assigned)
			continue;
		mark_missing(&w->pods[i], &o->stored[i], o->hosts[i]);
		overlay_times(&w->pods[i], o->stored[i].ready, w->now_ms);
		if (is_changed(&w->pods[i], &o->stored[i]))
			o->changed[o->n_changed++] = w->pods[i];
	}
	qsort(w->pods, w->n_pods, sizeof(*w->pods), by_name);
}

/* What the report does not take back stands until the host has caught up. */
static const char *refusal_of(const struct world_host *stored,
			      const struct fleet_host *l, struct arena *arena)
{
	if (l->refusal != NULL)
		return l->refused_epoch >= l->report->epoch
			       ? copy_escaped(arena, l->refusal)
			       : NULL;
	return l->report->epoch < stored->epoch ? stored->last_refusal : NULL;
}

static void overlay_hosts(struct world *w, const struct fleet *f,
			  struct arena *arena)
{
	for (size_t i = 0; i < w->n_hosts; i++) {
		struct world_host *h = &w->hosts[i];
		const struct fleet_host *l = fleet_find(f, h->name);

		if (h->state == HOST_REVOKED || h->state == HOST_REQUESTED)
			continue;
		if (l == NULL || !l->connected) {
			if (h->state == HOST_READY) {
				h->state = HOST_LOST;
				h->lost_since_ms = w->now_ms;
			}
			h->settled = false;
			continue;
		}
		if (l->report == NULL)
			continue;
		h->state = HOST_READY;
		h->lost_since_ms = 0;
		h->last_refusal = refusal_of(h, l, arena);
		h->epoch = l->report->epoch;
		h->settled = l->report->settled;
		h->accepted_commit =
			copy_escaped(arena, l->report->accepted_commit);
		if (l->report->capacity != NULL) {
			h->cpu_m = l->report->capacity->cpu_m;
			h->memory = l->report->capacity->memory;
			h->pods_max = l->report->capacity->pods;
		}
	}
}

/* When a pod ended, or was not ready any more, is known to us only: kept at
 * once, so that it is the same time in the next turn and the next pass. */
static int remember(struct core *c, const struct world_pod *pods, size_t n,
		    struct err *err)
{
	int r;

	if (n == 0 || c->audit == NULL)
		return 0;
	r = state_begin(c->state, err);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = state_pod_put(c->state, &pods[i], err);
	if (r == 0)
		r = state_commit(c->state, err);
	if (r < 0)
		state_rollback(c->state);
	return r;
}

int observe_world(struct core *c, struct arena *arena, struct world *out,
		  struct err *err)
{
	struct world w = {0};
	struct overlay o = {.w = &w, .fleet = c->fleet, .arena = arena};
	int r = state_world(c->state, arena, &w, err);

	w.now_ms = clock_unix_ms();
	if (r == 0 && c->fleet != NULL) {
		overlay_pods(&o);
		overlay_hosts(&w, c->fleet, arena);
		r = remember(c, o.changed, o.n_changed, err);
	}
	if (r < 0)
		return err_wrap(err, "observe");
	*out = w;
	return 0;
}

/* The record of a Job that is not wanted any more, or not in that form. */
static bool is_obsolete(const struct world_pod *p, const struct snapshot *want)
{
	const struct object *o;
	const struct pod_template *t;

	if (p->assigned || p->reported || strcmp(p->owner_kind, "Job") != 0)
		return false;
	o = manifest_find(&want->objects, MANIFEST_JOB, p->namespace,
			  p->owner_name);
	t = o == NULL ? NULL : manifest_template(o);
	return t == NULL || strcmp(t->hash, p->template_hash) != 0;
}

int observe_forget(struct core *c, const struct snapshot *want,
		   const struct world *w, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->n_pods; i++)
		if (is_obsolete(&w->pods[i], want))
			r = state_pod_delete(c->state, w->pods[i].uid, err);
	return r;
}

static int store_host(struct core *c, const struct world_host *h,
		      struct err *err)
{
	struct arena *arena = arena_new(1u << 20);
	struct state_host full;
	uint64_t assigned;
	int r = state_host_get(c->state, h->name, arena, &full, err);

	if (r == 0) {
		assigned = full.host.epoch; /* what we gave, not what it has */
		full.host = *h;
		full.host.epoch = assigned;
		r = state_host_put(c->state, &full, err);
	}
	arena_free(arena);
	return r;
}

int observe_store(struct core *c, const struct world *w, struct err *err)
{
	int r = state_begin(c->state, err);

	if (r < 0)
		return err_wrap(err, "store");
	for (size_t i = 0; r == 0 && i < w->n_pods; i++)
		if (w->pods[i].assigned)
			r = state_pod_put(c->state, &w->pods[i], err);
	for (size_t i = 0; r == 0 && i < w->n_hosts; i++)
		r = store_host(c, &w->hosts[i], err);
	if (r == 0)
		r = state_commit(c->state, err);
	if (r < 0)
		state_rollback(c->state);
	return r < 0 ? err_wrap(err, "store") : 0;
}

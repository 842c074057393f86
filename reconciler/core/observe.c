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

static const char *copy(struct arena *arena, const char *s)
{
	return s == NULL || s[0] == '\0' ? NULL : arena_strdup(arena, s);
}

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

static void overlay_status(struct world_pod *p, const Channel__PodStatus *s,
			   struct arena *arena)
{
	p->reported = true;
	p->phase = (int)s->phase;
	p->ready = s->ready;
	p->ready_ms = s->ready_ms;
	p->started_ms = s->started_ms;
	p->ip = copy(arena, s->ip);
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
 */
static void mark_missing(struct world *w, const struct fleet *f)
{
	for (size_t i = 0; i < w->n_pods; i++) {
		struct world_pod *p = &w->pods[i];
		const struct fleet_host *h = fleet_find(f, p->host);

		if (!p->assigned || h == NULL || h->report == NULL)
			continue;
		if (p->phase == -1)
			p->phase = h->report->epoch >= h->sent_epoch
					   ? POD_LOST
					   : POD_PENDING;
	}
}

static void overlay_pods(struct world *w, const struct fleet *f,
			 struct arena *arena)
{
	size_t stored = w->n_pods;
	size_t cap = stored + count_reported(f);
	struct world_pod *pods = arena_calloc(arena, cap, sizeof(*pods));
	struct world_pod **index = arena_calloc(arena, stored, sizeof(*index));

	for (size_t i = 0; i < stored; i++) {
		const struct fleet_host *h = fleet_find(f, w->pods[i].host);

		pods[i] = w->pods[i];
		index[i] = &pods[i];
		if (h != NULL && h->report != NULL) {
			pods[i].phase = -1;
			pods[i].ready = false;
			pods[i].reported = false;
		}
	}
	w->pods = pods;
	qsort(index, stored, sizeof(struct world_pod *), by_uid);
	for (size_t i = 0; i < f->n_hosts; i++) {
		const struct fleet_host *h = &f->hosts[i];

		for (size_t j = 0; h->report != NULL && j < h->report->n_pods;
		     j++) {
			const Channel__PodStatus *s = h->report->pods[j];
			struct world_pod **hit =
				bsearch(s->uid, index, stored,
					sizeof(struct world_pod *), key_uid);

			if (hit != NULL && strcmp((*hit)->host, h->name) == 0)
				overlay_status(*hit, s, arena);
			else
				stray_pod(&pods[w->n_pods++], h, s, arena);
		}
	}
	mark_missing(w, f);
	qsort(w->pods, w->n_pods, sizeof(*w->pods), by_name);
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
			if (h->state != HOST_JOINED && h->state != HOST_LOST) {
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
		h->epoch = l->report->epoch;
		h->settled = l->report->settled;
		h->accepted_commit = copy(arena, l->report->accepted_commit);
		h->last_refusal = copy_escaped(arena, l->refusal);
		if (l->report->capacity != NULL) {
			h->cpu_m = l->report->capacity->cpu_m;
			h->memory = l->report->capacity->memory;
			h->pods_max = l->report->capacity->pods;
		}
	}
}

int observe_world(struct core *c, struct arena *arena, struct world *out,
		  struct err *err)
{
	struct world w = {0};
	int r = state_world(c->state, arena, &w, err);

	if (r < 0)
		return err_wrap(err, "observe");
	w.now_ms = clock_unix_ms();
	if (c->fleet != NULL) {
		overlay_pods(&w, c->fleet, arena);
		overlay_hosts(&w, c->fleet, arena);
	}
	*out = w;
	return 0;
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

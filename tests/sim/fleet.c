/*
 * fleet.c - the simulated fleet.  No I/O, no wall clock.
 */
#include "tests/sim/fleet.h"

#include "tests/sim/make.h"

#include <assert.h>
#include <stdio.h>

uint64_t fleet_below(struct fleet_random *r, uint64_t n)
{
	uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return n ? (z ^ z >> 31) % n : 0;
}

bool fleet_chance(struct fleet_random *r, unsigned int percent)
{
	return fleet_below(r, 100) < percent;
}

static void copy_text(char *dst, size_t size, const char *text)
{
	int n = snprintf(dst, size, "%s", text ? text : "");

	assert(n >= 0 && (size_t)n < size);
}

void fleet_init(struct fleet *f, uint64_t seed, size_t n_hosts)
{
	*f = (struct fleet){.random = {seed},
			    .now_ms = MAKE_NOW_MS,
			    .n_hosts = n_hosts,
			    .slow_ms = 5000};
	for (size_t i = 0; i < n_hosts; i++) {
		(void)snprintf(f->hosts[i].name, sizeof(f->hosts[i].name),
			       "h%zu", i % 10);
		f->hosts[i].up = true;
	}
}

static int compare_pods(const void *pa, const void *pb)
{
	const struct world_pod *a = pa, *b = pb;
	int r = strcmp(a->namespace, b->namespace);

	if (r == 0)
		r = strcmp(a->name, b->name);
	return r ? r : strcmp(a->uid, b->uid);
}

static struct world_pod world_pod_of(const struct fleet *f,
				     const struct fleet_pod *p)
{
	return (struct world_pod){
		.uid = p->uid,
		.namespace = p->ns,
		.name = p->name,
		.owner_kind = p->owner_kind,
		.owner_name = p->owner,
		.template_hash = p->hash,
		/* a host's report of what is not assigned names no index */
		.index = p->assigned ? p->index : 0,
		.host = f->hosts[p->host].name,
		.assigned = p->assigned,
		.reported = p->seen,
		.phase = !p->assigned && p->seen_phase != POD_SUCCEEDED
				 ? POD_STOPPING
				 : p->seen_phase,
		.ready = p->seen_ready,
		.ready_ms = p->seen_ready_ms,
		.created_ms = p->created_ms,
		.finished_ms = p->finished_ms,
		.cpu_m = p->cpu_m,
		.memory = p->memory,
	};
}

void fleet_world(const struct fleet *f, struct arena *a, struct world *out)
{
	*out = make_world(a, 0, FLEET_PODS_MAX, f->n_applied);
	out->now_ms = f->now_ms;
	out->hosts = arena_calloc(a, f->n_hosts + 1, sizeof(*out->hosts));
	for (size_t i = 0; i < f->n_hosts; i++)
		out->hosts[out->n_hosts++] = (struct world_host){
			.name = f->hosts[i].name,
			.state = f->hosts[i].up ? HOST_READY : HOST_LOST,
			.lost_since_ms = f->hosts[i].lost_since_ms,
			.draining = f->hosts[i].draining,
			.cpu_m = 64000,
			.memory = INT64_C(64) << 30,
			.pods_max = 250};
	for (size_t i = 0; i < FLEET_PODS_MAX; i++)
		if (f->pods[i].used)
			out->pods[out->n_pods++] = world_pod_of(f, &f->pods[i]);
	qsort(out->pods, out->n_pods, sizeof(*out->pods), compare_pods);
	for (size_t i = 0; i < f->n_applied; i++)
		/* copies: the plan borrows them while they change here */
		out->objects[out->n_objects++] = (struct world_object){
			f->applied[i].kind, arena_strdup(a, f->applied[i].ns),
			arena_strdup(a, f->applied[i].name),
			arena_strdup(a, f->applied[i].hash)};
}

static int host_index(const struct fleet *f, const char *name)
{
	for (size_t i = 0; i < f->n_hosts; i++)
		if (strcmp(f->hosts[i].name, name) == 0)
			return (int)i;
	assert(false);
	return -1;
}

static void start(struct fleet *f, const struct plan_change *c)
{
	struct fleet_pod *p = f->pods;

	while (p->used)
		p++;
	assert(p < f->pods + FLEET_PODS_MAX);
	*p = (struct fleet_pod){.used = true,
				.assigned = true,
				.index = c->index,
				.host = host_index(f, c->host),
				.created_ms = f->now_ms};
	(void)snprintf(p->uid, sizeof(p->uid), "%032lu", ++f->next_uid);
	copy_text(p->ns, sizeof(p->ns), c->namespace);
	copy_text(p->name, sizeof(p->name), c->pod);
	copy_text(p->owner, sizeof(p->owner), c->name);
	copy_text(p->owner_kind, sizeof(p->owner_kind),
		  manifest_kind_name(c->kind));
	copy_text(p->hash, sizeof(p->hash), c->template_hash);
	for (size_t h = 0; h < f->n_hosts; h++)
		f->hosts[h].wants[p - f->pods] = false;
}

static void stop(struct fleet *f, const struct plan_change *c)
{
	for (size_t i = 0; i < FLEET_PODS_MAX; i++)
		if (f->pods[i].used && strcmp(f->pods[i].uid, c->uid) == 0) {
			f->pods[i].assigned = false;
			return;
		}
	assert(false);
}

static int compare_applied(const void *pa, const void *pb)
{
	const struct fleet_applied *a = pa, *b = pb;
	int r = a->kind < b->kind ? -1 : a->kind > b->kind;

	if (r == 0)
		r = strcmp(a->ns, b->ns);
	return r ? r : strcmp(a->name, b->name);
}

static void set_applied(struct fleet *f, const struct plan_change *c)
{
	const char *ns = c->namespace ? c->namespace : "";
	size_t i = 0;

	while (i < f->n_applied && (f->applied[i].kind != c->kind ||
				    strcmp(f->applied[i].ns, ns) != 0 ||
				    strcmp(f->applied[i].name, c->name) != 0))
		i++;
	if (c->action == PLAN_DELETE) {
		assert(i < f->n_applied);
		f->applied[i] = f->applied[--f->n_applied];
	} else {
		if (i == f->n_applied)
			f->n_applied++;
		assert(f->n_applied < FLEET_OBJECTS_MAX * 4);
		f->applied[i].kind = c->kind;
		copy_text(f->applied[i].ns, FLEET_NAME, ns);
		copy_text(f->applied[i].name, FLEET_NAME, c->name);
		copy_text(f->applied[i].hash, 17, c->to_hash);
	}
	qsort(f->applied, f->n_applied, sizeof(f->applied[0]), compare_applied);
}

void fleet_apply(struct fleet *f, const struct plan *p, size_t n,
		 const struct snapshot *want)
{
	(void)want;
	for (size_t i = 0; i < n; i++) {
		const struct plan_change *c = &p->changes[i];

		if (c->action == PLAN_START)
			start(f, c);
		else if (c->action == PLAN_STOP)
			stop(f, c);
		else
			set_applied(f, c);
	}
}

/* The host makes true what its last assignment says. */
static void host_acts(struct fleet *f, struct fleet_host *h)
{
	for (size_t i = 0; i < FLEET_PODS_MAX; i++) {
		struct fleet_pod *p = &f->pods[i];
		int64_t slow = f->ideal ? 0
					: (int64_t)fleet_below(&f->random,
							       f->slow_ms + 1);

		if (!p->used || &f->hosts[p->host] != h)
			continue;
		if (h->wants[i] && !p->there && p->phase == POD_UNKNOWN) {
			p->there = true;
			p->phase = POD_PENDING;
			p->ready_at_ms = f->now_ms + slow;
			p->ends_at_ms = p->ready_at_ms + slow;
		} else if (!h->wants[i] && p->there && !p->stopping) {
			p->stopping = true;
			p->ready = false;
			p->gone_at_ms = f->now_ms + slow / 2;
		}
	}
}

static void pod_lives(struct fleet *f, struct fleet_pod *p)
{
	bool job = strcmp(p->owner_kind, "Job") == 0;

	if (!p->there)
		return;
	if (p->stopping) {
		if (f->now_ms >= p->gone_at_ms)
			p->there = false;
		return;
	}
	if (p->phase == POD_PENDING && f->now_ms >= p->ready_at_ms) {
		p->phase = POD_RUNNING;
		p->ready = true;
		p->ready_ms = f->now_ms;
	}
	if (job && p->phase == POD_RUNNING && f->now_ms >= p->ends_at_ms) {
		p->phase = POD_SUCCEEDED;
		p->ready = false;
	}
}

/* What a host reports replaces what it reported before. */
static void report(struct fleet *f, int host)
{
	for (size_t i = 0; i < FLEET_PODS_MAX; i++) {
		struct fleet_pod *p = &f->pods[i];

		if (!p->used || p->host != host)
			continue;
		if (!p->there && p->phase == POD_UNKNOWN)
			continue; /* the host has not heard of it */
		p->seen = p->there || (p->assigned && p->phase == POD_LOST);
		p->seen_phase = p->phase;
		p->seen_ready = p->ready;
		p->seen_ready_ms = p->ready_ms;
		if (p->finished_ms == 0 &&
		    (p->phase == POD_SUCCEEDED || p->phase == POD_FAILED))
			p->finished_ms = f->now_ms;
	}
}

/* The state forgets pods that are neither assigned nor there, but for the
 * record of a Job. */
static void forget(struct fleet *f)
{
	for (size_t i = 0; i < FLEET_PODS_MAX; i++) {
		struct fleet_pod *p = &f->pods[i];

		if (p->used && !p->assigned && !p->seen &&
		    !(p->there && f->hosts[p->host].wants[i]) &&
		    p->seen_phase != POD_SUCCEEDED)
			p->used = p->there;
	}
}

void fleet_tick(struct fleet *f)
{
	f->now_ms += FLEET_TICK_MS;
	for (size_t h = 0; h < f->n_hosts; h++) {
		if (f->hosts[h].up &&
		    !fleet_chance(&f->random, f->loss_percent)) {
			f->hosts[h].stale = false;
			for (size_t i = 0; i < FLEET_PODS_MAX; i++)
				f->hosts[h].wants[i] =
					f->pods[i].used && f->pods[i].assigned;
		} else {
			f->hosts[h].stale = true;
		}
		host_acts(f, &f->hosts[h]);
	}
	for (size_t i = 0; i < FLEET_PODS_MAX; i++)
		if (f->pods[i].used)
			pod_lives(f, &f->pods[i]);
	for (size_t h = 0; h < f->n_hosts; h++)
		if (f->hosts[h].up &&
		    !fleet_chance(&f->random, f->loss_percent))
			report(f, (int)h);
	forget(f);
}

void fleet_break_pod(struct fleet *f, size_t pod, bool remove)
{
	struct fleet_pod *p = &f->pods[pod];

	if (!p->used || !p->there || p->stopping || p->phase == POD_SUCCEEDED)
		return;
	p->ready = false;
	if (remove) {
		p->there = false;
		p->phase = POD_LOST;
	} else {
		p->phase = POD_FAILED;
	}
}

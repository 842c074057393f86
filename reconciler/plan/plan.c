/*
 * plan.c - the plan of a commit: objects by hash, pods by the state machines.
 * Pure, in the program reconcile without privilege.
 *
 * Invariants: (1) equal inputs give equal bytes; (2) wave 1 of plan_make() is
 * plan_step(); (3) nothing is deleted because an input was in the wrong order:
 * that is an error.
 */
#include "reconciler/plan/plan.h"

#include "lib/text.h"
#include "reconciler/plan/model.h"
#include "reconciler/rollout/rollout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PERCENT 100
#define NAME_HASH 10
/* A plan of more rounds than this is cut, with a diagnostic. */
#define PLAN_ROUNDS_MAX 2000

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* Order of world.objects and of snapshot.objects. */
static int compare_identity(enum manifest_kind kind_a, const char *ns_a,
			    const char *name_a, enum manifest_kind kind_b,
			    const char *ns_b, const char *name_b)
{
	int r = kind_a < kind_b ? -1 : kind_a > kind_b;

	if (r == 0)
		r = compare_text(ns_a, ns_b);
	return r != 0 ? r : compare_text(name_a, name_b);
}

static int compare_wanted(const struct object *a, const struct object *b)
{
	return compare_identity(a->kind, a->meta.namespace, a->meta.name,
				b->kind, b->meta.namespace, b->meta.name);
}

static int compare_applied(const struct world_object *a,
			   const struct world_object *b)
{
	return compare_identity(a->kind, a->namespace, a->name, b->kind,
				b->namespace, b->name);
}

static int check_order(const struct snapshot *want, const struct world *w,
		       struct err *err)
{
	const struct objects *set = &want->objects;

	for (size_t i = 1; i < set->n; i++)
		if (compare_wanted(&set->items[i - 1], &set->items[i]) >= 0)
			return err_set(err, ERR_INPUT,
				       "want objects sorted by kind, namespace "
				       "and name, have %s out of order",
				       set->items[i].meta.name);
	for (size_t i = 1; i < w->n_objects; i++)
		if (compare_applied(&w->objects[i - 1], &w->objects[i]) >= 0)
			return err_set(err, ERR_INPUT,
				       "want applied objects sorted by kind, "
				       "namespace and name, have %s out of "
				       "order",
				       w->objects[i].name);
	return 0;
}

struct builder {
	struct plan_change *items;
	size_t n;
	struct plan *plan;
};

static void add_object(struct builder *b, const struct object *o,
		       const struct world_object *old, int action)
{
	struct plan_change c = {
		.action = action, .cause = PLAN_INTENT, .wave = 1};

	if (o) {
		c.kind = o->kind;
		c.namespace = o->meta.namespace;
		c.name = o->meta.name;
		c.pos = o->pos;
		c.signer = o->signer;
		c.to_hash = o->hash;
	} else {
		c.kind = old->kind;
		c.namespace = old->namespace;
		c.name = old->name;
	}
	if (old)
		c.from_hash = old->hash;
	b->items[b->n++] = c;
}

/* Both lists are sorted alike: one walk. */
static void diff_objects(struct builder *b, const struct snapshot *want,
			 const struct world *w)
{
	const struct objects *set = &want->objects;
	size_t i = 0, k = 0, deleted = 0;

	while (i < set->n || k < w->n_objects) {
		const struct object *o = i < set->n ? &set->items[i] : NULL;
		const struct world_object *old =
			k < w->n_objects ? &w->objects[k] : NULL;
		int r = !o     ? 1
			: !old ? -1
			       : compare_identity(o->kind, o->meta.namespace,
						  o->meta.name, old->kind,
						  old->namespace, old->name);

		if (r < 0) {
			add_object(b, o, NULL, PLAN_CREATE);
		} else if (r > 0) {
			add_object(b, NULL, old, PLAN_DELETE);
			deleted++;
		} else if (compare_text(o->hash, old->hash) != 0) {
			add_object(b, o, old, PLAN_UPDATE);
		}
		i += r <= 0;
		k += r >= 0;
	}
	if (w->n_objects > 0)
		b->plan->n_deleting_objects_percent =
			(deleted * PERCENT + w->n_objects - 1) / w->n_objects;
}

/* Objects come before the pods that need them, deletions after the pods. */
static int rank(const struct plan_change *c)
{
	switch (c->action) {
	case PLAN_CREATE:
	case PLAN_UPDATE:
		return 0;
	case PLAN_DELETE:
		return 2;
	default:
		return 1;
	}
}

static int by_order(const void *pa, const void *pb)
{
	const struct plan_change *a = pa, *b = pb;
	int r = a->wave < b->wave ? -1 : a->wave > b->wave;

	if (r == 0)
		r = rank(a) - rank(b);
	if (r == 0)
		r = compare_identity(a->kind, a->namespace, a->name, b->kind,
				     b->namespace, b->name);
	if (r == 0 && a->action != b->action)
		r = a->action == PLAN_STOP ? -1 : 1;
	if (r == 0)
		r = compare_text(a->pod, b->pod);
	if (r == 0)
		r = compare_text(a->host, b->host);
	return r != 0 ? r : compare_text(a->uid, b->uid);
}

static void count_changes(struct plan *p)
{
	size_t *const counters[] = {
		[PLAN_CREATE] = &p->n_objects_create,
		[PLAN_UPDATE] = &p->n_objects_update,
		[PLAN_DELETE] = &p->n_objects_delete,
		[PLAN_START] = &p->n_pods_start,
		[PLAN_STOP] = &p->n_pods_stop,
	};

	for (size_t i = 0; i < p->n; i++) {
		const struct plan_change *c = &p->changes[i];

		++*counters[c->action];
		p->n_drift += c->cause == PLAN_DRIFT;
		if (c->wave > p->waves)
			p->waves = c->wave;
	}
}

/* Objects and pods together, sorted and counted. */
static void finish(struct plan *p, const struct model *m,
		   const struct snapshot *want, const struct world *w)
{
	struct builder b = {.plan = p};

	b.items = arena_calloc(
		m->arena, want->objects.n + w->n_objects + m->n_changes + 1,
		sizeof(*b.items));
	diff_objects(&b, want, w);
	if (m->n_changes > 0)
		memcpy(b.items + b.n, m->changes,
		       m->n_changes * sizeof(*b.items));
	b.n += m->n_changes;
	if (b.n > 1)
		qsort(b.items, b.n, sizeof(*b.items), by_order);
	p->changes = b.items;
	p->n = b.n;
	count_changes(p);
}

int plan_step(const struct snapshot *want, const struct world *w,
	      struct arena *arena, struct diags *diags, struct plan *out,
	      struct err *err)
{
	struct plan p = {.waiting = false};
	struct model m;
	int r;

	r = check_order(want, w, err);
	if (r == 0)
		r = model_init(&m, want, w, false, arena, err);
	if (r < 0)
		return r;
	(void)model_round(&m, 1);
	p.stuck = model_report(&m, false, diags);
	finish(&p, &m, want, w);
	p.waiting = m.n_changes == 0 && model_waits(&m);
	*out = p;
	return 0;
}

/* Rounds until nothing changes.  The first round may only wait. */
static void play(struct model *m, struct diags *diags)
{
	for (unsigned int round = 1;; round++) {
		size_t n = model_round(m, round);

		if (n == 0 && (round > 1 || !model_waits(m)))
			return;
		if (round == PLAN_ROUNDS_MAX) {
			diags_add(diags, "R106", DIAG_WARNING,
				  (struct manifest_pos){.path = NULL}, NULL,
				  "raise maxSurge or maxUnavailable",
				  "the plan has more than %d waves; later ones "
				  "are not shown",
				  PLAN_ROUNDS_MAX);
			return;
		}
		model_apply(m);
	}
}

int plan_make(const struct snapshot *want, const struct world *w,
	      struct arena *arena, struct diags *diags, struct plan *out,
	      struct err *err)
{
	struct plan p = {.waiting = false};
	struct model m;
	int r;

	r = check_order(want, w, err);
	if (r == 0)
		r = model_init(&m, want, w, false, arena, err);
	if (r < 0)
		return r;
	play(&m, diags);
	p.stuck = model_report(&m, true, diags);
	finish(&p, &m, want, w);
	p.waiting = m.n_changes == 0 && model_waits(&m);
	*out = p;
	return 0;
}

/* The world in which `from` has been applied on one host that fits all. */
static int world_of(const struct snapshot *from, struct arena *arena,
		    struct diags *diags, struct world *out, struct err *err)
{
	struct world empty = {.now_ms = from->commit_time};
	struct model m;
	size_t n = 0;
	int r;

	r = check_order(from, &empty, err);
	if (r == 0)
		r = model_init(&m, from, &empty, true, arena, err);
	if (r < 0)
		return r;
	play(&m, diags);
	*out = (struct world){.now_ms = empty.now_ms,
			      .applied_commit = from->commit};
	out->objects =
		arena_calloc(arena, from->objects.n + 1, sizeof(*out->objects));
	for (size_t i = 0; i < from->objects.n; i++) {
		const struct object *o = &from->objects.items[i];

		out->objects[out->n_objects++] = (struct world_object){
			o->kind, o->meta.namespace, o->meta.name, o->hash};
	}
	for (size_t i = 0; i < m.n_owners; i++)
		n += m.owners[i].n_pods;
	out->pods = arena_calloc(arena, n + 1, sizeof(*out->pods));
	for (size_t i = 0; i < m.n_owners; i++)
		for (size_t k = 0; k < m.owners[i].n_pods; k++)
			if (!m.owners[i].pods[k]->removed)
				out->pods[out->n_pods++] =
					m.owners[i].pods[k]->pod;
	return 0;
}

int plan_compare(const struct snapshot *from, const struct snapshot *to,
		 struct arena *arena, struct diags *diags, struct plan *out,
		 struct err *err)
{
	struct plan p = {.waiting = false};
	struct world w;
	struct model m;
	int r;

	r = world_of(from, arena, diags, &w, err);
	if (r == 0)
		r = check_order(to, &w, err);
	if (r == 0)
		r = model_init(&m, to, &w, true, arena, err);
	if (r < 0)
		return r;
	play(&m, diags);
	(void)model_report(&m, true, diags);
	finish(&p, &m, to, &w);
	for (size_t i = 0; i < p.n; i++)
		p.changes[i].host = NULL;
	*out = p;
	return 0;
}

const char *plan_pod_name(struct arena *arena, const struct object *owner,
			  unsigned int index, const char *host)
{
	const struct pod_template *t = manifest_template(owner);
	const char *name = owner->meta.name;

	assert(t != NULL);
	switch (owner->kind) {
	case MANIFEST_DEPLOYMENT:
		return arena_printf(arena, "%s-%.*s-%u", name, NAME_HASH,
				    t->hash, index);
	case MANIFEST_DAEMONSET:
		return arena_printf(arena, "%s-%.*s-%s", name, NAME_HASH,
				    t->hash, host ? host : "*");
	case MANIFEST_JOB:
		return arena_printf(arena, "%s-%u", name, index);
	default:
		return arena_strdup(arena, name);
	}
}

unsigned int plan_pods_max(const struct object *owner)
{
	return rollout_pods_max(owner);
}

static const struct plan_code codes[] = {
	{"R101", "pod cannot be placed",
	 "No host passes every filter; the message counts hosts by the first "
	 "filter that refused. Add or uncordon a host, lower the requests, or "
	 "change nodeSelector and tolerations."},
	{"R103", "roll-out makes no progress",
	 "A pod of the new template is not ready and progressDeadlineSeconds "
	 "have passed since the last progress. The old pods that "
	 "maxUnavailable protects keep running. Look at the pod's reason, then "
	 "commit a fix or a revert."},
	{"R104", "Job failed",
	 "backoffLimit or activeDeadlineSeconds is exceeded. The Job is not "
	 "run again until its template changes."},
	{"R105", "Pod failed",
	 "A Pod with restartPolicy Never failed. It is not started again until "
	 "it changes."},
	{"R106", "plan cut",
	 "The plan needs more waves than are shown; applying it goes on past "
	 "them."},
	{"R401", "digest of before",
	 "The registry did not say which digest the tag stands for now; the "
	 "one that it stood for before is used. Write the image with its "
	 "digest."},
	{"R402", "image not found",
	 "The registry has no such image, or refuses it. Write the image with "
	 "its digest, or correct its name."},
	{"R403", "registry cannot be reached",
	 "Which digest the tag stands for is not known yet. Nothing is wrong "
	 "with the commit: try again, or write the image with its digest."},
};

const struct plan_code *plan_codes(size_t *out_n)
{
	*out_n = sizeof(codes) / sizeof(codes[0]);
	return codes;
}

/*
 * batch.c - see batch.h.  All of a batch is in the store or nothing of it:
 * pods, the epochs that their hosts are to have, addresses, and the applied
 * objects.
 */
#include "reconciler/core/batch.h"

#include "lib/clock.h"
#include "reconciler/core/assign.h"
#include "reconciler/core/podindex.h"
#include "reconciler/schedule/schedule.h"

#include <stdlib.h>

static int store_start(struct execution *x, const struct plan_change *ch,
		       const char *uid, struct err *err)
{
	const struct object *owner = manifest_find(
		&x->target->want.objects, ch->kind, ch->namespace, ch->name);
	struct world_pod p = {
		.uid = uid,
		.namespace = ch->namespace,
		.name = ch->pod,
		.owner_kind = manifest_kind_name(ch->kind),
		.owner_name = ch->name,
		.template_hash = ch->template_hash,
		.index = ch->index,
		.host = ch->host,
		.commit = x->target->commit,
		.created_ms = clock_unix_ms(),
		.assigned = true,
		.phase = POD_UNKNOWN,
	};

	if (owner != NULL && manifest_template(owner) != NULL)
		schedule_requests(&manifest_template(owner)->spec, &p.cpu_m,
				  &p.memory);
	return state_pod_put(x->core->state, &p, err);
}

/* The objects of the commit, from now on the applied ones: what a commit after
 * this one deletes is counted against them, also when this pass never ends. */
static int store_objects(struct execution *x, struct arena *arena,
			 struct err *err)
{
	const struct objects *set = &x->target->want.objects;
	struct world_object *list = arena_calloc(arena, set->n, sizeof(*list));

	for (size_t i = 0; i < set->n; i++)
		list[i] = (struct world_object){
			set->items[i].kind, set->items[i].meta.namespace,
			set->items[i].meta.name, set->items[i].hash};
	return state_objects_set(x->core->state, list, set->n, err);
}

/* A Job's pod that has run leaves its row: the record that it has. */
static int store_stop(struct execution *x, const struct plan_change *ch,
		      const struct world_pod *pod, struct err *err)
{
	struct world_pod kept;

	if (pod == NULL || ch->kind != MANIFEST_JOB ||
	    pod->phase != POD_SUCCEEDED)
		return state_pod_delete(x->core->state, ch->uid, err);
	kept = *pod;
	kept.assigned = false;
	return state_pod_put(x->core->state, &kept, err);
}

static int store_pods(struct execution *x, const struct batch *b,
		      struct err *err)
{
	const struct world_pod **index = podindex_new(b->w);
	int r = index == NULL ? err_set(err, ERR_NOMEM, "pods") : 0;

	for (size_t i = 0; r == 0 && i < b->n; i++) {
		const struct plan_change *ch = b->list[i];

		if (ch->action == PLAN_START)
			r = store_start(x, ch, b->uids[i], err);
		else if (ch->action == PLAN_STOP)
			r = store_stop(x, ch,
				       podindex_find(index, b->w->n_pods,
						     ch->uid, ch->host),
				       err);
	}
	free(index);
	return r;
}

int batch_store(struct execution *x, const struct batch *b, struct arena *arena,
		struct err *err)
{
	struct state *s = x->core->state;
	int r = state_begin(s, err);

	if (r < 0)
		return r;
	r = store_pods(x, b, err);
	for (size_t i = 0; r == 0 && i < b->w->n_hosts; i++)
		if (b->concerned[i])
			r = assign_reserve(x->core, b->w->hosts[i].name,
					   b->epoch, err);
	if (r == 0)
		r = state_services_set(s, b->w->services, b->w->n_services,
				       err);
	if (r == 0 && !x->objects_done)
		r = store_objects(x, arena, err);
	if (r == 0)
		r = state_commit(s, err);
	if (r < 0)
		state_rollback(s);
	return r;
}

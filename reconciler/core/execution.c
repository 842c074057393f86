/*
 * execution.c - see execution.h.  Order of execution_apply() (promise 2):
 * intents durable in the audit log, then the store in one transaction, then the
 * hosts. Killed in between, the next pass plans again from what it observes.
 */
#include "reconciler/core/execution.h"

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/hash.h"
#include "reconciler/core/assign.h"
#include "reconciler/core/record.h"
#include "reconciler/schedule/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void execution_init(struct execution *x, struct core *core,
		    const struct pass_target *target)
{
	*x = (struct execution){.core = core, .target = target};
}

void execution_release(struct execution *x)
{
	free(x->pending);
	x->pending = NULL;
}

static bool is_pod_change(const struct plan_change *ch)
{
	return ch->action == PLAN_START || ch->action == PLAN_STOP;
}

/* A fresh identity: no two pods share it, also not a pod and its successor. */
static const char *new_uid(const struct plan_change *ch, const char *commit,
			   uint64_t epoch, struct arena *arena)
{
	uint8_t digest[HASH_BYTES];
	char hex[2 * HASH_BYTES + 1];
	char *seed =
		arena_printf(arena, "%s/%s/%s/%s/%llu", commit, ch->namespace,
			     ch->pod, ch->host, (unsigned long long)epoch);

	hash_sha256(seed, strlen(seed), digest);
	encode_hex(hex, digest, 16);
	return arena_strdup(arena, hex);
}

static struct pending *pending_new(struct execution *x, struct err *err)
{
	if (x->n_pending == x->cap_pending) {
		size_t cap = x->cap_pending == 0 ? 64 : x->cap_pending * 2;
		struct pending *p = realloc(x->pending, cap * sizeof(*p));

		if (p == NULL) {
			(void)err_set(err, ERR_NOMEM, "pending changes");
			return NULL;
		}
		x->pending = p;
		x->cap_pending = cap;
	}
	return &x->pending[x->n_pending++];
}

static const char *const object_types[] = {
	[PLAN_CREATE] = "object.create", [PLAN_UPDATE] = "object.update",
	[PLAN_DELETE] = "object.delete", [PLAN_START] = "pod.start",
	[PLAN_STOP] = "pod.stop",
};

static const char *object_text(const struct plan_change *ch,
			       struct arena *arena)
{
	if (is_pod_change(ch))
		return arena_printf(arena, "pod %s/%s", ch->namespace, ch->pod);
	return ch->namespace == NULL
		       ? arena_printf(arena, "%s %s",
				      manifest_kind_name(ch->kind), ch->name)
		       : arena_printf(arena, "%s %s/%s",
				      manifest_kind_name(ch->kind),
				      ch->namespace, ch->name);
}

static bool is_stopping(const struct execution *x, const char *uid)
{
	for (size_t i = 0; i < x->n_pending; i++)
		if (x->pending[i].pod && !x->pending[i].start &&
		    strcmp(x->pending[i].uid, uid) == 0)
			return true;
	return false;
}

/* Pods always, but no stop twice; objects once in a pass. */
static bool is_due(const struct execution *x, const struct plan_change *ch)
{
	if (ch->action == PLAN_START)
		return true;
	return ch->action == PLAN_STOP ? !is_stopping(x, ch->uid)
				       : !x->objects_done;
}

static size_t select_changes(const struct execution *x, const struct plan *step,
			     struct arena *arena,
			     const struct plan_change ***out)
{
	const struct plan_change **list =
		arena_calloc(arena, step->n, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < step->n; i++)
		if (is_due(x, &step->changes[i]))
			list[n++] = &step->changes[i];
	*out = list;
	return n;
}

static int record_intents(struct execution *x,
			  const struct plan_change *const *list, size_t n,
			  uint64_t epoch, struct arena *arena, struct err *err)
{
	struct record *records = arena_calloc(arena, n, sizeof(*records));

	for (size_t i = 0; i < n; i++)
		records[i] = (struct record){
			.type = object_types[list[i]->action],
			.phase = RECORD_INTENT,
			.actor = list[i]->signer != NULL
					 ? list[i]->signer
					 : x->target->want.signer,
			.object = object_text(list[i], arena),
			.commit = x->target->commit,
			.host = list[i]->host,
			.change = arena_printf(arena, "%llu-%zu",
					       (unsigned long long)epoch, i),
			.result = list[i]->cause == PLAN_DRIFT ? "drift"
							       : "intent",
			.reason = list[i]->reason,
		};
	return record_put(x->core, records, n, err);
}

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
		.phase = POD_UNKNOWN,
	};

	if (owner != NULL && manifest_template(owner) != NULL)
		schedule_requests(&manifest_template(owner)->spec, &p.cpu_m,
				  &p.memory);
	return state_pod_put(x->core->state, &p, err);
}

static int follow(struct execution *x, const struct plan_change *ch,
		  const char *uid, uint64_t epoch, size_t i,
		  struct arena *arena, struct err *err)
{
	struct pending *p = pending_new(x, err);

	if (p == NULL)
		return ERR_NOMEM;
	*p = (struct pending){.type = object_types[ch->action],
			      .pod = is_pod_change(ch),
			      .start = ch->action == PLAN_START,
			      .since_ms = clock_unix_ms()};
	(void)snprintf(p->change, sizeof(p->change), "%llu-%zu",
		       (unsigned long long)epoch, i);
	(void)snprintf(p->uid, sizeof(p->uid), "%s", uid == NULL ? "" : uid);
	(void)snprintf(p->object, sizeof(p->object), "%s",
		       object_text(ch, arena));
	(void)snprintf(p->host, sizeof(p->host), "%s",
		       ch->host == NULL ? "" : ch->host);
	return 0;
}

static int store_changes(struct execution *x,
			 const struct plan_change *const *list, size_t n,
			 const struct world *w, uint64_t epoch,
			 struct arena *arena, struct err *err)
{
	struct state *s = x->core->state;
	int r = state_begin(s, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct plan_change *ch = list[i];
		const char *uid = ch->uid;

		if (ch->action == PLAN_START) {
			uid = new_uid(ch, x->target->commit, epoch, arena);
			r = store_start(x, ch, uid, err);
		} else if (ch->action == PLAN_STOP) {
			r = state_pod_delete(s, uid, err);
		}
		if (r == 0)
			r = follow(x, ch, uid, epoch, i, arena, err);
	}
	if (r == 0)
		r = state_services_set(s, w->services, w->n_services, err);
	if (r == 0)
		r = state_commit(s, err);
	if (r < 0)
		state_rollback(s);
	return r;
}

/* Every connected host whose pods change, and those behind the commit. */
static bool concerns(const struct plan_change *const *list, size_t n,
		     const char *host)
{
	for (size_t i = 0; i < n; i++)
		if (list[i]->host != NULL && strcmp(list[i]->host, host) == 0)
			return true;
	return false;
}

static int send_changed(struct execution *x,
			const struct plan_change *const *list, size_t n,
			const struct world *w, uint64_t epoch,
			struct arena *arena, struct err *err)
{
	struct world stored = {0};
	int r = state_world(x->core->state, arena, &stored, err);

	stored.pins = w->pins;
	stored.n_pins = w->n_pins;
	for (size_t i = 0; r == 0 && i < w->n_hosts; i++) {
		const struct world_host *h = &w->hosts[i];

		if (concerns(list, n, h->name) ||
		    assign_is_stale(x->core, h, x->target->commit))
			r = assign_send(x->core, h->name, x->target->commit,
					epoch, &x->target->want, &stored, err);
	}
	return r;
}

int execution_apply(struct execution *x, const struct plan *step,
		    const struct world *w, size_t *out_done, struct err *err)
{
	struct arena *arena = arena_new((size_t)256 << 20);
	const struct plan_change **list = NULL;
	uint64_t epoch = 0;
	size_t n = select_changes(x, step, arena, &list);
	int r = 0;

	if (n == 0)
		goto out;
	r = assign_next_epoch(x->core, &epoch, err);
	if (r == 0)
		r = record_intents(x, list, n, epoch, arena, err);
	if (r == 0)
		r = store_changes(x, list, n, w, epoch, arena, err);
	if (r == 0)
		r = send_changed(x, list, n, w, epoch, arena, err);
	if (r == 0) {
		x->objects_done = true;
		x->round++;
	}
out:
	arena_free(arena);
	if (r == 0)
		*out_done = n;
	return r < 0 ? err_wrap(err, "apply") : 0;
}

int execution_refresh(struct execution *x, const struct world *w,
		      size_t *out_sent, struct err *err)
{
	struct arena *arena = NULL;
	struct world stored = {0};
	uint64_t epoch = 0;
	size_t sent = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->n_hosts; i++) {
		const struct world_host *h = &w->hosts[i];
		const struct fleet_host *l =
			fleet_find(x->core->fleet, h->name);

		if (!assign_is_stale(x->core, h, x->target->commit) ||
		    (l->sent_commit != NULL &&
		     strcmp(l->sent_commit, x->target->commit) == 0 &&
		     l->sent_epoch > 0))
			continue; /* current, or on its way already */
		if (arena == NULL) {
			arena = arena_new((size_t)256 << 20);
			r = state_world(x->core->state, arena, &stored, err);
			stored.pins = w->pins;
			stored.n_pins = w->n_pins;
			if (r == 0)
				r = assign_next_epoch(x->core, &epoch, err);
		}
		if (r == 0)
			r = assign_send(x->core, h->name, x->target->commit,
					epoch, &x->target->want, &stored, err);
		sent++;
	}
	arena_free(arena);
	if (r == 0)
		*out_sent = sent;
	return r;
}

static const struct world_pod *pod_by_uid(const struct world *w,
					  const char *uid, const char *host)
{
	for (size_t i = 0; i < w->n_pods; i++)
		if (strcmp(w->pods[i].uid, uid) == 0 &&
		    strcmp(w->pods[i].host, host) == 0)
			return &w->pods[i];
	return NULL;
}

/* NULL while undecided. */
static const char *outcome(const struct pending *p, const struct world *w,
			   enum execution_end end)
{
	const struct world_pod *pod = pod_by_uid(w, p->uid, p->host);
	const char *late = end == EXECUTION_GOES_ON ? NULL : "incomplete";

	if (!p->pod)
		return end == EXECUTION_CONVERGED ? "ok" : late;
	if (!p->start)
		return pod == NULL || (!pod->reported && !pod->assigned) ? "ok"
									 : late;
	if (pod == NULL)
		return "superseded";
	if (pod->ready || pod->phase == POD_SUCCEEDED)
		return "ok";
	return pod->phase == POD_FAILED ? "failed" : late;
}

static void announce(struct execution *x, const struct pending *p,
		     const char *result)
{
	int64_t ms = clock_unix_ms() - p->since_ms;

	if (!p->pod)
		return;
	if (strcmp(result, "ok") != 0) {
		core_say(x->core, "  %s on %s: %s", p->object, p->host, result);
		x->n_failed++;
		return;
	}
	core_say(x->core, "  %s %s on %s (%lld.%02lld s)", p->object,
		 p->start ? "ready" : "stopped", p->host,
		 (long long)(ms / 1000), (long long)(ms % 1000 / 10));
	x->n_started += p->start;
	x->n_stopped += !p->start;
}

static struct record outcome_record(const struct execution *x,
				    const struct pending *p, const char *result)
{
	return (struct record){
		.type = p->type,
		.phase = RECORD_OUTCOME,
		.actor = "reconcile",
		.object = p->object,
		.commit = x->target->commit,
		.host = p->host,
		.change = p->change,
		.result = result,
	};
}

int execution_settle(struct execution *x, const struct world *w,
		     enum execution_end end, struct err *err)
{
	struct record *records;
	size_t n = 0;
	size_t kept = 0;
	int r = 0;

	if (x->n_pending == 0)
		return 0;
	records = calloc(x->n_pending, sizeof(*records));
	if (records == NULL)
		return err_set(err, ERR_NOMEM, "outcomes");
	for (size_t i = 0; i < x->n_pending; i++) {
		const struct pending *p = &x->pending[i];
		const char *result = outcome(p, w, end);

		if (result == NULL)
			continue;
		records[n++] = outcome_record(x, p, result);
		announce(x, p, result);
	}
	if (n > 0)
		r = record_put(x->core, records, n, err);
	for (size_t i = 0; r == 0 && i < x->n_pending; i++)
		if (outcome(&x->pending[i], w, end) == NULL)
			x->pending[kept++] = x->pending[i];
	if (r == 0)
		x->n_pending = kept;
	free(records);
	return r;
}

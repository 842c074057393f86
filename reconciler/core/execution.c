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
#include "reconciler/core/batch.h"
#include "reconciler/core/podindex.h"
#include "reconciler/core/record.h"

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

static int by_uid(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The pods whose STOP is under way, sorted. */
static size_t list_stopping(const struct execution *x, struct arena *arena,
			    const char ***out)
{
	const char **list = arena_calloc(arena, x->n_pending, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < x->n_pending; i++)
		if (x->pending[i].pod && !x->pending[i].start)
			list[n++] = x->pending[i].uid;
	qsort(list, n, sizeof(const char *), by_uid);
	*out = list;
	return n;
}

/* Pods always, but no stop twice; objects once in a pass. */
static size_t select_changes(const struct execution *x, const struct plan *step,
			     struct arena *arena,
			     const struct plan_change ***out)
{
	const struct plan_change **list =
		arena_calloc(arena, step->n, sizeof(*list));
	const char **stopping;
	size_t n_stopping = list_stopping(x, arena, &stopping);
	size_t n = 0;

	for (size_t i = 0; i < step->n; i++) {
		const struct plan_change *ch = &step->changes[i];
		bool due = ch->action == PLAN_START || !x->objects_done;

		if (ch->action == PLAN_STOP)
			due = bsearch(&ch->uid, stopping, n_stopping,
				      sizeof(const char *), by_uid) == NULL;
		if (due)
			list[n++] = ch;
	}
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

static void follow_one(const struct plan_change *ch, const char *uid,
		       uint64_t epoch, size_t i, struct arena *arena,
		       struct pending *p)
{
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
}

/* Every intent is followed from the moment that it is durable; *out_uids: of
 * the pods of list. */
static int follow(struct execution *x, const struct plan_change *const *list,
		  size_t n, uint64_t epoch, struct arena *arena,
		  const char ***out_uids, struct err *err)
{
	const char **uids = arena_calloc(arena, n, sizeof(*uids));

	for (size_t i = 0; i < n; i++) {
		struct pending *p = pending_new(x, err);

		if (p == NULL)
			return ERR_NOMEM;
		uids[i] = list[i]->action == PLAN_START
				  ? new_uid(list[i], x->target->commit, epoch,
					    arena)
				  : list[i]->uid;
		follow_one(list[i], uids[i], epoch, i, arena, p);
	}
	*out_uids = uids;
	return 0;
}

static int find_host(const void *key, const void *item)
{
	return strcmp(key, ((const struct world_host *)item)->name);
}

/* Every host whose pods change, and those behind the commit. */
static const bool *mark_concerned(struct execution *x, const struct batch *b,
				  struct arena *arena)
{
	const struct world *w = b->w;
	bool *list = arena_calloc(arena, w->n_hosts, sizeof(*list));

	for (size_t i = 0; i < w->n_hosts; i++)
		list[i] = assign_is_stale(x->core, &w->hosts[i],
					  x->target->commit);
	for (size_t i = 0; i < b->n; i++) {
		const struct world_host *h =
			b->list[i]->host == NULL
				? NULL
				: bsearch(b->list[i]->host, w->hosts,
					  w->n_hosts, sizeof(*h), find_host);

		if (h != NULL)
			list[h - w->hosts] = true;
	}
	return list;
}

static int send_changed(struct execution *x, const struct batch *b,
			struct arena *arena, struct err *err)
{
	struct world stored = {0};
	int r = state_world(x->core->state, arena, &stored, err);

	stored.pins = b->w->pins;
	stored.n_pins = b->w->n_pins;
	for (size_t i = 0; i < b->w->n_hosts; i++)
		if (b->concerned[i])
			assign_mark(x->core, b->w->hosts[i].name, b->epoch);
	for (size_t i = 0; r == 0 && i < b->w->n_hosts; i++)
		if (b->concerned[i])
			r = assign_send(x->core, b->w->hosts[i].name,
					x->target->commit, b->epoch,
					&x->target->want, &stored, err);
	return r;
}

/* Until it is emptied there are intents whose outcome is not recorded yet. */
static int mark_open(struct execution *x, uint64_t epoch, struct err *err)
{
	char text[32] = "";

	if ((epoch > 0) == x->open)
		return 0;
	if (epoch > 0)
		(void)snprintf(text, sizeof(text), "%llu",
			       (unsigned long long)epoch);
	if (state_set(x->core->state, "open", text, err) < 0)
		return err->code;
	x->open = epoch > 0;
	return 0;
}

int execution_resume(struct core *c, const char *commit, struct err *err)
{
	struct arena *arena = arena_new(4096);
	const char *open = NULL;
	struct record one = {
		.type = "pass.resume",
		.phase = RECORD_FACT,
		.actor = "reconcile",
		.commit = commit,
		.result = "interrupted",
	};
	int r = state_get(c->state, "open", arena, &open, err);

	if (r == 0 && open != NULL && open[0] != '\0') {
		one.change = arena_printf(arena, "%s-0", open);
		one.reason = "a pass was cut short: changes from this one on "
			     "that have no outcome are judged by what the "
			     "hosts report";
		r = record_put(c, &one, 1, err);
		if (r == 0)
			r = state_set(c->state, "open", "", err);
	}
	arena_free(arena);
	return r;
}

int execution_apply(struct execution *x, const struct plan *step,
		    const struct world *w, size_t *out_done, struct err *err)
{
	struct arena *arena = arena_new((size_t)1 << 30);
	struct batch b = {.w = w};
	int r = 0;

	b.n = select_changes(x, step, arena, &b.list);
	if (b.n == 0)
		goto out;
	r = assign_next_epoch(x->core, &b.epoch, err);
	if (r == 0)
		r = mark_open(x, b.epoch, err);
	if (r == 0)
		r = record_intents(x, b.list, b.n, b.epoch, arena, err);
#ifdef GUARD_OFF_INTENT_FIRST
	r = 0;
#endif
	if (r == 0)
		r = follow(x, b.list, b.n, b.epoch, arena, &b.uids, err);
	if (r < 0)
		goto out;
	b.concerned = mark_concerned(x, &b, arena);
	r = batch_store(x, &b, arena, err);
	if (r == 0)
		r = send_changed(x, &b, arena, err);
	if (r == 0) {
		x->objects_done = true;
		x->round++;
	}
out:
	if (r == 0)
		*out_done = b.n;
	arena_free(arena);
	return r < 0 ? err_wrap(err, "apply") : 0;
}

/* Neither current nor on its way. */
static bool needs_refresh(struct execution *x, const struct world_host *h)
{
	return assign_is_stale(x->core, h, x->target->commit) &&
	       !assign_is_given(fleet_find(x->core->fleet, h->name),
				x->target->commit);
}

static int reserve_list(struct execution *x, const char *const *names, size_t n,
			uint64_t epoch, struct err *err)
{
	int r = state_begin(x->core->state, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = assign_reserve(x->core, names[i], epoch, err);
	if (r == 0)
		r = state_commit(x->core->state, err);
	if (r < 0)
		state_rollback(x->core->state);
	return r;
}

int execution_refresh(struct execution *x, const struct world *w,
		      size_t *out_sent, struct err *err)
{
	struct arena *arena = arena_new((size_t)1 << 30);
	const char **names = arena_calloc(arena, w->n_hosts, sizeof(*names));
	struct world stored = {0};
	uint64_t epoch = 0;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < w->n_hosts; i++)
		if (needs_refresh(x, &w->hosts[i]))
			names[n++] = w->hosts[i].name;
	if (n > 0)
		r = state_world(x->core->state, arena, &stored, err);
	if (r == 0 && n > 0)
		r = assign_next_epoch(x->core, &epoch, err);
	if (r == 0 && n > 0)
		r = reserve_list(x, names, n, epoch, err);
	stored.pins = w->pins;
	stored.n_pins = w->n_pins;
	for (size_t i = 0; r == 0 && i < n; i++)
		assign_mark(x->core, names[i], epoch);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = assign_send(x->core, names[i], x->target->commit, epoch,
				&x->target->want, &stored, err);
	arena_free(arena);
	if (r == 0)
		*out_sent = n;
	return r;
}

/* Nothing of it is there any more, as far as its host says; a host that is out
 * of reach, or has not heard of it yet, says nothing. */
static const char *stop_outcome(const struct execution *x,
				const struct pending *p,
				const struct world_pod *pod, const char *late)
{
	const struct fleet_host *h = fleet_find(x->core->fleet, p->host);

	if (pod != NULL && (pod->reported || pod->assigned))
		return late;
	if (h == NULL || h->report == NULL || h->report->epoch < h->sent_epoch)
		return late;
	return "ok";
}

/* NULL while undecided. */
static const char *outcome(const struct execution *x, const struct pending *p,
			   const struct world_pod *pod, enum execution_end end)
{
	static const char *const lates[] = {
		[EXECUTION_GOES_ON] = NULL,
		[EXECUTION_CONVERGED] = "incomplete",
		[EXECUTION_STOPPED] = "incomplete",
		[EXECUTION_FAILED] = "failed",
	};
	const char *late = lates[end];

	if (!p->pod)
		return end == EXECUTION_CONVERGED ? "ok" : late;
	if (!p->start)
		return stop_outcome(x, p, pod, late);
	if (pod == NULL)
		return end == EXECUTION_FAILED ? late : "superseded";
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
	const struct world_pod **index;
	struct record *records;
	size_t n = 0;
	size_t kept = 0;
	int r = 0;

	if (x->n_pending == 0)
		return mark_open(x, 0, err);
	records = calloc(x->n_pending, sizeof(*records));
	index = podindex_new(w);
	if (records == NULL || index == NULL) {
		r = err_set(err, ERR_NOMEM, "outcomes");
		goto out;
	}
	for (size_t i = 0; i < x->n_pending; i++) {
		struct pending *p = &x->pending[i];

		p->result = outcome(
			x, p, podindex_find(index, w->n_pods, p->uid, p->host),
			end);
		if (p->result == NULL)
			continue;
		records[n++] = outcome_record(x, p, p->result);
		announce(x, p, p->result);
	}
	r = record_put(x->core, records, n, err);
	for (size_t i = 0; r == 0 && i < x->n_pending; i++)
		if (x->pending[i].result == NULL)
			x->pending[kept++] = x->pending[i];
	if (r == 0)
		x->n_pending = kept;
	if (r == 0 && kept == 0)
		r = mark_open(x, 0, err);
out:
	free(index);
	free(records);
	return r;
}

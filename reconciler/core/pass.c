/*
 * pass.c - see pass.h.
 *
 *   fetch -> verify -> plan -> safeguard -> ratchet -> +-> observe -> settle
 *                                                      |      |
 *                                                      |   plan_step
 *                                                      |      |
 *                                                      +-- apply / wait
 *                                                             |
 *                                              converged, stuck or out of time
 */
#include "reconciler/core/pass.h"

#include "lib/clock.h"
#include "policy/verify/verify.pb-c.h"
#include "reconciler/core/address.h"
#include "reconciler/core/anchor.h"
#include "reconciler/core/assign.h"
#include "reconciler/core/execution.h"
#include "reconciler/core/freshness.h"
#include "reconciler/core/memo.h"
#include "reconciler/core/observe.h"
#include "reconciler/core/pins.h"
#include "reconciler/core/readers.h"
#include "reconciler/core/record.h"
#include "reconciler/core/savedplan.h"
#include "reconciler/core/tally.h"
#include "reconciler/core/tagged.h"
#include "reconciler/core/witness.h"

#include <string.h>

#define ROUND_ARENA ((size_t)1 << 30)
#define DIAGS_MAX 1000
#define SAVED_MAX ((size_t)256 << 20)
#define REFUSED_MS 1000 /* for the rest of what a host has to say */

static const int refusal_exit[] = {
	[VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED] = CORE_EXIT_DONE,
	[VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST] = CORE_EXIT_TRUST,
	[VERIFY__VERIFY_REPLY__VERDICT__REFUSED_MANIFEST] = CORE_EXIT_MANIFEST,
	[VERIFY__VERIFY_REPLY__VERDICT__REFUSED_POLICY] = CORE_EXIT_POLICY,
};

/* The world with addresses and pins, ready for the planner. */
static int full_world(struct core *c, const struct pass_target *t,
		      const struct world *pinned, struct arena *arena,
		      struct diags *diags, struct world *out, struct err *err)
{
	int r = observe_world(c, arena, out, err);

	if (r == 0)
		r = address_services(&t->want.objects, out,
				     c->conf->service_cidr, arena, diags,
				     &out->services, &out->n_services, err);
	if (r == 0 && pinned != NULL) {
		out->pins = pinned->pins;
		out->n_pins = pinned->n_pins;
	} else if (r == 0) {
		r = pins_resolve(c, &t->want, out, arena, diags, err);
	}
	return r;
}

static int record_refusal(struct core *c, const struct pass_target *t,
			  struct arena *arena, struct err *err)
{
	const char *before = NULL;
	const char *why = t->verdict.diags.n > 0
				  ? t->verdict.diags.items[0].message
				  : "refused";
	struct record one = {
		.type = "commit.refuse",
		.phase = RECORD_FACT,
		.actor = "reconcile",
		.commit = t->head,
		.result = "refused",
	};
	int r = state_get(c->state, "refused", arena, &before, err);

	if (r < 0 || (before != NULL && strcmp(before, t->head) == 0))
		return r;
	for (size_t i = 0; i < t->verdict.n_commits; i++)
		if (strcmp(t->verdict.commits[i].code, "OK") != 0) {
			why = t->verdict.commits[i].reason;
			one.object = t->verdict.commits[i].commit;
			break;
		}
	one.reason = why;
	r = record_put(c, &one, 1, err);
	return r < 0 ? r : state_set(c->state, "refused", t->head, err);
}

static bool safeguard_trips(const struct pass_options *o,
			    const struct pass_result *p)
{
	return !o->allow_deletes && p->plan.n_objects_delete > 0 &&
	       p->plan.n_deleting_objects_percent >
		       (size_t)p->target.want.policy.max_delete_percent;
}

/* One turn of the loop: settled state out, changes in.  *out_idle: nothing was
 * done, wait for the hosts. */
struct turn {
	struct tally tally;
	bool idle, waiting, converged, stuck;
	bool foreign; /* something is due that the saved plan does not have */
};

static bool is_foreign(const struct pass_options *o,
		       const struct pass_result *p, const struct plan *step,
		       struct arena *arena, struct turn *out)
{
	const struct plan_change *f = NULL;

#ifndef GUARD_OFF_SAVED_PLAN
	if (o->saved != NULL)
		f = savedplan_foreign(&p->plan, step);
#else
	(void)o, (void)p, (void)step;
#endif
	if (f == NULL)
		return false;
	out->foreign = true;
	out->tally.first = arena_printf(
		arena, "%s/%s%s%s is due now and not in the plan",
		f->namespace == NULL ? "" : f->namespace, f->name,
		f->pod == NULL ? "" : ", pod ", f->pod == NULL ? "" : f->pod);
	return true;
}

static int pass_turn(struct core *c, const struct pass_options *o,
		     struct execution *x, struct pass_result *p,
		     struct arena *arena, struct turn *out, struct err *err)
{
	struct world w = {0};
	struct plan step = {0};
	struct diags diags;
	size_t done = 0;
	size_t sent = 0;
	int r;

	diags_init(&diags, arena, DIAGS_MAX);
	r = full_world(c, &p->target, &p->world, arena, &diags, &w, err);
	if (r == 0)
		r = execution_settle(x, &w, EXECUTION_GOES_ON, err);
	if (r == 0)
		r = plan_step(&p->target.want, &w, arena, &diags, &step, err);
	if (r == 0 && is_foreign(o, p, &step, arena, out))
		return 0;
	if (r == 0)
		r = execution_apply(x, &step, &w, &done, err);
	if (r == 0 && done == 0)
		r = execution_refresh(x, &w, &sent, err);
	if (r < 0)
		return r;
	tally_hosts(c, &w, p->target.commit, arena, &out->tally);
	if (done > 0 || sent > 0)
		p->acted = true;
	out->idle = done == 0;
	out->waiting = step.waiting;
	out->stuck = step.stuck && done == 0;
	out->converged = done == 0 && sent == 0 && !step.waiting &&
			 out->tally.behind + out->tally.not_ready +
					 out->tally.lost_with_pods +
					 out->tally.refused ==
				 0;
	if (out->stuck && diags.n > 0)
		out->tally.first = diags.items[0].message;
	return 0;
}

/* Does time alone change the plan?  The remains of a finished Job go some day.
 */
static bool is_waiting_for_time(const struct pass_result *p,
				const struct world *w)
{
	for (size_t i = 0; i < w->n_pods; i++) {
		const struct world_pod *pod = &w->pods[i];
		const struct object *o = NULL;

		if (pod->assigned && pod->finished_ms > 0)
			o = manifest_find(&p->target.want.objects, MANIFEST_JOB,
					  pod->namespace, pod->owner_name);
		if (o != NULL && o->job.ttl_after_finished_s >= 0)
			return true;
	}
	return false;
}

static int remember(struct core *c, const struct pass_result *p,
		    struct arena *arena, struct err *err)
{
	char digest[HASH_HEX];
	struct world w;
	int r = observe_world(c, arena, &w, err);

	if (r == 0 && is_waiting_for_time(p, &w))
		return 0;
	if (r == 0)
		r = memo_digest(c, p->target.commit, &w, arena, digest, err);
	return r < 0 ? r : memo_store(c, digest, err);
}

static int store_converged(struct core *c, const struct pass_result *p,
			   const struct world *w, struct arena *arena,
			   struct err *err)
{
	const struct objects *set = &p->target.want.objects;
	struct world_object *objects =
		arena_calloc(arena, set->n, sizeof(*objects));
	int r = state_begin(c->state, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < set->n; i++)
		objects[i] = (struct world_object){
			set->items[i].kind, set->items[i].meta.namespace,
			set->items[i].meta.name, set->items[i].hash};
	r = state_objects_set(c->state, objects, set->n, err);
	if (r == 0)
		r = state_services_set(c->state, w->services, w->n_services,
				       err);
	if (r == 0)
		r = observe_forget(c, &p->target.want, w, err);
	if (r == 0)
		r = state_set(c->state, "applied", p->target.commit, err);
	if (r == 0)
		r = state_commit(c->state, err);
	if (r < 0)
		state_rollback(c->state);
	return r;
}

static int finish(struct core *c, struct execution *x, struct pass_result *p,
		  bool converged, struct arena *arena, struct err *err)
{
	struct world w = {0};
	struct diags unused;
	int r;

	diags_init(&unused, arena, DIAGS_MAX);
	r = full_world(c, &p->target, &p->world, arena, &unused, &w, err);
	if (r == 0)
		r = execution_settle(x, &w,
				     converged ? EXECUTION_CONVERGED
					       : EXECUTION_STOPPED,
				     err);
	if (r == 0)
		r = observe_store(c, &w, err);
	if (r < 0 || !converged)
		return r;
	if (p->acted)
		r = record_fact(c, "pass.converge", NULL, NULL, "ok",
				p->target.commit, err);
	if (r == 0)
		r = store_converged(c, p, &w, arena, err);
	return r < 0 ? r : remember(c, p, arena, err);
}

/* The pass itself failed: what it intended has an outcome all the same, unless
 * it is the log that failed. */
static void abandon(struct execution *x, int code)
{
	struct world none = {0};
	struct err unused = {0};

	if (code != ERR_AUDIT)
		(void)execution_settle(x, &none, EXECUTION_FAILED, &unused);
}

/* Hosts that are out of reach, or refuse, are what is left.  The first may dial
 * again within host.wait_s; a refusal stands. */
static bool is_hopeless(struct core *c, const struct turn *turn,
			int64_t *quiet_since_ms)
{
	const struct tally *t = &turn->tally;
	int64_t patience_ms = t->lost_with_pods > 0
				      ? c->conf->host_wait_s * 1000
				      : REFUSED_MS;

	if (!turn->idle || t->behind + t->not_ready > 0 ||
	    t->refused + t->lost_with_pods == 0) {
		*quiet_since_ms = clock_boot_ms();
		return false;
	}
	return !turn->waiting ||
	       clock_boot_ms() - *quiet_since_ms >= patience_ms;
}

static void judge(const struct turn *turn, struct pass_result *p,
		  struct arena *arena)
{
	p->exit = turn->converged ? CORE_EXIT_DONE
		  : turn->foreign ? CORE_EXIT_STALE_PLAN
		  : turn->stuck || turn->tally.refused > 0
			  ? CORE_EXIT_APPLY
			  : CORE_EXIT_INCOMPLETE;
	p->summary = turn->tally.first == NULL
			     ? NULL
			     : arena_strdup(arena, turn->tally.first);
}

static bool is_asked_to_stop(const struct pass_options *o)
{
	return o->stop != NULL && *o->stop != 0;
}

/* Until converged, stuck, refused, out of time or asked to stop. */
static int converge(struct core *c, const struct pass_options *o,
		    struct pass_result *p, struct arena *arena, struct err *err)
{
	int64_t limit_s =
		o->timeout_s >= 0 ? o->timeout_s : c->conf->pass_timeout_s;
	int64_t quiet_since_ms = clock_boot_ms();
	int64_t deadline = quiet_since_ms + limit_s * 1000;
	struct arena *round = NULL;
	struct execution x;
	struct turn turn;
	bool changed = false;
	int r;

	execution_init(&x, c, &p->target);
	for (;;) {
		int64_t left = deadline - clock_boot_ms();

		arena_free(round);
		round = arena_new(ROUND_ARENA);
		turn = (struct turn){0};
		r = pass_turn(c, o, &x, p, round, &turn, err);
		if (r < 0 || turn.converged || turn.stuck || turn.foreign ||
		    left <= 0 || is_hopeless(c, &turn, &quiet_since_ms) ||
		    is_asked_to_stop(o))
			break;
		core_progress(c, "%zu pods not ready, %zu hosts behind",
			      turn.tally.not_ready, turn.tally.behind);
		r = fleet_poll(c, left < 1000 ? (int)left : 1000, &changed,
			       err);
		if (r < 0)
			break;
	}
	if (r == 0) {
		judge(&turn, p, arena);
		r = finish(c, &x, p, turn.converged, round, err);
	}
	if (r < 0)
		abandon(&x, r);
	arena_free(round);
	execution_release(&x);
	return r;
}

/* Said once for a commit, not in every pass of a daemon. */
static int record_safeguard(struct core *c, const struct pass_result *p,
			    struct arena *arena, struct err *err)
{
	const char *before = NULL;
	int r = state_get(c->state, "safeguard", arena, &before, err);

	if (r < 0 || (before != NULL && strcmp(before, p->target.commit) == 0))
		return r;
	r = record_fact(c, "pass.safeguard", p->target.commit, NULL, "refused",
			p->summary, err);
	return r < 0 ? r
		     : state_set(c->state, "safeguard", p->target.commit, err);
}

static int act(struct core *c, const struct pass_options *o,
	       struct pass_result *p, struct arena *arena, struct err *err)
{
	int after = p->exit; /* a refused head keeps its exit status */
	int r;

	if (safeguard_trips(o, p)) {
		p->exit = CORE_EXIT_SAFEGUARD;
		p->summary = arena_printf(
			arena,
			"%zu of the applied objects (%zu %%) would be deleted, "
			"policy allows %lld %%: run again with "
			"--allow-deletes if it is meant",
			p->plan.n_objects_delete,
			p->plan.n_deleting_objects_percent,
			(long long)p->target.want.policy.max_delete_percent);
		r = record_safeguard(c, p, arena, err);
#ifndef GUARD_OFF_DELETES
		return r;
#endif
	}
	r = execution_resume(c, p->target.commit, err);
	if (r == 0 && p->target.tag != NULL && !p->target.refused)
		r = tagged_set(c, p->target.tag, p->target.commit, err);
	if (r == 0)
		r = anchor_advance(c, p->target.accepted, p->target.commit,
				   p->target.want.signer, err);
	if (r == 0)
		r = freshness_note(c, &p->target, arena, err);
	if (r == 0)
		r = readers_note(c, &p->target.want, arena, err);
	if (r == 0)
		r = converge(c, o, p, arena, err);
	if (after != CORE_EXIT_DONE && r == 0)
		p->exit = after;
	return r;
}

/* Nothing has changed since a pass that converged: done. */
static int try_memory(struct core *c, struct pass_result *p,
		      struct arena *arena, struct err *err)
{
	struct pass_target *t = &p->target;
	const char *known = NULL;
	char digest[HASH_HEX];
	int r;

	if (t->accepted == NULL || strcmp(t->accepted, t->head) != 0)
		return 0;
	r = freshness_recall(c, arena, &known, &t->fresh_until, err);
	if (r < 0 || known == NULL || strcmp(known, t->head) != 0)
		return r;
	t->stale = freshness_is_over(t->fresh_until, t->now);
	r = observe_world(c, arena, &p->world, err);
	if (r == 0)
		r = memo_digest(c, t->head, &p->world, arena, digest, err);
	if (r == 0)
		r = memo_matches(c, digest, arena, &p->remembered, err);
	t->commit = t->head;
	if (r == 0 && p->remembered)
		r = freshness_note(c, t, arena, err);
	return r;
}

/* A registry could not be asked: whatever else is wrong, try again first. */
static bool is_unreachable(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->items[i].code, PINS_UNREACHABLE) == 0)
			return true;
	return false;
}

/* What is wrong already keeps its status. */
static void tell_stale(struct pass_result *p, struct arena *arena)
{
	if (!p->target.stale || p->exit != CORE_EXIT_DONE)
		return;
	p->exit = CORE_EXIT_TRUST;
	p->summary = freshness_words(arena, p->target.fresh_until);
}

/* Everything is made again and compared; the file is not believed. */
static int check_saved(struct core *c, const struct pass_options *o,
		       struct pass_result *p, struct arena *arena,
		       struct err *err)
{
	const char *why = NULL;
	struct buf now;
	int r;

	buf_init(&now, SAVED_MAX);
	r = savedplan_write(c, p, arena, &now, err);
	if (r == 0)
		r = savedplan_compare(o->saved, &now, arena, &why, err);
	if (r == 0 && why == NULL)
		r = record_fact(c, "plan.apply", NULL, NULL, "ok",
				p->target.commit, err);
	buf_release(&now);
#ifndef GUARD_OFF_SAVED_PLAN
	if (r == 0 && why != NULL) {
		p->exit = CORE_EXIT_STALE_PLAN;
		p->summary = why;
	}
#endif
	return r;
}

static int run(struct core *c, const struct pass_options *options,
	       struct arena *arena, struct pass_result *out, struct err *err)
{
	struct pass_result p = {0};
	int r = target_fetch(c, arena, &p.target, err);

	if (r == 0 && !options->dry_run && options->saved == NULL)
		r = try_memory(c, &p, arena, err);
	if (r == 0 && p.remembered) {
		tell_stale(&p, arena);
		*out = p;
	}
	if (r < 0 || p.remembered)
		return r;
	r = target_decide(c, arena, &p.target, err);
	if (r < 0)
		return r;
	diags_init(&p.diags, arena, DIAGS_MAX);
	if (p.target.refused) {
		p.exit = refusal_exit[p.target.verdict.kind];
		if (!options->dry_run)
			r = record_refusal(c, &p.target, arena, err);
	}
	if (r == 0 && p.target.have_snapshot)
		r = full_world(c, &p.target, NULL, arena, &p.diags, &p.world,
			       err);
	if (r == 0 && p.target.have_snapshot)
		r = plan_make(&p.target.want, &p.world, arena, &p.diags,
			      &p.plan, err);
	if (r == 0 && p.target.have_snapshot && options->saved != NULL)
		r = check_saved(c, options, &p, arena, err);
	if (r == 0 && p.target.have_snapshot && !options->dry_run &&
	    p.exit != CORE_EXIT_STALE_PLAN) {
		if (p.exit == CORE_EXIT_DONE && p.diags.n_errors > 0)
			p.exit = is_unreachable(&p.diags) ? CORE_EXIT_AGAIN
							  : CORE_EXIT_APPLY;
		r = act(c, options, &p, arena, err);
	}
	if (r == 0) {
		tell_stale(&p, arena);
		*out = p;
	}
	return r;
}

/* What was accepted last is not known: either the state or the log is not what
 * it was, and hosts that cosigned the log know about the log (A95, A96). */
static int ask_witnesses(struct core *c, struct arena *arena,
			 struct pass_result *out, struct err *err)
{
	const char *refusal = NULL;
	struct err unheard = {0};
	struct world w = {0};

	if (observe_world(c, arena, &w, &unheard) < 0 ||
	    witness_offer(c, true, arena, &refusal, &unheard) < 0 ||
	    refusal == NULL)
		return err->code;
	core_say(c, "%s", err->msg);
	*out = (struct pass_result){.exit = CORE_EXIT_AUDIT,
				    .summary = refusal};
	*err = (struct err){0};
	return 0;
}

int pass_run(struct core *c, const struct pass_options *options,
	     struct arena *arena, struct pass_result *out, struct err *err)
{
	const char *refusal = NULL;
	int r = run(c, options, arena, out, err);

	if (r == ERR_TRUST && !options->dry_run)
		return ask_witnesses(c, arena, out, err);
	if (r == 0 && !options->dry_run)
		r = witness_offer(c, out->acted, arena, &refusal, err);
	if (r == 0 && refusal != NULL) {
		out->exit = CORE_EXIT_AUDIT;
		out->summary = refusal;
	}
	return r;
}

/*
 * deployment.c - the state machine of a Deployment.  Pure, no privilege.
 *
 *              dead or stray pods: stop them first, in every state
 *   STEADY --template, drain--> ROLLING --all current, available--> STEADY
 *      \--replicas--> SCALING --+   |  no progress in the deadline: stuck
 *                               |   v
 *                               +-> WAITING (for readiness, a host, a delay)
 *
 * Nothing is stored: the state follows from the pods each time, so a manager
 * that was killed goes on where it was.
 *
 * Invariants of a rolling update (Kubernetes apps/v1): (1) assigned pods <=
 * replicas + maxSurge; (2) a step stops no available pod when that would leave
 * fewer than replicas - maxUnavailable available; (3) Recreate starts no pod
 * while one of an older template is assigned or reported.
 */
#include "reconciler/rollout/step.h"

#include <stdlib.h>
#include <string.h>

#define MS_PER_S INT64_C(1000)

struct deploy {
	struct step step;
	const struct deployment *d;
	bool recreate;
	bool paused; /* and there are old pods that stay */
	int64_t surge, unavailable;
	/* alive (assigned, not dead), after what this step stopped */
	int64_t n_current, n_current_waiting;
	int64_t n_outdated;
	int64_t n_available;
};

static bool is_alive(const struct step_pod *p)
{
	return !p->stopped &&
	       (p->class == STEP_WAITING || p->class == STEP_AVAILABLE);
}

static void count(struct deploy *r)
{
	r->n_current = r->n_current_waiting = 0;
	r->n_outdated = r->n_available = 0;
	for (size_t i = 0; i < r->step.n; i++) {
		struct step_pod *p = &r->step.pods[i];

		if (!is_alive(p))
			continue;
		p->outdated = !p->current || p->pod->host_draining;
		if (p->outdated)
			r->n_outdated++;
		else
			r->n_current++;
		if (p->class == STEP_AVAILABLE)
			r->n_available++;
		else if (!p->outdated)
			r->n_current_waiting++;
	}
}

/* Pods that are dead, and those that ended though they should not have. */
static void stop_dead(struct deploy *r)
{
	struct step *s = &r->step;

	for (size_t i = 0; i < s->n; i++) {
		struct step_pod *p = &s->pods[i];

		if (!p->pod->pod.assigned ||
		    (p->class != STEP_DEAD && p->class != STEP_DONE))
			continue;
		if (!step_hold_over(s, p)) {
			/* its place stays taken until then */
			s->out->waiting = true;
			continue;
		}
		step_stop(s, p, true,
			  p->class == STEP_DONE ? "ended"
						: step_dead_reason(s, p));
		s->replaced++;
	}
}

static int64_t n_held(const struct deploy *r)
{
	int64_t n = 0;

	for (size_t i = 0; i < r->step.n; i++) {
		const struct step_pod *p = &r->step.pods[i];

		n += p->pod->pod.assigned && !p->stopped &&
		     (p->class == STEP_DEAD || p->class == STEP_DONE);
	}
	return n;
}

/* The order in which surplus pods go: what serves least goes first, then the
 * highest index, so that what stays is numbered from 0. */
static int by_worth(const void *pa, const void *pb)
{
	const struct step_pod *a = *(struct step_pod *const *)pa;
	const struct step_pod *b = *(struct step_pod *const *)pb;

	if (a->outdated != b->outdated)
		return a->outdated ? -1 : 1;
	if (a->class != b->class)
		return a->class == STEP_WAITING ? -1 : 1;
	if (a->pod->host_draining != b->pod->host_draining)
		return a->pod->host_draining ? -1 : 1;
	if (a->pod->pod.index != b->pod->pod.index)
		return a->pod->pod.index > b->pod->pod.index ? -1 : 1;
	return strcmp(a->pod->pod.name, b->pod->pod.name);
}

static struct step_pod **by_worth_sorted(struct deploy *r, size_t *out_n)
{
	struct step_pod **order = arena_calloc(r->step.out->scratch,
					       r->step.n + 1, sizeof(*order));
	size_t n = 0;

	for (size_t i = 0; i < r->step.n; i++)
		if (is_alive(&r->step.pods[i]))
			order[n++] = &r->step.pods[i];
	if (n > 1)
		qsort(order, n, sizeof(*order), by_worth);
	*out_n = n;
	return order;
}

static const char *stop_reason(const struct deploy *r, const struct step_pod *p)
{
	if (!p->current)
		return r->recreate ? "recreate" : "rolling update";
	return arena_printf(r->step.out->arena, "draining %s",
			    p->pod->pod.host);
}

/* Outdated pods that may go now.  Those that are not available come first in
 * the order; so what is stopped beyond them leaves at least `least` available,
 * and they are not all stopped while the new ones are not available either. */
static void stop_outdated(struct deploy *r)
{
	int64_t least = r->d->replicas - r->unavailable;
	int64_t total = r->n_current + r->n_outdated;
	int64_t may_stop = total - least - r->n_current_waiting;
	size_t n;
	struct step_pod **order = by_worth_sorted(r, &n);

#ifdef GUARD_OFF_ROLLOUT_AVAILABLE
	may_stop = total;
#endif
	for (size_t i = 0; i < n && may_stop > 0; i++) {
		if (!order[i]->outdated)
			continue;
		may_stop--;
		step_stop(&r->step, order[i], false, stop_reason(r, order[i]));
	}
}

static void stop_all_outdated(struct deploy *r)
{
	for (size_t i = 0; i < r->step.n; i++) {
		struct step_pod *p = &r->step.pods[i];

		if (is_alive(p) && p->outdated)
			step_stop(&r->step, p, false, stop_reason(r, p));
	}
}

/* More pods than replicas: first the outdated, then of the current ones. */
static void stop_surplus(struct deploy *r, int64_t surplus, bool outdated_too)
{
	size_t n;
	struct step_pod **order = by_worth_sorted(r, &n);

	for (size_t i = 0; i < n && surplus > 0; i++) {
		if (order[i]->outdated && !outdated_too)
			continue;
		surplus--;
		step_stop(&r->step, order[i], false,
			  arena_printf(r->step.out->arena, "scale to %lld",
				       (long long)r->d->replicas));
	}
}

static const char *start_reason(const struct deploy *r, bool drift)
{
	if (drift)
		return "replaces a lost pod";
	if (r->n_outdated > 0)
		return "rolling update";
	if (r->n_current == 0)
		return "start";
	return arena_printf(r->step.out->arena, "scale to %lld",
			    (long long)r->d->replicas);
}

static void start_missing(struct deploy *r, int64_t room)
{
	struct step *s = &r->step;
	int64_t missing = r->d->replicas - r->n_current;
	unsigned int *indices;
	size_t n;

#ifndef GUARD_OFF_ROLLOUT_SURGE
	if (missing > room)
		missing = room;
#else
	(void)room;
#endif
	if (missing <= 0)
		return;
	n = step_free_indices(s, false, (size_t)missing,
			      rollout_pods_max(s->in->object), &indices);
	for (size_t i = 0; i < n; i++) {
		bool drift = s->replaced > 0;

		if (drift)
			s->replaced--;
		step_start(s, indices[i], -1, drift, start_reason(r, drift));
	}
	if (n < (size_t)missing)
		s->out->waiting = true; /* for names that are still in use */
}

/* Is an older pod still there in any form?  Recreate waits for it. */
static bool old_remains(const struct deploy *r)
{
	for (size_t i = 0; i < r->step.n; i++) {
		const struct step_pod *p = &r->step.pods[i];

		if (!p->current && p->class != STEP_GONE &&
		    !p->pod->host_gone &&
		    (p->pod->pod.assigned || p->pod->pod.reported))
			return true;
	}
	return false;
}

/* Pods of a host that is only disconnected do not count: there the grace of
 * the host decides. */
static void check_progress(struct deploy *r)
{
	int64_t last = 0, n_late = 0;
	int64_t deadline = r->d->progress_deadline_s * MS_PER_S;
	struct step *s = &r->step;

	for (size_t i = 0; i < s->n; i++) {
		const struct step_pod *p = &s->pods[i];
		const struct world_pod *w = &p->pod->pod;
		const int64_t times[] = {w->created_ms, w->ready_ms,
					 w->unready_ms};

		if (!is_alive(p) || p->outdated || p->pod->host_lost)
			continue;
		n_late += p->class == STEP_WAITING;
		for (size_t k = 0; k < sizeof(times) / sizeof(times[0]); k++)
			last = times[k] > last ? times[k] : last;
	}
	if (n_late == 0 || last == 0 || deadline <= 0 ||
	    s->in->now_ms - last < deadline)
		return;
	step_stuck(s, "R103",
		   arena_printf(s->out->arena,
				"%lld of %lld pods are not ready, no progress "
				"for %lld s (progressDeadlineSeconds %lld)",
				(long long)n_late, (long long)r->d->replicas,
				(long long)((s->in->now_ms - last) / MS_PER_S),
				(long long)r->d->progress_deadline_s));
}

static void step_recreate(struct deploy *r)
{
	bool template_changed = false;

	for (size_t i = 0; i < r->step.n; i++)
		template_changed |=
			is_alive(&r->step.pods[i]) && !r->step.pods[i].current;
	if (template_changed) {
		stop_all_outdated(r);
		r->step.out->waiting = true;
		return;
	}
	if (old_remains(r)) {
		r->step.out->waiting = true;
		return;
	}
	stop_surplus(r, r->n_current - r->d->replicas, false);
	count(r);
	stop_outdated(r); /* only draining hosts make any here */
	count(r);
	start_missing(r, r->d->replicas - r->n_current - r->n_outdated -
				 n_held(r));
}

static void step_rolling(struct deploy *r)
{
	int64_t held = n_held(r);
	int64_t total = r->n_current + r->n_outdated + held;
	bool rolling = r->n_outdated > 0;

	if (r->paused) {
		stop_surplus(r, total - r->d->replicas, true);
		return;
	}
	stop_surplus(r, r->n_current - r->d->replicas, false);
	count(r);
	if (rolling)
		stop_outdated(r);
	count(r);
	total = r->n_current + r->n_outdated + held;
	start_missing(r, r->d->replicas + (rolling ? r->surge : 0) - total);
}

void deployment_step(const struct rollout_input *in, struct rollout *out)
{
	struct deploy r = {.d = &in->object->deployment};

	step_init(&r.step, in, out, r.d->min_ready_s);
	r.recreate = r.d->strategy && strcmp(r.d->strategy, "Recreate") == 0;
	rollout_limits(r.d, &r.surge, &r.unavailable);
	step_stop_strays(&r.step);
	stop_dead(&r);
	count(&r);
	for (size_t i = 0; i < r.step.n; i++)
		r.paused |= r.d->paused && is_alive(&r.step.pods[i]) &&
			    !r.step.pods[i].current;
	if (r.recreate && !r.paused)
		step_recreate(&r);
	else
		step_rolling(&r);
	count(&r);
	if (r.n_available < r.d->replicas || r.n_outdated > 0)
		out->waiting = true;
	if (r.paused)
		out->waiting = r.n_available < r.n_current + r.n_outdated;
	check_progress(&r);
}

/*
 * job.c - the state machine of a Job.  Pure, no privilege.
 *
 *   NEW --start--> ACTIVE --completions reached--> DONE (for good)
 *                    |  ^ pod failed: back-off, next pod
 *                    |  +---------------------------------
 *                    +--backoffLimit, activeDeadline--> FAILED (stuck)
 *   any --template--> all pods stop, wait until gone, NEW
 *
 * What a Job has done is what its pods say: pods that ended stay assigned (they
 * hold no resources), so a finished Job is not run again, also by a manager
 * that was restarted.  After ttlSecondsAfterFinished they are stopped; the
 * state must then keep those that SUCCEEDED, unassigned (world.h, finished_ms).
 *
 * Invariants: (1) active pods <= min(parallelism, completions - succeeded);
 * (2) no pod of two templates is active at once; (3) a lost pod is no failure.
 */
#include "reconciler/rollout/step.h"

#include <string.h>

#define MS_PER_S INT64_C(1000)

struct jobrun {
	struct step step;
	const struct job *j;
	int64_t n_succeeded, n_failed, n_active, n_restarts;
	int64_t first_ms, last_failed_ms, finished_ms;
	bool unfinished_times; /* a pod that ended has no finished_ms */
	bool failures_settled;
};

static bool is_active(const struct step_pod *p)
{
	return p->current && !p->stopped &&
	       (p->class == STEP_WAITING || p->class == STEP_AVAILABLE);
}

static bool is_failed(const struct step_pod *p)
{
	return p->class == STEP_DEAD && p->pod->pod.phase == POD_FAILED;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void count_ended(struct jobrun *r, const struct step_pod *p)
{
	const struct world_pod *w = &p->pod->pod;

	if (is_failed(p)) {
		r->n_failed++;
		r->last_failed_ms =
			later(r->last_failed_ms,
			      w->finished_ms ? w->finished_ms : w->created_ms);
		r->failures_settled &= p->pod->settled;
	} else {
		r->n_succeeded++;
	}
	if (w->finished_ms == 0)
		r->unfinished_times = true;
	r->finished_ms = later(r->finished_ms, w->finished_ms);
}

static void count(struct jobrun *r)
{
	r->failures_settled = true;
	for (size_t i = 0; i < r->step.n; i++) {
		struct step_pod *p = &r->step.pods[i];
		const struct world_pod *w = &p->pod->pod;

		if (!p->current || p->class == STEP_GONE)
			continue;
		if (w->created_ms > 0 &&
		    (r->first_ms == 0 || w->created_ms < r->first_ms))
			r->first_ms = w->created_ms;
		r->n_restarts += w->restarts;
		if (is_failed(p) || p->class == STEP_DONE)
			count_ended(r, p);
		else if (is_active(p))
			r->n_active++;
	}
}

/* Lost pods are replaced, those on draining hosts move, failed ones stay as
 * the record of the failure. */
static void stop_lost(struct jobrun *r)
{
	for (size_t i = 0; i < r->step.n; i++) {
		struct step_pod *p = &r->step.pods[i];

		if (p->class == STEP_DEAD && !is_failed(p)) {
			step_stop(&r->step, p, true,
				  step_dead_reason(&r->step, p));
			if (p->current)
				r->step.replaced++;
		} else if (is_active(p) && p->pod->host_draining) {
			step_stop(&r->step, p, false,
				  arena_printf(r->step.out->arena,
					       "draining %s",
					       p->pod->pod.host));
		}
	}
}

/* Pods of an older template: all stop; true while any is still there. */
static bool stop_outdated(struct jobrun *r)
{
	bool remains = false;

	for (size_t i = 0; i < r->step.n; i++) {
		struct step_pod *p = &r->step.pods[i];
		const struct world_pod *w = &p->pod->pod;

		if (p->current || p->class == STEP_GONE)
			continue;
		if (w->assigned && !p->stopped)
			step_stop(&r->step, p, false, "template changed");
		remains |= !p->pod->host_gone && (w->assigned || w->reported);
	}
	return remains;
}

static void stop_active(struct jobrun *r, int64_t n, const char *reason)
{
	for (size_t i = r->step.n; i > 0 && n > 0; i--) {
		struct step_pod *p = &r->step.pods[i - 1];

		if (!is_active(p))
			continue;
		step_stop(&r->step, p, false, reason);
		n--;
	}
}

/* NULL, or why the Job has failed for good. */
static const char *failure(const struct jobrun *r)
{
	const struct pod_spec *spec = &r->step.in->template->spec;
	bool never = strcmp(spec->restart_policy, "Never") == 0;
	int64_t n = r->n_failed + (never ? 0 : r->n_restarts);
	int64_t deadline = r->j->active_deadline_s;
	struct arena *arena = r->step.out->arena;

	if (n > r->j->backoff_limit)
		return arena_printf(arena,
				    "Job failed: %lld failures, backoffLimit "
				    "is %lld; change the template to run it "
				    "again",
				    (long long)n,
				    (long long)r->j->backoff_limit);
	if (deadline >= 0 && r->first_ms > 0 &&
	    r->step.in->now_ms - r->first_ms >= deadline * MS_PER_S)
		return arena_printf(arena,
				    "Job failed: not done within "
				    "activeDeadlineSeconds %lld",
				    (long long)deadline);
	return NULL;
}

static int64_t backoff_ms(int64_t n_failed)
{
	int64_t delay = ROLLOUT_JOB_BACKOFF_MS;

	for (int64_t i = 1; i < n_failed; i++) {
		delay *= 2;
		if (delay >= ROLLOUT_JOB_BACKOFF_MAX_MS)
			return ROLLOUT_JOB_BACKOFF_MAX_MS;
	}
	return delay;
}

/* The remains of a finished Job go after the time to live, if the state knows
 * when each pod ended. */
static void stop_expired(struct jobrun *r)
{
	int64_t ttl = r->j->ttl_after_finished_s;

	if (ttl < 0 || r->unfinished_times ||
	    r->step.in->now_ms - r->finished_ms < ttl * MS_PER_S)
		return;
	for (size_t i = 0; i < r->step.n; i++) {
		struct step_pod *p = &r->step.pods[i];

		if (p->current && p->pod->pod.assigned && !p->stopped &&
		    (p->class == STEP_DONE || is_failed(p)))
			step_stop(&r->step, p, false,
				  "ttlSecondsAfterFinished");
	}
}

static void run(struct jobrun *r)
{
	struct step *s = &r->step;
	int64_t left = r->j->completions - r->n_succeeded;
	int64_t want = left < r->j->parallelism ? left : r->j->parallelism;
	unsigned int *indices;
	size_t n;

	if (r->n_active > want)
		stop_active(r, r->n_active - want, "parallelism lowered");
	if (r->n_active < want && r->n_failed > 0 && !r->failures_settled &&
	    s->in->now_ms - r->last_failed_ms < backoff_ms(r->n_failed)) {
		s->out->waiting = true;
		return;
	}
	n = want <= r->n_active
		    ? 0
		    : step_free_indices(s, true, (size_t)(want - r->n_active),
					rollout_pods_max(s->in->object),
					&indices);
	for (size_t i = 0; i < n; i++) {
		bool drift = s->replaced > 0;

		if (drift)
			s->replaced--;
		step_start(s, indices[i], -1, drift,
			   drift	     ? "replaces a lost pod"
			   : r->n_failed > 0 ? "next try"
					     : "start");
	}
	s->out->waiting |= want > 0;
}

void job_step(const struct rollout_input *in, struct rollout *out)
{
	struct jobrun r = {.j = &in->object->job};
	const char *why;

	step_init(&r.step, in, out, 0);
	step_stop_strays(&r.step);
	if (stop_outdated(&r)) {
		out->waiting = true;
		return;
	}
	count(&r);
	if (r.n_succeeded >= r.j->completions) {
		stop_active(&r, r.n_active, "Job is done");
		stop_expired(&r);
		return;
	}
	why = failure(&r);
	if (why) {
		stop_active(&r, r.n_active, "Job failed");
		stop_expired(&r);
		step_stuck(&r.step, "R104", why);
		return;
	}
	if (r.j->suspend) {
		stop_active(&r, r.n_active, "suspended");
		return;
	}
	stop_lost(&r);
	r.n_active = 0;
	for (size_t i = 0; i < r.step.n; i++)
		r.n_active += is_active(&r.step.pods[i]);
	run(&r);
}

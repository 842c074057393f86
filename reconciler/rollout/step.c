/*
 * step.c - what the state machines of all workload kinds share: the class of a
 * pod, names in use, actions.  Pure; no privilege; reports of hosts may lie.
 *
 * Class of a pod (first row that holds):
 *   left the world                                  GONE
 *   not assigned, not reported                      GONE (DONE if it succeeded)
 *   not assigned, reported as STOPPING              LEAVING
 *   not assigned, its host out of reach             LEAVING
 *   not assigned, reported                          STRAY
 *   SUCCEEDED                                       DONE
 *   LOST, FAILED, host gone, vanished from report   DEAD
 *   ready for minReadySeconds on a connected host   AVAILABLE
 *   else                                            WAITING
 */
#include "reconciler/rollout/step.h"

#include "lib/num.h"

#include <string.h>

#define MS_PER_S INT64_C(1000)

static bool is_available(const struct rollout_pod *p, int64_t now_ms,
			 int64_t min_ready_s)
{
	if (p->host_lost)
		return false;
	if (p->settled)
		return true;
	if (!p->pod.ready || p->pod.phase != POD_RUNNING)
		return false;
	return min_ready_s <= 0 ||
	       now_ms - p->pod.ready_ms >= min_ready_s * MS_PER_S;
}

/* Was in a report, is in none now, though its host is connected. */
static bool has_vanished(const struct rollout_pod *p)
{
	return !p->settled && !p->pod.reported && !p->host_lost &&
	       p->pod.phase != POD_UNKNOWN && p->pod.phase != POD_PENDING;
}

static int class_of(const struct rollout_pod *p, int64_t now_ms,
		    int64_t min_ready_s)
{
	if (p->removed)
		return STEP_GONE;
	if (!p->pod.assigned) {
		if (p->pod.phase == POD_SUCCEEDED)
			return STEP_DONE;
		if (!p->pod.reported)
			return STEP_GONE;
		if (p->pod.phase == POD_STOPPING || p->host_lost ||
		    p->host_gone)
			return STEP_LEAVING;
		return STEP_STRAY;
	}
	if (p->pod.phase == POD_SUCCEEDED)
		return STEP_DONE;
	if (p->pod.phase == POD_LOST || p->pod.phase == POD_FAILED ||
	    p->host_gone || has_vanished(p))
		return STEP_DEAD;
	return is_available(p, now_ms, min_ready_s) ? STEP_AVAILABLE
						    : STEP_WAITING;
}

void step_init(struct step *s, const struct rollout_input *in,
	       struct rollout *out, int64_t min_ready_s)
{
	*s = (struct step){.in = in, .out = out, .n = in->n_pods};
	s->pods = arena_calloc(out->scratch, in->n_pods + 1, sizeof(*s->pods));
	for (size_t i = 0; i < in->n_pods; i++) {
		struct rollout_pod *p = in->pods[i];

		s->pods[i] = (struct step_pod){
			.pod = p,
			.class = class_of(p, in->now_ms, min_ready_s),
			.current = p->pod.template_hash &&
				   strcmp(p->pod.template_hash,
					  in->template->hash) == 0,
		};
	}
}

static struct rollout_action *add_action(struct rollout *out)
{
	if (out->n == out->cap) {
		size_t cap = out->cap ? out->cap * 2 : 8;
		struct rollout_action *items =
			arena_calloc(out->scratch, cap, sizeof(*items));

		if (out->n > 0)
			memcpy(items, out->actions, out->n * sizeof(*items));
		out->actions = items;
		out->cap = cap;
	}
	return &out->actions[out->n++];
}

void step_stop(struct step *s, struct step_pod *p, bool drift,
	       const char *reason)
{
	*add_action(s->out) = (struct rollout_action){
		.kind = ROLLOUT_STOP,
		.drift = drift,
		.pod = p->pod,
		.host = p->pod->host,
		.index = p->pod->pod.index,
		.reason = reason,
	};
	p->stopped = true;
}

void step_start(struct step *s, unsigned int index, int host, bool drift,
		const char *reason)
{
	*add_action(s->out) = (struct rollout_action){
		.kind = ROLLOUT_START,
		.drift = drift,
		.index = index,
		.host = host,
		.reason = reason,
	};
}

bool step_holds_name(const struct step_pod *p)
{
	const struct world_pod *w = &p->pod->pod;

	if (p->class == STEP_GONE)
		return false;
	if (p->class == STEP_DEAD && p->stopped && !p->pod->host_gone &&
	    (w->phase == POD_LOST || !w->reported))
		return false; /* nothing is left of it */
	return w->assigned || w->reported;
}

/* The index that the pod's name says; a pod found on a host has no other. */
static unsigned int index_of(const struct world_pod *w)
{
	const char *dash = strrchr(w->name, '-');
	uint64_t index = 0;

	if (!w->assigned && dash &&
	    num_parse_u64(dash + 1, strlen(dash + 1), UINT32_MAX, &index))
		return (unsigned int)index;
	return w->index;
}

enum taken { TAKEN_FREE, TAKEN_OUT_OF_REACH, TAKEN };

static void mark_taken(const struct step *s, bool any_template,
		       unsigned char *taken, size_t n)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct step_pod *p = &s->pods[i];
		unsigned int index = index_of(&p->pod->pod);
		unsigned char how =
			p->pod->host_gone ? TAKEN_OUT_OF_REACH : TAKEN;

		if ((!any_template && !p->current) || !step_holds_name(p) ||
		    index >= n)
			continue;
		if (taken[index] < how)
			taken[index] = how;
	}
}

size_t step_free_indices(const struct step *s, bool any_template, size_t need,
			 unsigned int limit, unsigned int **out)
{
	/* n pods take at most n of these, so `need` are left if limit allows */
	size_t n = s->n + need < limit ? s->n + need : limit;
	unsigned char *taken = arena_alloc(s->out->scratch, n + 1);
	unsigned int *list =
		arena_calloc(s->out->scratch, need + 1, sizeof(*list));
	size_t found = 0;

#ifndef GUARD_OFF_ROLLOUT_NAMES
	mark_taken(s, any_template, taken, n);
#else
	(void)mark_taken, (void)any_template;
#endif
	for (unsigned char how = TAKEN_FREE; how < TAKEN; how++)
		for (size_t i = 0; i < n && found < need; i++)
			if (taken[i] == how)
				list[found++] = (unsigned int)i;
	*out = list;
	return found;
}

void step_stop_strays(struct step *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->pods[i].class == STEP_STRAY)
			step_stop(s, &s->pods[i], true,
				  "runs without being assigned");
		else if (s->pods[i].class == STEP_LEAVING &&
			 !s->pods[i].pod->host_gone)
			s->out->waiting = true;
}

const char *step_dead_reason(const struct step *s, const struct step_pod *p)
{
	const struct world_pod *w = &p->pod->pod;
	const char *host = w->host ? w->host : "?";

	if (p->pod->host_gone)
		return arena_printf(s->out->arena, "host %s is gone", host);
	if (w->phase == POD_FAILED)
		return arena_printf(s->out->arena, "failed on %s%s%s", host,
				    w->reason ? ": " : "",
				    w->reason ? w->reason : "");
	return arena_printf(s->out->arena, "lost on %s", host);
}

bool step_hold_over(const struct step *s, const struct step_pod *p)
{
	const struct rollout_pod *r = p->pod;

	return r->pod.phase != POD_FAILED || r->host_gone || r->settled ||
	       s->in->now_ms - r->pod.created_ms >= ROLLOUT_FAILED_HOLD_MS;
}

size_t step_count(const struct step *s, int class, bool only_current)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->pods[i].class == class && !s->pods[i].stopped &&
		     (s->pods[i].current || !only_current);
	return n;
}

void step_stuck(struct step *s, const char *code, const char *problem)
{
	s->out->stuck = true;
	if (!s->out->problem) {
		s->out->problem_code = code;
		s->out->problem = problem;
	}
}

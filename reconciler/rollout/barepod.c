/*
 * barepod.c - the state machine of a Pod that no workload owns: one pod of that
 * name; a change replaces it.  Pure, no privilege.
 *
 *   ABSENT --start--> RUNNING --template, drain--> STOPPING --gone--> ABSENT
 *   RUNNING --lost, failed (unless restartPolicy Never)--> ABSENT
 *   RUNNING --succeeded, failed for good--> ENDED
 *
 * Invariant: no start while a pod of that name may be there, except on a host
 * that is out of reach for longer than the grace.
 */
#include "reconciler/rollout/step.h"

#include <string.h>

static bool is_final(const struct step *s, const struct step_pod *p)
{
	if (!p->current)
		return false;
	if (p->class == STEP_DONE)
		return true;
	return p->class == STEP_DEAD && !p->pod->host_gone &&
	       p->pod->pod.phase == POD_FAILED &&
	       strcmp(s->in->template->spec.restart_policy, "Never") == 0;
}

static const char *replace_reason(const struct step *s,
				  const struct step_pod *p)
{
	if (!p->current)
		return "template changed";
	return arena_printf(s->out->arena, "draining %s", p->pod->pod.host);
}

/* Stops what must go; true if the pod keeps its place. */
static bool keep_or_stop(struct step *s, struct step_pod *p, bool have_one)
{
	bool alive = p->class == STEP_WAITING || p->class == STEP_AVAILABLE;

	if (is_final(s, p) && !have_one) {
		if (p->class == STEP_DEAD)
			step_stuck(s, "R105",
				   "Pod failed and restartPolicy is Never; "
				   "change the Pod to run it again");
		return true;
	}
	if (p->class == STEP_DEAD && !step_hold_over(s, p)) {
		s->out->waiting = true;
		return true;
	}
	if (p->class == STEP_DEAD) {
		step_stop(s, p, true, step_dead_reason(s, p));
		s->replaced++;
		return false;
	}
	if (alive && p->current && !p->pod->host_draining && !have_one) {
		s->out->waiting |= p->class == STEP_WAITING;
		return true;
	}
	if (p->pod->pod.assigned)
		step_stop(s, p, false,
			  have_one ? "second pod of this name"
				   : replace_reason(s, p));
	return false;
}

void barepod_step(const struct rollout_input *in, struct rollout *out)
{
	struct step s;
	bool have_one = false, taken = false;

	step_init(&s, in, out, 0);
	step_stop_strays(&s);
	for (size_t i = 0; i < s.n; i++) {
		struct step_pod *p = &s.pods[i];

		if (p->class != STEP_GONE && p->class != STEP_LEAVING &&
		    p->class != STEP_STRAY)
			have_one |= keep_or_stop(&s, p, have_one);
		taken |= step_holds_name(p) && !p->pod->host_gone;
	}
	if (have_one)
		return;
	out->waiting = true;
	if (!taken)
		step_start(&s, 0, -1, s.replaced > 0,
			   s.replaced > 0 ? "replaces a lost pod" : "start");
}

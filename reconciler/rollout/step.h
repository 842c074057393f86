/*
 * step.h - shared by the state machines of the workload kinds, private to
 * reconciler/rollout.  Pure.
 */
#ifndef RECONCILER_ROLLOUT_STEP_H
#define RECONCILER_ROLLOUT_STEP_H

#include "reconciler/rollout/rollout.h"

/* What a pod is worth to its workload. */
enum step_class {
	STEP_GONE,    /* left: not assigned and not reported, or removed */
	STEP_LEAVING, /* not assigned any more, the host is stopping it */
	STEP_STRAY,   /* runs without being assigned */
	STEP_DEAD,    /* assigned, but lost, failed or its host is gone */
	STEP_DONE,    /* ended well (Job, Pod) */
	STEP_WAITING, /* assigned, not available yet */
	STEP_AVAILABLE,
};

struct step_pod {
	struct rollout_pod *pod;
	int class;     /* enum step_class */
	bool current;  /* has the wanted template */
	bool outdated; /* alive and to be replaced */
	bool stopped;  /* by this step */
};

struct step {
	const struct rollout_input *in;
	struct rollout *out;
	struct step_pod *pods;
	size_t n;
	unsigned int replaced; /* dead pods stopped: as many starts are drift */
};

/* Classifies every pod of in. min_ready_s as in the object. */
void step_init(struct step *s, const struct rollout_input *in,
	       struct rollout *out, int64_t min_ready_s);
void step_stop(struct step *s, struct step_pod *p, bool drift,
	       const char *reason);
void step_start(struct step *s, unsigned int index, int host, bool drift,
		const char *reason);
/* Up to `need` indices below limit that a new pod may take, best first: those
 * that nobody has, then those that only pods of hosts out of reach have.  Hosts
 * refuse an index from limit on.  any_template: names do not tell templates
 * apart.  Returns how many; *out is scratch. */
size_t step_free_indices(const struct step *s, bool any_template, size_t need,
			 unsigned int limit, unsigned int **out);
/* STOP for what runs without being assigned. */
void step_stop_strays(struct step *s);
/* Is the pod's name still in use after this step? */
bool step_holds_name(const struct step_pod *p);
/* Why it is dead: "lost on h2", "failed on h1: reason". */
const char *step_dead_reason(const struct step *s, const struct step_pod *p);
/* May a failed pod be replaced already? */
bool step_hold_over(const struct step *s, const struct step_pod *p);
/* Pods of a class, current ones or all. */
size_t step_count(const struct step *s, int class, bool only_current);
void step_stuck(struct step *s, const char *code, const char *problem);

void deployment_step(const struct rollout_input *in, struct rollout *out);
void daemonset_step(const struct rollout_input *in, struct rollout *out);
void job_step(const struct rollout_input *in, struct rollout *out);
void barepod_step(const struct rollout_input *in, struct rollout *out);

#endif

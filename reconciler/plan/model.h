/*
 * model.h - the planner's own copy of the world, on which rounds are played.
 * Private to reconciler/plan.  Pure; everything lives in the caller's arena.
 *
 * Life: model_init(), model_round() and model_apply() in turn.
 */
#ifndef RECONCILER_PLAN_MODEL_H
#define RECONCILER_PLAN_MODEL_H

#include "reconciler/plan/byname.h"
#include "reconciler/plan/plan.h"
#include "reconciler/rollout/rollout.h"
#include "reconciler/schedule/schedule.h"

struct model_owner {
	const struct object *object;
	const struct pod_template *template;
	struct rollout_pod **pods;
	size_t n_pods, cap_pods;
	int64_t cpu_m, memory; /* effective requests of one pod */
	bool active;	       /* worth a look in the next round */
	bool waiting, stuck;
	const char *problem, *problem_code;
	size_t n_unplaced; /* in the last round */
	struct schedule_refusal refusal;
};

struct model {
	struct arena *arena;
	struct arena *scratch; /* of one round */
	const struct snapshot *want;
	const struct world *world;
	struct schedule schedule;
	struct rollout_host *hosts; /* of the DaemonSet under way */
	struct model_owner *owners; /* in order of want->objects */
	size_t n_owners;
	struct byname by_name;	      /* -> index in owners */
	struct rollout_pod **orphans; /* their workload is not wanted */
	size_t n_orphans, cap_orphans;
	size_t n_leaving; /* capacity that is about to be freed */
	struct plan_change *changes;
	size_t n_changes, cap_changes;
	struct rollout_pod **pods_of; /* per change: STOP: the pod */
	size_t applied;		      /* changes that model_apply() has seen */
};

/* fake_host: one host that fits everything (plan_compare()). */
int model_init(struct model *m, const struct snapshot *want,
	       const struct world *w, bool fake_host, struct arena *arena,
	       struct err *err);
/* Appends the changes of this round, 1-based; returns how many. */
size_t model_round(struct model *m, unsigned int round);
/* All went well: what was stopped is gone, what was started is ready, Jobs
 * succeeded, delays are over. */
void model_apply(struct model *m);
/* Is anything not as it should be, short of a change that can be made? */
bool model_waits(const struct model *m);
/* R diagnostics of the last round; final: nothing more will be freed. */
bool model_report(const struct model *m, bool final, struct diags *diags);

#endif

/*
 * rollout.h - one step of one workload: which of its pods stop and which start
 * now, within its disruption limits.  One state machine per workload kind.
 *
 * Pure, in the program reconcile without privilege.  Input is the signed object
 * and the pods that our state and the hosts' reports know of; a report may lie
 * (A81), then it harms only pods of the host that lied.
 *
 * Causes: a pod that replaces one that was lost, failed or found on a host
 * without being assigned is DRIFT; everything else that a step does follows
 * from the manifest or from an operator's command (drain) and is INTENT.
 *
 * Names of pods are unique among those that may exist: a name is taken while a
 * pod that has it is assigned or reported, and free again once the pod is known
 * to be gone; what a lost host may still run keeps its name, its replacement
 * gets another index (docs/plan-format.md).  Only kinds with fixed names (Pod,
 * DaemonSet) give the name of a pod away when its host is gone.
 */
#ifndef RECONCILER_ROLLOUT_ROLLOUT_H
#define RECONCILER_ROLLOUT_ROLLOUT_H

#include "lib/arena.h"
#include "manifest/types.h"
#include "reconciler/world.h"

/* Pods of a host without connection are placed elsewhere after this. */
#define ROLLOUT_LOST_GRACE_MS INT64_C(300000)
/* A failed pod is replaced at the earliest this long after it was assigned, so
 * that a broken image does not make pods as fast as the network carries them.
 */
#define ROLLOUT_FAILED_HOLD_MS INT64_C(10000)
/* Job: delay after the n-th failure, doubled each time up to the maximum. */
#define ROLLOUT_JOB_BACKOFF_MS INT64_C(10000)
#define ROLLOUT_JOB_BACKOFF_MAX_MS INT64_C(360000)

struct rollout_pod {
	struct world_pod pod; /* copy; strings borrowed */
	int host;	      /* index in the schedule; -1 unknown host */
	bool host_lost;	      /* no connection, but within the grace */
	bool host_gone;	      /* lost beyond it, revoked or unknown */
	bool host_draining;
	bool settled; /* readiness and holds count as elapsed (the
			 simulation of plan_make()) */
	bool removed; /* left the simulated world */
};

/* A host that a DaemonSet may want a pod on. */
struct rollout_host {
	const char *name;
	int index;
	bool wanted; /* state, nodeSelector and taints fit */
};

struct rollout_input {
	const struct object *object;
	const struct pod_template *template;
	int64_t now_ms;
	struct rollout_pod *const *pods; /* those with this owner */
	size_t n_pods;
	const struct rollout_host *hosts; /* DaemonSet only, by name */
	size_t n_hosts;
};

enum rollout_kind { ROLLOUT_STOP, ROLLOUT_START };

struct rollout_action {
	int kind; /* enum rollout_kind */
	bool drift;
	struct rollout_pod *pod; /* STOP */
	unsigned int index;	 /* START */
	int host;		 /* START: fixed host, or -1 */
	const char *reason;	 /* static or in the arena */
};

struct rollout {
	struct arena *arena;   /* of the reasons */
	struct arena *scratch; /* of the rest, gone after the step */
	struct rollout_action *actions;
	size_t n, cap;
	bool waiting; /* for readiness, a host or a delay */
	bool stuck;
	const char *problem;	  /* with stuck: why, for a diagnostic */
	const char *problem_code; /* "R103" */
};

/* What the step of the workload's kind does now; appends to out. */
void rollout_step(const struct rollout_input *in, struct rollout *out);
/* Absolute number behind "25%" or 3, of total; round_up for surge. */
int64_t rollout_amount(const struct int_or_string *v, int64_t total,
		       bool round_up);
/* maxSurge and maxUnavailable of a Deployment, never both 0. */
void rollout_limits(const struct deployment *d, int64_t *out_surge,
		    int64_t *out_unavailable);

/* Most pods of one template that this workload may have at once; the index of a
 * pod is always below it, and hosts refuse any other. */
unsigned int rollout_pods_max(const struct object *owner);

#endif

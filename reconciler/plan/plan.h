/*
 * plan.h - desired against actual, as a list of changes.  Pure: equal inputs,
 * equal bytes.
 *
 * plan_step() says which changes are allowed now (disruption limits, order,
 * readiness).  plan_make() is the whole way: it repeats plan_step() on a copy
 * of the world in which what was started became ready, until nothing is left;
 * the n-th round is wave n.  So what --dry-run prints is what the executor
 * does, which applies wave 1, observes, and plans again.
 */
#ifndef RECONCILER_PLAN_H
#define RECONCILER_PLAN_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "manifest/manifest.h"
#include "reconciler/world.h"

enum plan_action {
	PLAN_CREATE,
	PLAN_UPDATE,
	PLAN_DELETE,
	PLAN_START,
	PLAN_STOP
};
enum plan_cause { PLAN_INTENT, PLAN_DRIFT };

/* CREATE/UPDATE/DELETE are about objects, START/STOP about pods. */
struct plan_change {
	int action;		      /* enum plan_action */
	int cause;		      /* enum plan_cause */
	unsigned int wave;	      /* 1-based */
	enum manifest_kind kind;      /* of the object, or of the pod's owner */
	const char *namespace, *name; /* of the object, or the owner */
	struct manifest_pos pos; /* where it is written; path NULL if gone */
	const char *signer;	 /* NULL */
	const char *from_hash, *to_hash; /* objects and templates; NULL */
	/* pods only */
	const char *pod; /* name */
	const char *host;
	const char *uid; /* STOP: the pod's */
	unsigned int index;
	const char *template_hash;
	const char *reason; /* why: "scale 3 -> 5", "rolling update", "lost on
			       h2" */
};

struct plan {
	struct plan_change *changes; /* sorted by wave, then fixed order */
	size_t n;
	unsigned int waves;
	size_t n_objects_create, n_objects_update, n_objects_delete;
	size_t n_pods_start, n_pods_stop;
	size_t n_drift;
	size_t n_deleting_objects_percent; /* share of applied objects deleted
					    */
	bool waiting; /* no pod to start or stop now, but not all are ready yet
		       */
	bool stuck; /* a roll-out passed its progress deadline, or a pod cannot
		       be placed */
};

/* Changes allowed now (wave 1 only).  want, w and arena must outlive out, which
 * borrows their strings.  ERR_INPUT if w is not sorted as world.h says.  diags
 * gets R codes: unschedulable pods with the reason per filter, exceeded
 * deadlines, host-local Services. */
int plan_step(const struct snapshot *want, const struct world *w,
	      struct arena *arena, struct diags *diags, struct plan *out,
	      struct err *err);
int plan_make(const struct snapshot *want, const struct world *w,
	      struct arena *arena, struct diags *diags, struct plan *out,
	      struct err *err);
/* Changes between two snapshots without hosts: objects, and for workloads how
 * many pods start and stop (host NULL, pod names by index). */
int plan_compare(const struct snapshot *from, const struct snapshot *to,
		 struct arena *arena, struct diags *diags, struct plan *out,
		 struct err *err);

/* The R codes of the reconciler.  Static. */
struct plan_code {
	const char *code, *title, *help;
};
const struct plan_code *plan_codes(size_t *out_n);

struct plan_style {
	bool color;
	unsigned int width; /* 0: 80 */
};
/* Text for people: one line a change with + ~ -, cause, host, reason; place and
 * signer; images with their digests; diagnostics; summary line. */
int plan_render_text(const struct plan *p, const struct snapshot *want,
		     const struct world *w, const struct diags *diags,
		     const struct plan_style *style, struct buf *out,
		     struct err *err);
/* JSON, schema "reconcile.plan/v1", docs/plan-format.md. */
int plan_render_json(const struct plan *p, const struct snapshot *want,
		     const struct world *w, const struct diags *diags,
		     struct buf *out, struct err *err);

/* Name of pod `index`: Deployment "name-hash10-index", DaemonSet
 * "name-hash10-host", Job "name-index", Pod "name". */
const char *plan_pod_name(struct arena *arena, const struct object *owner,
			  unsigned int index, const char *host);
/* Largest number of pods of this owner and template that may exist at once,
 * ended ones included (Deployment: replicas + surge; DaemonSet, Pod: 1; Job:
 * completions + backoffLimit + parallelism); every index is below it.  Hosts
 * check it too. */
unsigned int plan_pods_max(const struct object *owner);

#endif

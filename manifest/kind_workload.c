/*
 * kind_workload.c - Deployment, DaemonSet (apps/v1) and Job (batch/v1);
 * manifests.md 5.3.
 */
#include "manifest/kind.h"

#include <string.h>

/* --- what they share ------------------------------------------------------ */

static bool zero(const struct int_or_string *v)
{
	return v->is_string
		       ? v->text && strspn(v->text, "0%") == strlen(v->text)
		       : v->num == 0;
}

static void check_selector(struct decode *d, const struct node *n,
			   const struct selector *s,
			   const struct pod_template *t)
{
	const struct node *spec = node_get(n, "spec");
	struct decode_step step = {.up = d->step, .key = "spec"};

	if (s->match_labels.n + s->n_exprs == 0 ||
	    manifest_selector_matches(s, &t->meta.labels))
		return;
	d->step = &step;
	decode_say(d, CODE_SELECTOR, DIAG_ERROR, node_get(spec, "selector"),
		   "selector", "give template.metadata.labels the same labels",
		   "want a selector that matches the labels of its template");
	d->step = step.up;
}

static void check_always(struct decode *d, const struct node *n,
			 const struct pod_template *t)
{
	const struct node *at = node_get(
		node_get(node_get(node_get(n, "spec"), "template"), "spec"),
		"restartPolicy");

	if (!at || strcmp(t->spec.restart_policy, "Always") == 0)
		return;
	decode_say(d, CODE_VALUE, DIAG_ERROR, at, "spec", "delete it",
		   "want restartPolicy Always in the template, have '%s'",
		   t->spec.restart_policy);
}

#define WORKLOAD_SELECTOR(st_)                                                 \
	FIELD_AT(FIELD_OBJ, "selector", st_, selector, FIELD_REQ,              \
		 .table = &kind_meta_selector_table,                           \
		 .doc = "Must match the template; immutable: a change means "  \
			"replace.")
#define WORKLOAD_TEMPLATE(st_, doc_)                                           \
	FIELD_AT(FIELD_OBJ, "template", st_, template, FIELD_REQ,              \
		 .table = &kind_pod_template_table, .doc = doc_)
#define WORKLOAD_HISTORY(st_)                                                  \
	FIELD_AT(FIELD_INT, "revisionHistoryLimit", st_,                       \
		 revision_history_limit, .class = FIELD_INERT,                 \
		 .fallback = "10", .doc = "History is kept in git.")

/* --- Deployment ----------------------------------------------------------- */

static const struct field deployment_rolling_fields[] = {
	FIELD_AT(FIELD_INT_OR_STR, "maxSurge", deployment, max_surge,
		 .fallback = "25%", .check = check_percent,
		 .doc = "Pods over replicas; percent rounds up."),
	FIELD_AT(FIELD_INT_OR_STR, "maxUnavailable", deployment,
		 max_unavailable, .fallback = "25%", .check = check_percent,
		 .doc = "Pods under replicas; percent rounds down."),
};
static const struct table deployment_rolling_table = {
	.name = "rollingUpdate",
	.fields = deployment_rolling_fields,
	.n = FIELD_COUNT(deployment_rolling_fields),
};

static void finish_deployment_strategy(struct decode *d, const struct node *n,
				       void *obj)
{
	struct deployment *w = obj;
	const struct node *rolling = node_get(n, "rollingUpdate");

	if (strcmp(w->strategy, "Recreate") == 0) {
		w->max_surge = (struct int_or_string){true, 0, NULL};
		w->max_unavailable = w->max_surge;
		if (rolling && !node_is_null(rolling))
			decode_say(d, CODE_CONFLICT, DIAG_ERROR, rolling,
				   "rollingUpdate", "delete it",
				   "want no rollingUpdate with type Recreate");
		return;
	}
	if (zero(&w->max_surge) && zero(&w->max_unavailable))
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, NULL,
			   "set one of them to at least 1",
			   "want maxSurge or maxUnavailable above 0, have "
			   "both 0");
}

static const struct field deployment_strategy_fields[] = {
	FIELD_INTO("rollingUpdate", &deployment_rolling_table,
		   .doc = "Bounds of a roll-out."),
	FIELD_AT(FIELD_STR, "type", deployment, strategy,
		 .fallback = "RollingUpdate",
		 .values = FIELD_VALUES("RollingUpdate", "Recreate"),
		 .doc = "Recreate ends the old pods first."),
};
static const struct table deployment_strategy_table = {
	.name = "DeploymentStrategy",
	.fields = deployment_strategy_fields,
	.n = FIELD_COUNT(deployment_strategy_fields),
	.finish = finish_deployment_strategy,
};

static void finish_deployment_spec(struct decode *d, const struct node *n,
				   void *obj)
{
	const struct deployment *w = obj;

	if (w->progress_deadline_s <= w->min_ready_s)
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, NULL,
			   "raise progressDeadlineSeconds",
			   "want progressDeadlineSeconds above "
			   "minReadySeconds, have %lld and %lld",
			   (long long)w->progress_deadline_s,
			   (long long)w->min_ready_s);
}

static const struct field deployment_spec_fields[] = {
	FIELD_AT(FIELD_INT, "minReadySeconds", deployment, min_ready_s,
		 .fallback = "0", .doc = "Ready so long is available."),
	FIELD_AT(FIELD_BOOL, "paused", deployment, paused, .fallback = "false",
		 .doc = "Roll-outs wait."),
	FIELD_AT(FIELD_INT, "progressDeadlineSeconds", deployment,
		 progress_deadline_s, .fallback = "600",
		 .doc = "A roll-out without progress so long has failed."),
	FIELD_AT(FIELD_INT, "replicas", deployment, replicas, .fallback = "1",
		 .max = 100000, .doc = "Number of pods."),
	WORKLOAD_HISTORY(deployment),
	WORKLOAD_SELECTOR(deployment),
	FIELD_INTO("strategy", &deployment_strategy_table,
		   .doc = "How pods are replaced."),
	WORKLOAD_TEMPLATE(deployment, "The pod; a change rolls out."),
};
static const struct table deployment_spec_table = {
	.name = "DeploymentSpec",
	.fields = deployment_spec_fields,
	.n = FIELD_COUNT(deployment_spec_fields),
	.finish = finish_deployment_spec,
};

static void finish_deployment(struct decode *d, const struct node *n, void *obj)
{
	const struct object *o = obj;

	check_selector(d, n, &o->deployment.selector, &o->deployment.template);
	check_always(d, n, &o->deployment.template);
}

static const struct field deployment_fields[] = {
	KIND_API_VERSION,
	KIND_KIND,
	KIND_METADATA(kind_meta_table),
	FIELD_AT(FIELD_OBJ, "spec", object, deployment, FIELD_REQ,
		 .table = &deployment_spec_table, .doc = "What is wanted."),
	FIELD_NOISE("status"),
};
const struct table kind_workload_deployment_table = {
	.name = "Deployment",
	.fields = deployment_fields,
	.n = FIELD_COUNT(deployment_fields),
	.finish = finish_deployment,
};

/* --- DaemonSet ------------------------------------------------------------ */

static const struct field daemonset_rolling_fields[] = {
	FIELD_AT(FIELD_INT_OR_STR, "maxSurge", daemonset, max_surge,
		 .fallback = "0", .check = check_percent,
		 .doc = "Hosts that run old and new pod at once."),
	FIELD_AT(FIELD_INT_OR_STR, "maxUnavailable", daemonset, max_unavailable,
		 .fallback = "1", .check = check_percent,
		 .doc = "Hosts without a pod meanwhile."),
};
static const struct table daemonset_rolling_table = {
	.name = "rollingUpdate",
	.fields = daemonset_rolling_fields,
	.n = FIELD_COUNT(daemonset_rolling_fields),
};

static void finish_daemonset_strategy(struct decode *d, const struct node *n,
				      void *obj)
{
	struct daemonset *w = obj;
	const struct node *rolling = node_get(n, "rollingUpdate");

	if (strcmp(w->strategy, "OnDelete") == 0) {
		w->max_surge = (struct int_or_string){true, 0, NULL};
		w->max_unavailable = w->max_surge;
		if (rolling && !node_is_null(rolling))
			decode_say(d, CODE_CONFLICT, DIAG_ERROR, rolling,
				   "rollingUpdate", "delete it",
				   "want no rollingUpdate with type OnDelete");
		return;
	}
	if (zero(&w->max_surge) == zero(&w->max_unavailable))
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, NULL, NULL,
			   "want exactly one of maxSurge and maxUnavailable "
			   "above 0");
}

static const struct field daemonset_strategy_fields[] = {
	FIELD_INTO("rollingUpdate", &daemonset_rolling_table,
		   .doc = "Bounds of a roll-out."),
	FIELD_AT(FIELD_STR, "type", daemonset, strategy,
		 .fallback = "RollingUpdate",
		 .values = FIELD_VALUES("RollingUpdate", "OnDelete"),
		 .doc = "OnDelete replaces a pod when it ends."),
};
static const struct table daemonset_strategy_table = {
	.name = "DaemonSetUpdateStrategy",
	.fields = daemonset_strategy_fields,
	.n = FIELD_COUNT(daemonset_strategy_fields),
	.finish = finish_daemonset_strategy,
};

static const struct field daemonset_spec_fields[] = {
	FIELD_AT(FIELD_INT, "minReadySeconds", daemonset, min_ready_s,
		 .fallback = "0", .doc = "Ready so long is available."),
	WORKLOAD_HISTORY(daemonset),
	WORKLOAD_SELECTOR(daemonset),
	WORKLOAD_TEMPLATE(daemonset, "The pod; one on each fitting host."),
	FIELD_INTO("updateStrategy", &daemonset_strategy_table,
		   .doc = "How pods are replaced."),
};
static const struct table daemonset_spec_table = {
	.name = "DaemonSetSpec",
	.fields = daemonset_spec_fields,
	.n = FIELD_COUNT(daemonset_spec_fields),
};

static void finish_daemonset(struct decode *d, const struct node *n, void *obj)
{
	const struct object *o = obj;

	check_selector(d, n, &o->daemonset.selector, &o->daemonset.template);
	check_always(d, n, &o->daemonset.template);
}

static const struct field daemonset_fields[] = {
	KIND_API_VERSION,
	KIND_KIND,
	KIND_METADATA(kind_meta_table),
	FIELD_AT(FIELD_OBJ, "spec", object, daemonset, FIELD_REQ,
		 .table = &daemonset_spec_table, .doc = "What is wanted."),
	FIELD_NOISE("status"),
};
const struct table kind_workload_daemonset_table = {
	.name = "DaemonSet",
	.fields = daemonset_fields,
	.n = FIELD_COUNT(daemonset_fields),
	.finish = finish_daemonset,
};

/* --- Job ------------------------------------------------------------------ */

static void finish_job_spec(struct decode *d, const struct node *n, void *obj)
{
	struct job *j = obj;

	if (j->completions == MANIFEST_UNSET) {
		if (j->parallelism > 1)
			decode_say(d, CODE_NOT_YET, DIAG_ERROR, n, NULL,
				   "set completions",
				   "parallelism above 1 without completions "
				   "(a work queue) has no effect before "
				   "release 1.1");
		j->completions = 1;
	}
}

static const struct field job_spec_fields[] = {
	FIELD_AT(FIELD_INT, "activeDeadlineSeconds", job, active_deadline_s,
		 .min = 1, .max = 2147483647,
		 .doc = "The Job fails after so many seconds."),
	FIELD_AT(FIELD_INT, "backoffLimit", job, backoff_limit, .fallback = "6",
		 .doc = "Failures before the Job fails."),
	FIELD_LATER("backoffLimitPerIndex", "1.1", "delete it"),
	FIELD_CHECKED(FIELD_STR, "completionMode", .class = FIELD_INERT,
		      .values = FIELD_VALUES("NonIndexed"),
		      .later = FIELD_VALUES("Indexed"), .since = "1.1",
		      .hint = "delete it", .doc = "Only NonIndexed."),
	FIELD_AT(FIELD_INT, "completions", job, completions,
		 .doc = "Pods that must succeed; unset: 1."),
	FIELD_NEVER("managedBy", "delete it"),
	FIELD_NEVER("manualSelector", "selectors of Jobs are made here"),
	FIELD_LATER("maxFailedIndexes", "1.1", "delete it"),
	FIELD_AT(FIELD_INT, "parallelism", job, parallelism, .fallback = "1",
		 .doc = "Pods at once."),
	FIELD_LATER("podFailurePolicy", "1.1", "delete it"),
	FIELD_LATER("podReplacementPolicy", "1.1", "delete it"),
	FIELD_NEVER("selector", "selectors of Jobs are made here; delete it"),
	FIELD_LATER("successPolicy", "1.1", "delete it"),
	FIELD_AT(FIELD_BOOL, "suspend", job, suspend, .fallback = "false",
		 .doc = "No pods meanwhile."),
	WORKLOAD_TEMPLATE(job, "The pod; immutable: a change means replace."),
	FIELD_AT(FIELD_INT, "ttlSecondsAfterFinished", job,
		 ttl_after_finished_s,
		 .doc = "The finished Job's pods are removed after so many "
			"seconds."),
};
static const struct table job_spec_table = {
	.name = "JobSpec",
	.fields = job_spec_fields,
	.n = FIELD_COUNT(job_spec_fields),
	.finish = finish_job_spec,
};

static void finish_job(struct decode *d, const struct node *n, void *obj)
{
	const struct object *o = obj;
	const struct node *pod =
		node_get(node_get(node_get(n, "spec"), "template"), "spec");

	if (pod && strcmp(o->job.template.spec.restart_policy, "Always") == 0)
		decode_say(d, CODE_REQUIRED, DIAG_ERROR, pod, "spec",
			   "add restartPolicy: Never",
			   "want restartPolicy OnFailure or Never in the "
			   "template of a Job");
}

static const struct field job_fields[] = {
	KIND_API_VERSION,
	KIND_KIND,
	KIND_METADATA(kind_meta_table),
	FIELD_AT(FIELD_OBJ, "spec", object, job, FIELD_REQ,
		 .table = &job_spec_table, .doc = "What is wanted."),
	FIELD_NOISE("status"),
};
const struct table kind_workload_job_table = {
	.name = "Job",
	.fields = job_fields,
	.n = FIELD_COUNT(job_fields),
	.finish = finish_job,
};

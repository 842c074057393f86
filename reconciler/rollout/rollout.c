/*
 * rollout.c - picks the state machine of a workload's kind.  Pure.
 */
#include "reconciler/rollout/rollout.h"

#include "lib/num.h"
#include "reconciler/rollout/step.h"

#include <assert.h>
#include <string.h>

#define PERCENT 100
#define PERCENT_MAX 100000 /* maxSurge may be above 100 % */

static const struct {
	enum manifest_kind kind;
	void (*step)(const struct rollout_input *in, struct rollout *out);
} machines[] = {
	{MANIFEST_POD, barepod_step},
	{MANIFEST_DEPLOYMENT, deployment_step},
	{MANIFEST_DAEMONSET, daemonset_step},
	{MANIFEST_JOB, job_step},
};

void rollout_step(const struct rollout_input *in, struct rollout *out)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].kind == in->object->kind) {
			machines[i].step(in, out);
			return;
		}
	assert(false); /* manifest_template() gives no other kind */
}

int64_t rollout_amount(const struct int_or_string *v, int64_t total,
		       bool round_up)
{
	uint64_t percent = 0;
	size_t len;

	if (!v->is_string)
		return v->num < 0 ? 0 : v->num;
	len = v->text ? strlen(v->text) : 0;
	if (len < 2 || v->text[len - 1] != '%' ||
	    !num_parse_u64(v->text, len - 1, PERCENT_MAX, &percent) ||
	    total < 0 || total > INT32_MAX)
		return 0; /* the decoder lets nothing else through */
	return (total * (int64_t)percent + (round_up ? PERCENT - 1 : 0)) /
	       PERCENT;
}

void rollout_limits(const struct deployment *d, int64_t *out_surge,
		    int64_t *out_unavailable)
{
	int64_t surge = rollout_amount(&d->max_surge, d->replicas, true);
	int64_t down = rollout_amount(&d->max_unavailable, d->replicas, false);

	if (d->strategy && strcmp(d->strategy, "Recreate") == 0) {
		/* a change stops all; a drain moves one at a time */
		surge = 0;
		down = 1;
	}
	if (surge == 0 && down == 0)
		down = 1;
	*out_surge = surge;
	*out_unavailable = down > d->replicas ? d->replicas : down;
}

unsigned int rollout_pods_max(const struct object *owner)
{
	int64_t surge, unavailable, max;

	switch (owner->kind) {
	case MANIFEST_DEPLOYMENT:
		rollout_limits(&owner->deployment, &surge, &unavailable);
		max = owner->deployment.replicas + surge;
		break;
	case MANIFEST_JOB:
		max = owner->job.completions + owner->job.backoff_limit +
		      owner->job.parallelism;
		break;
	default:
		max = 1;
		break;
	}
	return max < 0 ? 0 : max > INT32_MAX ? INT32_MAX : (unsigned int)max;
}

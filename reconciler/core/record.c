/* record.c - the core's events as audit events; see record.h. */
#include "reconciler/core/record.h"

#include "audit/client.h"
#include "lib/clock.h"

#include <stdio.h>
#include <stdlib.h>

static const enum audit_phase phases[] = {
	[RECORD_INTENT] = AUDIT_INTENT,
	[RECORD_OUTCOME] = AUDIT_OUTCOME,
	[RECORD_FACT] = AUDIT_FACT,
};

#define PAIRS_MAX 2

/* The writer takes AUDIT_BATCH_MAX at once.  When a later batch fails, what the
 * ones before say was intended is not done. */
static int append_batches(struct audit_client *audit,
			  const struct audit_event *events, size_t n,
			  struct err *err)
{
	int r = 0;

	for (size_t at = 0; r == 0 && at < n; at += AUDIT_BATCH_MAX)
		r = audit_client_append(
			audit, events + at,
			n - at < AUDIT_BATCH_MAX ? n - at : AUDIT_BATCH_MAX,
			NULL, err);
	return r;
}

int record_put(struct core *c, const struct record *items, size_t n,
	       struct err *err)
{
	struct audit_event *events;
	struct audit_pair *pairs;
	int r;

	if (n == 0)
		return 0;
	if (c->audit == NULL)
		return err_set(err, ERR_AUDIT,
			       "no audit log is open: nothing may be done");
	events = calloc(n, sizeof(*events));
	pairs = calloc(n * PAIRS_MAX, sizeof(*pairs));
	if (events == NULL || pairs == NULL) {
		r = err_set(err, ERR_NOMEM, "audit events");
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		struct audit_pair *p = &pairs[i * PAIRS_MAX];
		size_t k = 0;

		if (items[i].reason != NULL)
			p[k++] = (struct audit_pair){"reason", items[i].reason};
		if (items[i].result != NULL)
			p[k++] = (struct audit_pair){"result", items[i].result};
		events[i] = (struct audit_event){
			.type = items[i].type,
			.phase = phases[items[i].phase],
			.actor = items[i].actor,
			.object = items[i].object,
			.commit = items[i].commit,
			.host = items[i].host,
			.change = items[i].change,
			.detail = p,
			.n_detail = k,
		};
	}
	r = append_batches(c->audit, events, n, err);
out:
	free(events);
	free(pairs);
	return r;
}

int record_fact(struct core *c, const char *type, const char *object,
		const char *host, const char *result, const char *reason,
		struct err *err)
{
	struct record one = {
		.type = type,
		.phase = RECORD_FACT,
		.actor = "reconcile",
		.object = object,
		.host = host,
		.result = result,
		.reason = reason,
	};

	return record_put(c, &one, 1, err);
}

int record_begin(struct core *c, const char *type, const char *host,
		 const char *reason, struct record_act *out, struct err *err)
{
	struct record one = {
		.type = type,
		.phase = RECORD_INTENT,
		.actor = "operator",
		.host = host,
		.result = "intent",
		.reason = reason,
	};

	*out = (struct record_act){.type = type, .host = host};
	(void)snprintf(out->change, sizeof(out->change), "%s-%lld", type,
		       (long long)clock_unix_ms());
	one.change = out->change;
	return record_put(c, &one, 1, err);
}

int record_end(struct core *c, const struct record_act *act, int r,
	       struct err *err)
{
	struct record one = {
		.type = act->type,
		.phase = RECORD_OUTCOME,
		.actor = "reconcile",
		.host = act->host,
		.change = act->change,
		.result = r == 0 ? "ok" : "failed",
		.reason = r == 0 ? NULL : err->msg,
	};
	struct err why = {0};
	int recorded;

	if (r == ERR_AUDIT)
		return r;
	recorded = record_put(c, &one, 1, &why);
	if (recorded < 0) {
		*err = why;
		return recorded;
	}
	return r;
}

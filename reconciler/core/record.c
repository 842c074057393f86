/* record.c - the core's events as audit events; see record.h. */
#include "reconciler/core/record.h"

#include "audit/client.h"

#include <stdlib.h>

static const enum audit_phase phases[] = {
	[RECORD_INTENT] = AUDIT_INTENT,
	[RECORD_OUTCOME] = AUDIT_OUTCOME,
	[RECORD_FACT] = AUDIT_FACT,
};

#define PAIRS_MAX 2

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
	r = audit_client_append(c->audit, events, n, NULL, err);
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

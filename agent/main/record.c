/*
 * record.c - audit records: intents before acts, outcomes after, one batch and
 * one fsync for as many as there are.
 */
#include "agent/main/agent.h"
#include "lib/log.h"

#include <string.h>

#define QUEUE_ARENA_BYTES (8u << 20)
#define DETAILS 2

static struct audit_event *next_event(struct agent *a)
{
	if (!a->queue_arena)
		a->queue_arena = arena_new(QUEUE_ARENA_BYTES);
	if (!a->queue)
		a->queue = arena_calloc(a->queue_arena, AGENT_QUEUE_MAX,
					sizeof(*a->queue));
	if (a->n_queue == AGENT_QUEUE_MAX)
		(void)record_flush(a, NULL);
	if (a->n_queue == AGENT_QUEUE_MAX)
		return NULL; /* cannot be written: acts have stopped already */
	if (!a->queue)
		return next_event(a);
	return &a->queue[a->n_queue++];
}

static void add_detail(struct agent *a, struct audit_event *e, const char *key,
		       const char *value)
{
	struct audit_pair *pairs =
		a->queue_arena
			? arena_calloc(a->queue_arena, DETAILS, sizeof(*pairs))
			: NULL;

	if (!value || value[0] == '\0' || !pairs)
		return;
	if (e->n_detail > 0)
		memcpy(pairs, e->detail, e->n_detail * sizeof(*pairs));
	pairs[e->n_detail].key = key;
	pairs[e->n_detail].value = arena_strdup(a->queue_arena, value);
	e->detail = pairs;
	e->n_detail++;
}

void record_about(struct agent *a, const char *type, enum audit_phase phase,
		  const char *object, const char *commit, const char *why,
		  const char *message)
{
	struct audit_event *e = next_event(a);

	if (!e)
		return;
	*e = (struct audit_event){
		.type = type,
		.phase = phase,
		.actor = "reconcile-agent",
		.object = arena_strdup(a->queue_arena, object),
		.commit = arena_strdup(a->queue_arena, commit),
		.host = a->conf.name,
	};
	add_detail(a, e, "code", why);
	add_detail(a, e, "message", message);
}

void record_fact(struct agent *a, const char *type, enum audit_phase phase,
		 const struct pod *p, const char *why, const char *message)
{
	struct audit_event *e = next_event(a);

	if (!e)
		return;
	*e = (struct audit_event){
		.type = type,
		.phase = phase,
		.actor = "reconcile-agent",
		.object = arena_printf(a->queue_arena, "%s/Pod/%s",
				       p->namespace, p->name),
		.commit = arena_strdup(a->queue_arena, p->commit),
		.host = a->conf.name,
		.change = arena_strdup(a->queue_arena, p->uid),
	};
	add_detail(a, e, "code", why);
	add_detail(a, e, "message", message);
}

int record_flush(struct agent *a, struct err *err)
{
	struct err local = {0};
	int r;

	if (a->n_queue == 0)
		return 0;
	if (!a->audit)
		return err_set(err, ERR_AUDIT, "audit log is not open");
	r = audit_client_append(a->audit, a->queue, a->n_queue, NULL, &local);
	if (r < 0) {
		log_line(LOG_LEVEL_ERROR, "audit.append",
			 "code=%s reason=\"%s\" effect=\"nothing is done\"",
			 err_name(r), local.msg);
		if (err)
			*err = local;
		return r;
	}
	a->n_queue = 0;
	a->queue = NULL;
	arena_free(a->queue_arena);
	a->queue_arena = NULL;
	return 0;
}

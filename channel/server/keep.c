/* keep.c - frames kept for a core that attaches later.  See keep.h. */
#include "channel/server/keep.h"

#include "channel/agent.pb-c.h"

#include <stdlib.h>
#include <string.h>

void keep_init(struct keep *k)
{
	*k = (struct keep){.queue = NULL};
	k->queue_end = &k->queue;
}

/* The two that say what a host is. */
static bool is_state(uint16_t type)
{
	return type == CHANNEL__MSG_TYPE__MSG_HELLO ||
	       type == CHANNEL__MSG_TYPE__MSG_REPORT;
}

static size_t *counter(struct server *srv, uint16_t type)
{
	return is_state(type) ? &srv->kept : &srv->waiting;
}

static void drop(struct server *srv, struct keep_item *item)
{
	if (!item)
		return;
	*counter(srv, item->type) -= sizeof(*item) + item->len;
	free(item);
}

static void drop_oldest(struct server *srv, struct keep *k)
{
	struct keep_item *item = k->queue;

	k->queue = item->next;
	if (!k->queue)
		k->queue_end = &k->queue;
	drop(srv, item);
}

void keep_release(struct server *srv, struct keep *k)
{
	for (size_t i = 0; i < FRAME_TYPES; i++) {
		drop(srv, k->last[i]);
		k->last[i] = NULL;
	}
	while (k->queue)
		drop_oldest(srv, k);
}

static size_t row_of(const struct frame_type *type)
{
	return (size_t)(type - frame_row(0));
}

int keep_put(struct server *srv, struct keep *k, const struct frame_type *type,
	     const void *bytes, size_t len, bool taken, struct err *err)
{
	bool state = is_state(type->type);
	size_t bound = state ? SERVER_KEPT_MAX : SERVER_WAITING_MAX;
	size_t *used = counter(srv, type->type);
	struct keep_item *item;

	if (type->keep == FRAME_KEEP_NONE || (taken && !state))
		return 0;
	if (type->keep == FRAME_KEEP_LAST) {
		drop(srv, k->last[row_of(type)]);
		k->last[row_of(type)] = NULL;
	}
	/* Refusals make room for newer ones of the same host. */
	while (k->queue && !state && *used + sizeof(*item) + len > bound)
		drop_oldest(srv, k);
	if (*used + sizeof(*item) + len > bound)
		return state ? err_set(err, ERR_LIMIT,
				       "reports of all hosts are over %zu "
				       "bytes",
				       bound)
			     : 0;
	item = malloc(sizeof(*item) + len);
	if (!item)
		return err_set(err, ERR_NOMEM, "%s", type->name);
	item->next = NULL;
	item->type = type->type;
	item->len = len;
	memcpy(item->bytes, bytes, len);
	*used += sizeof(*item) + len;
	if (type->keep == FRAME_KEEP_LAST) {
		k->last[row_of(type)] = item;
		return 0;
	}
	*k->queue_end = item;
	k->queue_end = &item->next;
	return 0;
}

void keep_replay(struct server *srv, struct keep *k,
		 void (*fn)(void *ctx, const struct keep_item *item), void *ctx)
{
	for (size_t i = 0; i < FRAME_TYPES; i++) {
		struct keep_item *item = k->last[i];

		if (!item)
			continue;
		fn(ctx, item);
		if (is_state(item->type))
			continue;
		drop(srv, item);
		k->last[i] = NULL;
	}
	while (k->queue) {
		fn(ctx, k->queue);
		drop_oldest(srv, k);
	}
}

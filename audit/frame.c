/* frame.c - packing and unpacking.  The writer's input is hostile: what comes
 * out of audit_frame_to_events() still has to pass audit_record_check(). */
#include "audit/frame.h"
#include "lib/msg.h"

#include <assert.h>
#include <stdlib.h>

int audit_frame_send(int sock, Audit__Frame type,
		     const ProtobufCMessage *message, struct err *err)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes;
	int r;

	if (len > AUDIT_FRAME_MAX)
		return err_set(err, ERR_INPUT,
			       "audit frame: want at most %zu bytes, have %zu",
			       AUDIT_FRAME_MAX, len);
	bytes = malloc(len ? len : 1);
	if (!bytes)
		return err_set(err, ERR_NOMEM, "out of memory");
	(void)protobuf_c_message_pack(message, bytes);
	r = msg_send(sock, (uint16_t)type, bytes, len, NULL, 0, err);
	free(bytes);
	return r;
}

static char *text_of(struct arena *arena, const char *text)
{
	return arena_strdup(arena, text ? text : "");
}

static Audit__Event *from_event(struct arena *a, const struct audit_event *e)
{
	Audit__Event *m = arena_alloc(a, sizeof(*m));

	audit__event__init(m);
	m->type = text_of(a, e->type);
	m->phase = (Audit__Phase)e->phase;
	m->actor = text_of(a, e->actor);
	m->object = text_of(a, e->object);
	m->commit = text_of(a, e->commit);
	m->host = text_of(a, e->host);
	m->change = text_of(a, e->change);
	m->n_detail = e->n_detail;
	m->detail = arena_calloc(a, e->n_detail, sizeof(Audit__Detail *));
	for (size_t i = 0; i < e->n_detail; i++) {
		Audit__Detail *d = arena_alloc(a, sizeof(*d));

		audit__detail__init(d);
		d->key = text_of(a, e->detail[i].key);
		d->value = text_of(a, e->detail[i].value);
		m->detail[i] = d;
	}
	return m;
}

Audit__Append *audit_frame_from_events(struct arena *arena,
				       const struct audit_event *events,
				       size_t n)
{
	Audit__Append *m = arena_alloc(arena, sizeof(*m));

	audit__append__init(m);
	m->n_events = n;
	m->events = arena_calloc(arena, n, sizeof(Audit__Event *));
	for (size_t i = 0; i < n; i++)
		m->events[i] = from_event(arena, &events[i]);
	return m;
}

size_t audit_frame_to_events(struct arena *arena, const Audit__Append *message,
			     struct audit_event **out_events)
{
	struct audit_event *events =
		arena_calloc(arena, message->n_events, sizeof(*events));

	for (size_t i = 0; i < message->n_events; i++) {
		const Audit__Event *m = message->events[i];
		struct audit_pair *pairs =
			arena_calloc(arena, m->n_detail, sizeof(*pairs));

		for (size_t k = 0; k < m->n_detail; k++)
			pairs[k] = (struct audit_pair){m->detail[k]->key,
						       m->detail[k]->value};
		events[i] = (struct audit_event){
			.type = m->type,
			/* a value that we do not know fails the check */
			.phase = (enum audit_phase)m->phase,
			.actor = m->actor,
			.object = m->object,
			.commit = m->commit,
			.host = m->host,
			.change = m->change,
			.detail = pairs,
			.n_detail = m->n_detail,
		};
	}
	*out_events = events;
	return message->n_events;
}

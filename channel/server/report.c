/* report.c - telling the core and the log about connections.  See report.h. */
#include "channel/server/report.h"

#include "channel/local.pb-c.h"
#include "channel/server/core.h"
#include "channel/stream.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/text.h"

#include <string.h>

enum { DENIED_PER_MINUTE = 100, ROOM_STEP_BYTES = 1 << 20 };

static char *text(const char *s)
{
	union {
		const char *in;
		char *out;
	} u = {.in = s};

	return u.out; /* protobuf-c takes char * and does not write */
}

void report_denied(struct peer *p, const char *reason)
{
	Local__Denied msg;
	struct server *srv = p->srv;
	int64_t now = clock_boot_ms();
	char safe[512];

	local__denied__init(&msg);
	if (now - srv->denied_since_ms >= 60000) {
		if (srv->denied > DENIED_PER_MINUTE)
			msg.more = srv->denied - DENIED_PER_MINUTE;
		srv->denied_since_ms = now;
		srv->denied = 0;
	}
	if (srv->denied++ >= DENIED_PER_MINUTE)
		return;
	msg.address = p->address;
	msg.reason =
		text(text_safe(safe, sizeof(safe), reason, strlen(reason)));
	log_line(LOG_LEVEL_WARN, "channel.denied",
		 "address=%s reason=\"%s\" more=%u", p->address, msg.reason,
		 msg.more);
	core_emit(srv, LOCAL__MSG_TYPE__MSG_DENIED, &msg.base);
}

void report_up(struct peer *p)
{
	Local__HostUp msg;

	local__host_up__init(&msg);
	msg.host = p->tls.id.name;
	msg.serial = p->tls.id.serial;
	msg.address = p->address;
	msg.not_after = p->not_after;
	core_emit(p->srv, LOCAL__MSG_TYPE__MSG_HOST_UP, &msg.base);
}

void report_frame(void *ctx, const struct keep_item *item)
{
	Local__HostFrame msg;
	struct peer *p = ctx;
	union {
		const uint8_t *in;
		uint8_t *out;
	} u = {.in = item->bytes};

	local__host_frame__init(&msg);
	msg.host = p->tls.id.name;
	msg.type = item->type;
	msg.payload.data = u.out;
	msg.payload.len = item->len;
	core_emit(p->srv, LOCAL__MSG_TYPE__MSG_HOST_FRAME, &msg.base);
}

void report_join(struct peer *p)
{
	Local__JoinAsked msg;

	local__join_asked__init(&msg);
	msg.id = p->join_id;
	msg.address = p->address;
	msg.request.data = (uint8_t *)p->request.data;
	msg.request.len = p->request.len;
	core_emit(p->srv, LOCAL__MSG_TYPE__MSG_JOIN_ASKED, &msg.base);
}

void report_room(struct peer *p)
{
	Local__HostRoom msg;

	local__host_room__init(&msg);
	if (p->due || p->sent - p->told_sent < ROOM_STEP_BYTES ||
	    stream_queued(p->stream) > 0)
		return;
	p->told_sent = p->sent;
	msg.host = p->tls.id.name;
	msg.sent = p->sent;
	core_emit(p->srv, LOCAL__MSG_TYPE__MSG_HOST_ROOM, &msg.base);
}

/* by: the session that takes over, else NULL. */
void report_down(struct peer *p, const char *code, const char *reason,
		 const struct peer *by)
{
	Local__HostDown msg;
	char safe[512];

	local__host_down__init(&msg);
	msg.host = p->tls.id.name;
	msg.code = text(code);
	msg.reason =
		text(text_safe(safe, sizeof(safe), reason, strlen(reason)));
	msg.address = p->address;
	if (by) {
		msg.by_address = text(by->address);
		msg.same_certificate =
			strcmp(by->tls.id.serial, p->tls.id.serial) == 0;
	}
	log_line(LOG_LEVEL_INFO, "host.down",
		 "host=%s code=%s address=%s reason=\"%s\"", msg.host, code,
		 p->address, msg.reason);
	if (!p->due)
		core_emit(p->srv, LOCAL__MSG_TYPE__MSG_HOST_DOWN, &msg.base);
}

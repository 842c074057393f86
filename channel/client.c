/* client.c - the manager program's end of channel.sock.  See client.h. */
#include "channel/client.h"

#include "channel/local.pb-c.h"
#include "channel/pace.h"
#include "lib/clock.h"
#include "lib/msg.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { RETRY_MS = 20, FIRST_EVENT_MS = 10000, EVENT_MAX_BYTES = 8 << 20 };

struct channel_client {
	int fd;
	bool has_first;
	struct channel_event first;
	struct pace *pace;
};

/* --- events ----------------------------------------------------------------
 */
static void read_up(struct channel_event *e, const ProtobufCMessage *msg)
{
	const Local__HostUp *m = (const Local__HostUp *)msg;

	e->host = m->host;
	e->serial = m->serial;
	e->address = m->address;
	e->not_after = m->not_after;
}

static void read_down(struct channel_event *e, const ProtobufCMessage *msg)
{
	const Local__HostDown *m = (const Local__HostDown *)msg;

	e->host = m->host;
	e->reason = m->reason;
	e->code = m->code;
	e->address = m->address;
	e->by_address = m->by_address;
	e->same_certificate = m->same_certificate;
}

static void read_frame(struct channel_event *e, const ProtobufCMessage *msg)
{
	const Local__HostFrame *m = (const Local__HostFrame *)msg;

	e->host = m->host;
	e->type = (uint16_t)m->type;
	e->payload = m->payload.data;
	e->len = m->payload.len;
}

static void read_join(struct channel_event *e, const ProtobufCMessage *msg)
{
	const Local__JoinAsked *m = (const Local__JoinAsked *)msg;

	e->id = m->id;
	e->address = m->address;
	e->payload = m->request.data;
	e->len = m->request.len;
}

static void read_room(struct channel_event *e, const ProtobufCMessage *msg)
{
	const Local__HostRoom *m = (const Local__HostRoom *)msg;

	e->host = m->host;
	e->sent = m->sent;
}

static void read_denied(struct channel_event *e, const ProtobufCMessage *msg)
{
	const Local__Denied *m = (const Local__Denied *)msg;

	e->address = m->address;
	e->reason = m->reason;
	e->more = m->more;
}

static void read_reloaded(struct channel_event *e, const ProtobufCMessage *msg)
{
	const Local__Reloaded *m = (const Local__Reloaded *)msg;

	e->ok = m->ok;
	e->reason = m->error;
}

#define TYPE(n) LOCAL__MSG_TYPE__MSG_##n

/* What the channel may say. */
static const struct row {
	uint16_t type;
	enum channel_event_kind kind;
	const ProtobufCMessageDescriptor *desc; /* NULL: no payload */
	void (*read)(struct channel_event *e, const ProtobufCMessage *msg);
} rows[] = {
	{TYPE(HOST_UP), CHANNEL_EVENT_HOST_UP, &local__host_up__descriptor,
	 read_up},
	{TYPE(HOST_DOWN), CHANNEL_EVENT_HOST_DOWN,
	 &local__host_down__descriptor, read_down},
	{TYPE(HOST_FRAME), CHANNEL_EVENT_HOST_FRAME,
	 &local__host_frame__descriptor, read_frame},
	{TYPE(JOIN_ASKED), CHANNEL_EVENT_JOIN_ASKED,
	 &local__join_asked__descriptor, read_join},
	{TYPE(READY), CHANNEL_EVENT_READY, NULL, NULL},
	{TYPE(HOST_ROOM), CHANNEL_EVENT_HOST_ROOM,
	 &local__host_room__descriptor, read_room},
	{TYPE(DENIED), CHANNEL_EVENT_DENIED, &local__denied__descriptor,
	 read_denied},
	{TYPE(RELOADED), CHANNEL_EVENT_RELOADED, &local__reloaded__descriptor,
	 read_reloaded},
};

static int read_event(const struct msg *m, struct channel_event *out,
		      struct err *err)
{
	struct channel_event e = {.host = "",
				  .serial = "",
				  .address = "",
				  .by_address = "",
				  .code = "",
				  .reason = ""};
	const struct row *row = NULL;

	if (m->type == TYPE(BUSY))
		return err_set(err, ERR_CONFLICT,
			       "another manager program is attached to the "
			       "channel");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == m->type)
			row = &rows[i];
	if (!row)
		return err_set(err, ERR_PROTO, "channel: frame of type %u",
			       m->type);
	e.kind = row->kind;
	if (row->desc) {
		e.owner = protobuf_c_message_unpack(
			row->desc, NULL, m->payload.len,
			(const uint8_t *)m->payload.data);
		if (!e.owner)
			return err_set(err, ERR_PROTO,
				       "channel: frame of type %u does not "
				       "unpack",
				       m->type);
		row->read(&e, e.owner);
	}
	*out = e;
	return 0;
}

void channel_client_event_release(struct channel_event *event)
{
	if (event->owner)
		protobuf_c_message_free_unpacked(event->owner, NULL);
	event->owner = NULL;
}

static int send_kept(void *ctx, const char *host, uint16_t type,
		     const void *payload, size_t len, struct err *err);

/* The pace follows what the channel says of hosts. */
static int follow(struct channel_client *c, const struct channel_event *e,
		  struct err *err)
{
	switch (e->kind) {
	case CHANNEL_EVENT_HOST_UP:
		return pace_up(c->pace, e->host, err);
	case CHANNEL_EVENT_HOST_DOWN:
		pace_down(c->pace, e->host);
		return 0;
	case CHANNEL_EVENT_HOST_ROOM:
		return pace_room(c->pace, e->host, e->sent, send_kept, c, err);
	default:
		return 0;
	}
}

int channel_client_recv(struct channel_client *c, int timeout_ms,
			struct channel_event *out, struct err *err)
{
	struct channel_event e;
	struct msg m;
	int r;

	if (c->has_first) {
		*out = c->first;
		c->has_first = false;
		return 0;
	}
	msg_init(&m, EVENT_MAX_BYTES);
	r = msg_recv(c->fd, &m, timeout_ms, err);
	if (r == 0)
		r = read_event(&m, &e, err);
	msg_release(&m);
	if (r < 0)
		return r;
	r = follow(c, &e, err);
	if (r < 0)
		channel_client_event_release(&e);
	else
		*out = e;
	return r;
}

bool channel_client_pending(const struct channel_client *c)
{
	return c->has_first;
}

/* --- connecting ------------------------------------------------------------
 */
static int try_connect(const struct sockaddr_un *at, int *out_fd)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int cause;

	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0) {
		*out_fd = fd;
		return 0;
	}
	cause = errno;
	(void)close(fd);
	return cause;
}

static int connect_within(const char *path, int timeout_ms, int *out_fd,
			  struct err *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int64_t until = clock_boot_ms() + timeout_ms;
	int cause;

	if (strlen(path) >= sizeof(at.sun_path))
		return err_set(err, ERR_INPUT, "%s: path is too long", path);
	memcpy(at.sun_path, path, strlen(path) + 1);
	for (;;) {
		cause = try_connect(&at, out_fd);
		if (cause == 0)
			return 0;
		if ((cause != ENOENT && cause != ECONNREFUSED &&
		     cause != EAGAIN) ||
		    clock_boot_ms() >= until)
			break;
		(void)poll(NULL, 0, RETRY_MS);
	}
	if (cause == ENOENT || cause == ECONNREFUSED || cause == EAGAIN)
		return err_set(err, ERR_AGAIN,
			       "no channel listens on %s: is "
			       "reconcile-channel running?",
			       path);
	return err_sys(err, cause, "connect to %s", path);
}

int channel_client_open(const char *path, int timeout_ms,
			struct channel_client **out, struct err *err)
{
	struct channel_client *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(err, ERR_NOMEM, "channel client");
	c->fd = -1;
	c->pace = pace_new();
	if (!c->pace) {
		free(c);
		return err_set(err, ERR_NOMEM, "channel client");
	}
	r = connect_within(path, timeout_ms, &c->fd, err);
	if (r == 0)
		r = msg_send(c->fd, TYPE(ATTACH), NULL, 0, NULL, 0, err);
	/* The first event, or BUSY. */
	if (r == 0)
		r = channel_client_recv(c, FIRST_EVENT_MS, &c->first, err);
	if (r < 0) {
		channel_client_close(c);
		return r;
	}
	c->has_first = true;
	*out = c;
	return 0;
}

void channel_client_close(struct channel_client *c)
{
	if (!c)
		return;
	if (c->has_first)
		channel_client_event_release(&c->first);
	if (c->fd >= 0)
		(void)close(c->fd);
	pace_free(c->pace);
	free(c);
}

int channel_client_fd(const struct channel_client *c)
{
	return c->fd;
}

/* --- requests --------------------------------------------------------------
 */
static int request(struct channel_client *c, uint16_t type,
		   const ProtobufCMessage *msg, struct err *err)
{
	size_t len = protobuf_c_message_get_packed_size(msg);
	uint8_t *packed = malloc(len ? len : 1);
	int r;

	if (!packed)
		return err_set(err, ERR_NOMEM, "request of %zu bytes", len);
	(void)protobuf_c_message_pack(msg, packed);
	r = msg_send(c->fd, type, packed, len, NULL, 0, err);
	free(packed);
	return r;
}

/* protobuf-c takes what it will not write as not const. */
static char *text(const char *s)
{
	union {
		const char *in;
		char *out;
	} u = {.in = s};

	return u.out;
}

static ProtobufCBinaryData bytes(const void *data, size_t len)
{
	union {
		const void *in;
		uint8_t *out;
	} u = {.in = data};

	return (ProtobufCBinaryData){.data = u.out, .len = len};
}

static int send_kept(void *ctx, const char *host, uint16_t type,
		     const void *payload, size_t len, struct err *err)
{
	struct channel_client *c = ctx;
	Local__HostSend msg;

	local__host_send__init(&msg);
	msg.host = text(host);
	msg.type = type;
	msg.payload = bytes(payload, len);
	return request(c, TYPE(HOST_SEND), &msg.base, err);
}

int channel_client_send_host(struct channel_client *c, const char *host,
			     uint16_t type, const void *payload, size_t len,
			     struct err *err)
{
	return pace_send(c->pace, host, type, payload, len, send_kept, c, err);
}

int channel_client_cut(struct channel_client *c, const char *host,
		       const char *reason, struct err *err)
{
	Local__HostCut msg;

	local__host_cut__init(&msg);
	msg.host = text(host);
	msg.reason = text(reason);
	return request(c, TYPE(HOST_CUT), &msg.base, err);
}

int channel_client_join_answer(struct channel_client *c, uint64_t id,
			       const void *reply, size_t len, struct err *err)
{
	Local__JoinAnswer msg;

	local__join_answer__init(&msg);
	msg.id = id;
	msg.reply = bytes(reply, len);
	return request(c, TYPE(JOIN_ANSWER), &msg.base, err);
}

int channel_client_reload(struct channel_client *c, struct err *err)
{
	return msg_send(c->fd, TYPE(RELOAD), NULL, 0, NULL, 0, err);
}

/*
 * core.c - the manager program's connection.  See core.h.
 *
 * When a core attaches, every host is told to it from the start (`due` in
 * peer.c), as fast as its socket takes it; MSG_READY ends that.  While its
 * queue is above SERVER_CORE_HIGH no host is read, so what waits for a slow
 * core waits in the hosts' own sockets.
 */
#include "channel/server/core.h"

#include "channel/frame.h"
#include "channel/local.pb-c.h"
#include "channel/server/peer.h"
#include "channel/stream.h"
#include "channel/shape.h"
#include "lib/log.h"
#include "lib/msg.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CALLERS_MAX = 8,
	FRAME_MAX_BYTES = FRAME_ASSIGN_MAX + 65536,
	ATTACH_S = 5,
};

struct core {
	struct server *srv;
	struct core *next; /* of the callers */
	struct stream *stream;
	struct event *timer;
	bool attached;
};

bool core_attached(const struct server *srv)
{
	return srv->core != NULL;
}

static void core_free(struct core *c)
{
	struct core **at = &c->srv->callers;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at) {
		*at = c->next;
		c->srv->n_callers--;
	}
	stream_free(c->stream);
	if (c->timer)
		event_free(c->timer);
	free(c);
}

static void detach(struct core *c, const char *why)
{
	struct server *srv = c->srv;

	if (srv->core == c) {
		log_line(LOG_LEVEL_INFO, "core.detached", "reason=\"%s\"", why);
		srv->core = NULL;
		srv->replaying = false;
		srv->core_full = false;
		peer_replay_start(srv);
		peer_pause_all(srv, false);
	}
	core_free(c);
}

void core_release(struct server *srv)
{
	if (srv->core)
		detach(srv->core, "stopping");
	while (srv->callers)
		core_free(srv->callers);
}

static int put(struct core *c, uint16_t type, const ProtobufCMessage *msg,
	       struct err *err)
{
	struct buf packed;
	int r = 0;

	buf_init(&packed, FRAME_MAX_BYTES);
	if (msg)
		r = shape_pack(msg, &packed, err);
	if (r == 0)
		r = stream_send(c->stream, type, packed.data, packed.len, err);
	buf_release(&packed);
	return r;
}

void core_emit(struct server *srv, uint16_t type, const ProtobufCMessage *msg)
{
	struct core *c = srv->core;
	struct err err = {0};

	if (!c)
		return;
	if (put(c, type, msg, &err) < 0) {
		/* It must not miss one in silence: it attaches again. */
		log_line(LOG_LEVEL_ERROR, "core.slow", "reason=\"%s\"",
			 err.msg);
		stream_finish(c->stream);
		return;
	}
	if (!srv->core_full && stream_queued(c->stream) > SERVER_CORE_HIGH) {
		srv->core_full = true;
		peer_pause_all(srv, true);
	}
}

static void replay(struct server *srv)
{
	if (!srv->replaying || !peer_replay_next(srv))
		return;
	srv->replaying = false;
	core_emit(srv, LOCAL__MSG_TYPE__MSG_READY, NULL);
}

static void on_drained(void *ctx)
{
	struct core *c = ctx;

	if (c->srv->core != c)
		return;
	if (c->srv->core_full) {
		c->srv->core_full = false;
		peer_pause_all(c->srv, false);
	}
	replay(c->srv);
}

/* --- requests --------------------------------------------------------------
 */
static int on_attach(struct core *c, const uint8_t *bytes, size_t len,
		     struct err *err)
{
	struct server *srv = c->srv;

	(void)bytes;
	(void)len;
	if (srv->core) {
		(void)put(c, LOCAL__MSG_TYPE__MSG_BUSY, NULL, err);
		stream_finish(c->stream);
		return 0;
	}
	if (c->timer)
		(void)event_del(c->timer);
	c->attached = true;
	for (struct core **at = &srv->callers; *at; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			srv->n_callers--;
			break;
		}
	srv->core = c;
	srv->replaying = true;
	log_line(LOG_LEVEL_INFO, "core.attached", "hosts=%zu",
		 srv->n_peers - srv->n_strangers);
	peer_replay_start(srv);
	replay(srv);
	return 0;
}

static int on_host_send(struct core *c, const uint8_t *bytes, size_t len,
			struct err *err)
{
	Local__HostSend *m = local__host_send__unpack(NULL, len, bytes);
	struct peer *p;
	int r = 0;

	if (!m)
		return err_set(err, ERR_PROTO, "HostSend");
	p = peer_find(c->srv, m->host);
	if (p)
		r = peer_send(p, m->type, m->payload.data, m->payload.len, err);
	local__host_send__free_unpacked(m, NULL);
	return r;
}

static int on_host_cut(struct core *c, const uint8_t *bytes, size_t len,
		       struct err *err)
{
	Local__HostCut *m = local__host_cut__unpack(NULL, len, bytes);
	struct peer *p;

	if (!m)
		return err_set(err, ERR_PROTO, "HostCut");
	p = peer_find(c->srv, m->host);
	if (p)
		peer_end(p, "CUT", m->reason);
	local__host_cut__free_unpacked(m, NULL);
	return 0;
}

static int on_join_answer(struct core *c, const uint8_t *bytes, size_t len,
			  struct err *err)
{
	Local__JoinAnswer *m = local__join_answer__unpack(NULL, len, bytes);
	int r;

	if (!m)
		return err_set(err, ERR_PROTO, "JoinAnswer");
	r = peer_join_answer(c->srv, m->id, m->reply.data, m->reply.len, err);
	local__join_answer__free_unpacked(m, NULL);
	return r;
}

int core_reload(struct server *srv, struct err *err)
{
	struct tls *tls = NULL;
	int r = tls_server_new(srv->pki_dir, &tls, err);

	/* A handshake under way still refers to the old one. */
	peer_sweep(srv, true);
	tls_free(srv->tls);
	srv->tls = tls;
	if (r < 0) {
		log_line(LOG_LEVEL_ERROR, "channel.reload",
			 "nobody new is let in: %s", err->msg);
		return r;
	}
	log_line(LOG_LEVEL_INFO, "channel.reload", "crl_until=%lld",
		 (long long)tls_crl_until(tls));
	peer_sweep(srv, false);
	return 0;
}

static int on_reload(struct core *c, const uint8_t *bytes, size_t len,
		     struct err *err)
{
	Local__Reloaded msg;
	struct err cause = {0};

	local__reloaded__init(&msg);
	(void)bytes;
	(void)len;
	msg.ok = core_reload(c->srv, &cause) == 0;
	msg.error = cause.msg;
	return put(c, LOCAL__MSG_TYPE__MSG_RELOADED, &msg.base, err);
}

/* What a core may say: before it has attached, and then. */
static const struct request {
	uint16_t type;
	bool attached;
	uint32_t max_bytes;
	int (*run)(struct core *c, const uint8_t *bytes, size_t len,
		   struct err *err);
} requests[] = {
	{LOCAL__MSG_TYPE__MSG_ATTACH, false, 0, on_attach},
	{LOCAL__MSG_TYPE__MSG_HOST_SEND, true, FRAME_MAX_BYTES, on_host_send},
	{LOCAL__MSG_TYPE__MSG_HOST_CUT, true, 8192, on_host_cut},
	{LOCAL__MSG_TYPE__MSG_JOIN_ANSWER, true, FRAME_MAX_BYTES,
	 on_join_answer},
	{LOCAL__MSG_TYPE__MSG_RELOAD, true, 0, on_reload},
};

static const struct request *find_request(const struct core *c, uint16_t type)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].type == type &&
		    requests[i].attached == c->attached)
			return &requests[i];
	return NULL;
}

static int on_header(void *ctx, const uint8_t *header, uint32_t *out_len,
		     struct err *err)
{
	const struct request *req;
	struct core *c = ctx;
	uint16_t type, fds;
	uint32_t len;

	frame_split(header, &len, &type, &fds);
	req = find_request(c, type);
	if (!req || fds != 0 || len > req->max_bytes)
		return err_set(err, ERR_PROTO,
			       "core: frame of type %u, %u bytes", type, len);
	*out_len = len;
	return 0;
}

static int on_frame(void *ctx, uint16_t type, const uint8_t *payload,
		    size_t len, struct err *err)
{
	struct core *c = ctx;
	const struct request *req = find_request(c, type);
	int r;

	assert(req); /* on_header() has seen to it */
	r = req->run(c, payload, len, err);
	if (r == ERR_INPUT || r == ERR_TRUST || r == ERR_AGAIN) {
		log_line(LOG_LEVEL_ERROR, "core.refused", "reason=\"%s\"",
			 err->msg);
		return 0;
	}
	return r;
}

static void on_closed(void *ctx, const struct err *why)
{
	detach(ctx, why->msg);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	core_free(arg);
}

static const struct stream_ops core_ops = {
	.header = on_header,
	.frame = on_frame,
	.drained = on_drained,
	.closed = on_closed,
};

static bool same_user(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
#ifndef GUARD_OFF_PEERCRED
	return cred.uid == 0 || cred.uid == geteuid();
#else
	return true;
#endif
}

void core_accept(struct server *srv, int fd)
{
	struct timeval tv = {.tv_sec = ATTACH_S};
	struct err err = {0};
	struct core *c;

	if (!same_user(fd) || srv->n_callers >= CALLERS_MAX) {
		log_line(LOG_LEVEL_WARN, "core.denied",
			 "reason=\"another user, or too many at once\"");
		(void)close(fd);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		(void)close(fd);
		return;
	}
	c->srv = srv;
	if (stream_new(srv->base, fd, NULL, &core_ops, c, SERVER_CORE_QUEUE_MAX,
		       &c->stream, &err) < 0) {
		free(c);
		return;
	}
	c->timer = event_new(srv->base, -1, 0, on_timer, c);
	if (c->timer)
		(void)event_add(c->timer, &tv);
	c->next = srv->callers;
	srv->callers = c;
	srv->n_callers++;
}

/* peer.c - connections of hosts.  See peer.h. */
#include "channel/server/peer.h"

#include "channel/address.h"
#include "channel/agent.pb-c.h"
#include "channel/frame.h"
#include "channel/server/core.h"
#include "channel/server/report.h"
#include "channel/stream.h"
#include "lib/clock.h"
#include "lib/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ACCEPTS_PER_TURN = 32,
	LOCAL_MAX_BYTES = 8 << 20,
};

/* --- the lists ------------------------------------------------------------ */
static size_t bucket_of(const char *host)
{
	uint32_t h = 2166136261u;

	for (; *host; host++)
		h = (h ^ (unsigned char)*host) * 16777619u;
	return h % SERVER_BUCKETS;
}

struct peer *peer_find(struct server *srv, const char *host)
{
	struct peer *p = srv->hosts[bucket_of(host)];

	while (p && strcmp(p->tls.id.name, host) != 0)
		p = p->hash_next;
	return p;
}

static void table_remove(struct peer *p)
{
	struct peer **at = &p->srv->hosts[bucket_of(p->tls.id.name)];

	while (*at && *at != p)
		at = &(*at)->hash_next;
	if (*at)
		*at = p->hash_next;
}

static void peer_free(struct peer *p)
{
	struct server *srv = p->srv;

	*p->prev = p->next;
	if (p->next)
		p->next->prev = p->prev;
	srv->n_peers--;
	if (p->phase != PHASE_HOST)
		srv->n_strangers--;
	if (p->join_id)
		srv->n_joins--;
	stream_free(p->stream);
	if (p->timer)
		event_free(p->timer);
	keep_release(srv, &p->keep);
	buf_release(&p->request);
	free(p);
}

static void end(struct peer *p, const char *code, const char *reason,
		const struct peer *by)
{
	if (p->phase == PHASE_HOST) {
		table_remove(p);
		report_down(p, code, reason, by);
	} else if (p->join_id == 0) {
		report_denied(p, reason);
	}
	peer_free(p);
}

void peer_end(struct peer *p, const char *code, const char *reason)
{
	end(p, code, reason, NULL);
}

void peer_end_all(struct server *srv, const char *code, const char *reason)
{
	while (srv->peers)
		end(srv->peers, code, reason, NULL);
}

/* --- a session -------------------------------------------------------------
 */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	static const char *const late[] = {
		[PHASE_HANDSHAKE] = "handshake took too long",
		[PHASE_JOIN] = "join took too long",
		[PHASE_HOST] = "no Hello in time",
	};
	struct peer *p = arg;

	(void)fd;
	(void)what;
	end(p, "PROTO", late[p->phase], NULL);
}

static void set_timer(struct peer *p, int seconds)
{
	struct timeval tv = {.tv_sec = seconds};

	(void)event_add(p->timer, &tv);
}

static int become_host(struct peer *p)
{
	struct server *srv = p->srv;
	struct peer *old = peer_find(srv, p->tls.id.name);
	size_t b = bucket_of(p->tls.id.name);

#ifndef GUARD_OFF_SECOND_SESSION
	if (old)
		end(old, "REPLACED", "a second session of this host", p);
#else
	(void)old;
#endif
	p->phase = PHASE_HOST;
	srv->n_strangers--;
	p->not_after = p->tls.id.not_after;
	p->hash_next = srv->hosts[b];
	srv->hosts[b] = p;
	p->due = srv->replaying || !srv->core;
	log_line(LOG_LEVEL_INFO, "host.up", "host=%s address=%s serial=%s",
		 p->tls.id.name, p->address, p->tls.id.serial);
	if (!p->due)
		report_up(p);
	frame_gate_init(&p->gate, FRAME_FROM_HOST, FRAME_FRESH);
	set_timer(p, SERVER_HELLO_S);
	if (srv->core_full)
		stream_pause(p->stream, true);
	return 0;
}

static int on_ready(void *ctx, struct err *err)
{
	struct peer *p = ctx;

	if (!p->srv->tls)
		return err_set(err, ERR_AGAIN,
			       "certificates could not be read");
	if (!p->tls.join)
		return become_host(p);
	if (p->srv->n_joins >= SERVER_JOINS_MAX)
		return err_set(err, ERR_LIMIT, "too many machines are joining");
	p->phase = PHASE_JOIN;
	frame_gate_init(&p->gate, FRAME_FROM_HOST, FRAME_JOINING);
	set_timer(p, SERVER_HANDSHAKE_S);
	return 0;
}

static int on_header(void *ctx, const uint8_t *header, uint32_t *out_len,
		     struct err *err)
{
	struct peer *p = ctx;

	return frame_gate_header(&p->gate, header, clock_boot_ms(), &p->type,
				 out_len, err);
}

static int send_pending(struct peer *p, struct err *err)
{
	Channel__JoinReply reply;
	struct buf packed;
	int r;

	channel__join_reply__init(&reply);
	reply.pending = 1;
	buf_init(&packed, 64);
	r = shape_pack(&reply.base, &packed, err);
	if (r == 0)
		r = stream_send(p->stream, CHANNEL__MSG_TYPE__MSG_JOIN_REPLY,
				packed.data, packed.len, err);
	buf_release(&packed);
	return r;
}

/* The request is checked here, where nothing is held that it could reach;
 * the core, which holds the CA's key, gets a well-formed one. */
static int on_join(struct peer *p, struct buf *packed, struct err *err)
{
	Channel__JoinRequest *req;
	int r;

	req = channel__join_request__unpack(NULL, packed->len,
					    (uint8_t *)packed->data);
	if (!req)
		return err_set(err, ERR_NOMEM, "JoinRequest");
	r = identity_csr_read(req->csr_der.data, req->csr_der.len, NULL, err);
	channel__join_request__free_unpacked(req, NULL);
	if (r < 0)
		return r;
	p->join_id = ++p->srv->last_join_id;
	p->srv->n_joins++;
	p->request = *packed;
	*packed = (struct buf){.max = packed->max};
	set_timer(p, SERVER_JOIN_S);
	log_line(LOG_LEVEL_INFO, "join.asked", "address=%s id=%llu", p->address,
		 (unsigned long long)p->join_id);
	p->due = p->srv->replaying || !p->srv->core;
	if (!p->due)
		report_join(p);
	return p->due ? send_pending(p, err) : 0;
}

static int on_cert_request(struct buf *packed, struct err *err)
{
	Channel__CertRequest *req;
	int r;

	req = channel__cert_request__unpack(NULL, packed->len,
					    (uint8_t *)packed->data);
	if (!req)
		return err_set(err, ERR_NOMEM, "CertRequest");
	r = identity_csr_read(req->csr_der.data, req->csr_der.len, NULL, err);
	channel__cert_request__free_unpacked(req, NULL);
	return r;
}

static int host_frame(struct peer *p, struct buf *packed, struct err *err)
{
	bool taken = p->srv->core && !p->due;
	struct keep_item *item;
	int r = 0;

	if (p->type->type == CHANNEL__MSG_TYPE__MSG_HELLO)
		(void)event_del(p->timer);
	if (p->type->type == CHANNEL__MSG_TYPE__MSG_CERT_REQUEST)
		r = on_cert_request(packed, err);
	if (r == 0)
		r = keep_put(p->srv, &p->keep, p->type, packed->data,
			     packed->len, taken, err);
	if (r < 0 || !taken)
		return r;
	item = malloc(sizeof(*item) + packed->len);
	if (!item)
		return err_set(err, ERR_NOMEM, "%s", p->type->name);
	item->type = p->type->type;
	item->len = packed->len;
	if (packed->len)
		memcpy(item->bytes, packed->data, packed->len);
	report_frame(p, item);
	free(item);
	return 0;
}

static int on_frame(void *ctx, uint16_t type, const uint8_t *payload,
		    size_t len, struct err *err)
{
	struct peer *p = ctx;
	struct buf packed;
	int r;

	(void)type;
	buf_init(&packed, p->type->max_bytes + 64);
	r = frame_gate_payload(&p->gate, p->type, payload, len, &packed, err);
	if (r == 0 && p->phase == PHASE_JOIN)
		r = on_join(p, &packed, err);
	else if (r == 0)
		r = host_frame(p, &packed, err);
	buf_release(&packed);
	return r;
}

static void on_drained(void *ctx)
{
	struct peer *p = ctx;

	if (p->phase == PHASE_HOST)
		report_room(p);
}

static void on_closed(void *ctx, const struct err *why)
{
	static const struct {
		int code;
		const char *name;
	} codes[] = {{0, "CLOSED"},
		     {ERR_NOTFOUND, "CLOSED"},
		     {ERR_PROTO, "PROTO"},
		     {ERR_LIMIT, "LIMIT"},
		     {ERR_TRUST, "PROTO"}};
	struct peer *p = ctx;
	const char *name = "LOST";

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == why->code)
			name = codes[i].name;
	end(p, name, why->msg[0] ? why->msg : "closed", NULL);
}

static const struct stream_ops peer_ops = {
	.ready = on_ready,
	.header = on_header,
	.frame = on_frame,
	.drained = on_drained,
	.closed = on_closed,
};

/* fd consumed. */
static int peer_new(struct server *srv, int fd, const struct sockaddr *from,
		    socklen_t from_len, struct err *err)
{
	struct peer *p = calloc(1, sizeof(*p));
	SSL *ssl = NULL;
	int r;

	if (!p) {
		(void)close(fd);
		return err_set(err, ERR_NOMEM, "connection");
	}
	p->srv = srv;
	p->due = true;
	keep_init(&p->keep);
	buf_init(&p->request, LOCAL_MAX_BYTES);
	address_text(from, from_len, p->address);
	address_tune(fd);
	p->timer = event_new(srv->base, -1, 0, on_timer, p);
	r = p->timer ? tls_session_new(srv->tls, fd, &p->tls, &ssl, err)
		     : err_set(err, ERR_NOMEM, "timer");
	if (r < 0)
		(void)close(fd);
	else
		r = stream_new(srv->base, fd, ssl, &peer_ops, p,
			       SERVER_HOST_QUEUE_MAX, &p->stream, err);
	if (r < 0) {
		if (p->timer)
			event_free(p->timer);
		free(p);
		return r;
	}
	p->prev = &srv->peers;
	p->next = srv->peers;
	if (p->next)
		p->next->prev = &p->next;
	srv->peers = p;
	srv->n_peers++;
	srv->n_strangers++;
	set_timer(p, SERVER_HANDSHAKE_S);
	return 0;
}

/* No handshake is begun with those that are over a limit. */
static bool admitted(struct server *srv, const struct sockaddr *from)
{
	if (!srv->tls || srv->n_peers >= SERVER_PEERS_MAX ||
	    srv->n_strangers >= SERVER_STRANGERS_MAX)
		return false;
#ifndef GUARD_OFF_RATE
	return rate_take(srv->rate, from, clock_boot_ms());
#else
	(void)from;
	return true;
#endif
}

void peer_accept(struct server *srv, int listener)
{
	static const struct linger reset = {.l_onoff = 1};
	struct sockaddr_storage from;
	struct err err = {0};

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		socklen_t len = sizeof(from);
		int fd = accept4(listener, (struct sockaddr *)&from, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (!admitted(srv, (struct sockaddr *)&from)) {
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
					 sizeof(reset));
			(void)close(fd);
			continue;
		}
		if (peer_new(srv, fd, (struct sockaddr *)&from, len, &err) < 0)
			log_line(LOG_LEVEL_ERROR, "channel.accept",
				 "reason=\"%s\"", err.msg);
	}
}

/* --- towards a host --------------------------------------------------------
 */
/* A new certificate for a live session: the session goes on, until the end of
 * the new one. */
static int renew(struct peer *p, const void *bytes, size_t len, struct err *err)
{
	Channel__CertReply *reply;
	struct identity id;
	X509 *leaf = NULL;
	int r;

	reply = channel__cert_reply__unpack(NULL, len, bytes);
	if (!reply || reply->n_chain_der < 1)
		r = err_set(err, ERR_INPUT, "CertReply without a certificate");
	else
		r = identity_cert_read(reply->chain_der[0].data,
				       reply->chain_der[0].len, &leaf, err);
	if (r == 0)
		r = p->srv->tls ? tls_check(p->srv->tls, leaf, IDENTITY_HOST,
					    &id, err)
				: err_set(err, ERR_AGAIN, "no certificates");
	if (r == 0 && strcmp(id.name, p->tls.id.name) != 0)
		r = err_set(err, ERR_TRUST, "certificate of host %s for %s",
			    id.name, p->tls.id.name);
	if (r == 0) {
		p->not_after = id.not_after;
		memcpy(p->renewed, id.serial, sizeof(p->renewed));
	}
	X509_free(leaf);
	if (reply)
		channel__cert_reply__free_unpacked(reply, NULL);
	return r;
}

int peer_send(struct peer *p, uint32_t type, const void *bytes, size_t len,
	      struct err *err)
{
	const struct frame_type *row =
		type <= UINT16_MAX ? frame_find((uint16_t)type) : NULL;
	struct err full = {0};
	int r = 0;

	if (!row || row->from != FRAME_FROM_MANAGER ||
	    !(row->states & FRAME_OPEN))
		return err_set(err, ERR_INPUT,
			       "frame type %u is not for a host", type);
	if (len > row->max_bytes)
		return err_set(err, ERR_INPUT,
			       "%s: want at most %u bytes, have %zu", row->name,
			       row->max_bytes, len);
	if (row->type == CHANNEL__MSG_TYPE__MSG_CERT_REPLY)
		r = renew(p, bytes, len, err);
	if (r < 0)
		return r;
	if (stream_send(p->stream, row->type, bytes, len, &full) < 0) {
		end(p, "SLOW", full.msg, NULL);
		return 0;
	}
	p->sent += len;
	report_room(p);
	return 0;
}

int peer_join_answer(struct server *srv, uint64_t id, const void *bytes,
		     size_t len, struct err *err)
{
	Channel__JoinReply *reply;
	struct peer *p = srv->peers;
	bool pending;

	while (p && p->join_id != id)
		p = p->next;
	if (!p || id == 0)
		return 0;
	reply = channel__join_reply__unpack(NULL, len, bytes);
	if (!reply)
		return err_set(err, ERR_INPUT, "answer is not a JoinReply");
	pending = reply->pending;
	channel__join_reply__free_unpacked(reply, NULL);
	if (stream_send(p->stream, CHANNEL__MSG_TYPE__MSG_JOIN_REPLY, bytes,
			len, err) < 0)
		return err_wrap(err, "join %llu", (unsigned long long)id);
	if (!pending) {
		set_timer(p, SERVER_HANDSHAKE_S);
		stream_finish(p->stream);
	}
	return 0;
}

/* --- all of them -----------------------------------------------------------
 */
void peer_sweep(struct server *srv, bool all_handshakes)
{
	int64_t now = clock_unix_ms() / 1000;
	struct peer *next;

	for (struct peer *p = srv->peers; p; p = next) {
		next = p->next;
		if (p->phase == PHASE_HANDSHAKE && all_handshakes)
			end(p, "STOPPED", "certificates are read anew", NULL);
		if (p->phase != PHASE_HOST)
			continue;
#ifndef GUARD_OFF_SESSION_EXPIRY
		if (p->not_after <= now) {
			end(p, "EXPIRED", "certificate has ended", NULL);
			continue;
		}
#else
		(void)now;
#endif
#ifndef GUARD_OFF_SESSION_REVOKED
		if (srv->tls &&
		    (tls_revoked(srv->tls, p->tls.id.serial) ||
		     (p->renewed[0] && tls_revoked(srv->tls, p->renewed))))
			end(p, "REVOKED", "certificate is revoked", NULL);
#endif
	}
}

void peer_pause_all(struct server *srv, bool pause)
{
	for (struct peer *p = srv->peers; p; p = p->next)
		if (p->phase == PHASE_HOST)
			stream_pause(p->stream, pause);
}

void peer_replay_start(struct server *srv)
{
	for (struct peer *p = srv->peers; p; p = p->next)
		p->due = true;
}

bool peer_replay_next(struct server *srv)
{
	for (struct peer *p = srv->peers; p; p = p->next) {
		if (!p->due || p->phase == PHASE_HANDSHAKE)
			continue;
		if (srv->core_full)
			return false;
		p->due = false;
		if (p->phase == PHASE_HOST) {
			p->sent = 0;
			p->told_sent = 0;
			report_up(p);
			keep_replay(srv, &p->keep, report_frame, p);
		} else if (p->join_id) {
			report_join(p);
		}
	}
	return true;
}

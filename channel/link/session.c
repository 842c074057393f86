/*
 * session.c - the session to the manager.  See session.h.
 *
 * Frames of the agent that do not fit the session's state (it was lost
 * meanwhile, or Hello is not said yet) are dropped: the agent learns of each
 * session by LinkState and begins anew.  Both directions are held to the table
 * of frame.h; towards the manager at half its rate, so that a burst is slowed
 * and not punished.
 */
#include "channel/link/session.h"

#include "channel/frame.h"
#include "channel/pki.h"
#include "channel/stream.h"
#include "channel/tls.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/text.h"

#include <openssl/rand.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
	HANDSHAKE_MS = 5000,
	STABLE_MS = 10000, /* a session of this age resets the backoff */
	RENEW_RETRY_MAX_MS = 60000,
	AGENT_QUEUE_MAX = 64 << 20,
	AGENT_HIGH = 4 << 20,
	MANAGER_QUEUE_MAX = 16 << 20,
	MANAGER_HIGH = 1 << 20,
	RATE_WINDOW_MS = 1000,
};

struct session {
	struct event_base *base;
	int dirfd;
	struct store store;
	struct tls *tls;
	struct tls_peer peer;
	struct stream *agent, *manager;
	bool up, said_down;
	char last_reason[256];
	struct frame_gate to_manager, from_manager;
	const struct frame_type *agent_type, *manager_type;
	struct event *dial_timer, *renew_timer, *pace_timer;
	struct event *signals[2];
	unsigned int attempt;
	int64_t backoff_ms, up_since_ms;
	EVP_PKEY *next_key; /* asked for a certificate, not answered yet */
	struct err end;	    /* why the loop ended */
};

static void stop(struct session *s, int code, const char *reason)
{
	if (code)
		err_set(&s->end, code, "%s", reason);
	(void)event_base_loopbreak(s->base);
}

static void arm(struct event *timer, int64_t ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	(void)event_add(timer, &tv);
}

/* Between half of ms and all of it. */
static int64_t jitter(int64_t ms)
{
	uint32_t random = 0;

	(void)!RAND_bytes((unsigned char *)&random, sizeof(random));
	return ms / 2 + (int64_t)(random % (uint64_t)(ms / 2 + 1));
}

/* --- the agent is told -----------------------------------------------------
 */
static void tell_state(struct session *s, bool connected, const char *reason)
{
	Channel__LinkState msg;
	char safe[sizeof(s->last_reason)];
	struct err err = {0};
	struct buf packed;

	channel__link_state__init(&msg);
	(void)text_safe(safe, sizeof(safe), reason, strlen(reason));
	if (!connected && s->said_down && strcmp(safe, s->last_reason) == 0)
		return;
	memcpy(s->last_reason, safe, sizeof(safe));
	s->said_down = !connected;
	msg.connected = connected;
	msg.reason = safe;
	msg.host = s->store.id.name;
	buf_init(&packed, 2048);
	if (shape_pack(&msg.base, &packed, &err) < 0 ||
	    stream_send(s->agent, CHANNEL__MSG_TYPE__MSG_LINK_STATE,
			packed.data, packed.len, &err) < 0)
		stop(s, ERR_PROTO, err.msg);
	buf_release(&packed);
	log_line(LOG_LEVEL_INFO, connected ? "link.up" : "link.down",
		 "host=%s manager=%s:%s reason=\"%s\"", s->store.id.name,
		 s->store.manager.host, s->store.manager.port, safe);
}

/* --- renewal ---------------------------------------------------------------
 */
static void plan_renewal(struct session *s)
{
	const struct identity *id = &s->store.id;
	int64_t life = id->not_after - id->not_before - PKI_SKEW_S;
	int64_t left_ms, at;

	at = id->not_after -
	     life * (PKI_RENEW_DENOMINATOR - PKI_RENEW_NUMERATOR) /
		     PKI_RENEW_DENOMINATOR;
	left_ms = at * 1000 - clock_unix_ms();
	/* Hosts that joined together do not ask together. */
	if (left_ms > 0)
		left_ms -= jitter(left_ms / 50 + 1);
	arm(s->renew_timer, left_ms > 0 ? left_ms : 0);
}

static void plan_retry(struct session *s)
{
	int64_t left = s->store.id.not_after * 1000 - clock_unix_ms();
	int64_t wait = left / 4;

	if (wait > RENEW_RETRY_MAX_MS || left <= 0)
		wait = RENEW_RETRY_MAX_MS;
	arm(s->renew_timer, jitter(wait < 1000 ? 1000 : wait));
}

static int ask_renewal(struct session *s, struct err *err)
{
	Channel__CertRequest req;
	struct buf csr, packed;
	int r = 0;

	channel__cert_request__init(&req);
	buf_init(&csr, IDENTITY_CSR_MAX);
	buf_init(&packed, IDENTITY_CSR_MAX + 64);
	if (!s->next_key)
		r = store_next_key(s->dirfd, &s->next_key, err);
	if (r == 0)
		r = identity_csr_new(s->next_key, &csr, err);
	if (r < 0)
		goto out;
	req.csr_der.data = (uint8_t *)csr.data;
	req.csr_der.len = csr.len;
	r = shape_pack(&req.base, &packed, err);
	if (r == 0)
		r = stream_send(s->manager, CHANNEL__MSG_TYPE__MSG_CERT_REQUEST,
				packed.data, packed.len, err);
out:
	buf_release(&csr);
	buf_release(&packed);
	return r;
}

static void on_renew(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	struct err err = {0};

	(void)fd;
	(void)what;
	if (s->up && s->to_manager.state == FRAME_OPEN &&
	    ask_renewal(s, &err) < 0)
		log_line(LOG_LEVEL_ERROR, "link.renew", "reason=\"%s\"",
			 err.msg);
	plan_retry(s);
}

/* Everything about the answer is checked before a file changes. */
static int take_renewal(struct session *s, const struct buf *packed,
			struct err *err)
{
	Channel__CertReply *reply;
	struct identity id;
	struct tls *tls = NULL;
	X509 *leaf = NULL;
	int r;

	reply = channel__cert_reply__unpack(NULL, packed->len,
					    (uint8_t *)packed->data);
	if (!reply || reply->n_chain_der < 1 || !s->next_key)
		r = err_set(err, ERR_PROTO, "CertReply that was not asked for");
	else
		r = identity_cert_read(reply->chain_der[0].data,
				       reply->chain_der[0].len, &leaf, err);
	if (r == 0)
		r = tls_client_new(s->next_key, leaf, s->store.ca, &tls, err);
	if (r == 0)
		r = tls_check(tls, leaf, IDENTITY_HOST, &id, err);
	if (r == 0 && strcmp(id.name, s->store.id.name) != 0)
		r = err_set(err, ERR_TRUST, "certificate of another host");
	if (r == 0)
		r = store_renew(s->dirfd, leaf, err);
	if (r == 0) {
		tls_free(s->tls);
		s->tls = tls;
		tls = NULL;
		EVP_PKEY_free(s->store.key);
		s->store.key = s->next_key;
		s->next_key = NULL;
		s->store.id = id;
		log_line(LOG_LEVEL_INFO, "link.renewed",
			 "host=%s serial=%s not_after=%lld", id.name, id.serial,
			 (long long)id.not_after);
		plan_renewal(s);
	}
	tls_free(tls);
	X509_free(leaf);
	if (reply)
		channel__cert_reply__free_unpacked(reply, NULL);
	return r;
}

/* --- the manager's side ----------------------------------------------------
 */
static void go_down(struct session *s, const char *reason)
{
	int64_t now = clock_boot_ms();

	if (s->up && now - s->up_since_ms >= STABLE_MS)
		s->backoff_ms = SESSION_BACKOFF_MIN_MS;
	s->up = false;
	stream_free(s->manager);
	s->manager = NULL;
	stream_pause(s->agent, false);
	tell_state(s, false, reason);
	arm(s->dial_timer, jitter(s->backoff_ms));
	s->backoff_ms *= 2;
	if (s->backoff_ms > SESSION_BACKOFF_MAX_MS)
		s->backoff_ms = SESSION_BACKOFF_MAX_MS;
}

static int manager_ready(void *ctx, struct err *err)
{
	struct session *s = ctx;

	(void)err;
	(void)event_del(s->dial_timer);
	s->up = true;
	s->up_since_ms = clock_boot_ms();
	frame_gate_init(&s->to_manager, FRAME_FROM_HOST, FRAME_FRESH);
	frame_gate_init(&s->from_manager, FRAME_FROM_MANAGER, FRAME_OPEN);
	tell_state(s, true, "");
	return 0;
}

static int manager_header(void *ctx, const uint8_t *header, uint32_t *out_len,
			  struct err *err)
{
	struct session *s = ctx;

	return frame_gate_header(&s->from_manager, header, clock_boot_ms(),
				 &s->manager_type, out_len, err);
}

static int manager_frame(void *ctx, uint16_t type, const uint8_t *payload,
			 size_t len, struct err *err)
{
	struct session *s = ctx;
	struct buf packed;
	int r;

	buf_init(&packed, s->manager_type->max_bytes + 64);
	r = frame_gate_payload(&s->from_manager, s->manager_type, payload, len,
			       &packed, err);
	if (r == 0 && type == CHANNEL__MSG_TYPE__MSG_CERT_REPLY)
		r = take_renewal(s, &packed, err);
	else if (r == 0)
		r = stream_send(s->agent, type, packed.data, packed.len, err);
	if (r == 0 && stream_queued(s->agent) > AGENT_HIGH)
		stream_pause(s->manager, true);
	buf_release(&packed);
	return r;
}

static void manager_drained(void *ctx)
{
	struct session *s = ctx;

	if (!event_pending(s->pace_timer, EV_TIMEOUT, NULL))
		stream_pause(s->agent, false);
}

static void manager_closed(void *ctx, const struct err *why)
{
	go_down(ctx, why->msg[0] ? why->msg : "closed");
}

static const struct stream_ops manager_ops = {
	.ready = manager_ready,
	.header = manager_header,
	.frame = manager_frame,
	.drained = manager_drained,
	.closed = manager_closed,
};

static int dial(struct session *s, struct err *err)
{
	SSL *ssl = NULL;
	int fd = -1;
	int r;

	if (s->store.id.not_after <= clock_unix_ms() / 1000)
		return err_set(err, ERR_TRUST,
			       "this host's certificate has ended: join again");
	r = address_dial(&s->store.manager, s->attempt++, &fd, err);
	if (r < 0)
		return r;
	r = tls_session_new(s->tls, fd, &s->peer, &ssl, err);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	r = stream_new(s->base, fd, ssl, &manager_ops, s, MANAGER_QUEUE_MAX,
		       &s->manager, err);
	if (r == 0)
		arm(s->dial_timer, HANDSHAKE_MS);
	return r;
}

static void on_dial(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	struct err err = {0};

	(void)fd;
	(void)what;
	if (s->manager)
		go_down(s, "no handshake in time");
	else if (dial(s, &err) < 0)
		go_down(s, err.msg);
}

/* --- the agent's side ------------------------------------------------------
 */
static bool agent_may(uint16_t type)
{
	/* The link's own: a certificate and a join are not the agent's. */
	return type != CHANNEL__MSG_TYPE__MSG_CERT_REQUEST &&
	       type != CHANNEL__MSG_TYPE__MSG_JOIN_REQUEST;
}

static int agent_header(void *ctx, const uint8_t *header, uint32_t *out_len,
			struct err *err)
{
	struct session *s = ctx;
	uint16_t type, last;
	uint32_t len;

	frame_split(header, &len, &type, &last);
	s->agent_type = frame_find(type);
	if (!s->agent_type || s->agent_type->from != FRAME_FROM_HOST ||
	    !agent_may(type) || last != 0)
		return err_set(err, ERR_PROTO, "agent: frame of type %u", type);
	if (len > s->agent_type->max_bytes)
		return err_set(err, ERR_PROTO,
			       "agent: %s: want at most %u bytes, have %u",
			       s->agent_type->name, s->agent_type->max_bytes,
			       len);
	*out_len = len;
	return 0;
}

/* At half the permitted rate the agent has to wait for the next second. */
static void pace(struct session *s)
{
	size_t i = (size_t)(s->agent_type - frame_row(0));

	if (s->to_manager.count[i] < s->agent_type->per_second / 2)
		return;
	stream_pause(s->agent, true);
	arm(s->pace_timer, RATE_WINDOW_MS);
}

static void on_pace(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	(void)fd;
	(void)what;
	if (!s->manager || stream_queued(s->manager) <= MANAGER_HIGH)
		stream_pause(s->agent, false);
}

static int agent_frame(void *ctx, uint16_t type, const uint8_t *payload,
		       size_t len, struct err *err)
{
	uint8_t header[FRAME_HEADER_BYTES];
	const struct frame_type *row;
	struct session *s = ctx;
	struct err why = {0};
	struct buf packed;
	uint32_t length;
	int r;

	(void)err;
	if (!s->up ||
	    !(s->agent_type->states & (unsigned int)s->to_manager.state))
		return 0;
	buf_init(&packed, s->agent_type->max_bytes + 64);
	frame_header(header, type, (uint32_t)len);
	r = frame_gate_header(&s->to_manager, header, clock_boot_ms(), &row,
			      &length, &why);
	if (r == 0)
		r = frame_gate_payload(&s->to_manager, row, payload, len,
				       &packed, &why);
	if (r == 0)
		r = stream_send(s->manager, type, packed.data, packed.len,
				&why);
	if (r < 0)
		log_line(LOG_LEVEL_ERROR, "link.refused",
			 "frame=%s reason=\"%s\"", s->agent_type->name,
			 why.msg);
	buf_release(&packed);
	pace(s);
	if (stream_queued(s->manager) > MANAGER_HIGH)
		stream_pause(s->agent, true);
	return 0;
}

static void agent_drained(void *ctx)
{
	struct session *s = ctx;

	if (s->manager)
		stream_pause(s->manager, false);
}

static void agent_closed(void *ctx, const struct err *why)
{
	bool gone = why->code == ERR_NOTFOUND || why->code == 0;

	stop(ctx, gone ? 0 : why->code, why->msg);
}

static const struct stream_ops agent_ops = {
	.header = agent_header,
	.frame = agent_frame,
	.drained = agent_drained,
	.closed = agent_closed,
};

/* --- start and end ---------------------------------------------------------
 */
static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stop(arg, 0, "");
}

static int set_up(struct session *s, int agent_fd, struct err *err)
{
	int r;

	s->base = event_base_new();
	if (!s->base) {
		(void)close(agent_fd);
		return err_set(err, ERR_NOMEM, "event loop");
	}
	r = stream_new(s->base, agent_fd, NULL, &agent_ops, s, AGENT_QUEUE_MAX,
		       &s->agent, err);
	if (r < 0)
		return r;
	s->dial_timer = event_new(s->base, -1, 0, on_dial, s);
	s->renew_timer = event_new(s->base, -1, 0, on_renew, s);
	s->pace_timer = event_new(s->base, -1, 0, on_pace, s);
	s->signals[0] = evsignal_new(s->base, SIGTERM, on_signal, s);
	s->signals[1] = evsignal_new(s->base, SIGINT, on_signal, s);
	if (!s->dial_timer || !s->renew_timer || !s->pace_timer ||
	    !s->signals[0] || !s->signals[1] ||
	    event_add(s->signals[0], NULL) < 0 ||
	    event_add(s->signals[1], NULL) < 0)
		return err_set(err, ERR_NOMEM, "events");
	return tls_client_new(s->store.key, s->store.leaf, s->store.ca, &s->tls,
			      err);
}

static void tear_down(struct session *s)
{
	struct event *events[] = {s->dial_timer, s->renew_timer, s->pace_timer,
				  s->signals[0], s->signals[1]};

	stream_free(s->manager);
	stream_free(s->agent);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i])
			event_free(events[i]);
	if (s->base)
		event_base_free(s->base);
	tls_free(s->tls);
	EVP_PKEY_free(s->next_key);
	store_release(&s->store);
}

int session_run(int dirfd, int agent_fd, struct store *store, struct err *err)
{
	struct session s = {.dirfd = dirfd,
			    .store = *store,
			    .backoff_ms = SESSION_BACKOFF_MIN_MS};
	int r;

	*store = (struct store){.key = NULL};
	r = set_up(&s, agent_fd, err);
	if (r == 0) {
		arm(s.dial_timer, 0);
		plan_renewal(&s);
		if (event_base_dispatch(s.base) < 0)
			r = err_set(err, ERR_SYS, "event loop");
		else if (s.end.code)
			r = err_set(err, s.end.code, "%s", s.end.msg);
	}
	tear_down(&s);
	return r;
}

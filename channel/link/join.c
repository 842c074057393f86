/*
 * join.c - asking to become a host.  See join.h.
 *
 * The order of the checks is the promise of the token: the CA's digest before
 * the secret leaves this machine, the trust root's digest before anything is
 * kept, the certificate's name and key before it is called joined.
 */
#include "channel/link/join.h"

#include "channel/address.h"
#include "channel/frame.h"
#include "channel/link/store.h"
#include "channel/stream.h"
#include "channel/tls.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/text.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

enum { CONNECT_S = 10, QUEUE_MAX_BYTES = 65536, REPLY_MAX_BYTES = 2 << 20 };

struct join {
	const Channel__JoinToken *token;
	struct event_base *base;
	struct event *timer;
	struct stream *stream;
	struct tls_peer peer;
	struct frame_gate gate;
	const struct frame_type *type;
	EVP_PKEY *key;
	Channel__JoinReply *reply;
	bool told_pending;
	struct err why; /* code 0 when reply is final */
};

static void done(struct join *j, const struct err *why)
{
	j->why = *why;
	(void)event_base_loopbreak(j->base);
}

static int on_ready(void *ctx, struct err *err)
{
	Channel__JoinRequest req;
	char version[] = RECONCILE_VERSION;
	struct join *j = ctx;
	struct buf csr, packed;
	int r;

	channel__join_request__init(&req);
	buf_init(&csr, IDENTITY_CSR_MAX);
	buf_init(&packed, QUEUE_MAX_BYTES);
	(void)event_del(j->timer);
	r = identity_csr_new(j->key, &csr, err);
	if (r < 0)
		goto out;
	req.token_id = j->token->id;
	req.token_secret = j->token->secret;
	req.host = j->token->host;
	req.version = version;
	req.csr_der.data = (uint8_t *)csr.data;
	req.csr_der.len = csr.len;
	r = shape_pack(&req.base, &packed, err);
	if (r == 0)
		r = stream_send(j->stream, CHANNEL__MSG_TYPE__MSG_JOIN_REQUEST,
				packed.data, packed.len, err);
out:
	buf_release(&csr);
	identity_wipe(&packed);
	return r;
}

static int on_header(void *ctx, const uint8_t *header, uint32_t *out_len,
		     struct err *err)
{
	struct join *j = ctx;

	return frame_gate_header(&j->gate, header, clock_boot_ms(), &j->type,
				 out_len, err);
}

static int on_frame(void *ctx, uint16_t type, const uint8_t *payload,
		    size_t len, struct err *err)
{
	static const struct err none = {0};
	Channel__JoinReply *reply;
	struct join *j = ctx;
	struct buf packed;
	int r;

	(void)type;
	buf_init(&packed, REPLY_MAX_BYTES);
	r = frame_gate_payload(&j->gate, j->type, payload, len, &packed, err);
	if (r < 0)
		goto out;
	reply = channel__join_reply__unpack(NULL, packed.len,
					    (uint8_t *)packed.data);
	if (!reply) {
		r = err_set(err, ERR_NOMEM, "JoinReply");
	} else if (reply->pending) {
		if (!j->told_pending)
			log_line(LOG_LEVEL_INFO, "join.pending",
				 "host=%s reason=\"the manager has not decided "
				 "yet\"",
				 j->token->host);
		j->told_pending = true;
		channel__join_reply__free_unpacked(reply, NULL);
	} else {
		j->reply = reply;
		done(j, &none);
	}
out:
	buf_release(&packed);
	return r;
}

static void on_closed(void *ctx, const struct err *why)
{
	struct join *j = ctx;

	if (!j->reply)
		done(j, why);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct err late;

	(void)fd;
	(void)what;
	err_set(&late, ERR_AGAIN, "no answer in %d s", CONNECT_S);
	done(arg, &late);
}

/* Nobody there is not a refusal: the same token works when the channel is up.
 */
static int no_answer(const struct join *j, struct err *err)
{
	int e = j->why.sys_errno;
	bool away = e == ECONNREFUSED || e == EHOSTUNREACH ||
		    e == ENETUNREACH || e == ETIMEDOUT;
	int code = j->why.code && !away ? j->why.code : ERR_AGAIN;

	return err_set(err, code, "manager %s: %s%s", j->token->manager,
		       j->why.msg,
		       away ? " (reconcile-channel must be up there, or a "
			      "pass that started one)"
			    : "");
}

static const struct stream_ops join_ops = {
	.ready = on_ready,
	.header = on_header,
	.frame = on_frame,
	.closed = on_closed,
};

/* Asks; j->reply is there on success. */
static int ask(struct join *j, struct err *err)
{
	struct timeval tv = {.tv_sec = CONNECT_S};
	struct tls *tls = NULL;
	struct address to;
	SSL *ssl = NULL;
	int fd = -1;
	int r;

	frame_gate_init(&j->gate, FRAME_FROM_MANAGER, FRAME_ASKED);
	r = address_parse(j->token->manager, &to, err);
	if (r == 0)
		r = tls_join_new(j->token->ca_sha256.data, &tls, err);
	if (r < 0)
		goto out;
	j->base = event_base_new();
	j->timer = j->base ? event_new(j->base, -1, 0, on_timer, j) : NULL;
	if (!j->timer || event_add(j->timer, &tv) < 0) {
		r = err_set(err, ERR_NOMEM, "event loop");
		goto out;
	}
	r = address_dial(&to, 0, &fd, err);
	if (r == 0)
		r = tls_session_new(tls, fd, &j->peer, &ssl, err);
	if (r < 0)
		goto out;
	r = stream_new(j->base, fd, ssl, &join_ops, j, QUEUE_MAX_BYTES,
		       &j->stream, err);
	fd = -1;
	if (r == 0) {
		(void)event_base_dispatch(j->base);
		if (!j->reply)
			r = no_answer(j, err);
	}
out:
	if (fd >= 0)
		(void)close(fd);
	stream_free(j->stream);
	if (j->timer)
		event_free(j->timer);
	if (j->base)
		event_base_free(j->base);
	tls_free(tls);
	return r;
}

static int check_trust(const Channel__JoinToken *token,
		       const Channel__JoinReply *reply, struct err *err)
{
	uint8_t digest[HASH_BYTES];

	hash_sha256(reply->trust_root.data, reply->trust_root.len, digest);
#ifndef GUARD_OFF_TRUST_PIN
	if (CRYPTO_memcmp(digest, token->trust_sha256.data, sizeof(digest)) !=
	    0)
		return err_set(err, ERR_TRUST,
			       "hostile manager: the trust root that it sends "
			       "is not the one that the token names");
#else
	(void)token;
	(void)err;
#endif
	return 0;
}

/* The certificate is ours, for the name of the token, under the token's CA. */
static int check_chain(const struct join *j, X509 **out_leaf, X509 **out_ca,
		       struct identity *out, struct err *err)
{
	const Channel__JoinReply *reply = j->reply;
	uint8_t digest[HASH_BYTES];
	struct tls *tls = NULL;
	int r;

	if (reply->n_chain_der != 2)
		return err_set(err, ERR_TRUST,
			       "answer: want 2 certificates, have %zu",
			       reply->n_chain_der);
	hash_sha256(reply->chain_der[1].data, reply->chain_der[1].len, digest);
	if (CRYPTO_memcmp(digest, j->token->ca_sha256.data, sizeof(digest)) !=
	    0)
		return err_set(err, ERR_TRUST,
			       "answer: its CA is not the token's");
	r = identity_cert_read(reply->chain_der[0].data,
			       reply->chain_der[0].len, out_leaf, err);
	if (r == 0)
		r = identity_cert_read(reply->chain_der[1].data,
				       reply->chain_der[1].len, out_ca, err);
	if (r == 0)
		r = tls_client_new(j->key, *out_leaf, *out_ca, &tls, err);
	if (r == 0)
		r = tls_check(tls, *out_leaf, IDENTITY_HOST, out, err);
	if (r == 0 && strcmp(out->name, j->token->host) != 0)
		r = err_set(err, ERR_TRUST,
			    "answer: want a certificate for %s, have %s",
			    j->token->host, out->name);
	tls_free(tls);
	return r;
}

static int refused(const Channel__JoinReply *reply, struct err *err)
{
	char code[80], words[512];

	return err_set(err, ERR_DENIED, "the manager refuses: %s %s",
		       text_safe(code, sizeof(code), reply->error_code,
				 strlen(reply->error_code)),
		       text_safe(words, sizeof(words), reply->error,
				 strlen(reply->error)));
}

int join_run(const Channel__JoinToken *token, int dirfd,
	     struct join_result *out, struct err *err)
{
	struct join j = {.token = token};
	X509 *leaf = NULL, *ca = NULL;
	struct identity id;
	int r;

	r = store_join_key(dirfd, &j.key, err);
	if (r == 0)
		r = ask(&j, err);
	if (r == 0 && (j.reply->error_code[0] || j.reply->error[0]))
		r = refused(j.reply, err);
	if (r == 0)
		r = check_trust(token, j.reply, err);
	if (r == 0)
		r = check_chain(&j, &leaf, &ca, &id, err);
	if (r == 0)
		r = store_join_write(dirfd, j.reply, leaf, ca, token->manager,
				     err);
	if (r == 0) {
		out->reply = j.reply;
		out->not_after = id.not_after;
		memcpy(out->host, id.name, sizeof(out->host));
		j.reply = NULL;
	}
	X509_free(leaf);
	X509_free(ca);
	EVP_PKEY_free(j.key);
	if (j.reply)
		channel__join_reply__free_unpacked(j.reply, NULL);
	return r;
}

void join_result_release(struct join_result *result)
{
	if (result->reply)
		channel__join_reply__free_unpacked(result->reply, NULL);
	result->reply = NULL;
}

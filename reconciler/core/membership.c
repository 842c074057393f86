/*
 * membership.c - see membership.h.  Holds the CA key while it signs and no
 * longer; a token's secret is known here only by its SHA-256.
 */
#include "reconciler/core/membership.h"

#include "audit/key.h"
#include "channel/pki.h"
#include "channel/token.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/text.h"
#include "reconciler/core/address.h"
#include "reconciler/core/audit_log.h"
#include "reconciler/core/authority.h"
#include "reconciler/core/fleet.h"
#include "reconciler/core/record.h"
#include "reconciler/core/siblings.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVER_VALID_S (90 * 86400)
#define CRL_VALID_S (30 * 86400)
#define MAINTAIN_S 86400
#define SECRET_BYTES 16

const char *membership_ca_dir(const struct core_conf *conf, struct arena *a)
{
	return arena_printf(a, "%s/ca", conf->state_dir);
}

const char *membership_channel_dir(const struct core_conf *conf,
				   struct arena *a)
{
	return arena_printf(a, "%s/channel", conf->state_dir);
}

static int64_t now_s(void)
{
	return clock_unix_ms() / 1000;
}

static int open_dir(const char *path, int *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_NOTFOUND,
			       "%s is missing: run `reconcile init` first",
			       path);
	*out = fd;
	return 0;
}

void membership_close(struct authority *a)
{
	pki_free(a->ca);
	if (a->channel_dir >= 0)
		(void)close(a->channel_dir);
	*a = (struct authority){.channel_dir = -1};
}

int membership_open(const struct core_conf *conf, struct authority *out,
		    struct err *err)
{
	struct arena *arena = arena_new(1u << 16);
	int ca_dir = -1;
	int r;

	*out = (struct authority){.channel_dir = -1};
	r = open_dir(membership_ca_dir(conf, arena), &ca_dir, err);
	if (r == 0)
		r = pki_open(ca_dir, &out->ca, err);
	if (r == 0)
		r = open_dir(membership_channel_dir(conf, arena),
			     &out->channel_dir, err);
	if (ca_dir >= 0)
		(void)close(ca_dir);
	arena_free(arena);
	if (r < 0)
		membership_close(out);
	return r;
}

static int init_certificates(const struct core_conf *conf, int ca_dir,
			     int channel_dir, struct err *err)
{
	struct pki *ca = NULL;
	int r = pki_ca_create(ca_dir, conf->repository_id, now_s(), err);

	if (r == 0)
		r = pki_open(ca_dir, &ca, err);
	if (r == 0)
		r = pki_server_issue(ca, channel_dir, now_s(), SERVER_VALID_S,
				     err);
	if (r == 0)
		r = pki_crl_write(ca, channel_dir, NULL, 0, now_s(),
				  CRL_VALID_S, err);
	pki_free(ca);
	return r;
}

int membership_init(const struct core_conf *conf, struct err *err)
{
	struct arena *arena = arena_new(1u << 16);
	int ca_dir = -1;
	int channel_dir = -1;
	int audit_dir = -1;
	int r = file_mkdirs(AT_FDCWD, membership_ca_dir(conf, arena), 0700,
			    &ca_dir, err);

	if (r < 0)
		r = err_wrap(err,
			     "state folder %s (it must belong to the user "
			     "that runs reconcile)",
			     conf->state_dir);
	if (r == 0)
		r = file_mkdirs(AT_FDCWD, membership_channel_dir(conf, arena),
				0700, &channel_dir, err);
	if (r == 0)
		r = init_certificates(conf, ca_dir, channel_dir, err);
	if (r == ERR_CONFLICT)
		r = err_wrap(err, "%s has been set up before", conf->state_dir);
	if (r == 0)
		r = file_mkdirs(AT_FDCWD, audit_log_dir(conf, arena), 0700,
				&audit_dir, err);
	if (r == 0)
		r = audit_key_generate(audit_log_key(conf, arena), err);
	if (ca_dir >= 0)
		(void)close(ca_dir);
	if (channel_dir >= 0)
		(void)close(channel_dir);
	if (audit_dir >= 0)
		(void)close(audit_dir);
	arena_free(arena);
	return r < 0 ? err_wrap(err, "init") : 0;
}

static int write_crl(struct core *c, const struct authority *a, struct err *err)
{
	struct arena *arena = arena_new(16u << 20);
	const char **serials = NULL;
	size_t n = 0;
	int r = state_revoked_list(c->state, now_s(), arena, &serials, &n, err);

	if (r == 0)
		r = pki_crl_write(a->ca, a->channel_dir, serials, n, now_s(),
				  CRL_VALID_S, err);
	arena_free(arena);
	return r;
}

int membership_maintain(struct core *c, struct err *err)
{
	struct arena *arena = arena_new(1u << 16);
	const char *last = NULL;
	struct authority a;
	int64_t then = 0;
	int r = state_get(c->state, "maintained", arena, &last, err);

	if (r == 0 && last != NULL)
		then = strtoll(last, NULL, 10);
	if (r < 0 || (then != 0 && now_s() - then < MAINTAIN_S))
		goto out;
	r = membership_open(c->conf, &a, err);
	if (r < 0)
		goto out;
	if (then != 0) { /* the first time they are those of init */
		r = write_crl(c, &a, err);
		if (r == 0)
			r = pki_server_issue(a.ca, a.channel_dir, now_s(),
					     SERVER_VALID_S, err);
		c->maintained = r == 0;
	}
	if (r == 0)
		r = state_set(c->state, "maintained",
			      arena_printf(arena, "%lld", (long long)now_s()),
			      err);
	membership_close(&a);
out:
	arena_free(arena);
	return r < 0 ? err_wrap(err, "certificates") : 0;
}

static int token_fill(struct core *c, const struct membership_token *want,
		      struct arena *arena, Channel__JoinToken *t,
		      struct err *err)
{
	const unsigned char *root = NULL;
	size_t root_len = 0;
	struct authority a;
	uint8_t *bytes = arena_alloc(arena, 2 * SECRET_BYTES + 2 * HASH_BYTES);
	int r;

	if (RAND_bytes(bytes, 2 * SECRET_BYTES) != 1)
		return err_set(err, ERR_SYS, "no random bytes");
	r = siblings_trust_root(c->conf, arena, &root, &root_len, err);
	if (r < 0)
		return r;
	r = membership_open(c->conf, &a, err);
	if (r < 0)
		return r;
	r = pki_ca_sha256(a.ca, bytes + 2 * SECRET_BYTES, err);
	membership_close(&a);
	hash_sha256(root, root_len, bytes + 2 * SECRET_BYTES + HASH_BYTES);
	t->id.data = bytes;
	t->id.len = SECRET_BYTES;
	t->secret.data = bytes + SECRET_BYTES;
	t->secret.len = SECRET_BYTES;
	t->ca_sha256.data = bytes + 2 * SECRET_BYTES;
	t->ca_sha256.len = HASH_BYTES;
	t->trust_sha256.data = bytes + 2 * SECRET_BYTES + HASH_BYTES;
	t->trust_sha256.len = HASH_BYTES;
	t->host = arena_strdup(arena, want->host);
	t->expires = now_s() + want->ttl_s;
	t->manager = arena_strdup(arena, c->conf->advertise[0] != '\0'
						 ? c->conf->advertise
						 : c->conf->listen);
	return r;
}

static int token_store(struct core *c, const struct membership_token *want,
		       const Channel__JoinToken *t, struct arena *arena,
		       struct err *err)
{
	char id[2 * SECRET_BYTES + 1];
	char digest[HASH_HEX];
	struct state_token s = {
		.id = id,
		.secret_sha256 = digest,
		.host = want->host,
		.expires = t->expires,
		.labels = want->labels,
		.taints = want->taints,
		.n_taints = want->n_taints,
	};
	struct record intent = {
		.type = "host.token",
		.phase = RECORD_FACT,
		.actor = "operator",
		.host = want->host,
		.result = "issued",
		.reason = arena_printf(arena, "valid for %lld s, single use",
				       (long long)want->ttl_s),
	};
	int r;

	encode_hex(id, t->id.data, t->id.len);
	hash_sha256_hex(t->secret.data, t->secret.len, digest);
	intent.change = id;
	r = record_put(c, &intent, 1, err);
	return r < 0 ? r : state_token_put(c->state, &s, err);
}

int membership_token(struct core *c, const struct membership_token *want,
		     struct arena *arena, const char **out, struct err *err)
{
	Channel__JoinToken t;
	struct state_host known;
	struct buf text;
	int r;

	channel__join_token__init(&t);
	if (state_host_get(c->state, want->host, arena, &known, NULL) == 0 &&
	    known.host.state == HOST_REVOKED)
		return err_set(err, ERR_INPUT,
			       "host %s was revoked for good: take another "
			       "name",
			       want->host);
	if (!text_is_dns_label(want->host))
		return err_set(err, ERR_INPUT,
			       "want a host name of lower-case letters, digits "
			       "and '-' (at most 63), have \"%s\"",
			       want->host);
	buf_init(&text, 8192);
	r = token_fill(c, want, arena, &t, err);
	if (r == 0)
		r = token_encode(&t, &text, err);
	if (r == 0)
		r = token_store(c, want, &t, arena, err);
	if (r == 0)
		*out = arena_strdup(arena, text.data);
	if (text.data != NULL)
		OPENSSL_cleanse(text.data, text.len);
	buf_release(&text);
	return r < 0 ? err_wrap(err, "token") : 0;
}

int membership_publish(struct core *c, const struct authority *a,
		       const char *host, const char *reason, struct err *err)
{
	int r = write_crl(c, a, err);

	return r < 0 || c->fleet == NULL ? r : fleet_cut(c, host, reason, err);
}

static int send_chain(struct core *c, const char *host,
		      const struct pki_issued *issued, struct err *err)
{
	Channel__CertReply reply;
	ProtobufCBinaryData chain[2];

	channel__cert_reply__init(&reply);
	chain[0].data = (uint8_t *)issued->leaf_der.data;
	chain[0].len = issued->leaf_der.len;
	chain[1].data = (uint8_t *)issued->ca_der.data;
	chain[1].len = issued->ca_der.len;
	reply.chain_der = chain;
	reply.n_chain_der = 2;
	return fleet_send(c, host, CHANNEL__MSG_TYPE__MSG_CERT_REPLY,
			  &reply.base, err);
}

static int renew_act(struct core *c, struct state_host *full,
		     const Channel__CertRequest *request, struct err *err)
{
	struct authority a = {.channel_dir = -1};
	struct pki_issued issued = {0};
	int r = membership_open(c->conf, &a, err);

	if (r == 0)
		r = pki_host_issue(a.ca, request->csr_der.data,
				   request->csr_der.len, full->host.name,
				   now_s(), c->conf->cert_hours * 3600, &issued,
				   err);
	membership_close(&a);
	if (r < 0)
		return r;
	full->serial = issued.serial;
	full->not_after = issued.not_after;
	r = state_host_put(c->state, full, err);
	if (r == 0)
		r = send_chain(c, full->host.name, &issued, err);
	pki_issued_release(&issued);
	return r;
}

int membership_renew(struct core *c, const char *host,
		     const Channel__CertRequest *request, struct err *err)
{
	struct arena *arena = arena_new(1u << 20);
	struct record_act act;
	struct state_host full;
	int r = state_host_get(c->state, host, arena, &full, err);

#ifndef GUARD_OFF_RENEW_REVOKED
	if (r == 0 && full.host.state == HOST_REVOKED)
		r = err_set(err, ERR_DENIED, "host is revoked");
#endif
	if (r == 0)
		r = record_begin(c, "host.renew", host, NULL, &act, err);
	if (r == 0)
		r = record_end(c, &act, renew_act(c, &full, request, err), err);
	arena_free(arena);
	return r < 0 ? err_wrap(err, "renew %s", host) : 0;
}

static int revoke_store(struct core *c, struct state_host *full,
			struct err *err)
{
	int r = state_begin(c->state, err);

	if (r < 0)
		return r;
	full->host.state = HOST_REVOKED;
	full->host.cordoned = true;
	if (full->serial != NULL)
		r = state_revoked_add(c->state, full->serial, full->not_after,
				      err);
	if (r == 0)
		r = state_token_end(c->state, full->host.name, err);
	if (r == 0)
		r = state_host_put(c->state, full, err);
	if (r == 0)
		r = state_commit(c->state, err);
	if (r < 0)
		state_rollback(c->state);
	return r;
}

static int revoke_act(struct core *c, struct state_host *full, struct err *err)
{
	struct authority a = {.channel_dir = -1};
	int r = revoke_store(c, full, err);

	if (r == 0)
		r = membership_open(c->conf, &a, err);
	if (r == 0)
		r = membership_publish(c, &a, full->host.name, "revoked", err);
	membership_close(&a);
	return r;
}

int membership_revoke(struct core *c, const char *host, const char *reason,
		      struct err *err)
{
	struct arena *arena = arena_new(1u << 20);
	struct record_act act;
	struct state_host full;
	int r = state_host_get(c->state, host, arena, &full, err);

	if (r < 0) {
		arena_free(arena);
		return r; /* the caller tells "no such host" apart */
	}
	r = record_begin(c, "host.revoke", host, reason, &act, err);
	if (r == 0)
		r = record_end(c, &act, revoke_act(c, &full, err), err);
	arena_free(arena);
	return r < 0 ? err_wrap(err, "revoke %s", host) : 0;
}

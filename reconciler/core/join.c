/*
 * join.c - a host asks to become one of ours.  Refused are: a token that is
 * unknown, used, expired or for another name, a wrong secret, a revoked name
 * (threats S01, A76).  Both answers are recorded.
 */
#include "reconciler/core/join.h"

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/hash.h"
#include "lib/text.h"
#include "reconciler/core/address.h"
#include "reconciler/core/audit_log.h"
#include "reconciler/core/authority.h"
#include "reconciler/core/fleet.h"
#include "reconciler/core/record.h"
#include "reconciler/core/siblings.h"
#include "reconciler/core/witness.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>

#define TOKEN_ID_BYTES 16

static int token_check(const struct state_token *t,
		       const Channel__JoinRequest *q, struct err *err)
{
	char digest[HASH_HEX];

	hash_sha256_hex(q->token_secret.data, q->token_secret.len, digest);
	if (strlen(t->secret_sha256) != HASH_HEX - 1 ||
	    CRYPTO_memcmp(digest, t->secret_sha256, HASH_HEX - 1) != 0)
		return err_set(err, ERR_DENIED, "join token is not valid");
#ifndef GUARD_OFF_TOKEN_USED
	if (t->used)
		return err_set(err, ERR_DENIED,
			       "join token was used before: issue a new one");
#endif
#ifndef GUARD_OFF_TOKEN_EXPIRES
	if (t->expires < clock_unix_ms() / 1000)
		return err_set(err, ERR_DENIED,
			       "join token has expired: issue a new one");
#endif
#ifndef GUARD_OFF_TOKEN_HOST
	if (strcmp(t->host, q->host) != 0)
		return err_set(err, ERR_DENIED,
			       "join token is for another host name");
#endif
	return 0;
}

/* Revocation is for good, also against a token issued before it. */
static int revoked_check(struct core *c, const char *host, struct arena *arena,
			 struct err *err)
{
	struct state_host h;
	int r = state_host_get(c->state, host, arena, &h, err);

	if (r == ERR_NOTFOUND)
		return 0;
#ifndef GUARD_OFF_JOIN_REVOKED
	if (r == 0 && h.host.state == HOST_REVOKED)
		r = err_set(err, ERR_DENIED,
			    "this name was revoked: join under another one");
#endif
	return r;
}

static int join_check(struct core *c, const Channel__JoinRequest *q,
		      struct arena *arena, struct state_token *t,
		      struct err *err)
{
	char id[2 * TOKEN_ID_BYTES + 1];
	int r;

	if (q->token_id.len != TOKEN_ID_BYTES || !text_is_dns_label(q->host))
		return err_set(err, ERR_DENIED, "join token is not valid");
	encode_hex(id, q->token_id.data, q->token_id.len);
	r = state_token_get(c->state, id, arena, t, err);
	if (r == ERR_NOTFOUND)
		return err_set(err, ERR_DENIED, "join token is not valid");
	if (r == 0)
		r = token_check(t, q, err);
	if (r == 0)
		r = revoked_check(c, q->host, arena, err);
	return r;
}

/* A host that joins again keeps its pod addresses; its old certificate ends. */
static int join_record(struct core *c, const Channel__JoinRequest *q,
		       const struct state_token *t, struct arena *arena,
		       struct state_host *h, struct err *err)
{
	int r = state_host_get(c->state, q->host, arena, h, err);

	if (r == 0) {
		h->host.epoch = 0;
	} else if (r == ERR_NOTFOUND) {
		*h = (struct state_host){.host = {.name = t->host}};
		r = state_host_block(c->state, &h->cidr_index, err);
	}
	h->host.state = HOST_JOINED;
	h->host.cordoned = false;
	h->host.draining = false;
	h->host.labels = t->labels;
	h->host.taints = t->taints;
	h->host.n_taints = t->n_taints;
	h->joined_ms = clock_unix_ms();
	return r;
}

static Channel__KeyValue *pair(struct arena *arena, const char *key,
			       const char *value)
{
	Channel__KeyValue *kv = arena_alloc(arena, sizeof(*kv));

	channel__key_value__init(kv);
	kv->key = arena_strdup(arena, key);
	kv->value = arena_strdup(arena, value);
	return kv;
}

static void reply_labels(Channel__JoinReply *m, const struct world_host *h,
			 struct arena *arena)
{
	m->labels = arena_calloc(arena, h->labels.n, sizeof(*m->labels));
	for (size_t i = 0; i < h->labels.n; i++)
		m->labels[m->n_labels++] = pair(arena, h->labels.items[i].key,
						h->labels.items[i].value);
	m->taints = arena_calloc(arena, h->n_taints, sizeof(*m->taints));
	for (size_t i = 0; i < h->n_taints; i++)
		m->taints[m->n_taints++] =
			pair(arena, h->taints[i].key,
			     arena_printf(arena, "%s:%s", h->taints[i].value,
					  h->taints[i].effect));
}

static int reply_fill(struct core *c, const struct state_host *h,
		      const struct pki_issued *issued, struct arena *arena,
		      Channel__JoinReply *m, struct err *err)
{
	const unsigned char *root = NULL;
	const char *cidr = NULL;
	const char *vkey = NULL;
	size_t root_len = 0;
	int r = siblings_trust_root(c->conf, arena, &root, &root_len, err);

	if (r == 0)
		r = address_host_block(c->conf->pod_cidr, h->cidr_index, arena,
				       &cidr, err);
	if (r == 0)
		r = audit_log_vkey(c->conf, arena, &vkey, err);
	if (r < 0)
		return r;
	m->chain_der = arena_calloc(arena, 2, sizeof(*m->chain_der));
	m->n_chain_der = 2;
	m->chain_der[0].data = (uint8_t *)issued->leaf_der.data;
	m->chain_der[0].len = issued->leaf_der.len;
	m->chain_der[1].data = (uint8_t *)issued->ca_der.data;
	m->chain_der[1].len = issued->ca_der.len;
	m->trust_root.data = arena_memdup(arena, root, root_len);
	m->trust_root.len = root_len;
	m->pod_cidr = arena_strdup(arena, cidr);
	m->service_cidr = arena_strdup(arena, c->conf->service_cidr);
	m->audit_key.data = arena_memdup(arena, vkey, strlen(vkey));
	m->audit_key.len = strlen(vkey);
	reply_labels(m, &h->host, arena);
	return 0;
}

static int join_store(struct core *c, const struct state_token *t,
		      const struct state_host *h, const char *old_serial,
		      int64_t old_not_after, struct err *err)
{
	int r = state_begin(c->state, err);

	if (r < 0)
		return r;
	r = state_token_use(c->state, t->id, err);
	if (r == 0 && old_serial != NULL)
		r = state_revoked_add(c->state, old_serial, old_not_after, err);
	if (r == 0)
		r = state_host_put(c->state, h, err);
	if (r == 0)
		r = witness_forget(c, h->host.name, err);
	if (r == 0)
		r = state_commit(c->state, err);
	if (r < 0)
		state_rollback(c->state);
	return r;
}

/* What happens between intent and outcome. */
static int join_act(struct core *c, uint64_t id, const Channel__JoinRequest *q,
		    const struct state_token *t, struct arena *arena,
		    struct err *err)
{
	Channel__JoinReply m;
	struct authority a = {.channel_dir = -1};
	struct state_host h = {0};
	struct pki_issued issued = {0};
	const char *old_serial = NULL;
	int64_t old_not_after = 0;
	int r = membership_open(c->conf, &a, err);

	channel__join_reply__init(&m);
	if (r == 0)
		r = join_record(c, q, t, arena, &h, err);
	old_serial = h.serial;
	old_not_after = h.not_after;
	if (r == 0)
		r = pki_host_issue(a.ca, q->csr_der.data, q->csr_der.len,
				   q->host, clock_unix_ms() / 1000,
				   c->conf->cert_hours * 3600, &issued, err);
	if (r < 0)
		goto out;
	h.serial = issued.serial;
	h.not_after = issued.not_after;
	r = reply_fill(c, &h, &issued, arena, &m, err);
	if (r == 0)
		r = join_store(c, t, &h, old_serial, old_not_after, err);
	if (r == 0 && old_serial != NULL)
		r = membership_publish(c, &a, q->host, "joined again", err);
	if (r == 0)
		r = fleet_answer_join(c, id, &m, err);
out:
	pki_issued_release(&issued);
	membership_close(&a);
	return r;
}

static int join_admit(struct core *c, uint64_t id,
		      const Channel__JoinRequest *q,
		      const struct state_token *t, struct arena *arena,
		      struct err *err)
{
	struct record_act act;
	int r = record_begin(c, "host.join", t->host, "join token accepted",
			     &act, err);

	return r < 0 ? r
		     : record_end(c, &act, join_act(c, id, q, t, arena, err),
				  err);
}

static int join_refuse(struct core *c, uint64_t id, const char *host,
		       const char *address, const struct err *why,
		       struct err *err)
{
	Channel__JoinReply m;
	char code[32];
	char text[ERR_MSG_BYTES];
	int r;

	channel__join_reply__init(&m);
	(void)snprintf(code, sizeof(code), "%s", err_name(why->code));
	(void)snprintf(text, sizeof(text), "%s", why->msg);
	m.error_code = code;
	m.error = text;
	r = record_fact(c, "host.join", address, host, "refused", why->msg,
			err);
	core_say(c, "host %s (%s) may not join: %s", host, address, why->msg);
	return r < 0 ? r : fleet_answer_join(c, id, &m, err);
}

int join_request(struct core *c, uint64_t id, const void *request, size_t len,
		 const char *address, struct err *err)
{
	Channel__JoinRequest *q =
		channel__join_request__unpack(NULL, len, request);
	struct arena *arena = arena_new(64u << 20);
	struct state_token t;
	struct err why = {0};
	char safe[128];
	int r;

	if (q == NULL) {
		arena_free(arena);
		return err_set(err, ERR_PROTO, "join request");
	}
	(void)text_safe(safe, sizeof(safe), q->host, strlen(q->host));
	r = join_check(c, q, arena, &t, &why);
	if (r == 0)
		r = join_admit(c, id, q, &t, arena, &why);
	if (r == 0)
		core_say(c, "host %s joined from %s", safe, address);
	else if (why.code == ERR_AUDIT)
		*err = why;
	else
		r = join_refuse(c, id, safe, address, &why, err);
	channel__join_request__free_unpacked(q, NULL);
	arena_free(arena);
	return r < 0 ? err_wrap(err, "join") : 0;
}

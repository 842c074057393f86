/* memo.c - see memo.h.  Times and restart counts are no inputs of the plan. */
#include "reconciler/core/memo.h"

#include "lib/encode.h"
#include "reconciler/core/siblings.h"

#include <string.h>

static void add_text(struct hash *h, const char *s)
{
	if (s != NULL)
		hash_add(h, s, strlen(s));
	hash_add(h, s == NULL ? "\1" : "\0", 1);
}

static void add_number(struct hash *h, int64_t v)
{
	hash_add(h, &v, sizeof(v));
}

static void add_host(struct hash *h, const struct world_host *host)
{
	add_text(h, host->name);
	add_number(h, host->state);
	add_number(h, host->cordoned);
	add_number(h, host->draining);
	add_number(h, (int64_t)host->epoch);
	add_text(h, host->accepted_commit);
	add_text(h, host->last_refusal);
	add_number(h, host->cpu_m);
	add_number(h, host->memory);
	add_number(h, host->pods_max);
	for (size_t i = 0; i < host->labels.n; i++) {
		add_text(h, host->labels.items[i].key);
		add_text(h, host->labels.items[i].value);
	}
	add_number(h, (int64_t)host->n_taints);
	for (size_t i = 0; i < host->n_taints; i++) {
		add_text(h, host->taints[i].key);
		add_text(h, host->taints[i].value);
		add_text(h, host->taints[i].effect);
	}
}

static void add_pod(struct hash *h, const struct world_pod *p)
{
	add_text(h, p->uid);
	add_text(h, p->host);
	add_text(h, p->template_hash);
	add_number(h, p->assigned);
	add_number(h, p->phase);
	add_number(h, p->ready);
}

static void add_world(struct hash *h, const struct core *c,
		      const struct world *w)
{
	add_text(h, w->applied_commit);
	add_text(h, c->conf->pod_cidr);
	add_text(h, c->conf->service_cidr);
	for (size_t i = 0; i < w->n_hosts; i++)
		add_host(h, &w->hosts[i]);
	for (size_t i = 0; i < w->n_pods; i++)
		add_pod(h, &w->pods[i]);
}

static void end(struct hash *h, char out[HASH_HEX])
{
	uint8_t digest[HASH_BYTES];

	hash_end(h, digest);
	hash_free(h);
	encode_hex(out, digest, HASH_BYTES);
}

void memo_world(const struct core *c, const struct world *w, char out[HASH_HEX])
{
	struct hash *h = hash_new();

	add_world(h, c, w);
	end(h, out);
}

int memo_digest(struct core *c, const char *commit, const struct world *w,
		struct arena *arena, char out[HASH_HEX], struct err *err)
{
	const unsigned char *root = NULL;
	struct hash *h;
	size_t len = 0;
	int r = siblings_trust_root(c->conf, arena, &root, &len, err);

	if (r < 0)
		return r;
	h = hash_new();
	add_text(h, RECONCILE_VERSION);
	add_text(h, commit);
	hash_add(h, root, len);
	add_world(h, c, w);
	end(h, out);
	return 0;
}

int memo_matches(struct core *c, const char *digest, struct arena *arena,
		 bool *out, struct err *err)
{
	const char *stored = NULL;
	int r = state_get(c->state, "converged", arena, &stored, err);

	if (r == 0)
		*out = stored != NULL && strcmp(stored, digest) == 0;
	return r;
}

int memo_store(struct core *c, const char *digest, struct err *err)
{
	return state_set(c->state, "converged", digest, err);
}

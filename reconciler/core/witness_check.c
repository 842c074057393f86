/*
 * witness_check.c - see witness_check.h.  Runs in `reconcile audit verify`; the
 * log may be anything, the store is ours.  Each different checkpoint is held
 * against the log once, however many hosts cosigned it.
 */
#include "reconciler/core/witness_check.h"

#include "audit/checkpoint.h"
#include "audit/verify.h"
#include "audit/witness.h"
#include "reconciler/core/witness.h"

#include <string.h>

struct one {
	const char *host;
	const char *note; /* with the host's line */
	struct audit_checkpoint cp;
	struct audit_vkey key;
	bool known, cosigned;
};

struct check {
	struct arena *arena;
	struct audit_vkey log;
	struct one *items; /* hosts that ever cosigned, or have a key */
	size_t n;
};

static int get(struct state *s, const char *name, struct arena *arena,
	       const char **out, struct err *err)
{
	const char *value = NULL;
	int r = state_get(s, name, arena, &value, err);

	*out = value != NULL ? value : "";
	return r;
}

static int load(struct check *k, struct state *s, const struct world_host *h,
		struct err *err)
{
	struct one *o = &k->items[k->n];
	const char *key = NULL;
	size_t n = 0;
	int r = get(s, witness_name(h->name, k->arena), k->arena, &o->note,
		    err);

	if (r == 0)
		r = get(s, witness_key_name(h->name, k->arena), k->arena, &key,
			err);
	if (r < 0 || (o->note[0] == '\0' && key[0] == '\0'))
		return r;
	o->host = h->name;
	o->known = h->state != HOST_REVOKED &&
		   audit_key_parse(key, &o->key, NULL) == 0;
	k->n++;
	if (o->note[0] == '\0')
		return 0;
	r = audit_checkpoint_open(o->note, &k->log, &o->cp, err);
	if (r < 0)
		return err_set(err, ERR_AUDIT,
			       "host %s cosigned a checkpoint of another key "
			       "than this log's",
			       o->host);
	o->cosigned = o->known &&
		      audit_witness_count(o->note, &k->log, &o->key, 1, &n,
					  NULL) == 0 &&
		      n == 1;
	return 0;
}

static bool same(const struct audit_checkpoint *a,
		 const struct audit_checkpoint *b)
{
	return a->size == b->size &&
	       memcmp(a->root, b->root, sizeof(a->root)) == 0;
}

/* The first of its kind is compared with the log. */
static int compare(const struct check *k, size_t i, int dirfd, const char *vkey,
		   struct err *err)
{
	const struct one *o = &k->items[i];
	struct audit_verdict v = {0};
	struct err why = {0};
	int r;

	for (size_t j = 0; j < i; j++)
		if (same(&k->items[j].cp, &o->cp))
			return 0;
	r = audit_verify_log(dirfd, vkey, o->note, &v, &why);
	if (r == ERR_AUDIT)
		return err_set(err, r,
			       "host %s cosigned %llu entries, which this log "
			       "does not extend: %.600s",
			       o->host, (unsigned long long)o->cp.size,
			       why.msg);
	if (r < 0)
		*err = why;
	return r;
}

/* Two hosts that show the same key are one witness. */
static bool key_counted(const struct check *k, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (k->items[j].cosigned &&
		    same(&k->items[j].cp, &k->items[i].cp) &&
		    memcmp(k->items[j].key.pub, k->items[i].key.pub,
			   AUDIT_KEY_BYTES) == 0)
			return true;
	return false;
}

static void tally(const struct check *k, struct witness_tally *out)
{
	*out = (struct witness_tally){0};
	for (size_t i = 0; i < k->n; i++) {
		const struct one *o = &k->items[i];

		out->known += o->known ? 1 : 0;
		if (o->cosigned && o->cp.size > out->size)
			out->size = o->cp.size;
	}
	for (size_t i = 0; i < k->n; i++)
		if (k->items[i].cosigned && k->items[i].cp.size == out->size &&
		    !key_counted(k, i))
			out->cosigned++;
}

int witness_check(struct state *s, int dirfd, const char *vkey,
		  struct arena *arena, struct witness_tally *out,
		  struct err *err)
{
	struct check k = {.arena = arena};
	struct world world;
	int r = audit_key_parse(vkey, &k.log, err);

	if (r == 0)
		r = state_world(s, arena, &world, err);
	if (r < 0)
		return r;
	k.items = arena_calloc(arena, world.n_hosts + 1, sizeof(*k.items));
	for (size_t i = 0; r == 0 && i < world.n_hosts; i++)
		r = load(&k, s, &world.hosts[i], err);
	for (size_t i = 0; r == 0 && i < k.n; i++)
		if (k.items[i].note[0] != '\0')
			r = compare(&k, i, dirfd, vkey, err);
	if (r == 0)
		tally(&k, out);
	return r;
}

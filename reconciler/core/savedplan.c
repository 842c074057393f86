/* savedplan.c - see savedplan.h. */
#include "reconciler/core/savedplan.h"

#include "lib/hash.h"
#include "lib/json.h"
#include "lib/text.h"
#include "reconciler/core/memo.h"

#include <string.h>

#define PLAN_MAX ((size_t)256 << 20)
#define SNAPSHOT_MAX ((size_t)256 << 20)
#define JSON_DEPTH 16
#define SCHEMA "reconcile.saved-plan/v1"
#define DIGEST_LEAD ",\"digest\":\"sha256:"

/* Members in the order in which a difference is told, and how. */
static const struct {
	const char *key, *words;
} members[] = {
	{"version", "another version of reconcile wrote it"},
	{"head", "the branch has moved"},
	{"commit", "another commit is in force"},
	{"accepted", "another commit was accepted meanwhile"},
	{"trustRoot", "the trust root has changed"},
	{"policy", "the policy has changed"},
	{"manifests", "the manifests have changed"},
	{"hosts", "a host has joined, left or changed its state"},
	{"world", "hosts or pods are not as they were"},
	{"plan", "what would be done has changed"},
};

static void put_digest(struct jsonw *j, const char *key, const void *bytes,
		       size_t len, struct arena *arena)
{
	char hex[HASH_HEX];

	hash_sha256_hex(bytes, len, hex);
	jsonw_kstr(j, key, arena_printf(arena, "sha256:%s", hex));
}

/* Of the policy alone, or with the manifests; never of which commit they are
 * in. */
static int put_snapshot(struct jsonw *j, const char *key,
			const struct snapshot *want, bool objects,
			struct arena *arena, struct err *err)
{
	struct snapshot s = *want;
	struct buf b;
	int r;

	s.commit = s.signer = "";
	s.commit_time = 0;
	if (!objects)
		s.objects = (struct objects){0};
	buf_init(&b, SNAPSHOT_MAX);
	r = snapshot_encode(&s, &b, err);
	if (r == 0)
		put_digest(j, key, b.data, b.len, arena);
	buf_release(&b);
	return r;
}

static void put_hosts(struct jsonw *j, const struct world *w)
{
	static const char *const states[HOST_STATE_COUNT] = {
		"requested", "joined", "ready", "lost", "revoked"};

	jsonw_key(j, "hosts");
	jsonw_arr(j);
	for (size_t i = 0; i < w->n_hosts; i++) {
		jsonw_obj(j);
		jsonw_kstr(j, "name", w->hosts[i].name);
		jsonw_kstr(j, "state", states[w->hosts[i].state]);
		jsonw_obj_end(j);
	}
	jsonw_arr_end(j);
}

static int put_plan(struct jsonw *j, const struct pass_result *p,
		    struct err *err)
{
	struct buf b;
	int r;

	buf_init(&b, PLAN_MAX);
	r = plan_render_json(&p->plan, &p->target.want, &p->world, &p->diags,
			     &b, err);
	while (r == 0 && b.len > 0 && b.data[b.len - 1] == '\n')
		b.len--;
	if (r == 0) {
		jsonw_key(j, "plan");
		jsonw_raw(j, b.data, b.len);
	}
	buf_release(&b);
	return r;
}

static int put_rest(struct core *c, const struct pass_result *p,
		    struct jsonw *j, struct arena *arena, struct err *err)
{
	const struct pass_target *t = &p->target;
	const unsigned char *root = NULL;
	char world[HASH_HEX];
	size_t len = 0;
	int r = siblings_trust_root(c->conf, arena, &root, &len, err);

	if (r < 0)
		return r;
	put_digest(j, "trustRoot", root, len, arena);
	r = put_snapshot(j, "policy", &t->want, false, arena, err);
	if (r == 0)
		r = put_snapshot(j, "manifests", &t->want, true, arena, err);
	if (r < 0)
		return r;
	put_hosts(j, &p->world);
	memo_world(c, &p->world, world);
	jsonw_kstr(j, "world", arena_printf(arena, "sha256:%s", world));
	return put_plan(j, p, err);
}

int savedplan_write(struct core *c, const struct pass_result *p,
		    struct arena *arena, struct buf *out, struct err *err)
{
	const struct pass_target *t = &p->target;
	char hex[HASH_HEX];
	struct jsonw j;
	int r;

	jsonw_init(&j, out);
	jsonw_obj(&j);
	jsonw_kstr(&j, "schema", SCHEMA);
	jsonw_kstr(&j, "version", RECONCILE_VERSION);
	jsonw_kstr(&j, "head", t->head);
	jsonw_kstr(&j, "commit", t->commit);
	jsonw_kstr(&j, "accepted", t->accepted == NULL ? "" : t->accepted);
	r = put_rest(c, p, &j, arena, err);
	if (r == 0)
		r = buf_check(out, err);
	if (r < 0)
		return r;
	hash_sha256_hex(out->data, out->len, hex);
	jsonw_kstr(&j, "digest", arena_printf(arena, "sha256:%s", hex));
	jsonw_obj_end(&j);
	buf_putc(out, '\n');
	return buf_check(out, err);
}

/* Says that it was edited where that is so, instead of what an edited member
 * makes it look like.  Whoever edits with care is told the member. */
static bool is_whole(const struct buf *b)
{
	size_t tail = strlen(DIGEST_LEAD) + HASH_HEX - 1 + strlen("\"}\n");
	char hex[HASH_HEX];
	size_t at;

	if (b->len < tail)
		return false;
	at = b->len - tail;
	hash_sha256_hex(b->data, at, hex);
	return memcmp(b->data + at, DIGEST_LEAD, strlen(DIGEST_LEAD)) == 0 &&
	       memcmp(b->data + at + strlen(DIGEST_LEAD), hex, HASH_HEX - 1) ==
		       0;
}

static const char *shown(const json_t *v, struct arena *arena)
{
	const char *text = json_string_value(v);
	char safe[100];

	if (text == NULL)
		return "";
	return arena_printf(arena, " (%s)",
			    text_safe(safe, sizeof(safe), text, strlen(text)));
}

static const char *difference(const json_t *saved, const json_t *now,
			      struct arena *arena)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const json_t *a = json_object_get(saved, members[i].key);
		const json_t *b = json_object_get(now, members[i].key);

		if (a == NULL || !json_equal(a, b))
			return arena_printf(arena, "%s%s", members[i].words,
					    shown(b, arena));
	}
	return "the file was edited";
}

int savedplan_compare(const struct buf *saved, const struct buf *now,
		      struct arena *arena, const char **out_why,
		      struct err *err)
{
	json_t *a = NULL;
	json_t *b = NULL;
	const char *schema = NULL;
	int r;

	*out_why = NULL;
	if (saved->len == now->len &&
	    memcmp(saved->data, now->data, now->len) == 0)
		return 0;
	r = json_read(saved->data, saved->len, PLAN_MAX, JSON_DEPTH, &a, err);
	if (r == 0)
		schema = json_string_value(json_object_get(a, "schema"));
	if (r == 0 && (schema == NULL || strcmp(schema, SCHEMA) != 0))
		r = err_set(err, ERR_INPUT, "no plan of schema " SCHEMA);
	if (r == 0)
		r = json_read(now->data, now->len, PLAN_MAX, JSON_DEPTH, &b,
			      err);
	if (r == 0)
		*out_why = is_whole(saved) ? difference(a, b, arena)
					   : "the file was edited";
	json_decref(a);
	json_decref(b);
	return r;
}

static bool same(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

const struct plan_change *savedplan_foreign(const struct plan *whole,
					    const struct plan *step)
{
	for (size_t i = 0; i < step->n; i++) {
		const struct plan_change *s = &step->changes[i];
		bool found = false;

		for (size_t k = 0; k < whole->n && !found; k++) {
			const struct plan_change *w = &whole->changes[k];

			found = w->action == s->action && w->kind == s->kind &&
				same(w->namespace, s->namespace) &&
				same(w->name, s->name) &&
				same(w->pod, s->pod) && same(w->host, s->host);
		}
		if (!found)
			return s;
	}
	return NULL;
}

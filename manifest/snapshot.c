/*
 * snapshot.c - the verified state of one commit as bytes between siblings:
 *
 *	reconcile-snapshot/1 LF
 *	{"commit":...,"commitTime":...,"objects":N,"policy":{...},
 *	 "rbac":[{"name":...,"people":[...]},...],"ref":...,"repositoryId":...,
 *	 "signer":...} LF		(rbac: only when roles are in force)
 *	then N times
 *	{"blob":...,"column":...,"hash":...,"line":...,"path":...,
 *	 "signer":...,"template":...} LF
 *	the object's canonical JSON LF
 *
 * Canonical JSON has no raw line feed, so lines frame.  The bytes hold the
 * values of Secrets.  Reader: a sibling's bytes, bounded all the same.
 */
#include "lib/json.h"
#include "lib/num.h"
#include "lib/text.h"
#include "manifest/canon.h"
#include "manifest/form.h"
#include "manifest/kind.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC "reconcile-snapshot/1\n"
#define SCRATCH_BYTES_MAX ((size_t)1 << 30)
#define SCRATCH_RENEW_BYTES ((size_t)1 << 20)
#define OBJECTS_MAX 50000

/* --- writing -------------------------------------------------------------- */

static void put_opt(struct jsonw *w, const char *key, const char *text)
{
	if (text)
		jsonw_kstr(w, key, text);
}

static void put_groups(const struct snapshot *s, struct jsonw *w)
{
	jsonw_key(w, "rbac");
	jsonw_arr(w);
	for (size_t i = 0; i < s->n_groups; i++) {
		jsonw_obj(w);
		jsonw_kstr(w, "name", s->groups[i].name);
		jsonw_key(w, "people");
		jsonw_arr(w);
		for (size_t k = 0; k < s->groups[i].people.n; k++)
			jsonw_str(w, s->groups[i].people.items[k]);
		jsonw_arr_end(w);
		jsonw_obj_end(w);
	}
	jsonw_arr_end(w);
}

static void put_header(const struct snapshot *s, struct buf *out)
{
	struct canon c;

	canon_init(&c, out);
	jsonw_obj(&c.w);
	put_opt(&c.w, "commit", s->commit);
	jsonw_kint(&c.w, "commitTime", s->commit_time);
	jsonw_kint(&c.w, "objects", (int64_t)s->objects.n);
	jsonw_key(&c.w, "policy");
	canon_table(&c, &kind_policy_spec_table, &s->policy);
	if (s->rbac)
		put_groups(s, &c.w);
	put_opt(&c.w, "ref", s->ref);
	put_opt(&c.w, "repositoryId", s->repository_id);
	put_opt(&c.w, "signer", s->signer);
	jsonw_obj_end(&c.w);
	buf_putc(out, '\n');
}

static void put_meta(const struct object *o, struct buf *out)
{
	const struct pod_template *t = manifest_template(o);
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_obj(&w);
	put_opt(&w, "blob", o->blob);
	jsonw_kint(&w, "column", o->pos.column);
	jsonw_kstr(&w, "hash", o->hash);
	jsonw_kint(&w, "line", o->pos.line);
	put_opt(&w, "path", o->pos.path);
	put_opt(&w, "signer", o->signer);
	if (t)
		jsonw_kstr(&w, "template", t->hash);
	jsonw_obj_end(&w);
	buf_putc(out, '\n');
}

static int put_object(const struct object *o, struct arena *tmp_arena,
		      struct buf *tmp, struct buf *out, struct err *err)
{
	struct object made = *o;
	int r = 0;

	/* an object that was made up and not loaded has no text yet */
	if (!made.canonical)
		r = form_finish(&made, tmp_arena, tmp, err);
	if (r < 0)
		return r;
	put_meta(&made, out);
	buf_put(out, made.canonical, made.canonical_len);
	buf_putc(out, '\n');
	return 0;
}

int snapshot_encode(const struct snapshot *s, struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(SCRATCH_BYTES_MAX);
	struct buf tmp;
	int r = 0;

	buf_init(&tmp, FORM_TEXT_BYTES_MAX);
	buf_puts(out, MAGIC);
	put_header(s, out);
	for (size_t i = 0; i < s->objects.n && r == 0; i++)
		r = put_object(&s->objects.items[i], arena, &tmp, out, err);
	if (r == 0)
		r = buf_check(out, err);
	buf_release(&tmp);
	arena_free(arena);
	return r;
}

/* --- reading -------------------------------------------------------------- */

struct reader {
	const char *at, *end;
	struct arena *arena, *scratch;
	struct jsonread *json;
	struct err *err;
};

/* The next line; a copy in the arena that the JSON reader may change. */
static int next_line(struct reader *r, const char **out_raw, char **out,
		     size_t *out_len)
{
	const char *lf = r->at < r->end
				 ? memchr(r->at, '\n', (size_t)(r->end - r->at))
				 : NULL;

	if (!lf)
		return err_set(r->err, ERR_INPUT, "snapshot: cut off");
	*out_len = (size_t)(lf - r->at);
	if (out_raw)
		*out_raw = r->at;
	*out = arena_strndup(r->arena, r->at, *out_len);
	r->at = lf + 1;
	return 0;
}

static int next_json(struct reader *r, const struct node **out)
{
	size_t len;
	char *line;
	int rc = next_line(r, NULL, &line, &len);

	if (rc < 0)
		return rc;
	rc = jsonread_parse(r->json, line, len, r->scratch, out, r->err);
	return rc < 0 ? err_wrap(r->err, "snapshot") : 0;
}

static const char *string_at(const struct node *n, const char *key)
{
	return node_text(node_get(n, key));
}

static int int_at(struct reader *r, const struct node *n, const char *key,
		  int64_t min, int64_t max, int64_t *out)
{
	const char *text = string_at(n, key);

	if (text && num_parse_i64(text, strlen(text), min, max, out))
		return 0;
	return err_set(r->err, ERR_INPUT, "snapshot: want a number in '%s'",
		       key);
}

static int hash_at(struct reader *r, const struct node *n, const char *key,
		   char out[17])
{
	const char *text = string_at(n, key);

	if (!text || !text_is_hex(text, 16))
		return err_set(r->err, ERR_INPUT,
			       "snapshot: want 16 hex digits in '%s'", key);
	memcpy(out, text, 17);
	return 0;
}

static int read_policy(struct reader *r, const struct node *n,
		       struct cluster_policy *out)
{
	struct diags diags;
	struct decode d = {.arena = r->arena, .diags = &diags, .partial = true};

	diags_init(&diags, r->scratch, 8);
	if (!n)
		return err_set(r->err, ERR_INPUT, "snapshot: want a policy");
	decode_table(&d, &kind_policy_spec_table, n, out);
	return diags.n_errors == 0 ? 0 : form_first_error(&diags, r->err);
}

static bool read_group(struct reader *r, const struct node *n,
		       struct trust_role *out)
{
	const struct node *people = node_get(n, "people");

	out->name = string_at(n, "name");
	if (out->name == NULL || people == NULL || people->type != NODE_SEQ)
		return false;
	out->people.items = arena_calloc(r->arena, people->n, sizeof(char *));
	for (uint32_t i = 0; i < people->n; i++) {
		const char *who = node_text(people->items[i]);

		if (who == NULL)
			return false;
		out->people.items[out->people.n++] = who;
	}
	return true;
}

static int read_groups(struct reader *r, const struct node *n,
		       struct snapshot *s)
{
	bool good = true;

	if (n == NULL)
		return 0;
	s->rbac = true;
	if (n->type == NODE_SEQ)
		s->groups = arena_calloc(r->arena, n->n, sizeof(*s->groups));
	else
		good = false;
	for (uint32_t i = 0; good && i < n->n; i++)
		good = read_group(r, n->items[i], &s->groups[s->n_groups++]);
	return good ? 0
		    : err_set(r->err, ERR_INPUT,
			      "snapshot: want groups in 'rbac'");
}

static int read_header(struct reader *r, struct snapshot *s, int64_t *out_n)
{
	const struct node *n = NULL;
	int rc = next_json(r, &n);

	if (rc == 0)
		rc = int_at(r, n, "commitTime", INT64_MIN, INT64_MAX,
			    &s->commit_time);
	if (rc == 0)
		rc = int_at(r, n, "objects", 0, OBJECTS_MAX, out_n);
	if (rc == 0)
		rc = read_policy(r, node_get(n, "policy"), &s->policy);
	if (rc == 0)
		rc = read_groups(r, node_get(n, "rbac"), s);
	if (rc < 0)
		return rc;
	s->commit = string_at(n, "commit");
	s->ref = string_at(n, "ref");
	s->repository_id = string_at(n, "repositoryId");
	s->signer = string_at(n, "signer");
	return 0;
}

static int read_object(struct reader *r, struct object *o)
{
	const struct node *meta = NULL;
	const char *raw, *path;
	int64_t line, column;
	size_t len, offset;
	char *text;
	int rc = next_json(r, &meta);

	if (rc == 0)
		rc = int_at(r, meta, "line", 0, UINT32_MAX, &line);
	if (rc == 0)
		rc = int_at(r, meta, "column", 0, UINT32_MAX, &column);
	if (rc == 0)
		rc = next_line(r, &raw, &text, &len);
	if (rc < 0)
		return rc;
	path = string_at(meta, "path");
	rc = form_decode(r->json, text, len, path, r->arena, r->scratch, o,
			 r->err);
	if (rc < 0)
		return err_wrap(r->err, "snapshot");
	o->pos = (struct manifest_pos){path, (unsigned int)line,
				       (unsigned int)column};
	o->blob = string_at(meta, "blob");
	o->signer = string_at(meta, "signer");
	o->canonical = arena_strndup(r->arena, raw, len);
	o->canonical_len = len;
	rc = hash_at(r, meta, "hash", o->hash);
	if (rc == 0 && kind_template_offset(o->kind, &offset)) {
		struct pod_template *t = (void *)((char *)o + offset);

		rc = hash_at(r, meta, "template", t->hash);
	}
	return rc;
}

static int read_objects(struct reader *r, size_t n, struct objects *out)
{
	int rc = 0;

	/* two lines an object: a count that the bytes cannot hold is refused
	 * before memory is taken for it */
	if (n > (size_t)(r->end - r->at) / 4)
		return err_set(r->err, ERR_INPUT, "snapshot: cut off");
	out->items = arena_calloc(r->arena, n, sizeof(*out->items));
	out->n = n;
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (arena_used(r->scratch) > SCRATCH_RENEW_BYTES) {
			arena_free(r->scratch);
			r->scratch = arena_new(SCRATCH_BYTES_MAX);
		}
		rc = read_object(r, &out->items[i]);
		if (rc == 0 && i > 0 &&
		    form_order(&out->items[i - 1], &out->items[i]) >= 0)
			rc = err_set(r->err, ERR_INPUT,
				     "snapshot: want objects in order of kind, "
				     "namespace and name, each once");
	}
	if (rc == 0 && r->at != r->end)
		rc = err_set(r->err, ERR_INPUT, "snapshot: bytes at the end");
	return rc;
}

int snapshot_decode(const char *bytes, size_t len, struct arena *arena,
		    struct snapshot *out, struct err *err)
{
	struct reader r = {
		.at = bytes, .end = bytes + len, .arena = arena, .err = err};
	struct snapshot s = {0};
	int64_t n = 0;
	int rc;

	if (len < strlen(MAGIC) || memcmp(bytes, MAGIC, strlen(MAGIC)) != 0)
		return err_set(err, ERR_INPUT,
			       "snapshot: want 'reconcile-snapshot/1'");
	r.at += strlen(MAGIC);
	r.scratch = arena_new(SCRATCH_BYTES_MAX);
	r.json = jsonread_new();
	rc = read_header(&r, &s, &n);
	if (rc == 0)
		rc = read_objects(&r, (size_t)n, &s.objects);
	if (rc == 0)
		*out = s;
	jsonread_free(r.json);
	arena_free(r.scratch);
	return rc;
}

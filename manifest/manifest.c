/*
 * manifest.c - the public face: files in, sorted objects and diagnostics out.
 * Runs in reconcile-verify (and in tools); files are hostile.  Pure.
 */
#include "manifest/manifest.h"

#include "manifest/codes.h"
#include "manifest/explain.h"
#include "manifest/form.h"
#include "manifest/kind.h"
#include "manifest/load.h"
#include "manifest/refs.h"

#include <stdlib.h>
#include <string.h>

#define OBJECTS_MAX 50000
#define BYTES_MAX ((size_t)256 << 20)
#define SCRATCH_BYTES_MAX ((size_t)256 << 20)

struct load_run {
	struct arena *arena;
	struct decode decode;
	struct object *items; /* heap until the end */
	size_t n, cap;
	const struct manifest_input *in;
	struct buf tmp;
	struct err *err;
	int failed;
};

static bool grow(struct load_run *run)
{
	size_t cap = run->cap ? run->cap * 2 : 64;
	struct object *items;

	if (run->n < run->cap)
		return true;
	if (run->n >= OBJECTS_MAX) {
		run->failed = err_set(run->err, ERR_LIMIT,
				      "want at most %d objects, have more",
				      OBJECTS_MAX);
		return false;
	}
	items = reallocarray(run->items, cap, sizeof(*items));
	if (!items)
		abort();
	run->items = items;
	run->cap = cap;
	return true;
}

static void on_document(void *arg, const struct node *root)
{
	struct load_run *run = arg;
	struct object *o;

	if (run->failed || !grow(run))
		return;
	o = &run->items[run->n];
	if (!kind_decode(&run->decode, root, o))
		return;
	o->blob = arena_strdup(run->arena, run->in->blob);
	o->signer = arena_strdup(run->arena, run->in->signer);
	if (form_finish(o, run->arena, &run->tmp, run->err) == 0)
		run->n++;
	else
		diags_add(run->decode.diags, codes_id(CODE_SIZE), DIAG_ERROR,
			  o->pos, NULL, "split the object",
			  "want at most 8 MiB in canonical form, have more");
}

static const char *text_of(const char *s)
{
	return s ? s : "";
}

static int by_identity_and_place(const void *pa, const void *pb)
{
	const struct object *a = pa, *b = pb;
	int r = form_order(pa, pb);

	if (r == 0)
		r = strcmp(text_of(a->pos.path), text_of(b->pos.path));
	if (r == 0)
		r = a->pos.line < b->pos.line ? -1 : a->pos.line > b->pos.line;
	return r;
}

/* The second of two equal identities is reported and left out. */
static size_t drop_twins(struct object *items, size_t n, struct diags *diags)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct object *first = kept ? &items[kept - 1] : NULL;

		if (!first || form_order(first, &items[i]) != 0) {
			items[kept++] = items[i];
			continue;
		}
		diags_add(diags, codes_id(CODE_DUPLICATE_OBJECT), DIAG_ERROR,
			  items[i].pos, NULL, "delete one of the two",
			  "%s %s%s%s is defined twice, first in %s:%u:%u",
			  kind_get(first->kind)->name,
			  text_of(first->meta.namespace),
			  first->meta.namespace ? "/" : "", first->meta.name,
			  text_of(first->pos.path), first->pos.line,
			  first->pos.column);
	}
	return kept;
}

static int load_all(struct load_run *run, const struct manifest_input *in,
		    size_t n_in, struct diags *diags)
{
	size_t total = 0;

	for (size_t i = 0; i < n_in && !run->failed; i++) {
		total += in[i].len;
		if (total > BYTES_MAX)
			return err_set(run->err, ERR_LIMIT,
				       "want at most %zu bytes of manifests, "
				       "have more",
				       BYTES_MAX);
		run->in = &in[i];
		run->decode.path = arena_strdup(run->arena, in[i].path);
		run->decode.noise_said = false;
		load_file(&in[i], run->decode.path, run->arena, diags,
			  on_document, run);
	}
	return run->failed;
}

int manifest_load(const struct manifest_input *in, size_t n_in,
		  const char *default_namespace, struct arena *arena,
		  struct diags *diags, struct objects *out, struct err *err)
{
	struct load_run run = {
		.arena = arena,
		.decode = {.arena = arena, .diags = diags},
		.err = err,
	};
	size_t n;
	int r;

	run.decode.default_namespace = arena_strdup(arena, default_namespace);
	buf_init(&run.tmp, FORM_TEXT_BYTES_MAX);
	r = load_all(&run, in, n_in, diags);
	if (r == 0) {
		if (run.n > 0)
			qsort(run.items, run.n, sizeof(*run.items),
			      by_identity_and_place);
		n = drop_twins(run.items, run.n, diags);
		*out = (struct objects){
			arena_memdup(arena, run.items, n * sizeof(*run.items)),
			n};
		diags_sort(diags);
	}
	buf_release(&run.tmp);
	free(run.items);
	return r;
}

int manifest_from_canonical(const char *json, size_t len, struct arena *arena,
			    struct object *out, struct err *err)
{
	struct arena *scratch = arena_new(SCRATCH_BYTES_MAX);
	struct jsonread *reader = jsonread_new();
	struct object o;
	struct buf tmp;
	int r;

	buf_init(&tmp, FORM_TEXT_BYTES_MAX);
	if (len > FORM_TEXT_BYTES_MAX) {
		r = err_set(err, ERR_LIMIT,
			    "canonical object: want at most "
			    "8 MiB, have %zu bytes",
			    len);
		goto out;
	}
	r = form_decode(reader, arena_strndup(arena, json, len), len, NULL,
			arena, scratch, &o, err);
	if (r < 0)
		goto out;
	r = form_finish(&o, arena, &tmp, err);
	if (r < 0)
		goto out;
	/* one object, one text: what is judged is what was hashed */
	if (o.canonical_len != len || memcmp(o.canonical, json, len) != 0) {
		r = err_set(err, ERR_INPUT,
			    "canonical object: want the canonical form, have "
			    "another text of the same object");
		goto out;
	}
	*out = o;
out:
	buf_release(&tmp);
	jsonread_free(reader);
	arena_free(scratch);
	return r;
}

void manifest_check_references(const struct objects *set, struct diags *diags)
{
	refs_check(set, diags);
}

const char *manifest_kind_name(enum manifest_kind kind)
{
	return kind_get(kind)->name;
}

const char *manifest_kind_group(enum manifest_kind kind)
{
	return kind_get(kind)->group;
}

const char *manifest_kind_resource(enum manifest_kind kind)
{
	return kind_get(kind)->resource;
}

int manifest_kind_from_name(const char *name, enum manifest_kind *out)
{
	return kind_find(name, out);
}

const struct object *manifest_find(const struct objects *set,
				   enum manifest_kind kind, const char *ns,
				   const char *name)
{
	struct object want = {.kind = kind,
			      .meta = {.name = name, .namespace = ns}};

	if (set->n == 0)
		return NULL;
	return bsearch(&want, set->items, set->n, sizeof(*set->items),
		       form_order);
}

const struct pod_template *manifest_template(const struct object *o)
{
	size_t offset;

	if (!kind_template_offset(o->kind, &offset))
		return NULL;
	return (const void *)((const char *)o + offset);
}

const char *manifest_label(const struct keyvals *map, const char *key)
{
	size_t lo = 0, hi = map->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int r = strcmp(key, map->items[mid].key);

		if (r == 0)
			return map->items[mid].value;
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

bool manifest_labels_match(const struct keyvals *want,
			   const struct keyvals *labels)
{
	for (size_t i = 0; i < want->n; i++) {
		const char *have = manifest_label(labels, want->items[i].key);

		if (!have || strcmp(have, want->items[i].value) != 0)
			return false;
	}
	return true;
}

static bool expr_matches(const struct selector_expr *e,
			 const struct keyvals *labels)
{
	const char *have = manifest_label(labels, e->key);
	bool in = false;

	for (size_t i = 0; have && i < e->values.n; i++)
		in = in || strcmp(e->values.items[i], have) == 0;
	switch (e->op) {
	case SELECTOR_IN:
		return in;
	case SELECTOR_NOTIN:
		return !in;
	case SELECTOR_EXISTS:
		return have != NULL;
	default:
		return !have;
	}
}

bool manifest_selector_matches(const struct selector *s,
			       const struct keyvals *labels)
{
	for (size_t i = 0; i < s->n_exprs; i++)
		if (s->exprs[i].key && !expr_matches(&s->exprs[i], labels))
			return false;
	return manifest_labels_match(&s->match_labels, labels);
}

int manifest_explain(const char *path, struct buf *out, struct err *err)
{
	return explain_path(path, out, err);
}

int manifest_explain_code(const char *code, struct buf *out, struct err *err)
{
	return explain_code(code, out, err);
}

void manifest_print_mdoc(FILE *out)
{
	explain_mdoc(out);
}

void manifest_print_mdoc_trust(FILE *out)
{
	explain_mdoc_trust(out);
}

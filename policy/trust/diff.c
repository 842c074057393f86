/*
 * diff.c - see diff.h.  Runs in reconcile-verify, sandboxed; both trees are
 * hostile: depth, paths and memory are limited, so that a tree that names one
 * folder a thousand times costs what the limits say.
 */
#include "policy/trust/diff.h"

#include <stdlib.h>
#include <string.h>

struct list { /* the entries of one folder, in order */
	struct tree_entry *items;
	size_t n;
	const char *bytes;
	size_t len;
};

struct work {
	const struct diff_source *src;
	struct arena *arena;
	struct diff *out;
	size_t cap;
	bool renamed; /* a path is no longer where git's order has it */
	struct verdict *v;
};

/* One folder on both sides; NULL: not there. */
struct pair {
	const struct commit_id *before, *after;
	const char *path; /* "" or with a slash at its end */
	unsigned int depth;
};

static int limit(struct work *w, const char *what, size_t max)
{
	return verdict_fail(w->v, TCODE_TREE_LIMIT,
			    "want at most %zu %s between two commits", max,
			    what);
}

static int too_much(struct work *w)
{
	return limit(w, "MiB of folders", DIFF_MEMORY_MAX >> 20);
}

static int on_entry(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	struct list *l = ctx;

	(void)v;
	l->items[l->n++] = *e;
	return 0;
}

static int read_folder(struct work *w, const struct commit_id *id,
		       struct list *out)
{
	const char *bytes = NULL;
	size_t len = 0;
	int r;

	*out = (struct list){0};
	if (id == NULL)
		return 0;
	r = w->src->read(w->src->ctx, id, &bytes, &len, w->v);
	if (r < 0 || len == 0)
		return r;
	if (arena_used(w->arena) > DIFF_MEMORY_MAX)
		return too_much(w);
	out->items =
		arena_calloc(w->arena, len / 28 + 1, sizeof(out->items[0]));
	out->bytes = arena_memdup(w->arena, bytes, len);
	out->len = len;
	return tree_each(out->bytes, len, false, on_entry, out, w->v);
}

static int add(struct work *w, const char *path, const struct tree_entry *a,
	       const struct tree_entry *b)
{
	struct diff_change *items = w->out->items;
	struct diff_change *c;

	if (w->out->n == DIFF_PATHS_MAX)
		return limit(w, "paths", DIFF_PATHS_MAX);
	if (w->out->n == w->cap) {
		w->cap = w->cap == 0 ? 16 : w->cap * 2;
		w->out->items =
			arena_calloc(w->arena, w->cap, sizeof(items[0]));
		if (w->out->n > 0)
			memcpy(w->out->items, items,
			       w->out->n * sizeof(items[0]));
	}
	c = &w->out->items[w->out->n++];
	c->path = path;
	if (a != NULL) {
		c->before = a->mode;
		c->before_id = a->id;
	}
	if (b != NULL) {
		c->after = b->mode;
		c->after_id = b->id;
	}
	return 0;
}

static char *path_of(struct work *w, const struct pair *p,
		     const struct tree_entry *e)
{
	size_t dir = strlen(p->path);
	char *path =
		arena_printf(w->arena, "%s%.*s%s", p->path, (int)e->name.len,
			     e->name.at, e->mode == TREE_DIR ? "/" : "");

	for (size_t i = 0; i < e->name.len; i++)
		if (path[dir + i] == '/') {
			path[dir + i] = '\\';
			w->renamed = true;
		}
	return path;
}

static int walk(struct work *w, const struct pair *p);

/* The same name and kind on both sides, or on one of them. */
static int take(struct work *w, const struct pair *p,
		const struct tree_entry *a, const struct tree_entry *b)
{
	const struct tree_entry *e = b != NULL ? b : a;
	struct pair below = {.depth = p->depth + 1};

	if (a != NULL && b != NULL && a->mode == b->mode &&
	    commit_id_equal(&a->id, &b->id))
		return 0;
	if (arena_used(w->arena) > DIFF_MEMORY_MAX)
		return too_much(w);
	below.path = path_of(w, p, e);
	if (e->mode != TREE_DIR)
		return add(w, below.path, a, b);
	if (below.depth > DIFF_DEPTH_MAX)
		return limit(w, "folders deep", DIFF_DEPTH_MAX);
	below.before = a != NULL ? &a->id : NULL;
	below.after = b != NULL ? &b->id : NULL;
	return walk(w, &below);
}

/* git's order: bytes, a folder counting as if it ended in a slash. */
static int order(const struct tree_entry *a, const struct tree_entry *b)
{
	return a == NULL ? 1 : b == NULL ? -1 : tree_compare(a, b);
}

/* Is there a name that was not there before? */
static bool brings_names(const struct list *before, const struct list *after)
{
	size_t i = 0;

	for (size_t k = 0; k < after->n; k++, i++) {
		while (i < before->n &&
		       tree_compare(&before->items[i], &after->items[k]) < 0)
			i++;
		if (i == before->n ||
		    tree_compare(&before->items[i], &after->items[k]) != 0)
			return true;
	}
	return false;
}

static int on_nothing(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	(void)ctx;
	(void)e;
	(void)v;
	return 0;
}

/* A folder without entries has no path below it that a rule could decide. */
static int add_empty(struct work *w, const struct pair *p,
		     const struct list *before, const struct list *after)
{
	struct tree_entry none = {.mode = TREE_DIR};
	bool gone = p->before != NULL && before->n == 0;
	bool came = p->after != NULL && after->n == 0;

	if (*p->path == '\0' || (!gone && !came))
		return 0;
	return add(w, p->path, gone ? &none : NULL, came ? &none : NULL);
}

static int walk(struct work *w, const struct pair *p)
{
	struct list before;
	struct list after;
	size_t i = 0;
	size_t k = 0;
	int r;

	r = read_folder(w, p->before, &before);
	if (r == 0)
		r = read_folder(w, p->after, &after);
	if (r == 0 && brings_names(&before, &after))
		r = tree_each(after.bytes, after.len, true, on_nothing, NULL,
			      w->v);
	if (r == 0)
		r = add_empty(w, p, &before, &after);
	while (r == 0 && (i < before.n || k < after.n)) {
		const struct tree_entry *a =
			i < before.n ? &before.items[i] : NULL;
		const struct tree_entry *b =
			k < after.n ? &after.items[k] : NULL;
		int c = order(a, b);

		i += c <= 0;
		k += c >= 0;
		r = take(w, p, c <= 0 ? a : NULL, c >= 0 ? b : NULL);
	}
	return r;
}

static int by_path(const void *a, const void *b)
{
	const struct diff_change *x = a;
	const struct diff_change *y = b;

	return strcmp(x->path, y->path);
}

int diff_trees(const struct diff_source *src, const struct commit_id *before,
	       const struct commit_id *after, struct arena *arena,
	       struct diff *out, struct verdict *v)
{
	struct diff d = {0};
	struct work w = {.src = src, .arena = arena, .out = &d, .v = v};
	struct pair top = {before, after, "", 0};
	int r = 0;

	if (before == NULL || after == NULL || !commit_id_equal(before, after))
		r = walk(&w, &top);
	if (r == 0 && w.renamed)
		qsort(d.items, d.n, sizeof(d.items[0]), by_path);
	if (r == 0)
		*out = d;
	return r;
}

const struct diff_change *diff_find(const struct diff *d, const char *path)
{
	struct diff_change key = {.path = path};

	return d->n == 0 ? NULL
			 : bsearch(&key, d->items, d->n, sizeof(key), by_path);
}

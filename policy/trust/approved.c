/*
 * approved.c - see approved.h.  Runs in reconcile-verify, sandboxed; the files
 * are whatever somebody committed.
 */
#include "policy/trust/approved.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

struct gather {
	const struct approved_ask *ask;
	struct arena *arena;
	struct approved *out;
	int64_t when; /* of the commit whose approvals are read */
	/* the tree whose folder is read, and its files */
	struct approved_tree *tree;
	struct found {
		struct commit_id id;
		const char *name;
		struct found *next;
	} * files;
	struct approved_tree **folders; /* that this commit has anew */
	size_t n_folders;
	struct verdict *v;
};

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, COMMIT_ID_BYTES);
}

static struct approved_tree *find(const struct approved *a,
				  const struct commit_id *id)
{
	return a->n_trees == 0 ? NULL
			       : bsearch(id, a->trees, a->n_trees,
					 sizeof(a->trees[0]), by_id);
}

static int too_many(struct gather *g)
{
	return verdict_fail(g->v, TCODE_TREE_LIMIT,
			    "want at most %d approvals of %zu MiB at once",
			    APPROVED_MAX, APPROVED_BYTES_MAX >> 20);
}

/* Folders that are named like a tree that is wanted, and changed. */
static int on_folder(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	struct gather *g = ctx;
	struct approved_tree *t;
	struct commit_id id;

	(void)v;
	if (e->mode != TREE_DIR ||
	    !commit_id_parse(e->name.at, e->name.len, &id))
		return 0;
	t = find(g->out, &id);
	if (t == NULL || commit_id_equal(&t->folder, &e->id))
		return 0;
	t->folder = e->id;
	g->folders[g->n_folders++] = t;
	return 0;
}

static int on_file(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	struct gather *g = ctx;
	struct found *f;

	(void)v;
	if (e->mode != TREE_FILE)
		return 0;
	for (const struct approved_item *i = g->tree->items; i != NULL;
	     i = i->next)
		if (commit_id_equal(&i->blob, &e->id))
			return 0;
	f = arena_alloc(g->arena, sizeof(*f));
	f->id = e->id;
	f->name = arena_strndup(g->arena, e->name.at, e->name.len);
	f->next = g->files;
	g->files = f;
	return 0;
}

static int each(struct gather *g, const struct commit_id *tree, tree_visit *on)
{
	const struct diff_source *src = g->ask->trees;
	const char *bytes = NULL;
	size_t len = 0;
	int r = src->read(src->ctx, tree, &bytes, &len, g->v);

	return r < 0 ? r : tree_each(bytes, len, false, on, g, g->v);
}

static int read_file(struct gather *g, const struct found *f)
{
	struct approved *out = g->out;
	struct approved_item *item;
	const char *bytes = NULL;
	char hex[COMMIT_ID_HEX];
	char safe[300];
	size_t len = 0;
	int r = g->ask->blob(g->ask->ctx, &f->id, &bytes, &len, g->v);

	if (r < 0)
		return r;
	if (out->n_items == APPROVED_MAX ||
	    len > APPROVED_BYTES_MAX - out->bytes)
		return too_many(g);
	out->n_items++;
	out->bytes += len;
	item = arena_alloc(g->arena, sizeof(*item));
	item->path = arena_printf(
		g->arena, "%s/%s/%s", PEOPLE_APPROVALS,
		commit_id_hex(&g->tree->id, hex),
		text_safe(safe, sizeof(safe), f->name, strlen(f->name)));
	item->when = g->when;
	item->blob = f->id;
	r = approval_parse(arena_strndup(g->arena, bytes, len), len,
			   &item->approval, &item->verdict);
	if (r == 0 && !commit_id_equal(&item->approval.to, &g->tree->id))
		r = verdict_fail(&item->verdict, TCODE_APPROVAL,
				 "want the folder named after the tree %s",
				 commit_id_hex(&item->approval.to, hex));
	item->malformed = r < 0;
	item->next = g->tree->items;
	g->tree->items = item;
	return 0;
}

static int read_place(struct gather *g, const struct chain_place *place)
{
	int r;

	g->when = place->when;
	g->n_folders = 0;
	r = each(g, &place->approvals, on_folder);
	for (size_t i = 0; r == 0 && i < g->n_folders; i++) {
		g->tree = g->folders[i];
		g->files = NULL;
		r = each(g, &g->tree->folder, on_file);
		for (; r == 0 && g->files != NULL; g->files = g->files->next)
			r = read_file(g, g->files);
	}
	return r;
}

/* Every tree that is wanted, once. */
static void want(struct gather *g)
{
	const struct approved_ask *ask = g->ask;
	struct approved *out = g->out;
	struct commit_id *ids = arena_memdup(
		g->arena, ask->wanted, ask->n_wanted * sizeof(ask->wanted[0]));

	qsort(ids, ask->n_wanted, sizeof(ids[0]), by_id);
	out->trees =
		arena_calloc(g->arena, ask->n_wanted, sizeof(out->trees[0]));
	for (size_t i = 0; i < ask->n_wanted; i++)
		if (i == 0 || !commit_id_equal(&ids[i], &ids[i - 1]))
			out->trees[out->n_trees++].id = ids[i];
	g->folders = arena_calloc(g->arena, out->n_trees,
				  sizeof(struct approved_tree *));
}

int approved_gather(const struct approved_ask *ask, const struct chain *chain,
		    size_t n, struct arena *arena, struct approved *out,
		    struct verdict *v)
{
	struct gather g = {.ask = ask, .arena = arena, .out = out, .v = v};
	const struct chain_place *last = NULL;
	int r = 0;

	*out = (struct approved){0};
	if (ask->n_wanted == 0)
		return 0;
	want(&g);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct chain_place *place = &chain->line[i];

		if (!place->has_approvals)
			continue;
		if (last == NULL ||
		    !commit_id_equal(&last->approvals, &place->approvals))
			r = read_place(&g, place);
		last = place;
	}
	return r;
}

struct approved_item *approved_to(const struct approved *a,
				  const struct commit_id *to)
{
	const struct approved_tree *t = find(a, to);

	return t != NULL ? t->items : NULL;
}

bool approved_from(const struct approved_item *item,
		   const struct commit_id *from)
{
	const struct approval *a = &item->approval;

	if (item->malformed)
		return false;
#ifndef GUARD_OFF_APPROVAL_BASE
	return a->has_from == (from != NULL) &&
	       (from == NULL || commit_id_equal(&a->from, from));
#else
	(void)a;
	(void)from;
	return true;
#endif
}

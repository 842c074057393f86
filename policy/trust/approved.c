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
	struct commit_id *wanted;
	int64_t when;
	struct commit_id *found; /* folders or files of one level */
	const char **names;
	size_t n_found, cap_found;
	struct verdict *v;
};

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, COMMIT_ID_BYTES);
}

static int too_many(struct gather *g)
{
	return verdict_fail(g->v, TCODE_TREE_LIMIT,
			    "want at most %d approvals at once: delete those "
			    "that have served",
			    APPROVED_MAX);
}

/* Twice the room, in the arena. */
static void *more(struct gather *g, const void *items, size_t n, size_t *cap,
		  size_t size)
{
	size_t want = *cap == 0 ? 16 : *cap * 2;
	char *room = arena_calloc(g->arena, want, size);

	if (n > 0)
		memcpy(room, items, n * size);
	*cap = want;
	return room;
}

static int keep_entry(struct gather *g, const struct tree_entry *e)
{
	if (g->n_found == APPROVED_MAX)
		return too_many(g);
	if (g->n_found == g->cap_found) {
		size_t cap = g->cap_found;

		g->names = more(g, g->names, g->n_found, &cap,
				sizeof(g->names[0]));
		g->found = more(g, g->found, g->n_found, &g->cap_found,
				sizeof(g->found[0]));
	}
	g->found[g->n_found] = e->id;
	g->names[g->n_found++] =
		arena_strndup(g->arena, e->name.at, e->name.len);
	return 0;
}

/* Folders that are named like a tree that is wanted. */
static int on_folder(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	struct gather *g = ctx;
	struct commit_id id;

	(void)v;
	if (e->mode != TREE_DIR ||
	    !commit_id_parse(e->name.at, e->name.len, &id) ||
	    bsearch(&id, g->wanted, g->ask->n_wanted, sizeof(id), by_id) ==
		    NULL)
		return 0;
	return keep_entry(g, e);
}

static int on_file(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	struct gather *g = ctx;
	struct approved *out = g->out;

	(void)v;
	if (e->mode != TREE_FILE)
		return 0;
	for (size_t i = 0; i < out->n; i++)
		if (commit_id_equal(&out->items[i].blob, &e->id))
			return 0;
	return keep_entry(g, e);
}

static int each(struct gather *g, const struct commit_id *tree, tree_visit *on)
{
	const struct diff_source *src = g->ask->trees;
	const char *bytes = NULL;
	size_t len = 0;
	int r = src->read(src->ctx, tree, &bytes, &len, g->v);

	g->n_found = 0;
	return r < 0 ? r : tree_each(bytes, len, false, on, g, g->v);
}

/* What makes a file none of the approvals that can count. */
static int parse(struct approved_item *item, const char *bytes, size_t len,
		 const char *folder, struct verdict *why)
{
	char hex[COMMIT_ID_HEX];

	if (approval_parse(bytes, len, &item->approval, why) < 0)
		return ERR_TRUST;
	commit_id_hex(&item->approval.to, hex);
	if (strcmp(hex, folder) == 0)
		return 0;
	return verdict_fail(why, TCODE_APPROVAL,
			    "want the folder named after the tree %s", hex);
}

static int read_file(struct gather *g, const char *folder, const char *name,
		     const struct commit_id *id)
{
	struct approved *out = g->out;
	struct approved_item *item;
	const char *bytes = NULL;
	char safe[300];
	size_t len = 0;
	int r = g->ask->blob(g->ask->ctx, id, &bytes, &len, g->v);

	if (r < 0)
		return r;
	if (out->n == APPROVED_MAX)
		return too_many(g);
	if (out->n == out->cap)
		out->items = more(g, out->items, out->n, &out->cap,
				  sizeof(out->items[0]));
	item = &out->items[out->n++];
	item->path =
		arena_printf(g->arena, "%s/%s/%s", PEOPLE_APPROVALS, folder,
			     text_safe(safe, sizeof(safe), name, strlen(name)));
	item->when = g->when;
	item->blob = *id;
	item->malformed = parse(item, arena_memdup(g->arena, bytes, len), len,
				folder, &item->verdict) < 0;
	return 0;
}

/* All files of one folder. */
static int read_folder(struct gather *g, const char *folder,
		       const struct commit_id *id)
{
	int r = each(g, id, on_file);

	for (size_t i = 0; r == 0 && i < g->n_found; i++)
		r = read_file(g, folder, g->names[i], &g->found[i]);
	return r;
}

static int read_place(struct gather *g, const struct chain_place *place)
{
	struct commit_id *folders;
	const char **names;
	size_t n;
	int r = each(g, &place->approvals, on_folder);

	if (r < 0 || g->n_found == 0)
		return r;
	n = g->n_found;
	folders = arena_memdup(g->arena, g->found, n * sizeof(folders[0]));
	names = arena_memdup(g->arena, g->names, n * sizeof(names[0]));
	g->when = place->when;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_folder(g, names[i], &folders[i]);
	return r;
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
	g.wanted = arena_memdup(arena, ask->wanted,
				ask->n_wanted * sizeof(ask->wanted[0]));
	qsort(g.wanted, ask->n_wanted, sizeof(g.wanted[0]), by_id);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct chain_place *place = &chain->line[i];

		if (place->has_approvals &&
		    (last == NULL ||
		     !commit_id_equal(&last->approvals, &place->approvals)))
			r = read_place(&g, place);
		if (place->has_approvals)
			last = place;
	}
	return r;
}

bool approved_names(const struct approved_item *item,
		    const struct commit_id *from, const struct commit_id *to)
{
	const struct approval *a = &item->approval;

	if (item->malformed)
		return false;
#ifndef GUARD_OFF_APPROVAL_BASE
	if (a->has_from != (from != NULL) ||
	    (from != NULL && !commit_id_equal(&a->from, from)))
		return false;
#else
	(void)from;
#endif
	return commit_id_equal(&a->to, to);
}

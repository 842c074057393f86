/*
 * chain.c - see chain.h.  Runs in reconcile-verify, sandboxed; everything that
 * it reads is hostile.
 *
 * Invariants: (1) each commit of the line but the first is new; (2) each new
 * commit is on the line or belongs to exactly one merge, the earliest that
 * reaches it.
 */
#include "policy/trust/chain.h"

#include <stdlib.h>
#include <string.h>

struct chain_work {
	struct walk *walk;
	bool spread;
	const struct walk_source *commits;
	const struct approval_source *trees;
	struct arena *arena;
	struct chain *chain;
	bool want_subjects;
	size_t cap;
	uint32_t *slots; /* open addressing; 0 empty, else index + 1 */
	size_t n_slots;
	bool no_memory;
	/* what a folder .reconcile had that was read last */
	struct commit_id folder;
	bool has_folder;
	struct chain_place found;
};

static size_t slot_of(const struct chain_work *w, const struct commit_id *id)
{
	uint64_t h;
	size_t i;

	memcpy(&h, id->bytes, sizeof(h));
	for (i = (size_t)h & (w->n_slots - 1);; i = (i + 1) & (w->n_slots - 1))
		if (w->slots[i] == 0 ||
		    commit_id_equal(&w->chain->commits[w->slots[i] - 1].id, id))
			return i;
}

static struct chain_commit *find(const struct chain_work *w,
				 const struct commit_id *id)
{
	uint32_t i = w->n_slots > 0 ? w->slots[slot_of(w, id)] : 0;

	return i != 0 ? &w->chain->commits[i - 1] : NULL;
}

static bool grow(struct chain_work *w)
{
	size_t cap = w->cap == 0 ? 1024 : w->cap * 2;
	struct chain_commit *commits =
		realloc(w->chain->commits, cap * sizeof(*commits));
	uint32_t *slots = calloc(cap * 2, sizeof(*slots));

	if (commits != NULL)
		w->chain->commits = commits;
	if (commits == NULL || slots == NULL) {
		free(slots);
		return false;
	}
	free(w->slots);
	w->slots = slots;
	w->n_slots = cap * 2;
	w->cap = cap;
	for (size_t i = 0; i < w->chain->n_commits; i++)
		slots[slot_of(w, &commits[i].id)] = (uint32_t)i + 1;
	return true;
}

static void parse(struct chain_work *w, const char *bytes, size_t len,
		  struct chain_commit *out)
{
	struct commit_id parents[COMMIT_PARENTS_MAX];
	char subject[COMMIT_SUBJECT];
	struct verdict v = {0};
	struct commit c;

	if (commit_parse(bytes, len, &c, &v) < 0) {
		out->verdict = arena_memdup(w->arena, &v, sizeof(v));
		if (len < 46 || !commit_id_parse(bytes + 5, 40, &out->tree))
			memset(&out->tree, 0, sizeof(out->tree));
		if (!commit_parents(bytes, len, parents, COMMIT_PARENTS_MAX,
				    &out->n_parents))
			out->n_parents = 0;
	} else {
		out->tree = c.tree;
		out->when = c.committer.when;
		if (w->want_subjects)
			out->subject = arena_strdup(
				w->arena, commit_subject(&c, subject));
		out->n_parents = c.n_parents;
		memcpy(parents, c.parents, c.n_parents * sizeof(parents[0]));
	}
	out->parents = arena_memdup(w->arena, parents,
				    out->n_parents * sizeof(parents[0]));
}

static void visit(void *ctx, const struct commit_id *id, const char *bytes,
		  size_t len)
{
	struct chain_work *w = ctx;
	struct chain_commit *c;

	if (w->no_memory || (w->chain->n_commits == w->cap && !grow(w))) {
		w->no_memory = true;
		return;
	}
	c = &w->chain->commits[w->chain->n_commits];
	memset(c, 0, sizeof(*c));
	c->id = *id;
	parse(w, bytes, len, c);
	w->slots[slot_of(w, id)] = (uint32_t)++w->chain->n_commits;
}

int chain_is_old(struct chain *c, const struct chain_commit *commit,
		 bool *out_old, struct verdict *v)
{
	int r = 0;

	(void)v; /* the walk has it */
	if (!c->work->spread)
		r = walk_spread(c->work->walk);
	c->work->spread = true;
	if (r == 0)
		*out_old = walk_is_old(c->work->walk, &commit->id);
	return r;
}

int chain_read_tree(const struct chain *c, const struct commit_id *commit,
		    struct commit_id *out, struct verdict *v)
{
	const struct walk_source *src = c->work->commits;
	const char *bytes = NULL;
	char hex[COMMIT_ID_HEX];
	size_t len = 0;
	int r = src->read(src->ctx, commit, &bytes, &len, v);

	if (r == 0 && (len < 46 || memcmp(bytes, "tree ", 5) != 0 ||
		       !commit_id_parse(bytes + 5, 40, out)))
		r = verdict_fail(v, TCODE_GRAMMAR, "%s is no commit",
				 commit_id_hex(commit, hex));
	return r;
}

/* The start is not new: its tree and date are read here. */
static int read_start(struct chain_work *w, const struct commit_id *id,
		      struct chain_place *out, struct verdict *v)
{
	const char *bytes = NULL;
	struct verdict quiet;
	size_t len = 0;
	struct commit c;
	int r = chain_read_tree(w->chain, id, &out->tree, v);

	if (r == 0)
		r = w->commits->read(w->commits->ctx, id, &bytes, &len, v);
	if (r < 0)
		return r;
	out->id = *id;
	if (commit_parse(bytes, len, &c, &quiet) == 0)
		out->when = c.committer.when;
	return 0;
}

static int off_the_line(struct chain_work *w, const struct chain_ask *ask,
			struct verdict *v)
{
	char hex[COMMIT_ID_HEX];

	commit_id_hex(&ask->start, hex);
	if (!walk_is_new(w->walk, &ask->start))
		return verdict_fail(v, TCODE_NOT_DESCENDANT,
				    "want a descendant of %s", hex);
	return verdict_fail(v, TCODE_OFF_LINE,
			    "%s is reached, but not by first parents", hex);
}

/* Follows first parents from the target; how many new commits there are, and
 * where it ends.  *out_start NULL: before the root commit. */
static int follow(struct chain_work *w, const struct chain_ask *ask,
		  size_t *out_n, const struct commit_id **out_start,
		  struct verdict *v)
{
	const struct commit_id *at = &ask->target;
	size_t n = 0;

	for (;;) {
		struct chain_commit *c;

		if ((ask->has_start && commit_id_equal(at, &ask->start)) ||
		    (ask->has_anchor && commit_id_equal(at, &ask->anchor)))
			break;
		c = find(w, at);
#ifdef GUARD_OFF_LINE_FIRST_PARENT
		if (c == NULL) {
			at = &ask->start;
			break;
		}
#endif
		if (c == NULL || (c->n_parents == 0 && ask->has_start)) {
			if (!ask->may_be_off_line)
				return off_the_line(w, ask, v);
			w->chain->off_line = true;
			n += c != NULL;
			break;
		}
		n++;
		if (c->n_parents == 0) {
			at = NULL;
			break;
		}
		at = &c->parents[0];
	}
	*out_n = n;
	*out_start = at;
	return 0;
}

static int make_line(struct chain_work *w, const struct chain_ask *ask,
		     struct verdict *v)
{
	const struct commit_id *start = NULL;
	const struct commit_id *at = &ask->target;
	struct chain *c = w->chain;
	size_t n = 0;
	int r = follow(w, ask, &n, &start, v);

	if (r < 0)
		return r;
	c->n = n + 1;
	c->line = arena_calloc(w->arena, c->n, sizeof(c->line[0]));
	for (size_t i = n; i > 0; i--) {
		struct chain_commit *commit = find(w, at);

		if (commit == NULL) /* follow() was here */
			return off_the_line(w, ask, v);
		commit->on_line = !c->off_line;
		commit->taken = commit->on_line;
		c->line[i].commit = commit;
		c->line[i].id = commit->id;
		c->line[i].tree = commit->tree;
		c->line[i].when = commit->when;
		if (commit->n_parents > 0)
			at = &commit->parents[0];
	}
	c->line[0].is_nothing = start == NULL;
	if (c->off_line)
		start = &ask->start;
	return start != NULL ? read_start(w, start, &c->line[0], v) : 0;
}

/* All that a commit reaches and nobody has taken, parents before children. */
static void take(struct chain_work *w, struct chain_commit *top,
		 struct chain_commit **stack, size_t *next)
{
	size_t depth = 0;

	if (top->taken)
		return;
	top->taken = true;
	stack[depth] = top;
	next[depth] = 0;
	for (;;) {
		struct chain_commit *c = stack[depth];
		struct chain_commit *p = NULL;

		while (p == NULL && next[depth] < c->n_parents) {
			p = find(w, &c->parents[next[depth]++]);
			if (p != NULL && p->taken)
				p = NULL;
		}
		if (p != NULL) {
			p->taken = true;
			stack[++depth] = p;
			next[depth] = 0;
			continue;
		}
		w->chain->sides[w->chain->n_sides++] = c;
		if (depth-- == 0)
			return;
	}
}

static void latest_first(struct chain_commit **list, size_t n)
{
	for (size_t a = 0; a + 1 < n; a++) {
		struct chain_commit *t = list[a];

		list[a] = list[--n];
		list[n] = t;
	}
}

/* What each merge brings in, the earliest merge first; off the line all that is
 * new is a side. */
static void make_sides(struct chain_work *w)
{
	struct chain *c = w->chain;
	size_t n = c->n_commits + 1;
	struct chain_commit *top = c->line[c->n - 1].commit;
	struct chain_commit **stack =
		arena_calloc(w->arena, n, sizeof(struct chain_commit *));
	size_t *next = arena_calloc(w->arena, n, sizeof(*next));

	c->sides = arena_calloc(w->arena, n, sizeof(c->sides[0]));
	for (size_t i = 1; !c->off_line && i < c->n; i++) {
		struct chain_place *place = &c->line[i];

		place->side = c->n_sides;
		for (size_t k = 1; k < place->commit->n_parents; k++) {
			struct chain_commit *p =
				find(w, &place->commit->parents[k]);

			if (p != NULL)
				take(w, p, stack, next);
		}
		place->n_side = c->n_sides - place->side;
		latest_first(c->sides + place->side, place->n_side);
	}
	if (c->off_line && top != NULL) {
		take(w, top, stack, next);
		latest_first(c->sides, c->n_sides);
	}
}

static int read_once(struct chain_work *w, const struct chain_ask *ask,
		     struct verdict *v)
{
	struct walk_visitor visitor = {.visit = visit, .ctx = w};
	int r;

	r = walk_new(w->commits, &visitor, &ask->target,
		     ask->has_start ? &ask->start : NULL, ask->max_commits,
		     &w->walk, v);
	if (r == 0)
		r = walk_run(w->walk);
	if (r == 0 && w->no_memory)
		r = verdict_fail(v, TCODE_TOO_MANY,
				 "out of memory at %zu commits",
				 w->chain->n_commits);
	return r == 0 ? make_line(w, ask, v) : r;
}

int chain_read(const struct walk_source *commits,
	       const struct approval_source *trees, const struct chain_ask *ask,
	       struct arena *arena, struct chain *out, struct verdict *v)
{
	struct chain_work fresh = {.commits = commits,
				   .trees = trees,
				   .arena = arena,
				   .chain = out,
				   .want_subjects = ask->want_subjects};
	struct chain_work *w = arena_memdup(arena, &fresh, sizeof(fresh));
	struct chain_ask again = *ask;
	int r;

	memset(out, 0, sizeof(*out));
	out->work = w;
	r = read_once(w, ask, v);
	if (r == 0 && ask->has_anchor && ask->has_start &&
	    commit_id_equal(&out->line[0].id, &ask->anchor)) {
		/* trust begins above what was accepted: what is below the
		 * anchor is not new, on no parent's side */
		chain_release(out);
		*w = fresh;
		out->work = w;
		again.start = ask->anchor;
		again.has_anchor = false;
		r = read_once(w, &again, v);
	}
	if (r == 0)
		make_sides(w);
	return r;
}

void chain_release(struct chain *c)
{
	if (c->work == NULL)
		return;
	walk_free(c->work->walk);
	free(c->work->slots);
	free(c->commits);
	memset(c, 0, sizeof(*c));
}

static bool is_named(const struct tree_entry *e, const char *name)
{
	return e->name.len == strlen(name) &&
	       memcmp(e->name.at, name, e->name.len) == 0;
}

static int on_top(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	struct chain_work *w = ctx;

	(void)v;
	if (e->mode == TREE_DIR && is_named(e, ".reconcile")) {
		w->folder = e->id;
		w->has_folder = true;
	}
	return 0;
}

static int on_folder(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	struct chain_place *found = ctx;

	(void)v;
	if ((e->mode == TREE_FILE || e->mode == TREE_EXEC) &&
	    is_named(e, "trust.yaml")) {
		found->policy = e->id;
		found->has_policy = true;
	}
	if (e->mode == TREE_DIR && is_named(e, APPROVAL_FOLDER)) {
		found->approvals = e->id;
		found->has_approvals = true;
	}
	return 0;
}

static int each(struct chain_work *w, const struct commit_id *tree,
		tree_visit *on, void *ctx, struct verdict *v)
{
	const struct diff_source *src = &w->trees->trees;
	const char *bytes = NULL;
	size_t len = 0;
	int r = src->read(src->ctx, tree, &bytes, &len, v);

	return r < 0 ? r : tree_each(bytes, len, false, on, ctx, v);
}

int chain_read_place(struct chain *c, struct chain_place *place,
		     struct verdict *v)
{
	struct chain_work *w = c->work;
	struct commit_id before = w->folder;
	bool had = w->has_folder;
	int r;

	if (place->is_nothing)
		return 0;
	w->has_folder = false;
	r = each(w, &place->tree, on_top, w, v);
	if (r < 0)
		return r;
	if (!w->has_folder || !had || !commit_id_equal(&before, &w->folder))
		w->found = (struct chain_place){0};
	if (w->has_folder && (!had || !commit_id_equal(&before, &w->folder)))
		r = each(w, &w->folder, on_folder, &w->found, v);
	if (r < 0) {
		w->has_folder = false;
		return r;
	}
	place->policy = w->found.policy;
	place->has_policy = w->found.has_policy;
	place->approvals = w->found.approvals;
	place->has_approvals = w->found.has_approvals;
	return 0;
}

int chain_read_content(struct chain *c, struct chain_place *place,
		       struct verdict *v)
{
	int r = 0;

	if (!place->has_content && !place->is_nothing) {
		r = place->has_approvals
			    ? approval_content(c->work->trees, &place->tree,
					       &place->content, v)
			    : (place->content = place->tree, 0);
		place->has_content = r == 0;
	}
	return r;
}

static int by_content(const void *a, const void *b)
{
	const struct chain_place *const *x = a;
	const struct chain_place *const *y = b;
	int c = memcmp(&(*x)->content, &(*y)->content, COMMIT_ID_BYTES);

	return c != 0 ? c : (*x > *y) - (*x < *y);
}

void chain_sort(struct chain *c, struct arena *arena)
{
	c->by_content = arena_calloc(arena, c->n, sizeof(struct chain_place *));
	for (size_t i = 0; i < c->n; i++)
		c->by_content[i] = &c->line[i];
	qsort(c->by_content, c->n, sizeof(struct chain_place *), by_content);
}

size_t chain_seek(const struct chain *c, const struct commit_id *content)
{
	size_t low = 0;
	size_t high = c->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(&c->by_content[mid]->content, content,
			   COMMIT_ID_BYTES) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

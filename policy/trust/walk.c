/*
 * walk.c - see walk.h.
 *
 * Invariants: (1) every NEW commit that is not OLD at the end was visited once;
 * (2) the accepted commit is NEW at the end if and only if the target descends
 * from it.
 */
#include "policy/trust/walk.h"

#include <stdlib.h>
#include <string.h>

enum { NEW = 1, OLD = 2, WAITS = 4, SEEN = 8, MARKED = 16 };

struct node {
	struct commit_id id;
	int64_t when;
	uint8_t flags;
};

struct walk {
	struct walk_source src;
	struct walk_visitor visitor;
	struct verdict *v;
	struct node *nodes;
	size_t n, cap;
	uint32_t *slots; /* open addressing; 0 empty, else index + 1 */
	size_t n_slots;	 /* power of two, at least 2 * cap */
	uint32_t *heap;	 /* waiting nodes, latest date on top */
	size_t n_heap;
	size_t live; /* waiting nodes that are not OLD */
	size_t max;
};

static int no_memory(struct walk *w)
{
	return verdict_fail(w->v, TCODE_TOO_MANY,
			    "out of memory at %zu commits", w->n);
}

static size_t slot_of(const struct walk *w, const struct commit_id *id)
{
	uint64_t h;
	size_t i;

	memcpy(&h, id->bytes, sizeof(h));
	for (i = (size_t)h & (w->n_slots - 1);; i = (i + 1) & (w->n_slots - 1))
		if (w->slots[i] == 0 ||
		    commit_id_equal(&w->nodes[w->slots[i] - 1].id, id))
			return i;
}

static int grow(struct walk *w)
{
	size_t cap = w->cap == 0 ? 1024 : w->cap * 2;
	struct node *nodes = realloc(w->nodes, cap * sizeof(*nodes));
	uint32_t *heap = NULL;
	uint32_t *slots = NULL;

	if (nodes == NULL)
		return no_memory(w);
	w->nodes = nodes;
	heap = realloc(w->heap, cap * sizeof(*heap));
	if (heap == NULL)
		return no_memory(w);
	w->heap = heap;
	slots = calloc(cap * 2, sizeof(*slots));
	if (slots == NULL)
		return no_memory(w);
	free(w->slots);
	w->slots = slots;
	w->n_slots = cap * 2;
	w->cap = cap;
	for (size_t i = 0; i < w->n; i++)
		w->slots[slot_of(w, &w->nodes[i].id)] = (uint32_t)i + 1;
	return 0;
}

/* Later first; equal dates by id, so that equal inputs give equal output. */
static bool before(const struct walk *w, uint32_t a, uint32_t b)
{
	const struct node *x = &w->nodes[a];
	const struct node *y = &w->nodes[b];

	if (x->when != y->when)
		return x->when > y->when;
	return memcmp(x->id.bytes, y->id.bytes, COMMIT_ID_BYTES) < 0;
}

static void heap_push(struct walk *w, uint32_t node)
{
	size_t i = w->n_heap++;

	while (i > 0 && before(w, node, w->heap[(i - 1) / 2])) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = node;
}

static uint32_t heap_pop(struct walk *w)
{
	uint32_t top = w->heap[0];
	uint32_t last = w->heap[--w->n_heap];
	size_t i = 0;

	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid >= w->n_heap)
			break;
		if (kid + 1 < w->n_heap &&
		    before(w, w->heap[kid + 1], w->heap[kid]))
			kid++;
		if (!before(w, w->heap[kid], last))
			break;
		w->heap[i] = w->heap[kid];
		i = kid;
	}
	w->heap[i] = last;
	return top;
}

/* The date that orders the walk; any commit that git would read. */
static int64_t loose_date(const char *bytes, size_t len)
{
	const char *line = memmem(bytes, len, "\ncommitter ", 11);
	const char *end = bytes + len;
	const char *at;
	int64_t when = 0;

	if (line == NULL)
		return 0;
	at = memchr(line + 1, '\n', (size_t)(end - line - 1));
	end = at != NULL ? at : end;
	at = memrchr(line, '>', (size_t)(end - line));
	if (at == NULL)
		return 0;
	for (at += 2; at < end && *at >= '0' && *at <= '9'; at++)
		if (when < INT64_C(1) << 40)
			when = when * 10 + (*at - '0');
	return when;
}

/* Gives a commit colours; it waits (again) if one of them is new to it. */
static int paint(struct walk *w, const struct commit_id *id, uint8_t colours)
{
	struct verdict v = {0};
	struct node *node = NULL;
	const char *bytes = NULL;
	size_t len = 0;
	size_t slot;

	if (w->n + 1 > w->cap && grow(w) < 0)
		return ERR_TRUST;
	slot = slot_of(w, id);
	if (w->slots[slot] == 0) {
		if (w->n >= w->max)
			return verdict_fail(w->v, TCODE_TOO_MANY,
					    "want at most %zu commits", w->max);
		node = &w->nodes[w->n];
		*node = (struct node){.id = *id};
		if (w->src.read(w->src.ctx, id, &bytes, &len, &v) == 0)
			node->when = loose_date(bytes, len);
		w->slots[slot] = (uint32_t)++w->n;
	}
	node = &w->nodes[w->slots[slot] - 1];
	if ((node->flags & colours) == colours)
		return 0;
	if ((node->flags & WAITS) != 0) {
		if ((node->flags & OLD) == 0 && (colours & OLD) != 0)
			w->live--;
		node->flags |= colours;
		return 0;
	}
	node->flags |= (uint8_t)(colours | WAITS);
	w->live += (node->flags & OLD) == 0;
	heap_push(w, w->slots[slot] - 1);
	return 0;
}

/* Takes the latest waiting commit: shows it if new, paints its parents. */
static int step(struct walk *w)
{
	uint32_t index = heap_pop(w);
	struct node node = w->nodes[index];
	struct commit_id parents[COMMIT_PARENTS_MAX];
	const char *bytes = NULL;
	size_t n_parents = 0;
	size_t len = 0;
	bool is_new = (node.flags & OLD) == 0;
	struct verdict v = {0};
	int r;

	w->nodes[index].flags &= (uint8_t)~WAITS;
	w->live -= is_new;
	r = w->src.read(w->src.ctx, &node.id, &bytes, &len, &v);
	if (r < 0 && !is_new)
		return 0; /* below what was accepted: not needed */
	if (r < 0) {
		char hex[COMMIT_ID_HEX];

		*w->v = v;
		return verdict_wrap(w->v, "commit %s",
				    commit_id_hex(&node.id, hex));
	}
	if (!commit_parents(bytes, len, parents, COMMIT_PARENTS_MAX,
			    &n_parents))
		n_parents = 0;
	if (is_new && (node.flags & SEEN) == 0) {
		w->nodes[index].flags |= SEEN;
		w->visitor.visit(w->visitor.ctx, &node.id, bytes, len);
	}
	for (size_t i = 0; i < n_parents; i++) {
		r = paint(w, &parents[i], node.flags & (NEW | OLD));
		if (r < 0)
			return r;
	}
	return 0;
}

int walk_new(const struct walk_source *src, const struct walk_visitor *visitor,
	     const struct commit_id *target, const struct commit_id *accepted,
	     size_t max_commits, struct walk **out, struct verdict *v)
{
	struct walk *w = calloc(1, sizeof(*w));
	int r;

	if (w == NULL)
		return verdict_fail(v, TCODE_TOO_MANY, "out of memory");
	w->src = *src;
	w->visitor = *visitor;
	w->v = v;
	w->max = max_commits;
	r = paint(w, target, NEW);
	if (r == 0 && accepted != NULL)
		r = paint(w, accepted, OLD);
	if (r < 0) {
		walk_free(w);
		return r;
	}
	*out = w;
	return 0;
}

void walk_free(struct walk *w)
{
	if (w == NULL)
		return;
	free(w->nodes);
	free(w->slots);
	free(w->heap);
	free(w);
}

int walk_run(struct walk *w)
{
	const struct walk_visitor *k = &w->visitor;
	int r = 0;

	while (r == 0 && w->live > 0 &&
	       (k->stop == NULL || *k->stop < k->stop_at))
		r = step(w);
	return r;
}

int walk_spread(struct walk *w)
{
	int r = 0;

	while (r == 0 && w->n_heap > 0)
		r = step(w);
	return r;
}

static struct node *find(const struct walk *w, const struct commit_id *id)
{
	uint32_t i = w->slots[slot_of(w, id)];

	return i != 0 ? &w->nodes[i - 1] : NULL;
}

bool walk_is_new(const struct walk *w, const struct commit_id *id)
{
	const struct node *node = find(w, id);

	return node != NULL && (node->flags & NEW) != 0;
}

bool walk_is_old(const struct walk *w, const struct commit_id *id)
{
	const struct node *node = find(w, id);

	return node != NULL && (node->flags & OLD) != 0;
}

void walk_mark(struct walk *w, const struct commit_id *id)
{
	struct node *node = find(w, id);

	if (node != NULL)
		node->flags |= MARKED;
}

size_t walk_marked_new(const struct walk *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += (w->nodes[i].flags & (MARKED | OLD)) == MARKED;
	return n;
}

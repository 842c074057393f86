/*
 * history.c - see history.h.
 *
 * Paint: the target is NEW, the accepted commit OLD; both colours flow to the
 * parents, latest commit first.  The walk ends when everything that waits is
 * OLD: what is NEW and not OLD then is a superset of the new commits (a commit
 * with a wrong date may still miss its OLD).  Only if one of those was refused
 * is the paint spread to the end, and the refusals that turn out OLD dropped.
 *
 * Invariants: (1) every NEW commit that is not OLD at the end was checked once
 * and passed or is in refused; (2) the accepted commit is NEW at the end if and
 * only if the target descends from it.
 */
#include "policy/trust/history.h"

#include <stdlib.h>
#include <string.h>

enum { NEW = 1, OLD = 2, WAITS = 4, CHECKED = 8, REFUSED = 16 };

struct node {
	struct commit_id id;
	int64_t when;
	uint8_t flags;
};

struct walk {
	const struct history_source *src;
	const struct signers *signers;
	const struct history_ask *ask;
	struct history_result *out;
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
		if (w->src->read(w->src->ctx, id, &bytes, &len, &v) == 0)
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

static void refuse(struct walk *w, const struct commit_id *id,
		   const struct signature_by *by, const struct verdict *v)
{
	struct history_refused *r = NULL;
	uint32_t slot = w->n > 0 ? w->slots[slot_of(w, id)] : 0;

	if (slot != 0)
		w->nodes[slot - 1].flags |= REFUSED;

	if (w->out->n_refused == HISTORY_REFUSED_MAX)
		return;
	r = &w->out->refused[w->out->n_refused++];
	r->id = *id;
	r->by = *by;
	r->verdict = *v;
}

static void note_head(struct walk *w, const struct commit *c)
{
	w->out->tree = c->tree;
	w->out->has_parent = c->n_parents > 0;
	if (w->out->has_parent)
		w->out->parent = c->parents[0];
	w->out->commit_time = c->committer.when;
}

/* Checks one new commit; a refusal is kept, not returned. */
static void check(struct walk *w, const struct commit_id *id, const char *bytes,
		  size_t len, bool first_seen)
{
	struct signature_time t = {.now = w->ask->now,
				   .first_seen = first_seen};
	bool head = commit_id_equal(id, &w->ask->target);
	struct signature_by by = {0};
	struct verdict v = {0};
	struct commit c;
	int r;

	r = commit_parse(bytes, len, &c, &v);
	if (r == 0) {
		if (head)
			note_head(w, &c);
		r = signature_check(w->signers, &c, &t, &by, &v);
	}
	if (r < 0) {
		refuse(w, id, &by, &v);
		return;
	}
	w->out->verified++;
	if (head) {
		w->out->head = by;
		w->out->head_passed = true;
	}
}

/* Takes the latest waiting commit: checks it if new, paints its parents. */
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
	r = w->src->read(w->src->ctx, &node.id, &bytes, &len, &v);
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
	if (is_new && (node.flags & CHECKED) == 0) {
		w->nodes[index].flags |= CHECKED;
		check(w, &node.id, bytes, len, true);
	}
	for (size_t i = 0; i < n_parents; i++) {
		r = paint(w, &parents[i], node.flags & (NEW | OLD));
		if (r < 0)
			return r;
	}
	return 0;
}

static uint8_t flags_of(const struct walk *w, const struct commit_id *id)
{
	uint32_t i = w->slots[slot_of(w, id)];

	return i != 0 ? w->nodes[i - 1].flags : 0;
}

/* Drops refusals of commits that were accepted before after all.  The flags are
 * the truth; the list in out may be shorter than what was refused. */
static int drop_old(struct walk *w)
{
	struct history_result *out = w->out;
	size_t really = 0;
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++)
		really += (w->nodes[i].flags & (REFUSED | OLD)) == REFUSED;
	for (size_t i = 0; i < out->n_refused; i++)
		if ((flags_of(w, &out->refused[i].id) & OLD) == 0)
			out->refused[kept++] = out->refused[i];
	out->n_refused = kept;
	if (really > 0 && kept == 0)
		return verdict_fail(w->v, TCODE_TOO_MANY,
				    "%zu commits are refused", really);
	return 0;
}

static int walk(struct walk *w)
{
	int r;

	r = paint(w, &w->ask->target, NEW);
	if (r == 0 && w->ask->has_accepted)
		r = paint(w, &w->ask->accepted, OLD);
	while (r == 0 && w->live > 0 && w->out->n_refused < HISTORY_REFUSED_MAX)
		r = step(w);
	/* To be sure which are old; also ends what the limit above cut. */
	while (r == 0 && w->out->n_refused > 0 && w->n_heap > 0 &&
	       w->ask->has_accepted)
		r = step(w);
	if (r < 0)
		return r;
	r = drop_old(w);
#ifndef GUARD_OFF_RATCHET
	if (r == 0 && w->out->n_refused == 0 && w->ask->has_accepted &&
	    (flags_of(w, &w->ask->accepted) & NEW) == 0) {
		char hex[COMMIT_ID_HEX];

		return verdict_fail(w->v, TCODE_NOT_DESCENDANT,
				    "want a descendant of %s",
				    commit_id_hex(&w->ask->accepted, hex));
	}
#endif
	return r;
}

/* The target alone: it was accepted before. */
static int check_head(struct walk *w)
{
	const char *bytes = NULL;
	size_t len = 0;
	int r;

	r = w->src->read(w->src->ctx, &w->ask->target, &bytes, &len, w->v);
	if (r == 0)
		check(w, &w->ask->target, bytes, len, false);
	return r;
}

int history_check(const struct history_source *src, const struct signers *s,
		  const struct history_ask *ask, struct history_result *out,
		  struct verdict *v)
{
	struct walk w = {
		.src = src, .signers = s, .ask = ask, .out = out, .v = v};
	int r;

	memset(out, 0, sizeof(*out));
	w.max = ask->max_commits != 0 ? ask->max_commits : HISTORY_COMMITS_MAX;
	if (ask->head_only || (ask->has_accepted &&
			       commit_id_equal(&ask->target, &ask->accepted)))
		r = check_head(&w);
	else
		r = walk(&w);
	free(w.nodes);
	free(w.slots);
	free(w.heap);
	return r;
}

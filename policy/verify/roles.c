/*
 * roles.c - see roles.h.
 *
 *   inventory before --+-- entries of files that differ, sorted by object
 *   inventory after  --+         |
 *                           what stays in its file goes away (equal digest)
 *                                |
 *                           what is left of an object on both sides, and the
 *                           same: it moved.  Else: a write, of all paths left.
 */
#include "policy/verify/roles.h"

#include "lib/text.h"
#include "policy/access/writes.h"
#include "policy/verify/files.h"
#include "policy/verify/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_BYTES ((size_t)256 << 20)
/* An object that stands in more files than this is not looked at closely. */
#define TWINS_MAX 64

/* An object in a file before or after the step. */
struct entry {
	const struct inventory_object *object;
	const char *path;
	bool after;
	bool gone; /* the other side has its like */
};

struct need { /* what the change of a path amounts to */
	const char *path;
	const struct writes_one *write; /* NULL: everything */
	const char *why;		/* everything: because of that */
};

struct needs {
	struct need *items;
	size_t n, cap;
};

struct roles {
	struct store *store;
	bool have_base, have_next;
	struct commit_id base_tree, next_tree;
	struct inventory base, next; /* before and after the step */
	struct arena *step;	     /* of all below */
	struct objects in_force[2];
	struct access access[2]; /* before, after */
	struct needs needs;	 /* by path */
};

/* --- roles in force ------------------------------------------------------- */

static int object_order(const void *pa, const void *pb)
{
	const struct object *a = pa, *b = pb;
	struct inventory_object x = {.kind = a->kind,
				     .namespace = a->meta.namespace,
				     .name = a->meta.name};
	struct inventory_object y = {.kind = b->kind,
				     .namespace = b->meta.namespace,
				     .name = b->meta.name};

	return inventory_order(&x, &y);
}

/* Of two that are one object neither counts. */
static size_t drop_twins(struct object *items, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0, end = 0; i < n; i = end) {
		for (end = i + 1;
		     end < n && object_order(&items[i], &items[end]) == 0;)
			end++;
		if (end == i + 1)
			items[kept++] = items[i];
	}
	return kept;
}

static struct objects roles_of(const struct inventory *in, struct arena *arena)
{
	struct objects out = {0};
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++)
		n += in->files[i]->arena != NULL ? in->files[i]->n : 0;
	out.items = arena_calloc(arena, n + 1, sizeof(*out.items));
	for (size_t i = 0; i < in->n; i++)
		for (size_t k = 0;
		     in->files[i]->arena != NULL && k < in->files[i]->n; k++)
			if (in->files[i]->objects[k].role != NULL)
				out.items[out.n++] =
					*in->files[i]->objects[k].role;
	if (out.n > 1)
		qsort(out.items, out.n, sizeof(*out.items), object_order);
	out.n = drop_twins(out.items, out.n);
	return out;
}

/* --- what a step changes -------------------------------------------------- */

static void add_need(struct roles *r, const char *path,
		     const struct writes_one *write, const char *why)
{
	struct needs *all = &r->needs;

	if (all->n == all->cap) {
		size_t cap = all->cap > 0 ? all->cap * 2 : 64;
		struct need *items = arena_calloc(r->step, cap, sizeof(*items));

		if (all->n > 0)
			memcpy(items, all->items, all->n * sizeof(*items));
		all->items = items;
		all->cap = cap;
	}
	all->items[all->n++] = (struct need){path, write, why};
}

static int entry_order(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int c = inventory_order(a->object, b->object);

	return c != 0 ? c : strcmp(a->path, b->path);
}

static size_t take_file(struct entry *out, const struct inventory_file *f,
			bool after)
{
	for (size_t i = 0; out != NULL && i < f->n; i++)
		out[i] = (struct entry){.object = &f->objects[i],
					.path = f->path,
					.after = after};
	return f->n;
}

/* Objects of the files that are not the very same before and after; out NULL:
 * only how many. */
static size_t gather(const struct roles *r, struct entry *out)
{
	size_t i = 0, k = 0, n = 0;

	while (i < r->base.n || k < r->next.n) {
		const struct inventory_file *x =
			i < r->base.n ? r->base.files[i] : NULL;
		const struct inventory_file *y =
			k < r->next.n ? r->next.files[k] : NULL;
		int c = x == NULL   ? 1
			: y == NULL ? -1
				    : strcmp(x->path, y->path);

		if (c <= 0 && x != y)
			n += take_file(out == NULL ? NULL : out + n, x, false);
		if (c >= 0 && x != y)
			n += take_file(out == NULL ? NULL : out + n, y, true);
		i += c <= 0;
		k += c >= 0;
	}
	return n;
}

static bool same_form(const struct entry *a, const struct entry *b)
{
	return !a->gone && !b->gone && a->after != b->after &&
	       memcmp(a->object->digest, b->object->digest, HASH_BYTES) == 0;
}

/* Takes away pairs that say the same before and after: first within a file,
 * then from one to another. */
static void pair_off(struct entry *e, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(e[i].path, e[i - 1].path) == 0 &&
		    same_form(&e[i], &e[i - 1]))
			e[i].gone = e[i - 1].gone = true;
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n && !e[i].gone; k++)
			if (same_form(&e[i], &e[k]))
				e[i].gone = e[k].gone = true;
}

static const struct object *whole(struct roles *r,
				  const struct inventory_object *o)
{
	struct object *out = NULL;

	if (o->role != NULL)
		return o->role;
	out = arena_alloc(r->step, sizeof(*out));
	out->kind = o->kind;
	out->meta.name = o->name;
	out->meta.namespace = o->namespace;
	return out;
}

/* One object: each new form is a write over an old one; old ones without a new
 * one are deleted. */
static void add_writes(struct roles *r, const struct entry *e, size_t n,
		       bool policy_too)
{
	const struct entry *old = NULL;
	bool any_new = false;

	for (size_t i = 0; i < n; i++) {
		if (!e[i].gone && !e[i].after)
			old = &e[i];
		any_new |= !e[i].gone && e[i].after;
	}
	for (size_t i = 0; i < n; i++) {
		struct writes_one *w = NULL;

		if (e[i].gone || (any_new && !e[i].after))
			continue;
		w = arena_alloc(r->step, sizeof(*w));
		w->before = old == NULL ? NULL : whole(r, old->object);
		w->after = e[i].after ? whole(r, e[i].object) : NULL;
		for (size_t k = 0; k < n; k++)
			if (!e[k].gone)
				add_need(r, e[k].path, w, NULL);
		if (policy_too)
			add_need(r, FILES_POLICY_PATH, w, NULL);
	}
}

static void add_object(struct roles *r, struct entry *e, size_t n,
		       bool policy_too)
{
	if (n <= TWINS_MAX) {
		pair_off(e, n);
		add_writes(r, e, n, policy_too);
		return;
	}
	for (size_t i = 0; i < n; i++)
		add_need(r, e[i].path, NULL, "an object is defined too often");
	if (policy_too)
		add_need(r, FILES_POLICY_PATH, NULL,
			 "an object is defined too often");
}

static void add_objects(struct roles *r, bool policy_too)
{
	size_t n = gather(r, NULL);
	struct entry *e = calloc(n + 1, sizeof(*e));

	if (e == NULL)
		abort();
	(void)gather(r, e);
	if (n > 1)
		qsort(e, n, sizeof(*e), entry_order);
	for (size_t i = 0, end = 0; i < n; i = end) {
		for (end = i + 1;
		     end < n &&
		     inventory_order(e[i].object, e[end].object) == 0;)
			end++;
		add_object(r, e + i, end - i, policy_too);
	}
	free(e);
}

/* Files that do not decode, on either side: nobody knows what they change. */
static void add_broken(struct roles *r, const struct inventory *in,
		       bool policy_too)
{
	for (size_t i = 0; i < in->n; i++) {
		const struct inventory_file *f = in->files[i];

		if (!f->broken || f->users > 1) /* the same on both sides */
			continue;
		add_need(r, f->path, NULL, f->why);
		if (policy_too)
			add_need(r, FILES_POLICY_PATH, NULL, f->why);
	}
}

static int need_order(const void *pa, const void *pb)
{
	const struct need *a = pa, *b = pb;
	int c = strcmp(a->path, b->path);

	/* what cannot be read first: the rest of it follows from that */
	return c != 0 ? c : (a->write != NULL) - (b->write != NULL);
}

/* --- the step ------------------------------------------------------------- */

static int start_from(struct roles *r, const struct commit_id *tree,
		      struct verdict *v)
{
	int rc;

	if (r->have_base && commit_id_equal(&r->base_tree, tree))
		return 0;
	if (r->have_next && commit_id_equal(&r->next_tree, tree)) {
		inventory_release(&r->base);
		r->base = r->next;
		r->next = (struct inventory){0};
		r->have_next = false;
		r->have_base = true;
		r->base_tree = *tree;
		return 0;
	}
	inventory_release(&r->base);
	r->have_base = false;
	rc = inventory_read(r->store, tree, &r->base, v);
	if (rc < 0)
		return rc;
	r->have_base = true;
	r->base_tree = *tree;
	return 0;
}

static int go_to(struct roles *r, const struct line_step *step,
		 struct verdict *v)
{
	int rc;

	inventory_release(&r->next);
	r->have_next = false;
	if (step->from_tree == NULL)
		rc = inventory_read(r->store, step->to_tree, &r->next, v);
	else
		rc = inventory_follow(r->store, &r->base, step->to_tree,
				      step->diff, &r->next, v);
	if (rc < 0)
		return rc;
	r->have_next = true;
	r->next_tree = *step->to_tree;
	return 0;
}

static int begin(void *ctx, const struct line_step *step, struct verdict *v)
{
	struct roles *r = ctx;
	bool from_nothing = step->from_tree == NULL;
	bool policy_too;
	int rc = 0;

	arena_free(r->step);
	r->step = arena_new(STEP_BYTES);
	r->needs = (struct needs){0};
	if (from_nothing) {
		inventory_release(&r->base);
		r->have_base = false;
	} else {
		rc = start_from(r, step->from_tree, v);
	}
	if (rc == 0)
		rc = go_to(r, step, v);
	if (rc < 0)
		return rc;
#ifndef GUARD_OFF_ROLES_POLICY
	policy_too =
		!from_nothing && !inventory_reads_alike(&r->base, &r->next);
#else
	policy_too = false;
#endif
	add_objects(r, policy_too);
#ifndef GUARD_OFF_ROLES_BROKEN
	add_broken(r, &r->base, policy_too);
	add_broken(r, &r->next, policy_too);
#else
	(void)add_broken;
#endif
	if (r->needs.n > 1)
		qsort(r->needs.items, r->needs.n, sizeof(*r->needs.items),
		      need_order);
	r->in_force[1] = roles_of(&r->next, r->step);
	/* the first commit of all is judged by itself */
#ifndef GUARD_OFF_ROLES_BEFORE
	r->in_force[0] =
		from_nothing ? r->in_force[1] : roles_of(&r->base, r->step);
#else
	r->in_force[0] = r->in_force[1];
#endif
	access_init(&r->access[0], &r->in_force[0], r->step);
	access_init(&r->access[1], &r->in_force[1], r->step);
	return 0;
}

static size_t first_need(const struct needs *all, const char *path)
{
	size_t lo = 0, hi = all->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(all->items[mid].path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool refuse(const char *who, enum tcode code, const char *what,
		   struct verdict *why)
{
	char safe[120];

	(void)verdict_fail(why, code, "%s may not %s",
			   text_safe(safe, sizeof(safe), who, strlen(who)),
			   what);
	return false;
}

static bool allows(void *ctx, const struct diff_change *change,
		   const struct people_person *person, struct verdict *why)
{
	const struct roles *r = ctx;
	struct access_who who = {person->name, person->roles.items,
				 person->roles.n};
	char text[WRITES_WHY_BYTES];

	/* root alone decides it, so that roles can always be mended */
	if (strcmp(change->path, PEOPLE_PATH) == 0)
		return true;
	for (size_t i = first_need(&r->needs, change->path);
	     i < r->needs.n &&
	     strcmp(r->needs.items[i].path, change->path) == 0;
	     i++) {
		const struct writes_one *w = r->needs.items[i].write;

		if (w == NULL && !access_may_all(&r->access[0], &who)) {
			(void)snprintf(text, sizeof(text),
				       "change what cannot be read (* *.* in "
				       "the cluster): %s",
				       r->needs.items[i].why);
			return refuse(person->name, TCODE_ROLES_UNREADABLE,
				      text, why);
		}
		if (w != NULL &&
		    !writes_may(&r->access[0], &r->access[1], &who, w, text))
			return refuse(person->name, TCODE_ROLES, text, why);
	}
	return true;
}

struct roles *roles_new(struct store *store)
{
	struct roles *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	r->store = store;
	return r;
}

void roles_free(struct roles *r)
{
	if (r == NULL)
		return;
	inventory_release(&r->base);
	inventory_release(&r->next);
	arena_free(r->step);
	free(r);
}

void roles_hook(struct roles *r, struct line_access *out)
{
	*out = (struct line_access){begin, allows, r};
}

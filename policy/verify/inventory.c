/*
 * inventory.c - see inventory.h.  Each file is decoded in memory of its own,
 * of which only names, digests and roles stay.
 */
#include "policy/verify/inventory.h"

#include "policy/verify/files.h"

#include <stdlib.h>
#include <string.h>

#define SCRATCH_BYTES ((size_t)512 << 20)
#define ROLES_BYTES ((size_t)64 << 20)

static void *must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

/* --- one file ------------------------------------------------------------- */

static void file_drop(struct inventory_file *f)
{
	if (f == NULL || --f->users > 0)
		return;
	arena_free(f->arena);
	free(f);
}

static bool is_role(enum manifest_kind kind)
{
	return kind == MANIFEST_ROLE || kind == MANIFEST_CLUSTERROLE ||
	       kind == MANIFEST_ROLEBINDING ||
	       kind == MANIFEST_CLUSTERROLEBINDING;
}

static size_t text_bytes(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

static const char *put_text(char **at, const char *text)
{
	char *out = *at;

	if (text == NULL)
		return NULL;
	memcpy(out, text, strlen(text) + 1);
	*at += strlen(text) + 1;
	return out;
}

/* A file of these objects, in one piece of memory; why: it is broken. */
static struct inventory_file *
file_new(const char *path, const struct objects *set, const char *why)
{
	size_t bytes = text_bytes(path) + text_bytes(why);
	struct inventory_file *f = NULL;
	char *text = NULL;

	for (size_t i = 0; i < set->n; i++)
		bytes += text_bytes(set->items[i].meta.namespace) +
			 text_bytes(set->items[i].meta.name);
	f = must(calloc(1, sizeof(*f) + set->n * sizeof(*f->objects) + bytes));
	f->users = 1;
	f->n = set->n;
	f->objects = (struct inventory_object *)(void *)(f + 1);
	text = (char *)(f->objects + f->n);
	f->path = put_text(&text, path);
	f->why = put_text(&text, why);
	f->broken = why != NULL;
	for (size_t i = 0; i < set->n; i++) {
		const struct object *o = &set->items[i];
		struct inventory_object *to = &f->objects[i];

		to->kind = o->kind;
		to->namespace = put_text(&text, o->meta.namespace);
		to->name = put_text(&text, o->meta.name);
		hash_sha256(o->canonical, o->canonical_len, to->digest);
	}
	return f;
}

/* Roles are kept whole. */
static int keep_roles(struct inventory_file *f, const struct objects *set,
		      struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < set->n; i++) {
		struct object *o = NULL;

		if (!is_role(set->items[i].kind))
			continue;
		if (f->arena == NULL)
			f->arena = arena_new(ROLES_BYTES);
		o = arena_alloc(f->arena, sizeof(*o));
		r = manifest_from_canonical(set->items[i].canonical,
					    set->items[i].canonical_len,
					    f->arena, o, err);
		f->objects[i].role = o;
	}
	return r;
}

static const char *first_error(const struct diags *d, struct arena *arena)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].severity == DIAG_ERROR)
			return arena_printf(
				arena, "line %u: %s %s", d->items[i].pos.line,
				d->items[i].code, d->items[i].message);
	return "too many faults";
}

static struct inventory_file *decode(const struct manifest_input *in,
				     const char *default_namespace,
				     struct arena *scratch,
				     struct cluster_policy *out_policy)
{
	struct objects set = {0};
	struct inventory_file *f = NULL;
	const char *why = NULL;
	struct diags diags;
	struct err err = {0};

	diags_init(&diags, scratch, 8);
	if (manifest_load(in, 1, default_namespace, scratch, &diags, &set,
			  &err) < 0)
		why = err.msg;
	else if (diags.n_errors > 0)
		why = first_error(&diags, scratch);
	if (why != NULL)
		set.n = 0;
	f = file_new(in->path, &set, why);
	if (keep_roles(f, &set, &err) < 0) {
		file_drop(f);
		set.n = 0;
		f = file_new(in->path, &set, err.msg);
	}
	if (out_policy != NULL && set.n == 1 &&
	    set.items[0].kind == MANIFEST_CLUSTERPOLICY)
		*out_policy = set.items[0].policy;
	return f;
}

static struct inventory_file *broken_file(const char *path, const char *why)
{
	struct objects none = {0};

	return file_new(path, &none, why);
}

static bool store_failed(const struct verdict *v)
{
	return v->code == TCODE_MISSING || v->code == TCODE_CORRUPT;
}

/* --- a whole tree --------------------------------------------------------- */

static int by_path(const void *pa, const void *pb)
{
	const struct inventory_file *const *a = pa;
	const struct inventory_file *const *b = pb;

	return strcmp((*a)->path, (*b)->path);
}

/* Reads the policy file, which says how the others are read. */
static int read_policy(struct store *store, const struct commit_id *tree,
		       struct inventory *out, struct inventory_file **out_file,
		       struct verdict *v)
{
	struct arena *scratch = arena_new(SCRATCH_BYTES);
	struct cluster_policy policy = {.manifests_path = ".",
					.default_namespace = "default"};
	struct manifest_input in = {0};
	bool found = false;
	int r = files_read(store, tree, FILES_POLICY_PATH, scratch, &found, &in,
			   v);

	if (r < 0 && !store_failed(v)) {
		*out_file = broken_file(FILES_POLICY_PATH, v->reason);
		r = 0;
	} else if (r == 0 && found) {
		*out_file = decode(&in, "default", scratch, &policy);
	}
	if (r == 0) {
		out->manifests_path = must(strdup(policy.manifests_path));
		out->default_namespace = must(strdup(policy.default_namespace));
	}
	arena_free(scratch);
	return r;
}

static int read_files(struct store *store, const struct commit_id *tree,
		      struct inventory *io, struct verdict *v)
{
	struct arena *blobs = arena_new(SCRATCH_BYTES);
	struct files files = {0};
	struct diags diags;
	int r;

	diags_init(&diags, blobs, 8);
	r = files_collect(store, tree, io->manifests_path, NULL, blobs, &diags,
			  &files, v);
	io->files = must(reallocarray(io->files, io->n + files.n + 1,
				      sizeof(struct inventory_file *)));
	for (size_t i = 0; r == 0 && i < files.n; i++) {
		struct arena *scratch = arena_new(SCRATCH_BYTES);

		io->files[io->n++] = decode(
			&files.items[i], io->default_namespace, scratch, NULL);
		arena_free(scratch);
	}
	arena_free(blobs);
	return r;
}

int inventory_read(struct store *store, const struct commit_id *tree,
		   struct inventory *out, struct verdict *v)
{
	struct inventory_file *policy = NULL;
	struct inventory i = {0};
	int r = read_policy(store, tree, &i, &policy, v);

	if (policy != NULL) {
		i.files = must(calloc(1, sizeof(struct inventory_file *)));
		i.files[i.n++] = policy;
	}
	if (r == 0)
		r = read_files(store, tree, &i, v);
	if (r < 0) {
		inventory_release(&i);
		return r;
	}
	qsort(i.files, i.n, sizeof(i.files[0]), by_path);
	*out = i;
	return 0;
}

void inventory_release(struct inventory *i)
{
	for (size_t k = 0; k < i->n; k++)
		file_drop(i->files[k]);
	free(i->files);
	free(i->manifests_path);
	free(i->default_namespace);
	*i = (struct inventory){0};
}

/* --- a step --------------------------------------------------------------- */

static bool is_file(enum tree_mode mode)
{
	return mode == TREE_FILE || mode == TREE_EXEC;
}

/* What stands at the path after the change; *out NULL: no such file. */
static int read_change(struct store *store, const struct inventory *in,
		       const struct diff_change *c, struct inventory_file **out,
		       struct verdict *v)
{
	struct arena *scratch = NULL;
	struct manifest_input input = {0};
	int r;

	*out = NULL;
	if (!is_file(c->after))
		return 0;
	scratch = arena_new(SCRATCH_BYTES);
	r = files_blob(store, &c->after_id, c->path, scratch, &input, v);
	if (r == 0)
		*out = decode(&input, in->default_namespace, scratch, NULL);
	else if (!store_failed(v))
		*out = broken_file(c->path, v->reason);
	arena_free(scratch);
	return *out == NULL ? r : 0;
}

struct change { /* a path that the step touches */
	const char *path;
	struct inventory_file *file; /* NULL: gone */
};

static int change_order(const void *pa, const void *pb)
{
	const struct change *a = pa, *b = pb;

	return strcmp(a->path, b->path);
}

/* Both are sorted by path; files of old that no change names are shared. */
static void merge(const struct inventory *old, const struct change *changes,
		  size_t n, struct inventory *out)
{
	size_t i = 0, k = 0;

	out->files =
		must(calloc(old->n + n + 1, sizeof(struct inventory_file *)));
	while (i < old->n || k < n) {
		int r = i == old->n ? 1
			: k == n    ? -1
				 : strcmp(old->files[i]->path, changes[k].path);

		if (r < 0) {
			old->files[i]->users++;
			out->files[out->n++] = old->files[i];
		} else if (changes[k].file != NULL) {
			out->files[out->n++] = changes[k].file;
		}
		i += r <= 0;
		k += r >= 0;
	}
}

static int follow(struct store *store, const struct inventory *before,
		  const struct diff *diff, struct inventory *out,
		  struct verdict *v)
{
	struct change *changes = must(calloc(diff->n + 1, sizeof(*changes)));
	size_t n = 0;
	int r = 0;

	out->manifests_path = must(strdup(before->manifests_path));
	out->default_namespace = must(strdup(before->default_namespace));
	for (size_t i = 0; r == 0 && i < diff->n; i++) {
		const struct diff_change *c = &diff->items[i];

		if (!files_is_manifest(before->manifests_path, c->path) &&
		    strcmp(c->path, FILES_POLICY_PATH) != 0)
			continue;
		changes[n].path = c->path;
		r = read_change(store, out, c, &changes[n].file, v);
		n += r == 0;
	}
	if (r == 0) {
		qsort(changes, n, sizeof(*changes), change_order);
		merge(before, changes, n, out);
	}
	for (size_t i = 0; r < 0 && i < n; i++)
		file_drop(changes[i].file);
	free(changes);
	if (r < 0)
		inventory_release(out);
	return r;
}

static bool has_policy_file(const struct diff *diff)
{
	for (size_t i = 0; i < diff->n; i++)
		if (strcmp(diff->items[i].path, FILES_POLICY_PATH) == 0)
			return true;
	return false;
}

int inventory_follow(struct store *store, const struct inventory *before,
		     const struct commit_id *tree, const struct diff *diff,
		     struct inventory *out, struct verdict *v)
{
	struct inventory_file *policy = NULL;
	struct inventory how = {0};
	bool alike = true;
	int r = 0;

	/* files may be read in another way from now on: then all of them */
	if (has_policy_file(diff)) {
		r = read_policy(store, tree, &how, &policy, v);
		alike = r == 0 && inventory_reads_alike(before, &how);
		file_drop(policy);
		inventory_release(&how);
	}
	if (r < 0)
		return r;
	*out = (struct inventory){0};
	return alike ? follow(store, before, diff, out, v)
		     : inventory_read(store, tree, out, v);
}

bool inventory_reads_alike(const struct inventory *a, const struct inventory *b)
{
	return strcmp(a->manifests_path, b->manifests_path) == 0 &&
	       strcmp(a->default_namespace, b->default_namespace) == 0;
}

static int compare_text(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b);
}

int inventory_order(const struct inventory_object *a,
		    const struct inventory_object *b)
{
	int r = (a->kind > b->kind) - (a->kind < b->kind);

	if (r == 0)
		r = compare_text(a->namespace, b->namespace);
	return r != 0 ? r : strcmp(a->name, b->name);
}

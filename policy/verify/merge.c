/*
 * merge.c - see merge.h.  Runs in reconcile-verify below its sandbox; both
 * commits, and all that they hold, are hostile.
 */
#include "policy/verify/merge.h"
#include "policy/trust/tree.h"

#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>
#include <stdlib.h>
#include <string.h>

/* What libgit2 takes for its object store. */
struct memory {
	git_odb_backend base; /* first: libgit2 has a pointer to it */
	struct store *store;
	struct store_kept *made;
	size_t bytes;
	struct verdict why; /* what could not be read */
};

struct merging {
	struct memory memory;
	git_odb *odb;
	git_config *config;
	git_repository *repo;
	git_commit *ours, *theirs;
	git_index *index;
};

static const struct {
	git_object_t git;
	enum store_type type;
	size_t max;
} kinds[] = {
	{GIT_OBJECT_COMMIT, STORE_COMMIT, COMMIT_BYTES_MAX},
	{GIT_OBJECT_TREE, STORE_TREE, TREE_BYTES_MAX},
	{GIT_OBJECT_BLOB, STORE_BLOB, MERGE_BLOB_MAX},
};

static void to_id(const git_oid *from, struct commit_id *out)
{
	memcpy(out->bytes, from->id, COMMIT_ID_BYTES);
}

static const struct store_kept *find(const struct memory *m, const git_oid *oid)
{
	struct commit_id id;

	to_id(oid, &id);
	for (const struct store_kept *o = m->made; o != NULL; o = o->next)
		if (commit_id_equal(&o->id, &id))
			return o;
	return NULL;
}

static git_object_t git_type(enum store_type type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].type == type)
			return kinds[i].git;
	return GIT_OBJECT_INVALID;
}

/* An object of the store, borrowed until the next. */
static int borrow(struct memory *m, const git_oid *oid, const char **out,
		  size_t *out_len, git_object_t *out_type)
{
	enum store_type have;
	struct commit_id id;

	to_id(oid, &id);
	have = store_type_of(m->store, &id);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].type != have)
			continue;
		*out_type = kinds[i].git;
		return store_read(m->store, &id, have, kinds[i].max, out,
				  out_len, &m->why) < 0
			       ? GIT_ERROR
			       : 0;
	}
	return GIT_ENOTFOUND;
}

static int on_read(void **out, size_t *out_len, git_object_t *out_type,
		   git_odb_backend *base, const git_oid *id)
{
	struct memory *m = (struct memory *)base;
	const struct store_kept *o = find(m, id);
	const char *bytes = NULL;
	void *copy;
	int r = 0;

	if (o != NULL) {
		bytes = o->bytes;
		*out_len = o->len;
		*out_type = git_type(o->type);
	} else {
		r = borrow(m, id, &bytes, out_len, out_type);
	}
	if (r < 0)
		return r;
	copy = git_odb_backend_data_alloc(base, *out_len + 1);
	if (copy == NULL)
		return GIT_ERROR;
	memcpy(copy, bytes, *out_len);
	*out = copy;
	return 0;
}

static int on_header(size_t *out_len, git_object_t *out_type,
		     git_odb_backend *base, const git_oid *id)
{
	struct memory *m = (struct memory *)base;
	const struct store_kept *o = find(m, id);
	const char *bytes = NULL;

	if (o == NULL)
		return borrow(m, id, &bytes, out_len, out_type);
	*out_len = o->len;
	*out_type = git_type(o->type);
	return 0;
}

static int on_exists(git_odb_backend *base, const git_oid *oid)
{
	struct memory *m = (struct memory *)base;
	struct commit_id id;

	to_id(oid, &id);
	return find(m, oid) != NULL ||
	       store_type_of(m->store, &id) != STORE_NONE;
}

static int on_write(git_odb_backend *base, const git_oid *id, const void *bytes,
		    size_t len, git_object_t type)
{
	struct memory *m = (struct memory *)base;
	struct store_kept *o = NULL;

	if (len <= MERGE_MADE_BYTES - m->bytes)
		o = malloc(sizeof(*o) + len);
	if (o == NULL) {
		(void)verdict_fail(&m->why, TCODE_TREE_LIMIT,
				   "merging makes more than %zu MiB",
				   MERGE_MADE_BYTES >> 20);
		return GIT_ERROR;
	}
	*o = (struct store_kept){.len = len, .next = m->made};
	to_id(id, &o->id);
	o->type = type == GIT_OBJECT_TREE ? STORE_TREE : STORE_BLOB;
	memcpy(o->bytes, bytes, len);
	m->made = o;
	m->bytes += len;
	return 0;
}

/* It is of the caller's storage. */
static void on_free(git_odb_backend *base)
{
	(void)base;
}

static int begin(struct merging *m, struct store *store)
{
	git_odb_backend *base = &m->memory.base;
	int r = git_odb_init_backend(base, GIT_ODB_BACKEND_VERSION);

	m->memory.store = store;
	base->read = on_read;
	base->read_header = on_header;
	base->exists = on_exists;
	base->write = on_write;
	base->free = on_free;
	if (r == 0)
		r = git_odb_new(&m->odb);
	if (r == 0)
		r = git_odb_add_backend(m->odb, base, 1);
	if (r == 0)
		r = git_config_new(&m->config);
	if (r == 0)
		r = git_repository_wrap_odb(&m->repo, m->odb);
	if (r == 0)
		r = git_repository_set_config(m->repo, m->config);
	return r;
}

static void end(struct merging *m, bool keep)
{
	struct store_kept **list = &m->memory.made;
	struct store *store = m->memory.store;

	git_index_free(m->index);
	git_commit_free(m->ours);
	git_commit_free(m->theirs);
	git_repository_free(m->repo);
	git_config_free(m->config);
	git_odb_free(m->odb);
	while (*list != NULL && keep)
		list = &(*list)->next;
	if (keep) {
		*list = store->kept;
		store->kept = m->memory.made;
		return;
	}
	while (*list != NULL) {
		struct store_kept *next = (*list)->next;

		free(*list);
		*list = next;
	}
}

/* With several bases the result would depend on how they are merged. */
static int one_base(struct merging *m, const git_oid *ours,
		    const git_oid *theirs, bool *out)
{
	git_oidarray bases = {0};
	int r = git_merge_bases(&bases, m->repo, ours, theirs);

	*out = r == 0 && bases.count == 1;
	git_oidarray_dispose(&bases);
	return r == GIT_ENOTFOUND && m->memory.why.code == 0 ? 0 : r;
}

static int run(struct merging *m, const git_oid *ours, const git_oid *theirs,
	       bool *out_clean, git_oid *out)
{
	git_merge_options opts;
	int r = one_base(m, ours, theirs, out_clean);

	if (r == 0)
		r = git_merge_options_init(&opts, GIT_MERGE_OPTIONS_VERSION);
	if (r < 0 || !*out_clean)
		return r;
	opts.default_driver = "text";
	r = git_commit_lookup(&m->ours, m->repo, ours);
	if (r == 0)
		r = git_commit_lookup(&m->theirs, m->repo, theirs);
	if (r == 0)
		r = git_merge_commits(&m->index, m->repo, m->ours, m->theirs,
				      &opts);
	if (r < 0)
		return r;
	*out_clean = !git_index_has_conflicts(m->index);
	return *out_clean ? git_index_write_tree_to(out, m->index, m->repo) : 0;
}

int merge_commits(struct store *store, const struct commit_id *ours,
		  const struct commit_id *theirs, bool keep, bool *out_clean,
		  struct commit_id *out, struct verdict *v)
{
	struct merging m = {0};
	bool clean = false;
	git_oid a, b;
	git_oid tree = {{0}};
	int r;

	(void)git_oid_fromraw(&a, ours->bytes);
	(void)git_oid_fromraw(&b, theirs->bytes);
	r = begin(&m, store);
	if (r == 0)
		r = run(&m, &a, &b, &clean, &tree);
	/* what libgit2 cannot merge does not merge; that the store fails is
	 * another matter */
	if (m.memory.why.code == TCODE_MISSING ||
	    m.memory.why.code == TCODE_CORRUPT) {
		*v = m.memory.why;
		end(&m, false);
		return ERR_TRUST;
	}
	*out_clean = r == 0 && clean;
	if (*out_clean)
		to_id(&tree, out);
	end(&m, keep && *out_clean);
	return 0;
}

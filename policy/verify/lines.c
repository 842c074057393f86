/*
 * lines.c - see lines.h.  Runs in reconcile-verify, sandboxed.
 */
#include "policy/verify/lines.h"
#include "policy/verify/files.h"
#include "policy/verify/merge.h"
#include "policy/verify/roles.h"

#include <git2.h>
#include <string.h>

static int read_tree(void *ctx, const struct commit_id *id, const char **out,
		     size_t *out_len, struct verdict *v)
{
	return store_read(ctx, id, STORE_TREE, TREE_BYTES_MAX, out, out_len, v);
}

static int read_blob(void *ctx, const struct commit_id *id, const char **out,
		     size_t *out_len, struct verdict *v)
{
	return store_read(ctx, id, STORE_BLOB, FILES_BLOB_MAX, out, out_len, v);
}

/* With collision detection, as whatever is read from the store. */
static int hash_tree(void *ctx, const char *bytes, size_t len,
		     struct commit_id *out, struct verdict *v)
{
	git_oid oid;

	(void)ctx;
	if (git_odb_hash(&oid, bytes, len, GIT_OBJECT_TREE) < 0)
		return verdict_fail(v, TCODE_CORRUPT,
				    "a tree without approvals has no id");
	memcpy(out->bytes, oid.id, COMMIT_ID_BYTES);
	return 0;
}

static int merge(void *ctx, const struct commit_id *ours,
		 const struct commit_id *theirs, bool keep, bool *out_clean,
		 struct commit_id *out_tree, struct verdict *v)
{
	return merge_commits(ctx, ours, theirs, keep, out_clean, out_tree, v);
}

int lines_check(struct store *store, struct line_ask *ask, struct arena *arena,
		struct history_result *history, struct line_result *out,
		struct verdict *v)
{
	const struct line_source src = {
		.commits = {store_read_commit, store},
		.trees = {{read_tree, store}, hash_tree},
		.blob = read_blob,
		.merge = merge,
		.ctx = store,
	};
	struct roles *roles = roles_new(store);
	struct line_access access;
	int r;

	roles_hook(roles, &access);
	ask->access = &access;
	r = line_check(&src, ask, arena, history, out, v);
	ask->access = NULL;
	roles_free(roles);
	return r;
}

struct seek {
	const char *name;
	bool found;
	struct tree_entry entry;
};

static int on_entry(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	struct seek *s = ctx;

	(void)v;
	if (e->name.len == strlen(s->name) &&
	    memcmp(e->name.at, s->name, e->name.len) == 0) {
		s->found = true;
		s->entry = *e;
	}
	return 0;
}

int lines_has_policy(struct store *store, const struct commit_id *tree,
		     bool *out, struct verdict *v)
{
	struct seek folder = {.name = ".reconcile"};
	struct seek file = {.name = "trust.yaml"};
	const char *bytes = NULL;
	size_t len = 0;
	int r = read_tree(store, tree, &bytes, &len, v);

	if (r == 0)
		r = tree_each(bytes, len, false, on_entry, &folder, v);
	if (r == 0 && folder.found && folder.entry.mode == TREE_DIR) {
		r = read_tree(store, &folder.entry.id, &bytes, &len, v);
		if (r == 0)
			r = tree_each(bytes, len, false, on_entry, &file, v);
	}
	if (r == 0)
		*out = file.found;
	return r;
}

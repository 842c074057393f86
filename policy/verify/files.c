/*
 * files.c - see files.h.  Trees are walked by object id; no path is ever
 * opened.  Runs in reconcile-verify, sandboxed; all of it is hostile.
 */
#include "policy/verify/files.h"
#include "policy/trust/tree.h"

#include <string.h>

struct seek { /* one name in one tree */
	const char *name;
	size_t len;
	bool found;
	struct tree_entry entry;
};

struct level { /* entries of one folder, copied */
	struct tree_entry *items;
	size_t n;
};

struct collect {
	struct store *store;
	struct arena *arena;
	struct diags *diags;
	const char *signer;
	struct files *out;
	size_t entries, bytes;
	struct verdict *v;
};

/* A folder that waits to be read. */
struct folder {
	struct commit_id id;
	const char *path; /* "" for the root */
	unsigned int depth;
	struct folder *next;
};

static int on_seek(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	struct seek *s = ctx;

	(void)v;
	if (e->name.len == s->len && memcmp(e->name.at, s->name, s->len) == 0) {
		s->entry = *e;
		s->found = true;
	}
	return 0;
}

static int seek_name(struct store *store, const struct commit_id *tree,
		     struct seek *s, struct verdict *v)
{
	const char *bytes = NULL;
	size_t len = 0;
	int r;

	s->found = false;
	r = store_read(store, tree, STORE_TREE, TREE_BYTES_MAX, &bytes, &len,
		       v);
	if (r < 0)
		return r;
	return tree_each(bytes, len, false, on_seek, s, v);
}

/* Follows a path of folders; found is false at the first part missing. */
static int seek_path(struct store *store, const struct commit_id *tree,
		     const char *path, struct seek *out, struct verdict *v)
{
	struct commit_id at = *tree;
	int r;

	for (;;) {
		out->name = path;
		out->len = strcspn(path, "/");
		r = seek_name(store, &at, out, v);
		if (r < 0 || !out->found || path[out->len] == '\0')
			return r;
		if (out->entry.mode != TREE_DIR) {
			out->found = false;
			return 0;
		}
		at = out->entry.id;
		path += out->len + 1;
	}
}

int files_blob(struct store *store, const struct commit_id *id,
	       const char *path, struct arena *arena,
	       struct manifest_input *out, struct verdict *v)
{
	char hex[COMMIT_ID_HEX];
	const char *bytes = NULL;
	size_t len = 0;
	int r;

	r = store_read(store, id, STORE_BLOB, FILES_BLOB_MAX, &bytes, &len, v);
	if (r < 0)
		return r;
	*out = (struct manifest_input){
		.path = path,
		.bytes = arena_strndup(arena, "", 0),
		.len = len,
		.blob = arena_strdup(arena, commit_id_hex(id, hex)),
	};
	if (len > 0)
		out->bytes = arena_memdup(arena, bytes, len);
	return 0;
}

int files_read(struct store *store, const struct commit_id *tree,
	       const char *path, struct arena *arena, bool *out_found,
	       struct manifest_input *out, struct verdict *v)
{
	struct seek s = {0};
	int r;

	r = seek_path(store, tree, path, &s, v);
	if (r < 0)
		return r;
	*out_found = s.found &&
		     (s.entry.mode == TREE_FILE || s.entry.mode == TREE_EXEC);
	if (!*out_found)
		return 0;
	return files_blob(store, &s.entry.id, arena_strdup(arena, path), arena,
			  out, v);
}

static void complain(struct collect *c, enum tcode code, const char *path,
		     const char *message)
{
	struct manifest_pos pos = {.path = path};

	diags_add(c->diags, verdict_name(code), DIAG_ERROR, pos, NULL,
		  verdict_fix(code), "%s", message);
}

static bool ends_in(const char *name, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && memcmp(name + len - n, end, n) == 0;
}

static bool is_yaml(const char *name, size_t len)
{
	return ends_in(name, len, ".yaml") || ends_in(name, len, ".yml") ||
	       ends_in(name, len, ".json");
}

static bool is_kustomize(const struct commit_span *n)
{
	static const char *const names[] = {
		"kustomization.yaml", "kustomization.yml", "Kustomization"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == n->len &&
		    memcmp(names[i], n->at, n->len) == 0)
			return true;
	return false;
}

/* A kustomization that only lists resources changes nothing and is passed over;
 * any other key at the start of a line would have changed the manifests. */
static void check_kustomize(struct collect *c, const struct manifest_input *in)
{
	static const char *const harmless[] = {
		"resources:", "apiVersion:", "kind:",	  "#", "---",
		"- ",	      " ",	     "metadata:", "\n"};
	const char *at = in->bytes;
	const char *end = at + in->len;

	while (at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t left = (size_t)(end - at);
		bool good = false;

		for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]);
		     i++)
			good |= left >= strlen(harmless[i]) &&
				memcmp(at, harmless[i], strlen(harmless[i])) ==
					0;
		if (!good) {
			complain(c, TCODE_KUSTOMIZE, in->path,
				 "has more than \"resources\"");
			return;
		}
		at = eol != NULL ? eol + 1 : end;
	}
}

static int add_file(struct collect *c, const struct tree_entry *e,
		    const char *path)
{
	struct manifest_input in;
	struct verdict v = {0};
	bool kustomize = is_kustomize(&e->name);
	int r;

	if (!kustomize && !is_yaml(e->name.at, e->name.len))
		return 0;
	r = files_blob(c->store, &e->id, path, c->arena, &in, &v);
	if (r < 0 && v.code == TCODE_TREE_LIMIT) {
		complain(c, v.code, path, v.reason);
		return 0;
	}
	if (r < 0) {
		*c->v = v;
		return verdict_wrap(c->v, "%s", path);
	}
	c->bytes += in.len;
	if (c->out->n == FILES_MANIFESTS_MAX || c->bytes > FILES_BYTES_MAX)
		return verdict_fail(c->v, TCODE_TREE_LIMIT,
				    "want at most %d manifests of %zu bytes "
				    "in all",
				    FILES_MANIFESTS_MAX, FILES_BYTES_MAX);
	if (kustomize) {
		check_kustomize(c, &in);
		return 0;
	}
	in.signer = c->signer;
	c->out->items[c->out->n++] = in;
	return 0;
}

/* Names are still in the object's bytes, which the next read frees: copied. */
static int on_entry(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	struct level *l = ctx;

	(void)v;
	l->items[l->n++] = *e;
	return 0;
}

static int read_level(struct collect *c, const struct folder *f,
		      struct level *out)
{
	struct verdict v = {0};
	const char *bytes = NULL;
	size_t len = 0;
	char *copy;
	int r;

	*out = (struct level){0};
	r = store_read(c->store, &f->id, STORE_TREE, TREE_BYTES_MAX, &bytes,
		       &len, &v);
	if (r == 0 && len > 0) {
		copy = arena_memdup(c->arena, bytes, len);
		out->items = arena_calloc(c->arena, len / 24 + 1,
					  sizeof(out->items[0]));
		r = tree_each(copy, len, true, on_entry, out, &v);
	}
	if (r < 0 && v.code != TCODE_MISSING && v.code != TCODE_CORRUPT) {
		complain(c, v.code, f->path, v.reason);
		out->n = 0;
		return 0;
	}
	if (r < 0)
		*c->v = v;
	return r;
}

static struct folder *new_folder(struct collect *c, const struct tree_entry *e,
				 const struct folder *above, const char *path)
{
	struct folder *f = arena_alloc(c->arena, sizeof(*f));

	f->id = e->id;
	f->path = path;
	f->depth = above->depth + 1;
	return f;
}

/* One entry of a folder; a folder is put on *waiting. */
static int take_entry(struct collect *c, const struct folder *f,
		      const struct tree_entry *e, struct folder **waiting)
{
	struct folder *sub = NULL;
	char text[80];
	const char *path;

	path = arena_printf(c->arena, "%s%s%.*s", f->path,
			    *f->path != '\0' ? "/" : "", (int)e->name.len,
			    e->name.at);
	if (e->mode == TREE_LINK || e->mode == TREE_SUBMODULE) {
#ifndef GUARD_OFF_TREE_MODE
		(void)snprintf(text, sizeof(text),
			       "want a plain file or folder, have a %s",
			       tree_mode_text(e->mode));
		complain(c, TCODE_TREE_MODE, path, text);
#else
		(void)text;
#endif
		return 0;
	}
	if (e->name.at[0] == '.')
		return 0;
	if (e->mode != TREE_DIR)
		return add_file(c, e, path);
	if (f->depth + 1 > FILES_DEPTH_MAX) {
		complain(c, TCODE_TREE_LIMIT, path, "folders nest too deeply");
		return 0;
	}
	sub = new_folder(c, e, f, path);
	sub->next = *waiting;
	*waiting = sub;
	return 0;
}

static int walk(struct collect *c, struct folder *waiting)
{
	int r = 0;

	while (r == 0 && waiting != NULL) {
		struct folder *f = waiting;
		struct level level;

		waiting = f->next;
		r = read_level(c, f, &level);
		c->entries += level.n;
		if (r == 0 && c->entries > FILES_ENTRIES_MAX)
			r = verdict_fail(c->v, TCODE_TREE_LIMIT,
					 "want at most %d files and folders",
					 FILES_ENTRIES_MAX);
		for (size_t i = 0; r == 0 && i < level.n; i++)
			r = take_entry(c, f, &level.items[i], &waiting);
	}
	return r;
}

bool files_is_manifest(const char *manifests_path, const char *path)
{
	size_t n =
		strcmp(manifests_path, ".") == 0 ? 0 : strlen(manifests_path);
	struct commit_span name = {path, strlen(path)};

	if (n > 0 && (strncmp(path, manifests_path, n) != 0 || path[n] != '/'))
		return false;
	for (const char *at = path + n + (n > 0); at != NULL;
	     at = strchr(at, '/')) {
		at += *at == '/';
		if (*at == '.')
			return false;
		name = (struct commit_span){at, strlen(at)};
	}
	return is_yaml(name.at, name.len) && !is_kustomize(&name);
}

/* A limit of the whole is a diagnostic, not a failing store. */
static int soften(struct collect *c, int r)
{
	if (r == 0 || c->v->code == TCODE_MISSING ||
	    c->v->code == TCODE_CORRUPT)
		return r;
	complain(c, c->v->code, NULL, c->v->reason);
	*c->v = (struct verdict){0};
	return 0;
}

int files_collect(struct store *store, const struct commit_id *tree,
		  const char *manifests_path, const char *signer,
		  struct arena *arena, struct diags *diags, struct files *out,
		  struct verdict *v)
{
	struct collect c = {.store = store,
			    .arena = arena,
			    .diags = diags,
			    .signer = signer,
			    .out = out,
			    .v = v};
	struct folder top = {.id = *tree, .path = ""};
	struct seek s = {0};
	int r;

	out->items =
		arena_calloc(arena, FILES_MANIFESTS_MAX, sizeof(out->items[0]));
	out->n = 0;
	if (strcmp(manifests_path, ".") != 0 && *manifests_path != '\0') {
		r = seek_path(store, tree, manifests_path, &s, v);
		if (r < 0)
			return soften(&c, r);
		if (!s.found || s.entry.mode != TREE_DIR) {
			complain(&c, TCODE_TREE_MODE, manifests_path,
				 "manifestsPath is not a folder of the commit");
			return 0;
		}
		top.id = s.entry.id;
		top.path = manifests_path;
	}
	return soften(&c, walk(&c, &top));
}

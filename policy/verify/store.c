/*
 * store.c - see store.h.  Runs in reconcile-verify below the sandbox: reads
 * below one folder, no descriptor but the socket to its starter.  Every object
 * is hostile: sizes are checked before anything is inflated (A45).
 */
#include "policy/verify/store.h"
#include "lib/text.h"

#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WINDOW_BYTES ((size_t)32 << 20)
#define MAPPED_BYTES ((size_t)256 << 20)
#define CACHE_BYTES ((ssize_t)32 << 20)
#define REVISION_MAX 250

static const char *git_text(void)
{
	const git_error *e = git_error_last();

	return e != NULL && e->message != NULL ? e->message : "no reason given";
}

int store_library_init(struct err *err)
{
	static const int levels[] = {
		GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
		GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA};

	if (git_libgit2_init() < 0)
		return err_set(err, ERR_SYS, "libgit2: %s", git_text());
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		(void)git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
#ifndef GUARD_OFF_STRICT_HASH
	(void)git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
#else
	(void)git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
#endif
	(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	(void)git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, WINDOW_BYTES);
	(void)git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, MAPPED_BYTES);
	(void)git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, CACHE_BYTES);
	(void)git_libgit2_opts(GIT_OPT_DISABLE_PACK_KEEP_FILE_CHECKS, 1);
	return 0;
}

static bool exists(const char *path, const char *name)
{
	char full[4096];
	struct stat st;

	(void)snprintf(full, sizeof(full), "%s/%s", path, name);
	return lstat(full, &st) == 0;
}

/* Files by which a store has objects elsewhere or an end that is no root. */
static int check_whole(const char *path, struct verdict *v)
{
#ifndef GUARD_OFF_WHOLE_STORE
	static const char *const refused[] = {"objects/info/alternates",
					      "objects/info/http-alternates",
					      "shallow"};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (exists(path, refused[i]))
			return verdict_fail(v, TCODE_STORE,
					    "the store has a file %s",
					    refused[i]);
#else
	(void)path;
	(void)v;
#endif
	return 0;
}

int store_open(const char *path, bool strict, struct store *out,
	       struct verdict *v, struct err *err)
{
	char objects[4096];
	int r;

	if (path[0] != '/' || strlen(path) > sizeof(objects) - 64)
		return err_set(err, ERR_INPUT,
			       "want an absolute repository path");
	if (!exists(path, "objects"))
		return err_set(err, ERR_NOTFOUND,
			       "%s is not a bare repository or .git folder "
			       "(it has no objects)",
			       path);
	if (strict && check_whole(path, v) < 0)
		return ERR_TRUST;
	(void)snprintf(objects, sizeof(objects), "%s/objects", path);
	*out = (struct store){.path = path};
	r = git_odb_open(&out->odb, objects);
	if (r < 0)
		return err_set(err, ERR_SYS, "%s: %s", objects, git_text());
	return 0;
}

void store_close(struct store *s)
{
	git_odb_object_free(s->last);
	git_odb_free(s->odb);
	s->last = NULL;
	s->odb = NULL;
	while (s->kept != NULL) {
		struct store_kept *next = s->kept->next;

		free(s->kept);
		s->kept = next;
	}
}

static const struct store_kept *find_kept(const struct store *s,
					  const struct commit_id *id)
{
	for (const struct store_kept *k = s->kept; k != NULL; k = k->next)
		if (commit_id_equal(&k->id, id))
			return k;
	return NULL;
}

/* git's number and name of a type, and the code of "too large". */
static const struct {
	git_object_t git;
	const char *name;
	enum tcode limit;
} kinds[] = {
	[STORE_COMMIT] = {GIT_OBJECT_COMMIT, "commit", TCODE_TOO_LARGE},
	[STORE_TREE] = {GIT_OBJECT_TREE, "tree", TCODE_TREE_LIMIT},
	[STORE_BLOB] = {GIT_OBJECT_BLOB, "blob", TCODE_TREE_LIMIT},
	[STORE_TAG] = {GIT_OBJECT_TAG, "tag", TCODE_TOO_LARGE},
};

static int cannot_read(int r, const char *hex, enum store_type type,
		       struct verdict *v)
{
	char text[200];
	const char *why = git_text();

	if (r == GIT_ENOTFOUND)
		return verdict_fail(v, TCODE_MISSING,
				    "%s %s is not in the store",
				    kinds[type].name, hex);
	return verdict_fail(v, TCODE_CORRUPT, "%s %s cannot be read: %s",
			    kinds[type].name, hex,
			    text_safe(text, sizeof(text), why, strlen(why)));
}

int store_read(struct store *s, const struct commit_id *id,
	       enum store_type type, size_t max, const char **out,
	       size_t *out_len, struct verdict *v)
{
	const struct store_kept *kept = find_kept(s, id);
	char hex[COMMIT_ID_HEX];
	git_object_t have = GIT_OBJECT_INVALID;
	size_t len = 0;
	git_oid oid;
	int r;

	if (kept != NULL && kept->type == type && kept->len <= max) {
		*out = kept->bytes;
		*out_len = kept->len;
		return 0;
	}
	commit_id_hex(id, hex);
	git_odb_object_free(s->last);
	s->last = NULL;
	(void)git_oid_fromraw(&oid, id->bytes);
	r = git_odb_read_header(&len, &have, s->odb, &oid);
	if (r < 0)
		return cannot_read(r, hex, type, v);
	if (have != kinds[type].git)
		return verdict_fail(v, TCODE_CORRUPT, "%s is not a %s", hex,
				    kinds[type].name);
	if (len > max)
		return verdict_fail(v, kinds[type].limit,
				    "%s %s: want at most %zu bytes, have %zu",
				    kinds[type].name, hex, max, len);
	r = git_odb_read(&s->last, s->odb, &oid);
	if (r < 0) {
		s->last = NULL;
		return cannot_read(r, hex, type, v);
	}
	if (git_odb_object_type(s->last) != kinds[type].git ||
	    git_odb_object_size(s->last) > max)
		return verdict_fail(v, TCODE_CORRUPT,
				    "%s %s changed while it was read",
				    kinds[type].name, hex);
	*out = git_odb_object_data(s->last);
	*out_len = git_odb_object_size(s->last);
	return 0;
}

enum store_type store_type_of(struct store *s, const struct commit_id *id)
{
	const struct store_kept *kept = find_kept(s, id);
	git_object_t have = GIT_OBJECT_INVALID;
	enum store_type t = STORE_COMMIT;
	size_t len = 0;
	git_oid oid;

	if (kept != NULL)
		return kept->type;
	(void)git_oid_fromraw(&oid, id->bytes);
	if (git_odb_read_header(&len, &have, s->odb, &oid) < 0)
		return STORE_NONE;
	while (t < STORE_NONE && kinds[t].git != have)
		t++;
	return t;
}

int store_read_commit(void *ctx, const struct commit_id *id, const char **out,
		      size_t *out_len, struct verdict *v)
{
	return store_read(ctx, id, STORE_COMMIT, COMMIT_BYTES_MAX, out, out_len,
			  v);
}

static bool revision_ok(const char *revision)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789._/~^+-@";
	size_t len = strlen(revision);

	return len > 0 && len <= REVISION_MAX && revision[0] != '-' &&
	       revision[0] != '/' && strspn(revision, allowed) == len &&
	       strstr(revision, "..") == NULL && strstr(revision, "//") == NULL;
}

int store_resolve(const struct store *s, const char *revision,
		  struct commit_id *out, struct verdict *v)
{
	git_repository *repo = NULL;
	git_object *object = NULL;
	git_object *commit = NULL;
	char shown[200];
	int r;

	text_safe(shown, sizeof(shown), revision, strlen(revision));
	if (!revision_ok(revision))
		return verdict_fail(v, TCODE_REVISION,
				    "revision \"%s\": want a name, an id, ~ "
				    "and ^ only",
				    shown);
	r = git_repository_open_ext(&repo, s->path,
				    GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (r == 0)
		r = git_revparse_single(&object, repo, revision);
	if (r == 0)
		r = git_object_peel(&commit, object, GIT_OBJECT_COMMIT);
	if (r == 0)
		memcpy(out->bytes, git_object_id(commit)->id, COMMIT_ID_BYTES);
	else
		(void)verdict_fail(v, TCODE_REVISION, "revision \"%s\": %s",
				   shown, git_text());
	git_object_free(commit);
	git_object_free(object);
	git_repository_free(repo);
	return r == 0 ? 0 : ERR_TRUST;
}

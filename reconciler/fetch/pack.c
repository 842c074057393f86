/*
 * pack.c - see pack.h.  Runs in reconcile-fetch, sandboxed; a pack is hostile
 * (G14): its bytes and objects are counted, memory is capped by the sandbox.
 */
#include "reconciler/fetch/pack.h"
#include "reconciler/fetch/bare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES 4352

struct stream {
	pack_sink *sink;
	void *ctx;
};

static int on_bytes(void *bytes, size_t len, void *payload)
{
	struct stream *s = payload;

	return s->sink(s->ctx, bytes, len) < 0 ? GIT_EUSER : 0;
}

static int push_walk(git_repository *repo, git_odb *odb, const git_oid *want,
		     const git_oid *have, size_t n_have, git_revwalk **out)
{
	int r = git_revwalk_new(out, repo);

	if (r == 0)
		r = git_revwalk_sorting(*out, GIT_SORT_TIME);
	if (r == 0)
		r = git_revwalk_push(*out, want);
	for (size_t i = 0; r == 0 && i < n_have; i++) {
		git_oid commit;

		if (bare_has_commit(odb, &have[i], &commit))
			r = git_revwalk_hide(*out, &commit);
	}
	return r;
}

int pack_make(const char *store_path, const git_oid *want, const git_oid *have,
	      size_t n_have, pack_sink *sink, void *ctx, bool *out_any,
	      struct err *err)
{
	struct stream stream = {sink, ctx};
	git_packbuilder *builder = NULL;
	git_repository *repo = NULL;
	git_revwalk *walk = NULL;
	git_odb *odb = NULL;
	git_oid commit;
	int r;

	r = bare_open_objects(store_path, &repo, &odb, err);
	if (r < 0)
		return r;
	if (!bare_has_commit(odb, want, &commit)) {
		r = err_set(err, ERR_NOTFOUND, "%s does not have the commit",
			    store_path);
		goto out;
	}
	r = push_walk(repo, odb, &commit, have, n_have, &walk);
	if (r == 0)
		r = git_packbuilder_new(&builder, repo);
	if (r == 0)
		r = git_packbuilder_insert_walk(builder, walk);
	if (r == 0 && !git_oid_equal(want, &commit)) /* the tag itself */
		r = git_packbuilder_insert(builder, want, NULL);
	if (r < 0) {
		r = bare_error(err, r == GIT_ENOTFOUND ? ERR_NOTFOUND : ERR_SYS,
			       "pack history");
		goto out;
	}
	*out_any = git_packbuilder_object_count(builder) > 0;
	if (*out_any) {
		r = git_packbuilder_foreach(builder, on_bytes, &stream);
		if (r < 0)
			r = bare_error(err, ERR_SYS, "write the pack");
	}
out:
	git_packbuilder_free(builder);
	git_revwalk_free(walk);
	git_odb_free(odb);
	git_repository_free(repo);
	return r;
}

static int on_progress(const git_indexer_progress *stats, void *payload)
{
	struct pack_taker *t = payload;

#ifndef GUARD_OFF_BUDGET
	if (stats->total_objects > BUDGET_OBJECTS)
		return err_set(&t->budget->why, ERR_LIMIT,
			       "want at most %u objects, the pack says %u",
			       BUDGET_OBJECTS, stats->total_objects);
#else
	(void)stats;
#endif
	return budget_take(t->budget, 0) < 0 ? GIT_EUSER : 0;
}

/* Adds every pack that is there now.  The usual backend would read the folder
 * again for each object that it does not have, which a new pack is full of. */
static int add_packs(git_odb *odb, const char *pack_dir)
{
	struct dirent *e = NULL;
	DIR *dir = opendir(pack_dir);
	int r = dir != NULL ? 0 : -1;

	while (r == 0 && (e = readdir(dir)) != NULL) {
		size_t n = strlen(e->d_name);
		git_odb_backend *backend = NULL;
		char path[sizeof(((struct pack_taker *)0)->pack_dir) + 300];

		if (n < 5 || strcmp(e->d_name + n - 4, ".idx") != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", pack_dir,
			       e->d_name);
		r = git_odb_backend_one_pack(&backend, path);
		if (r == 0)
			r = git_odb_add_backend(odb, backend, 1);
	}
	if (dir != NULL)
		(void)closedir(dir);
	return r;
}

/* What the store has at the start, to fill and check the new pack against. */
static int open_before(const char *store_path, const char *pack_dir,
		       git_odb **out, struct err *err)
{
	git_odb_backend *loose = NULL;
	git_odb *odb = NULL;
	char objects[4096];
	int r;

	(void)snprintf(objects, sizeof(objects), "%s/objects", store_path);
	r = git_odb_new(&odb);
	if (r == 0)
		r = git_odb_backend_loose(&loose, objects, -1, 0, 0, 0);
	if (r == 0)
		r = git_odb_add_backend(odb, loose, 2);
	if (r == 0)
		r = add_packs(odb, pack_dir);
	if (r < 0) {
		git_odb_free(odb);
		return bare_error(err, ERR_SYS, store_path);
	}
	*out = odb;
	return 0;
}

int pack_take_begin(const char *store_path, struct budget *budget,
		    struct pack_taker *out, struct err *err)
{
	*out = (struct pack_taker){.budget = budget, .store = store_path};
	if ((size_t)snprintf(out->pack_dir, sizeof(out->pack_dir),
			     "%s/objects/pack",
			     store_path) >= sizeof(out->pack_dir) ||
	    (size_t)snprintf(out->incoming, sizeof(out->incoming),
			     "%s/" BARE_INCOMING,
			     store_path) >= sizeof(out->incoming))
		return err_set(err, ERR_LIMIT, "the store path is too long");
	return open_before(store_path, out->pack_dir, &out->odb, err);
}

/* The indexer is made with the first byte: a pack of nothing needs none. */
static int need_indexer(struct pack_taker *t)
{
	git_indexer_options opts;

	if (t->indexer != NULL)
		return 0;
	if (git_indexer_options_init(&opts, GIT_INDEXER_OPTIONS_VERSION) < 0)
		return -1;
	opts.progress_cb = on_progress;
	opts.progress_cb_payload = t;
	opts.verify = 1;
	return git_indexer_new(&t->indexer, t->incoming, 0444, t->odb, &opts);
}

/* libgit2's last error: of the machine, or of the bytes. */
static int pack_error(struct err *err, const char *what)
{
	const git_error *e = git_error_last();

	if (e != NULL &&
	    (e->klass == GIT_ERROR_OS || e->klass == GIT_ERROR_NOMEMORY))
		return bare_error(err, ERR_SYS, "store the pack");
	return bare_error(err, ERR_INPUT, what);
}

int pack_take(void *taker, const void *bytes, size_t len)
{
	struct pack_taker *t = taker;
	int r;

	r = budget_take(t->budget, len);
	t->bytes += len;
	if (r == 0 &&
	    (need_indexer(t) < 0 ||
	     git_indexer_append(t->indexer, bytes, len, &t->stats) < 0))
		r = pack_error(&t->why, "the pack is malformed");
	if (t->budget->why.code != 0) {
		t->why = t->budget->why;
		r = t->why.code;
	}
	return r;
}

/* The name of a file of the new pack, in folder. */
static const char *file_of(const struct pack_taker *t, const char *folder,
			   const char *end, char out[FILE_BYTES])
{
	(void)snprintf(out, FILE_BYTES, "%s/pack-%s.%s", folder,
		       git_indexer_name(t->indexer), end);
	return out;
}

/* In what was there before, or in the new pack. */
static int check_want(struct pack_taker *t, const git_oid *want,
		      struct err *err)
{
	git_odb_backend *backend = NULL;
	char idx[FILE_BYTES];

	if (t->indexer != NULL &&
	    (git_odb_backend_one_pack(
		     &backend, file_of(t, t->incoming, "idx", idx)) < 0 ||
	     git_odb_add_backend(t->odb, backend, 1) < 0))
		return bare_error(err, ERR_SYS, "look into the pack");
	if (!bare_has_commit(t->odb, want, NULL))
		return err_set(err, ERR_NOTFOUND,
			       "the wanted commit is not in the store after "
			       "the transfer");
	return 0;
}

/* The index last: with it the pack is there. */
static int move_in(struct pack_taker *t, struct err *err)
{
	static const char *const ends[] = {"pack", "idx"};
	char from[FILE_BYTES], to[FILE_BYTES];
	int fd, r = 0;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (rename(file_of(t, t->incoming, ends[i], from),
			   file_of(t, t->pack_dir, ends[i], to)) < 0)
			return err_sys(err, errno, "move the pack in");
	fd = open(t->pack_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		r = err_sys(err, errno, "sync %s", t->pack_dir);
	if (fd >= 0)
		(void)close(fd);
	return r;
}

int pack_take_end(struct pack_taker *t, const git_oid *want, struct err *err)
{
	int r;

	if (t->indexer != NULL &&
	    git_indexer_commit(t->indexer, &t->stats) < 0) {
		if (t->budget->why.code != 0) {
			*err = t->budget->why;
			return err->code;
		}
		return pack_error(err, "the pack is not whole");
	}
	t->whole = t->indexer != NULL;
	r = check_want(t, want, err);
	if (r == 0 && t->whole) {
		r = move_in(t, err);
		t->whole = r < 0;
	}
	return r;
}

void pack_take_release(struct pack_taker *t)
{
	char path[FILE_BYTES];

	if (t->whole) { /* and refused */
		(void)unlink(file_of(t, t->incoming, "idx", path));
		(void)unlink(file_of(t, t->incoming, "pack", path));
	}
	git_indexer_free(t->indexer);
	git_odb_free(t->odb);
	*t = (struct pack_taker){0};
}

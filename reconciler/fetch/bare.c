/*
 * bare.c - see bare.h.
 */
#include "reconciler/fetch/bare.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WINDOW_BYTES ((size_t)32 << 20)
#define MAPPED_BYTES ((size_t)256 << 20)
#define LOCK_MS 30000
#define LOCK_STEP_NS 20000000L

int bare_error(struct err *err, int code, const char *what)
{
	const git_error *e = git_error_last();
	const char *why = e != NULL && e->message != NULL ? e->message
							  : "no reason given";
	char shown[300];

	return err_set(err, code, "%s: %s", what,
		       text_safe(shown, sizeof(shown), why, strlen(why)));
}

static int write_if_missing(int dir, const char *name, const char *text,
			    struct err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return file_replace(dir, name, 0640, text, strlen(text), err);
}

/* One writer a store.  The descriptor is held until the process ends. */
static int lock_store(int dir, struct err *err)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_NS};
	int64_t until = clock_boot_ms() + LOCK_MS;
	int fd, r;

	while ((r = file_lock(dir, "lock", &fd, err)) == ERR_AGAIN &&
	       clock_boot_ms() < until)
		(void)nanosleep(&step, NULL);
	return r;
}

static bool ends_with(const char *name, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && strcmp(name + len - n, end) == 0;
}

/* An index is written before its pack has its name: alone, it makes libgit2
 * refuse the whole store.  A lock file would refuse the same pack for ever. */
static bool is_left_over(int dir, const char *name)
{
	size_t len = strlen(name);
	char pack[NAME_MAX + 1];

	if (strncmp(name, "pack_", 5) == 0 || ends_with(name, len, ".lock"))
		return true;
	if (!ends_with(name, len, ".idx") || len >= sizeof(pack) - 1)
		return false;
	(void)snprintf(pack, sizeof(pack), "%.*s.pack", (int)len - 4, name);
	return faccessat(dir, pack, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	       errno == ENOENT;
}

/* What a writer that was stopped left in a folder: all of it, or what is_left()
 * says. */
static int drop_left_overs(int store, const char *folder,
			   bool (*is_left)(int dir, const char *name),
			   struct err *err)
{
	int fd = openat(store, folder,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (d == NULL) {
		r = err_sys(err, errno, "open %s", folder);
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while (r == 0 && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' &&
		    (is_left == NULL || is_left(fd, e->d_name)) &&
		    unlinkat(fd, e->d_name, 0) < 0)
			r = err_sys(err, errno, "remove a left-over file");
	(void)closedir(d);
	return r;
}

int bare_create(const char *path, struct err *err)
{
	static const char *const folders[] = {"objects/pack", BARE_INCOMING,
					      "objects/info", "refs/heads",
					      "refs/reconcile"};
	int dir = -1;
	int r;

	if (path[0] != '/')
		return err_set(err, ERR_INPUT, "want an absolute store path");
	r = file_mkdirs(AT_FDCWD, path, 0750, &dir, err);
	for (size_t i = 0; r == 0 && i < sizeof(folders) / sizeof(folders[0]);
	     i++) {
		int sub = -1;

		r = file_mkdirs(dir, folders[i], 0750, &sub, err);
		if (sub >= 0)
			(void)close(sub);
	}
	if (r == 0)
		r = lock_store(dir, err);
	if (r == 0)
		r = drop_left_overs(dir, "objects/pack", is_left_over, err);
	if (r == 0)
		r = drop_left_overs(dir, BARE_INCOMING, NULL, err);
	if (r == 0)
		r = write_if_missing(dir, "config",
				     "[core]\n\trepositoryformatversion = 0\n"
				     "\tbare = true\n",
				     err);
	if (r == 0)
		r = write_if_missing(dir, "HEAD", "ref: refs/heads/none\n",
				     err);
	if (dir >= 0)
		(void)close(dir);
	return r < 0 ? err_wrap(err, "store %s", path) : 0;
}

int bare_library_init(struct err *err)
{
	static const int levels[] = {
		GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
		GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA};

	if (git_libgit2_init() < 0)
		return bare_error(err, ERR_SYS, "libgit2");
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		(void)git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	(void)git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
	(void)git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	/* Ownership is judged in source.c, where the rule is ours. */
	(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	(void)git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, WINDOW_BYTES);
	(void)git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, MAPPED_BYTES);
	(void)git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS,
			       (size_t)BUDGET_OBJECTS);
	return 0;
}

int bare_open_objects(const char *path, git_repository **out_repo,
		      git_odb **out_odb, struct err *err)
{
	char objects[4096];
	git_odb *odb = NULL;
	int r;

	(void)snprintf(objects, sizeof(objects), "%s/objects", path);
	r = git_odb_open(&odb, objects);
	if (r == 0)
		r = git_repository_wrap_odb(out_repo, odb);
	if (r < 0) {
		git_odb_free(odb);
		return bare_error(err, ERR_SYS, path);
	}
	*out_odb = odb;
	return 0;
}

bool bare_mirror_read(const char *path, git_oid *out)
{
	char name[4096];
	struct buf text;
	bool good = false;

	(void)snprintf(name, sizeof(name), "%s/" BARE_MIRROR_REF, path);
	buf_init(&text, 64);
	if (file_read(AT_FDCWD, name, 64, &text, NULL) == 0 &&
	    text.len == BARE_HEX) {
		text.data[BARE_HEX - 1] = '\0';
		good = text_is_hex(text.data, BARE_HEX - 1) &&
		       git_oid_fromstr(out, text.data) == 0;
	}
	buf_release(&text);
	return good;
}

int bare_mirror_write(const char *path, const git_oid *id, struct err *err)
{
	char name[4096];
	char text[BARE_HEX + 1];

	(void)snprintf(name, sizeof(name), "%s/" BARE_MIRROR_REF, path);
	(void)git_oid_tostr(text, BARE_HEX, id);
	text[BARE_HEX - 1] = '\n';
	return file_replace(AT_FDCWD, name, 0640, text, BARE_HEX, err);
}

/* Of a tag's first lines; a tag of a tag is of no use to anybody. */
static bool tagged_commit(git_odb_object *tag, git_oid *out)
{
	static const char type[] = "\ntype commit\n";
	const char *bytes = git_odb_object_data(tag);
	char hex[BARE_HEX];

	if (git_odb_object_size(tag) < 7 + 40 + strlen(type) ||
	    memcmp(bytes, "object ", 7) != 0 ||
	    memcmp(bytes + 7 + 40, type, strlen(type)) != 0)
		return false;
	memcpy(hex, bytes + 7, 40);
	hex[40] = '\0';
	return text_is_hex(hex, 40) && git_oid_fromstr(out, hex) == 0;
}

bool bare_has_commit(git_odb *odb, const git_oid *id, git_oid *out)
{
	git_odb_object *object = NULL;
	git_oid commit = *id;
	bool good = git_odb_read(&object, odb, id) == 0;

	if (good && git_odb_object_type(object) == GIT_OBJECT_TAG) {
		good = tagged_commit(object, &commit);
		git_odb_object_free(object);
		object = NULL;
		good = good && git_odb_read(&object, odb, &commit) == 0;
	}
	good = good && git_odb_object_type(object) == GIT_OBJECT_COMMIT;
	git_odb_object_free(object);
	if (good && out != NULL)
		*out = commit;
	return good;
}

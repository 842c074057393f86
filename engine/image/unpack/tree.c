/*
 * tree.c - see tree.h.  Runs in reconcile-unpack; names are hostile.
 *
 * Invariants: (1) a name of the layer reaches the kernel only through openat2
 * with RESOLVE_IN_ROOT, or as a single component relative to a folder opened
 * so, never followed; (2) the process is alone in the folder, so nothing
 * changes between a look and an act (row E45); (3) it is chrooted there too, so
 * a mistake here ends at the same wall.
 */
#include "engine/image/unpack/tree.h"

#include "lib/file.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LINKS_MAX 40
#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)

void tree_init(struct tree *t, int root, const struct tree_limits *limits)
{
	*t = (struct tree){.root = root, .limits = *limits, .fd = -1};
}

static void forget(struct tree *t)
{
	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = -1;
	t->stale = false;
}

void tree_release(struct tree *t)
{
	forget(t);
}

static int open_in_root(const struct tree *t, const char *path)
{
	if (!*path)
		path = ".";
#ifdef GUARD_OFF_IN_ROOT
	return openat(t->root, path, FOLDER_FLAGS);
#else
	return sys_open_in_root(t->root, path, FOLDER_FLAGS, 0);
#endif
}

static int check_component(const char *p, size_t len, struct err *err)
{
	if (len > NAME_MAX)
		return err_set(err, ERR_LIMIT,
			       "name: want at most %d bytes between slashes, "
			       "have %zu",
			       NAME_MAX, len);
	if (len == 2 && p[0] == '.' && p[1] == '.')
		return err_set(err, ERR_INPUT, "name has \"..\"");
	return 0;
}

int tree_clean(const struct tree *t, const char *name, char out[PATH_MAX],
	       struct err *err)
{
	size_t len = strlen(name);
	size_t n = 0, depth = 0;
	const char *p = name;

	if (len > t->limits.max_name_bytes || len >= PATH_MAX)
		return err_set(err, ERR_LIMIT,
			       "name: want at most %zu bytes, have %zu",
			       t->limits.max_name_bytes, len);
	while (*p) {
		size_t k = strcspn(p, "/");
		int r = 0;

#ifndef GUARD_OFF_IN_ROOT
		r = check_component(p, k, err);
#else
		(void)check_component;
#endif
		if (r < 0)
			return r;
		if (k > 0 && !(k == 1 && p[0] == '.')) {
			if (n)
				out[n++] = '/';
			memcpy(out + n, p, k);
			n += k;
			depth++;
		}
		p += k + (p[k] == '/');
	}
	out[n] = '\0';
	if (depth > t->limits.max_depth)
		return err_set(err, ERR_LIMIT,
			       "name: want at most %zu folders deep, have %zu",
			       t->limits.max_depth, depth);
	return 0;
}

bool tree_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int tree_set_opaque(int fd, struct err *err)
{
	if (fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) < 0)
		return err_sys(err, errno, "mark a folder opaque");
	return 0;
}

/* --- the slow walk: something on the way is missing ------------------------
 */

struct walk {
	const struct tree *t;
	char done[PATH_MAX];	 /* resolved so far, no links in it */
	char todo[2 * PATH_MAX]; /* still to resolve */
	char part[NAME_MAX + 1];
	unsigned int links;
};

static int push(struct walk *w, struct err *err)
{
	size_t n = strlen(w->done);
	size_t k = strlen(w->part);

	if (n + k + 2 > sizeof(w->done))
		return err_set(err, ERR_LIMIT, "path is too long");
	if (n)
		w->done[n++] = '/';
	memcpy(w->done + n, w->part, k + 1);
	return 0;
}

static void pop(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	if (slash)
		*slash = '\0';
	else
		w->done[0] = '\0';
}

/* Moves the first component of todo to part; false at the end. */
static bool next_part(struct walk *w)
{
	size_t skip = strspn(w->todo, "/");
	size_t k = strcspn(w->todo + skip, "/");

	if (k == 0 || k > NAME_MAX)
		return false;
	memcpy(w->part, w->todo + skip, k);
	w->part[k] = '\0';
	memmove(w->todo, w->todo + skip + k, strlen(w->todo + skip + k) + 1);
	return true;
}

/* Puts the link's target in front of todo. */
static int follow(struct walk *w, int dir, struct err *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, w->part, target, sizeof(target) - 1);
	size_t rest = strlen(w->todo);

	if (n < 0)
		return err_sys(err, errno, "read a symbolic link");
	if (++w->links > LINKS_MAX)
		return err_set(err, ERR_INPUT, "over %d symbolic links",
			       LINKS_MAX);
	if ((size_t)n + rest + 2 > sizeof(w->todo))
		return err_set(err, ERR_LIMIT, "path is too long");
	memmove(w->todo + n + 1, w->todo, rest + 1);
	memcpy(w->todo, target, (size_t)n);
	w->todo[n] = '/';
	if (target[0] == '/')
		w->done[0] = '\0';
	return 0;
}

static int make(struct walk *w, int dir, bool opaque, struct err *err)
{
	int fd, r = 0;

	if (opaque && unlinkat(dir, w->part, 0) < 0)
		return err_sys(err, errno, "replace a whiteout");
	if (mkdirat(dir, w->part, 0755) < 0)
		return err_sys(err, errno, "make a folder");
	if (opaque) {
		fd = openat(dir, w->part,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = fd < 0 ? err_sys(err, errno, "open a folder")
			   : tree_set_opaque(fd, err);
		if (fd >= 0)
			(void)close(fd);
	}
	return r < 0 ? r : push(w, err);
}

static int step(struct walk *w, int dir, struct err *err)
{
	struct stat st;

	if (fstatat(dir, w->part, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return err_sys(err, errno, "stat");
		return make(w, dir, false, err);
	}
	if (S_ISDIR(st.st_mode))
		return push(w, err);
	if (S_ISLNK(st.st_mode))
		return follow(w, dir, err);
	if (tree_is_whiteout(&st))
		return make(w, dir, true, err);
	return err_set(err, ERR_INPUT, "a parent is not a folder");
}

static int walk(const struct tree *t, const char *path, struct err *err)
{
	struct walk w = {.t = t};
	int r = 0;

	(void)snprintf(w.todo, sizeof(w.todo), "%s", path);
	while (r == 0 && next_part(&w)) {
		int dir;

		if (strcmp(w.part, ".") == 0)
			continue;
		if (strcmp(w.part, "..") == 0) {
			pop(&w);
			continue;
		}
		dir = open_in_root(t, w.done);
		if (dir < 0)
			return err_sys(err, errno, "open a folder");
		r = step(&w, dir, err);
		(void)close(dir);
	}
	if (r < 0)
		return r;
	return 0;
}

/* --- parents ---------------------------------------------------------------
 */

static size_t parent_len(const char *path, const char **base)
{
	const char *slash = strrchr(path, '/');

	*base = slash ? slash + 1 : path;
	return slash ? (size_t)(slash - path) : 0;
}

static int open_parent(struct tree *t, const char *path, bool may_make,
		       int *out_fd, const char **out_base, struct err *err)
{
	size_t n = parent_len(path, out_base);
	int fd, r;

	if (t->fd >= 0 && !t->stale && strlen(t->path) == n &&
	    memcmp(t->path, path, n) == 0) {
		*out_fd = t->fd;
		return 0;
	}
	forget(t);
	memcpy(t->path, path, n);
	t->path[n] = '\0';
	fd = open_in_root(t, t->path);
	if (fd < 0 && may_make && (errno == ENOENT || errno == ENOTDIR)) {
		r = walk(t, t->path, err);
		if (r < 0)
			return r;
		fd = open_in_root(t, t->path);
	}
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP || errno == ENOENT))
		return err_set(err, ERR_INPUT, "a parent is not a folder");
	if (fd < 0)
		return err_sys(err, errno, "open a folder");
	*out_fd = t->fd = fd;
	return 0;
}

int tree_parent(struct tree *t, const char *path, int *out_fd,
		const char **out_base, struct err *err)
{
	return open_parent(t, path, true, out_fd, out_base, err);
}

int tree_find(struct tree *t, const char *path, int *out_fd,
	      const char **out_base, struct err *err)
{
	return open_parent(t, path, false, out_fd, out_base, err);
}

int tree_remove(struct tree *t, int dir, const char *name, bool *out_whiteout,
		struct err *err)
{
	struct stat st;
	int r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "stat");
	*out_whiteout = tree_is_whiteout(&st);
	r = file_remove_tree(dir, name, err);
	/* the folder of the last parent may have been in it */
	if (r == 0 && (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)))
		t->stale = true;
	return r;
}

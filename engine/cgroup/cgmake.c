/* cgmake.c - see cgroup.h: making and removing the directories. */
#include "engine/cgroup/cgfile.h"
#include "engine/cgroup/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CGMAKE_RETRY_MS 10
#define CGMAKE_RETRIES 500
#define CGMAKE_MKDIR_TRIES 8
#define CGMAKE_DEPTH_MAX 64
#define CGMAKE_MARK_BYTES 4096

/* Name of the mark of a parent: ".cgroup:a:b"; false if it is too long. */
static bool cgmake_mark_name(const char *path, char out[NAME_MAX + 1])
{
	char *at;

	if (snprintf(out, NAME_MAX + 1, ".cgroup:%s", path) > NAME_MAX)
		return false;
	for (at = out; *at != '\0'; at++)
		if (*at == '/')
			*at = ':';
	return true;
}

/* A mark says in which hierarchies a parent is ours, a line each.  Owned and
 * locked: nobody takes the mark away, or the parent, while we look at one and
 * make the other.  -1: no mark; errno is 0 where none is kept. */
static int cgmake_mark(const struct cgroup *c, const char *path, int flags)
{
	char name[NAME_MAX + 1];
	struct stat st;
	int fd = -1, i;

	errno = 0;
	if (c->marks < 0 || !cgmake_mark_name(path, name))
		return -1;
	for (i = 0; i < CGMAKE_MKDIR_TRIES; i++) {
		fd = openat(c->marks, name,
			    O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags,
			    0600);
		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0 &&
		    st.st_nlink > 0)
			return fd;
		(void)close(fd);
	}
	errno = EAGAIN;
	return -1;
}

static int cgmake_fill_cpuset(int dir, bool fresh, int depth, struct err *err);

/* The parent may be a moment old, made by somebody who has not filled it yet.
 */
static int cgmake_fill_parent(int dir, int depth, struct err *err)
{
	int up = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (up < 0)
		return err_sys(err, errno, "cgroup: open the parent");
	r = cgmake_fill_cpuset(up, false, depth + 1, err);
	(void)close(up);
	return r;
}

/* A new v1 cpuset is empty and takes no process. */
static int cgmake_fill_cpuset(int dir, bool fresh, int depth, struct err *err)
{
	static const char *const files[][2] = {
		{"cpuset.cpus", "../cpuset.cpus"},
		{"cpuset.mems", "../cpuset.mems"}};
	char text[4096];
	long n;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!fresh &&
		    cgfile_get(dir, files[i][0], text, sizeof(text)) > 1)
			continue;
		n = cgfile_get(dir, files[i][1], text, sizeof(text));
		if (n == 1 && depth < CGMAKE_DEPTH_MAX) {
			if (cgmake_fill_parent(dir, depth, err) < 0)
				return err->code;
			n = cgfile_get(dir, files[i][1], text, sizeof(text));
		}
		if (n <= 0)
			return err_sys(err, errno, "cgroup: read %s",
				       files[i][1]);
		if (cgfile_write(dir, files[i][0], text, err) < 0)
			return err->code;
	}
	return 0;
}

static int cgmake_opened(const struct cgroup_hierarchy *h, const char *path,
			 bool fresh, int *out_dir, struct err *err)
{
	int dir = cgroup_dir(h->root, path);
	int r = 0;

	if (dir < 0)
		return err_sys(err, errno, "cgroup: open %s in %s", path,
			       h->name);
	if (!h->v2 && strstr(h->name, "cpuset") != NULL)
		r = cgmake_fill_cpuset(dir, fresh, 0, err);
	if (r == 0)
		*out_dir = dir;
	else
		(void)close(dir);
	return r;
}

static int cgmake_mkdir(const struct cgroup_hierarchy *h, const char *path,
			struct err *err)
{
	int dir = -1, r = 0;

	if (mkdirat(h->root, path, 0755) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cgroup: mkdir %s in %s", path,
			       h->name);
	if (!h->v2 && strstr(h->name, "cpuset") != NULL)
		r = cgmake_opened(h, path, false, &dir, err);
	if (dir >= 0)
		(void)close(dir);
	return r;
}

/* A parent, in all hierarchies that lack it: marked first, so that a creation
 * that is killed leaves no unknown one. */
static int cgmake_parent(const struct cgroup *c, const char *path,
			 struct err *err)
{
	char names[CGROUP_HIERARCHIES * (CGROUP_NAME_BYTES + 1)];
	int mark = cgmake_mark(c, path, O_CREAT), r = 0;
	bool missing[CGROUP_HIERARCHIES];
	size_t i, used = 0;

	if (mark < 0 && errno != 0)
		return err_sys(err, errno, "cgroup: mark %s", path);
	for (i = 0; i < c->n && r == 0; i++) {
		missing[i] = faccessat(c->h[i].root, path, F_OK, 0) < 0;
		if (missing[i] && errno != ENOENT)
			r = err_sys(err, errno, "cgroup: look for %s", path);
		if (missing[i])
			used += (size_t)snprintf(names + used,
						 sizeof(names) - used, "%s\n",
						 c->h[i].name);
	}
	if (r == 0 && mark >= 0 && used > 0 &&
	    write(mark, names, used) != (ssize_t)used)
		r = err_sys(err, errno, "cgroup: mark %s", path);
	for (i = 0; i < c->n && r == 0; i++)
		if (missing[i])
			r = cgmake_mkdir(&c->h[i], path, err);
	if (mark >= 0)
		(void)close(mark);
	return r;
}

/* Walks the parents of the group; work is cut at each. */
static char *cgmake_next(char *work, char *slash)
{
	if (slash != NULL)
		*slash++ = '/';
	slash = strchr(slash != NULL ? slash : work, '/');
	if (slash != NULL)
		*slash = '\0';
	return slash;
}

static int cgmake_parents(const struct cgroup *c, struct err *err)
{
	char work[CGROUP_PATH_BYTES];
	char *slash = NULL;
	int r = 0;

	memcpy(work, c->path, sizeof(work));
	while (r == 0 && (slash = cgmake_next(work, slash)) != NULL)
		r = cgmake_parent(c, work, err);
	return r;
}

/* Another delete may take away a parent that it emptied. */
static int cgmake_one(const struct cgroup *c, struct cgroup_hierarchy *h,
		      struct err *err)
{
	bool fresh = false;
	int r = ERR_NOTFOUND, tries;

	for (tries = 0; tries < CGMAKE_MKDIR_TRIES && r == ERR_NOTFOUND;
	     tries++) {
		r = 0;
		fresh = mkdirat(h->root, c->path, 0755) == 0;
		if (!fresh && errno == ENOENT) {
			r = cgmake_parents(c, err);
			if (r == 0)
				fresh = mkdirat(h->root, c->path, 0755) == 0;
		}
		if (r == 0 && !fresh && errno != EEXIST)
			r = err_sys(err, errno, "cgroup: mkdir %s in %s",
				    c->path, h->name);
		if (r == 0)
			r = cgmake_opened(h, c->path, fresh, &h->dir, err);
	}
	return r;
}

static void cgmake_hand_one(int root, const char *path, const char *words)
{
	char file[CGROUP_PATH_BYTES + 32], word[64];
	size_t len;

	(void)snprintf(file, sizeof(file), "%s%scgroup.subtree_control", path,
		       path[0] != '\0' ? "/" : "");
	if (cgfile_put(root, file, words) == 0)
		return;
	/* All or nothing: so each alone.  What is missing shows when a limit
	 * cannot be written. */
	while (*words != '\0') {
		len = strcspn(words, " ");
		(void)snprintf(word, sizeof(word), "%.*s", (int)len, words);
		(void)cgfile_put(root, file, word);
		words += len;
		words += strspn(words, " ");
	}
}

void cgmake_hand_down(const struct cgroup *c, const char *words)
{
	char work[CGROUP_PATH_BYTES];
	char *slash = NULL;
	size_t i;

	memcpy(work, c->path, sizeof(work));
	for (i = 0; i < c->n; i++) {
		if (!c->h[i].v2)
			continue;
		cgmake_hand_one(c->h[i].root, "", words);
		while ((slash = cgmake_next(work, slash)) != NULL)
			cgmake_hand_one(c->h[i].root, work, words);
	}
}

/* A pure v2 host hands down what it has, also without a limit: the counters
 * are wanted. */
static void cgmake_hand_down_all(const struct cgroup *c)
{
	char have[512], here[512], words[768];
	const char *at = have;
	size_t len, used = 0;

	if (cgfile_get(c->h[0].root, "cgroup.controllers", have,
		       sizeof(have)) <= 1 ||
	    (cgfile_get(c->h[0].dir, "cgroup.controllers", here, sizeof(here)) >
		     1 &&
	     strcmp(have, here) == 0))
		return;
	for (; *at != '\0' && *at != '\n'; at += strspn(at, " ")) {
		len = strcspn(at, " \n");
		used += (size_t)snprintf(words + used, sizeof(words) - used,
					 "%s+%.*s", used > 0 ? " " : "",
					 (int)len, at);
		if (used >= sizeof(words))
			return;
		at += len;
	}
	cgmake_hand_down(c, words);
}

int cgmake_create(struct cgroup *c, struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < c->n && r == 0; i++)
		if (c->h[i].dir < 0)
			r = cgmake_one(c, &c->h[i], err);
		else if (!c->h[i].v2 && strstr(c->h[i].name, "cpuset") != NULL)
			r = cgmake_fill_cpuset(c->h[i].dir, false, 0, err);
	if (r == 0 && c->v2_only)
		cgmake_hand_down_all(c);
	return r;
}

/* Removes what is below dirfd, deepest first. */
static void cgmake_remove_below(int dirfd_, int depth)
{
	int fd = openat(dirfd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;
	int sub;

	if (dir == NULL || depth > CGMAKE_DEPTH_MAX) {
		if (dir != NULL)
			(void)closedir(dir);
		else if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		sub = cgroup_dir(dirfd(dir), e->d_name);
		if (sub >= 0) {
			cgmake_remove_below(sub, depth + 1);
			(void)close(sub);
		}
		(void)unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
	}
	(void)closedir(dir);
}

static int cgmake_remove_one(const struct cgroup *c,
			     const struct cgroup_hierarchy *h, struct err *err)
{
	const struct timespec pause = {.tv_nsec = CGMAKE_RETRY_MS * 1000000L};
	int i, dir;

	for (i = 0; i < CGMAKE_RETRIES; i++) {
		if (unlinkat(h->root, c->path, AT_REMOVEDIR) == 0 ||
		    errno == ENOENT)
			return 0;
		if (errno != EBUSY && errno != ENOTEMPTY)
			break;
		dir = cgroup_dir(h->root, c->path);
		if (dir >= 0) {
			cgmake_remove_below(dir, 0);
			(void)close(dir);
		}
		if (unlinkat(h->root, c->path, AT_REMOVEDIR) == 0)
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	return err_sys(err, errno, "cgroup: remove %s in %s", c->path, h->name);
}

/* True if a line of the mark's text is this name. */
static bool cgmake_is_ours(const char *at, const char *name)
{
	size_t len = strlen(name), line;

	for (; *at != '\0'; at += line + (at[line] == '\n')) {
		line = strcspn(at, "\n");
		if (line == len && memcmp(at, name, len) == 0)
			return true;
	}
	return false;
}

/* Parents that we made go with the last container in them; false if this one
 * is still in use or not ours. */
static bool cgmake_remove_parent(const struct cgroup *c, const char *path)
{
	char name[NAME_MAX + 1], text[CGMAKE_MARK_BYTES];
	int mark = cgmake_mark(c, path, 0);
	ssize_t n;
	size_t i;
	bool gone;

	if (mark < 0)
		return false;
	n = pread(mark, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	gone = n >= 0;
	for (i = 0; i < c->n && gone; i++)
		if (cgmake_is_ours(text, c->h[i].name) &&
		    unlinkat(c->h[i].root, path, AT_REMOVEDIR) < 0 &&
		    errno != ENOENT)
			gone = false;
	if (gone && cgmake_mark_name(path, name))
		(void)unlinkat(c->marks, name, 0);
	(void)close(mark);
	return gone;
}

int cgmake_remove(struct cgroup *c, struct err *err)
{
	char work[CGROUP_PATH_BYTES];
	char *slash;
	int r = 0;
	size_t i;

	for (i = 0; i < c->n; i++) {
		int one = cgmake_remove_one(c, &c->h[i], r == 0 ? err : NULL);

		if (one < 0)
			r = one;
	}
	memcpy(work, c->path, sizeof(work));
	while (r == 0 && (slash = strrchr(work, '/')) != NULL) {
		*slash = '\0';
		if (!cgmake_remove_parent(c, work))
			break;
	}
	return r;
}

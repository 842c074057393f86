/* cgroup.c - see cgroup.h: hierarchies, creation, removal. */
#include "engine/cgroup/cgroup.h"

#include "engine/cgroup/cgfile.h"
#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#define CGROUP_RETRY_MS 10
#define CGROUP_RETRIES 500
#define CGROUP_MKDIR_TRIES 8

/* Controllers that a pure v2 host should hand down, also without a limit:
 * their counters are wanted. */
static const char *const cgroup_v2_wanted[] = {"cpuset", "cpu",	    "io",
					       "memory", "hugetlb", "pids"};

static int cgroup_bad_path(struct err *err, const char *path)
{
	char safe[128];

	return err_set(err, ERR_INPUT,
		       "linux.cgroupsPath: \"%s\": want names joined by '/', "
		       "none of them \"..\" or \".\"",
		       text_safe(safe, sizeof(safe), path, strlen(path)));
}

/* Normal form: no leading, trailing or doubled slash. */
static int cgroup_set_path(struct cgroup *c, const char *path, struct err *err)
{
	const char *part = path;
	size_t used = 0, len;

	while (*part != '\0') {
		while (*part == '/')
			part++;
		len = strcspn(part, "/");
		if (len == 0)
			break;
		if ((len == 1 && part[0] == '.') ||
		    (len == 2 && strncmp(part, "..", 2) == 0) || len > 255 ||
		    memchr(part, '\n', len) != NULL ||
		    used + len + 2 > sizeof(c->path))
			return cgroup_bad_path(err, path);
		if (used > 0)
			c->path[used++] = '/';
		memcpy(c->path + used, part, len);
		used += len;
		part += len;
	}
	c->path[used] = '\0';
	return used > 0 ? 0 : cgroup_bad_path(err, path);
}

static long cgroup_magic(int fd, bool fake)
{
	struct statfs st;

	if (fake)
		return faccessat(fd, "cgroup.controllers", F_OK, 0) == 0
			       ? CGROUP2_SUPER_MAGIC
			       : CGROUP_SUPER_MAGIC;
	return fstatfs(fd, &st) == 0 ? (long)st.f_type : 0;
}

static void cgroup_add(struct cgroup *c, const char *name, int fd, bool v2)
{
	struct cgroup_hierarchy *h = &c->h[c->n++];

	(void)snprintf(h->name, sizeof(h->name), "%s", name);
	h->root = fd;
	h->dir = -1;
	h->v2 = v2;
}

static int cgroup_scan(struct cgroup *c, int rootfd, bool fake, struct err *err)
{
	DIR *dir = fdopendir(rootfd);
	const struct dirent *e;
	long magic;
	int fd;

	if (dir == NULL) {
		int saved = errno;

		(void)close(rootfd);
		return err_sys(err, saved, "cgroup: list");
	}
	while ((e = readdir(dir)) != NULL && c->n < CGROUP_HIERARCHIES) {
		if (e->d_name[0] == '.' || e->d_type != DT_DIR ||
		    strlen(e->d_name) >= CGROUP_NAME_BYTES)
			continue;
		fd = openat(dirfd(dir), e->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		magic = cgroup_magic(fd, fake);
		if (magic == CGROUP_SUPER_MAGIC || magic == CGROUP2_SUPER_MAGIC)
			cgroup_add(c, e->d_name, fd,
				   magic == CGROUP2_SUPER_MAGIC);
		else
			(void)close(fd);
	}
	(void)closedir(dir);
	if (c->n == 0)
		return err_set(err, ERR_NOTFOUND,
			       "cgroup: no hierarchy is mounted");
	return 0;
}

int cgroup_init(struct cgroup *c, const char *root, bool fake, const char *path,
		struct err *err)
{
	int fd, r;

	*c = (struct cgroup){.marks = -1};
	r = cgroup_set_path(c, path, err);
	if (r < 0)
		return r;
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cgroup: open %s", root);
	if (cgroup_magic(fd, fake) == CGROUP2_SUPER_MAGIC) {
		cgroup_add(c, "", fd, true);
		c->v2_only = true;
		return 0;
	}
	return cgroup_scan(c, fd, fake, err);
}

void cgroup_release(struct cgroup *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->h[i].dir >= 0)
			(void)close(c->h[i].dir);
		(void)close(c->h[i].root);
	}
	c->n = 0;
}

static int cgroup_dir(int root, const char *path)
{
	return openat(root, path,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int cgroup_open(struct cgroup *c, struct err *err)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->h[i].dir >= 0)
			continue;
		c->h[i].dir = cgroup_dir(c->h[i].root, c->path);
		if (c->h[i].dir < 0 && errno != ENOENT)
			return err_sys(err, errno, "cgroup: open %s in %s",
				       c->path, c->h[i].name);
	}
	return 0;
}

int cgroup_look(struct cgroup *c, struct err *err)
{
	char text[64];
	size_t i;
	int dir;

	for (i = 0; i < c->n; i++) {
		dir = cgroup_dir(c->h[i].root, c->path);
		if (dir < 0)
			continue;
		if (cgfile_get(dir, "cgroup.procs", text, sizeof(text)) > 0) {
			(void)close(dir);
			return err_set(err, ERR_CONFLICT,
				       "cgroup %s in %s has processes already",
				       c->path, c->h[i].name);
		}
		(void)close(dir);
	}
	return 0;
}

/* Name of the mark of a parent: ".cgroup:a:b"; false if it is too long. */
static bool cgroup_mark_name(const char *path, char out[NAME_MAX + 1])
{
	char *at;

	if (snprintf(out, NAME_MAX + 1, ".cgroup:%s", path) > NAME_MAX)
		return false;
	for (at = out; *at != '\0'; at++)
		if (*at == '/')
			*at = ':';
	return true;
}

/* Before a parent is made, so that a creation that is killed leaves it
 * marked. */
static void cgroup_mark(const struct cgroup *c, int root, const char *path)
{
	char name[NAME_MAX + 1];
	int fd;

	if (c->marks < 0 || strcmp(path, c->path) == 0 ||
	    faccessat(root, path, F_OK, 0) == 0 ||
	    !cgroup_mark_name(path, name))
		return;
	fd = openat(c->marks, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)close(fd);
}

/* A new v1 cpuset is empty and takes no process. */
static int cgroup_fill_cpuset(int parent, int dir, struct err *err)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
	char text[1024];
	size_t i;

	for (i = 0; i < 2; i++) {
		long n = cgfile_get(dir, files[i], text, sizeof(text));

		if (n > 1)
			continue;
		if (cgfile_get(parent, files[i], text, sizeof(text)) <= 0)
			return err_sys(err, errno, "cgroup: read %s", files[i]);
		text[strcspn(text, "\n")] = '\0';
		if (cgfile_write(dir, files[i], text, err) < 0)
			return err->code;
	}
	return 0;
}

static void cgroup_hand_down(int parent)
{
	char have[256], word[32];
	size_t i;

	if (cgfile_get(parent, "cgroup.controllers", have, sizeof(have)) <= 0)
		return;
	for (i = 0; i < sizeof(cgroup_v2_wanted) / sizeof(char *); i++) {
		if (strstr(have, cgroup_v2_wanted[i]) == NULL)
			continue;
		(void)snprintf(word, sizeof(word), "+%s", cgroup_v2_wanted[i]);
		/* What is missing shows when a limit cannot be written. */
		(void)cgfile_put(parent, "cgroup.subtree_control", word);
	}
}

static int cgroup_make_part(const struct cgroup *c, struct cgroup_hierarchy *h,
			    int parent, const char *path, int *out_dir,
			    struct err *err)
{
	int r = 0, dir;

	if (c->v2_only)
		cgroup_hand_down(parent);
	cgroup_mark(c, h->root, path);
	if (mkdirat(h->root, path, 0755) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cgroup: mkdir %s in %s", path,
			       h->name);
	dir = cgroup_dir(h->root, path);
	if (dir < 0)
		return err_sys(err, errno, "cgroup: open %s in %s", path,
			       h->name);
	if (!h->v2 && strstr(h->name, "cpuset") != NULL)
		r = cgroup_fill_cpuset(parent, dir, err);
	if (r < 0) {
		(void)close(dir);
		return r;
	}
	*out_dir = dir;
	return 0;
}

static int cgroup_make(const struct cgroup *c, struct cgroup_hierarchy *h,
		       struct err *err)
{
	char work[CGROUP_PATH_BYTES];
	int parent = dup(h->root);
	char *slash = work;
	int r = 0;

	(void)snprintf(work, sizeof(work), "%s", c->path);
	while (slash != NULL && r == 0) {
		int dir = -1;

		slash = strchr(slash, '/');
		if (slash != NULL)
			*slash = '\0';
		r = cgroup_make_part(c, h, parent, work, &dir, err);
		(void)close(parent);
		parent = dir;
		if (slash != NULL)
			*slash++ = '/';
	}
	if (r == 0)
		h->dir = parent;
	return r;
}

int cgroup_create(struct cgroup *c, struct err *err)
{
	int r = 0, tries;
	size_t i;

	for (i = 0; i < c->n && r == 0; i++) {
		/* Another delete may take away a parent that it emptied. */
		for (tries = 0; tries < CGROUP_MKDIR_TRIES; tries++) {
			r = cgroup_make(c, &c->h[i], err);
			if (r != ERR_NOTFOUND)
				break;
		}
	}
	return r;
}

int cgroup_v2_dir(const struct cgroup *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->h[i].v2)
			return c->h[i].dir;
	return -1;
}

/* Removes what is below dirfd, deepest first. */
static void cgroup_remove_below(int dirfd_, int depth)
{
	int fd = openat(dirfd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;
	int sub;

	if (dir == NULL || depth > 64) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		sub = cgroup_dir(dirfd(dir), e->d_name);
		if (sub >= 0) {
			cgroup_remove_below(sub, depth + 1);
			(void)close(sub);
		}
		(void)unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR);
	}
	(void)closedir(dir);
}

static int cgroup_remove_one(const struct cgroup *c,
			     const struct cgroup_hierarchy *h, struct err *err)
{
	const struct timespec pause = {.tv_nsec = CGROUP_RETRY_MS * 1000000L};
	int i, dir;

	for (i = 0; i < CGROUP_RETRIES; i++) {
		if (unlinkat(h->root, c->path, AT_REMOVEDIR) == 0 ||
		    errno == ENOENT)
			return 0;
		if (errno != EBUSY && errno != ENOTEMPTY)
			break;
		dir = cgroup_dir(h->root, c->path);
		if (dir >= 0) {
			cgroup_remove_below(dir, 0);
			(void)close(dir);
		}
		if (unlinkat(h->root, c->path, AT_REMOVEDIR) == 0)
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	return err_sys(err, errno, "cgroup: remove %s in %s", c->path, h->name);
}

/* Parents that we made go with the last container in them; false if this one
 * is still in use or not ours. */
static bool cgroup_remove_parent(const struct cgroup *c, const char *path)
{
	char name[NAME_MAX + 1];
	bool gone = true;
	size_t i;

	if (c->marks < 0 || !cgroup_mark_name(path, name) ||
	    faccessat(c->marks, name, F_OK, 0) < 0)
		return false;
	for (i = 0; i < c->n; i++)
		if (unlinkat(c->h[i].root, path, AT_REMOVEDIR) < 0 &&
		    errno != ENOENT)
			gone = false;
	if (gone)
		(void)unlinkat(c->marks, name, 0);
	return gone;
}

int cgroup_remove(struct cgroup *c, struct err *err)
{
	char work[CGROUP_PATH_BYTES];
	char *slash;
	int r = 0;
	size_t i;

	for (i = 0; i < c->n; i++) {
		int one = cgroup_remove_one(c, &c->h[i], r == 0 ? err : NULL);

		if (one < 0)
			r = one;
	}
	(void)snprintf(work, sizeof(work), "%s", c->path);
	while (r == 0 && (slash = strrchr(work, '/')) != NULL) {
		*slash = '\0';
		if (!cgroup_remove_parent(c, work))
			break;
	}
	return r;
}

/* cgroup.c - see cgroup.h: hierarchies, the path in them. */
#include "engine/cgroup/cgroup.h"

#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

static int cgroup_bad_path(struct err *err, const char *path)
{
	char safe[128];

	return err_set(err, ERR_INPUT,
		       "linux.cgroupsPath: \"%s\": want names joined by '/', "
		       "none of them \"..\" or \".\"",
		       text_safe(safe, sizeof(safe), path, strlen(path)));
}

int cgroup_normal(const char *path, char *out, size_t max, struct err *err)
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
		    memchr(part, '\n', len) != NULL || used + len + 2 > max)
			return cgroup_bad_path(err, path);
		if (used > 0)
			out[used++] = '/';
		memcpy(out + used, part, len);
		used += len;
		part += len;
	}
	out[used] = '\0';
	return used > 0 ? 0 : cgroup_bad_path(err, path);
}

static long cgroup_magic(int fd, bool fake)
{
	struct statfs st;

	if (fake)
		return faccessat(fd, "cgroup.controllers", F_OK, 0) == 0
			       ? CGROUP2_SUPER_MAGIC
			       : CGROUP_SUPER_MAGIC;
	return fstatfs(fd, &st) == 0 ? (long)st.f_type : -1;
}

static void cgroup_add(struct cgroup *c, const char *name, int fd, bool v2)
{
	struct cgroup_hierarchy *h = &c->h[c->n++];

	(void)snprintf(h->name, sizeof(h->name), "%s", name);
	h->root = fd;
	h->dir = -1;
	h->v2 = v2;
}

/* One that cannot be looked at is an error: a group forgotten in it would
 * neither be limited nor frozen nor removed. */
static int cgroup_scan_one(struct cgroup *c, int dirfd, const char *name,
			   bool fake, struct err *err)
{
	int fd = openat(dirfd, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	long magic = fd >= 0 ? cgroup_magic(fd, fake) : -1;
	int saved = errno;

	if (magic == -1) {
		if (fd >= 0)
			(void)close(fd);
		return err_sys(err, saved, "cgroup: look at %s", name);
	}
	if (magic != CGROUP_SUPER_MAGIC && magic != CGROUP2_SUPER_MAGIC) {
		(void)close(fd);
		return 0;
	}
	if (c->n == CGROUP_HIERARCHIES) {
		(void)close(fd);
		return err_set(err, ERR_LIMIT,
			       "cgroup: more than %d hierarchies",
			       CGROUP_HIERARCHIES);
	}
	cgroup_add(c, name, fd, magic == CGROUP2_SUPER_MAGIC);
	return 0;
}

static int cgroup_scan(struct cgroup *c, int rootfd, bool fake, struct err *err)
{
	DIR *dir = fdopendir(rootfd);
	const struct dirent *e;
	int r = 0;

	if (dir == NULL) {
		int saved = errno;

		(void)close(rootfd);
		return err_sys(err, saved, "cgroup: list");
	}
	while (r == 0 && (errno = 0, e = readdir(dir)) != NULL) {
		if (e->d_name[0] != '.' && e->d_type == DT_DIR &&
		    strlen(e->d_name) < CGROUP_NAME_BYTES)
			r = cgroup_scan_one(c, dirfd(dir), e->d_name, fake,
					    err);
	}
	if (r == 0 && errno != 0)
		r = err_sys(err, errno, "cgroup: list");
	(void)closedir(dir);
	if (r < 0) {
		cgroup_release(c);
		return r;
	}
	if (c->n == 0)
		return err_set(err, ERR_NOTFOUND,
			       "cgroup: no hierarchy is mounted");
	return 0;
}

int cgroup_init(struct cgroup *c, const char *root, bool fake, const char *path,
		struct err *err)
{
	int fd, r;
	long magic;

	*c = (struct cgroup){.marks = -1};
	r = cgroup_normal(path, c->path, sizeof(c->path), err);
	if (r < 0)
		return r;
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cgroup: open %s", root);
	magic = cgroup_magic(fd, fake);
	if (magic == -1) {
		r = err_sys(err, errno, "cgroup: look at %s", root);
		(void)close(fd);
		return r;
	}
	if (magic == CGROUP2_SUPER_MAGIC) {
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

int cgroup_dir(int root, const char *path)
{
	return openat(root, path,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int cgroup_open_one(const struct cgroup *c, struct cgroup_hierarchy *h,
			   struct err *err)
{
	if (h->dir >= 0)
		return 0;
	h->dir = cgroup_dir(h->root, c->path);
	if (h->dir < 0 && errno != ENOENT)
		return err_sys(err, errno, "cgroup: open %s in %s", c->path,
			       h->name);
	return 0;
}

int cgroup_open(struct cgroup *c, struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < c->n && r == 0; i++)
		r = cgroup_open_one(c, &c->h[i], err);
	return r;
}

int cgroup_open_few(struct cgroup *c, struct err *err)
{
	static const char *const few[] = {"freezer", "devices", "pids"};
	size_t i, k;
	int r = 0;

	for (i = 0; i < c->n && r == 0; i++) {
		bool want = c->h[i].v2;

		for (k = 0; k < 3 && !want; k++)
			want = strstr(c->h[i].name, few[k]) != NULL;
		if (want)
			r = cgroup_open_one(c, &c->h[i], err);
	}
	return r;
}

int cgroup_look(struct cgroup *c, struct err *err)
{
	size_t i;
	int r = cgroup_open(c, err);

	for (i = 0; i < c->n && r == 0; i++) {
		if (c->h[i].dir < 0)
			continue;
		c->reused = true;
		if (cgproc_any(c->h[i].dir))
			r = err_set(err, ERR_CONFLICT,
				    "container's cgroup is not empty: %s in "
				    "%s has processes already",
				    c->path, c->h[i].name);
	}
	if (r == 0 && c->reused && cgproc_is_frozen(c))
		r = err_set(err, ERR_CONFLICT,
			    "container's cgroup unexpectedly frozen: %s "
			    "is there already, and frozen",
			    c->path);
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

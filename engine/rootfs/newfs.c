/* newfs.c - see newfs.h. */
#include "engine/rootfs/newfs.h"

#include "engine/rootfs/inroot.h"
#include "engine/rootfs/prepare.h"
#include "engine/sys/esys.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEWFS_OPTION_BYTES 512
#define NEWFS_COPY_DEPTH 32

static int newfs_option(int fs, const char *option, struct err *err)
{
	char key[NEWFS_OPTION_BYTES], safe[128];
	const char *eq = strchr(option, '=');
	int r;

	(void)text_safe(safe, sizeof(safe), option, strlen(option));
	if (eq == NULL) {
		r = esys_fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
	} else {
		if ((size_t)(eq - option) >= sizeof(key))
			return err_set(err, ERR_INPUT, "option %s: too long",
				       safe);
		memcpy(key, option, (size_t)(eq - option));
		key[eq - option] = '\0';
		r = esys_fsconfig(fs, FSCONFIG_SET_STRING, key, eq + 1, 0);
	}
	if (r < 0)
		return prepare_fs_fail(fs, errno, safe, err);
	return 0;
}

static int newfs_create(const char *type, const char *source,
			const struct mountopt *o, unsigned int attr,
			int *out_fd, struct err *err)
{
	int fs = esys_fsopen(type);
	char safe[64];
	size_t i;
	int fd = -1, r = 0;

	(void)text_safe(safe, sizeof(safe), type, strlen(type));
	if (fs < 0)
		return err_sys(err, errno, "file system type %s", safe);
	if (source != NULL && source[0] != '\0' &&
	    esys_fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		r = err_sys(err, errno, "source of %s", safe);
	for (i = 0; o != NULL && i < o->n_data && r == 0; i++)
		r = newfs_option(fs, o->data[i], err);
	if (r == 0 && esys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = prepare_fs_fail(fs, errno, safe, err);
	if (r == 0) {
		fd = esys_fsmount(fs, attr);
		if (fd < 0)
			r = err_sys(err, errno, "fsmount %s", safe);
	}
	(void)close(fs);
	if (r == 0)
		*out_fd = fd;
	return r;
}

int newfs_plain(const char *type, unsigned int attr, int *out_fd,
		struct err *err)
{
	return newfs_create(type, NULL, NULL, attr, out_fd, err);
}

static int newfs_cgroup_base(struct rootfs *r, struct rootfs_mount *m,
			     struct err *err)
{
	size_t i;

	if (strcmp(m->m->type, "cgroup2") == 0 || r->cgroup_v2_only) {
		for (i = 0; i < r->n_cgroup; i++) {
			if (!r->cgroup_v2_only &&
			    strcmp(r->cgroup[i].name, "unified") != 0)
				continue;
			m->fd = r->cgroup[i].fd;
			r->cgroup[i].fd = -1;
			return 0;
		}
		return err_set(err, ERR_NOTFOUND,
			       "no cgroup2 hierarchy on this host");
	}
	return newfs_plain("tmpfs",
			   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				   MOUNT_ATTR_NOEXEC,
			   &m->fd, err);
}

int newfs_make(struct rootfs *r, struct rootfs_mount *m, struct err *err)
{
	unsigned int attr = (unsigned int)(m->opt.set | m->opt.rec_set);
	struct mountopt rest = m->opt;
	int rc;

	if (m->m->type == NULL || m->m->type[0] == '\0')
		return err_set(err, ERR_INPUT, "want a type");
	if (m->kind == ROOTFS_CGROUP)
		return newfs_cgroup_base(r, m, err);
	/* A read-only tmpfs may still have to take mount points. */
	if (strcmp(m->m->type, "tmpfs") == 0 &&
	    (attr & MOUNT_ATTR_RDONLY) != 0) {
		attr &= ~(unsigned int)MOUNT_ATTR_RDONLY;
		m->late_ro = true;
	}
	rc = newfs_create(m->m->type, m->m->source, &m->opt, attr, &m->fd, err);
	if (rc < 0 || m->opt.propagation == 0)
		return rc;
	rest.set = rest.clear = rest.rec_set = rest.rec_clear = 0;
	return prepare_attr(m->fd, &rest, err);
}

/* "cpu,cpuacct" is one hierarchy with two names: the second is a link. */
static int newfs_cgroup_links(int dirfd, const char *name, struct err *err)
{
	const char *part = name;

	while (strchr(name, ',') != NULL && part != NULL) {
		char one[64];
		size_t len = strcspn(part, ",");

		if (len >= sizeof(one))
			return err_set(err, ERR_LIMIT, "cgroup name");
		memcpy(one, part, len);
		one[len] = '\0';
		if (symlinkat(name, dirfd, one) < 0 && errno != EEXIST)
			return err_sys(err, errno, "link %s", one);
		part = part[len] == ',' ? part + len + 1 : NULL;
	}
	return 0;
}

int newfs_cgroups(struct rootfs *r, struct rootfs_mount *m, struct err *err)
{
	size_t i;
	int rc = 0;

	if (r->cgroup_v2_only || strcmp(m->m->type, "cgroup2") == 0)
		return 0;
	for (i = 0; i < r->n_cgroup && rc == 0; i++) {
		const char *name = r->cgroup[i].name;
		int at;

		if (mkdirat(m->fd, name, 0755) < 0)
			return err_sys(err, errno, "mkdir %s", name);
		at = openat(m->fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (at < 0)
			return err_sys(err, errno, "open %s", name);
		if (esys_move_mount(r->cgroup[i].fd, at, "") < 0)
			rc = err_sys(err, errno, "attach cgroup %s", name);
		(void)close(at);
		if (rc == 0)
			rc = newfs_cgroup_links(m->fd, name, err);
	}
	if (((m->opt.set | m->opt.rec_set) & MOUNT_ATTR_RDONLY) != 0)
		m->late_ro = true;
	return rc;
}

static int newfs_copy_dir(int from, int to, int depth, struct err *err);

static int newfs_copy_bytes(int from, int to, struct err *err)
{
	char block[16384];
	ssize_t n;

	for (;;) {
		n = read(from, block, sizeof(block));
		if (n == 0)
			return 0;
		if (n < 0)
			return err_sys(err, errno, "tmpcopyup: read");
		if (write(to, block, (size_t)n) != n)
			return err_sys(err, errno, "tmpcopyup: write");
	}
}

static int newfs_copy_node(int from, int to, const char *name,
			   const struct stat *st, int depth, struct err *err)
{
	bool dir = S_ISDIR(st->st_mode);
	int src, dst = -1, r = 0;

	src = sys_open_beneath(
		from, name, O_RDONLY | O_NONBLOCK | (dir ? O_DIRECTORY : 0), 0);
	if (src < 0)
		return err_sys(err, errno, "tmpcopyup");
	if (dir && mkdirat(to, name, 0700) < 0)
		r = err_sys(err, errno, "tmpcopyup: mkdir");
	if (r == 0)
		dst = sys_open_beneath(to, name,
				       dir ? O_RDONLY | O_DIRECTORY
					   : O_WRONLY | O_CREAT | O_EXCL,
				       0600);
	if (r == 0 && dst < 0)
		r = err_sys(err, errno, "tmpcopyup: create");
	if (r == 0)
		r = dir ? newfs_copy_dir(src, dst, depth + 1, err)
			: newfs_copy_bytes(src, dst, err);
	if (r == 0 && (fchown(dst, st->st_uid, st->st_gid) < 0 ||
		       fchmod(dst, st->st_mode & 07777) < 0))
		r = err_sys(err, errno, "tmpcopyup: owner");
	(void)close(src);
	if (dst >= 0)
		(void)close(dst);
	return r;
}

static int newfs_copy_entry(int from, int to, const char *name, int depth,
			    struct err *err)
{
	char target[4096];
	struct stat st;
	ssize_t n;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "tmpcopyup: stat");
	if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))
		return newfs_copy_node(from, to, name, &st, depth, err);
	if (!S_ISLNK(st.st_mode))
		return 0; /* nodes, sockets: meaningless in a new tmpfs */
	n = readlinkat(from, name, target, sizeof(target) - 1);
	if (n < 0)
		return err_sys(err, errno, "tmpcopyup: readlink");
	target[n] = '\0';
	if (symlinkat(target, to, name) < 0 ||
	    fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "tmpcopyup: symlink");
	return 0;
}

static int newfs_copy_dir(int from, int to, int depth, struct err *err)
{
	const struct dirent *e;
	DIR *dir;
	int fd, r = 0;

	if (depth > NEWFS_COPY_DEPTH)
		return err_set(err, ERR_LIMIT, "tmpcopyup: deeper than %d",
			       NEWFS_COPY_DEPTH);
	fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL)
		return err_sys(err, errno, "tmpcopyup: open");
	while (r == 0 && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		r = newfs_copy_entry(from, to, e->d_name, depth, err);
	}
	(void)closedir(dir);
	return r;
}

int newfs_copy_up(int dest, int fd, struct err *err)
{
	struct stat st;

	if (fstat(dest, &st) < 0)
		return err_sys(err, errno, "tmpcopyup: stat");
	if (fchownat(fd, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0)
		return err_sys(err, errno, "tmpcopyup: owner");
	return newfs_copy_dir(dest, fd, 0, err);
}

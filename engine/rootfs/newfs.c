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

/* What the options say, and what mount(2) would do besides: a read-only mount
 * of a device must not write to it, so its file system is read-only too. */
static int newfs_configure(int fs, const char *source, const struct mountopt *o,
			   unsigned int attr, struct err *err)
{
	size_t i;
	int r = 0;

	if (source != NULL && source[0] != '\0' &&
	    esys_fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		r = err_sys(err, errno, "source");
	if (r == 0 && source != NULL && source[0] == '/' &&
	    (attr & MOUNT_ATTR_RDONLY) != 0)
		r = newfs_option(fs, "ro", err);
	for (i = 0; o != NULL && i < o->n_data && r == 0; i++)
		r = newfs_option(fs, o->data[i], err);
	return r;
}

static int newfs_create(const char *type, const char *source,
			const struct mountopt *o, unsigned int attr,
			int *out_fd, struct err *err)
{
	int fs = esys_fsopen(type);
	char safe[64];
	int fd = -1, r;

	(void)text_safe(safe, sizeof(safe), type, strlen(type));
	if (fs < 0)
		return err_sys(err, errno, "file system type %s", safe);
	r = newfs_configure(fs, source, o, attr, err);
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

int newfs_empty(int *out_fd, struct err *err)
{
	const struct mountopt o = {.data = {"ro"}, .n_data = 1};

	return newfs_create("tmpfs", NULL, &o,
			    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
				    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
			    out_fd, err);
}

static int newfs_cgroup_base(struct rootfs *r, struct rootfs_mount *m,
			     struct err *err)
{
	size_t i;

	if (r->n_cgroup > 0 &&
	    (strcmp(m->m->type, "cgroup2") == 0 || r->cgroup_v2_only)) {
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

static bool newfs_has_mode(const struct mountopt *o)
{
	size_t i;

	for (i = 0; i < o->n_data; i++)
		if (strncmp(o->data[i], "mode=", 5) == 0)
			return true;
	return false;
}

/* A tmpfs without a mode of its own takes that of the directory it covers:
 * what users of runc know. */
static int newfs_tmpfs(const struct rootfs *r, struct rootfs_mount *m,
		       unsigned int attr, struct err *err)
{
	struct mountopt o = m->opt;
	struct stat st;
	char mode[16];
	int dest = -1;

	/* It may still have to take mount points. */
	m->late_ro = (attr & MOUNT_ATTR_RDONLY) != 0;
	if (!newfs_has_mode(&o) && o.n_data < MOUNTOPT_DATA_MAX)
		dest = inroot_open(r->root_fd, m->at, O_PATH);
	if (dest >= 0) {
		if (fstat(dest, &st) == 0) {
			(void)snprintf(mode, sizeof(mode), "mode=%o",
				       st.st_mode & 07777);
			o.data[o.n_data++] = mode;
		}
		(void)close(dest);
	}
	return newfs_create("tmpfs", m->m->source, &o,
			    attr & ~(unsigned int)MOUNT_ATTR_RDONLY, &m->fd,
			    err);
}

/* File systems of a namespace that the container shares with its maker: where
 * the kernel lets us make no new one, as in most user namespaces, the maker's
 * shows. */
static const struct newfs_shared {
	const char *type, *path;
	enum spec_ns_kind ns;
	uint64_t set;
} newfs_shared[] = {
	{"sysfs", "/sys", SPEC_NS_NET, MOUNT_ATTR_RDONLY},
	{"proc", "/proc", SPEC_NS_PID, 0},
	{"mqueue", "/dev/mqueue", SPEC_NS_IPC, 0},
};

static bool newfs_is_shared(const struct rootfs *r,
			    const struct newfs_shared *row, const char *type)
{
	const struct spec_ns *ns = spec_ns_find(r->spec, row->ns);

	return strcmp(row->type, type) == 0 &&
	       (ns == NULL || (ns->path != NULL && ns->path[0] != '\0'));
}

static int newfs_share(const struct rootfs *r, struct rootfs_mount *m,
		       unsigned int attr)
{
	struct mountopt o = {.propagation_rec = true};
	const size_t n = sizeof(newfs_shared) / sizeof(newfs_shared[0]);
	size_t i;

	for (i = 0; i < n; i++)
		if (newfs_is_shared(r, &newfs_shared[i], m->m->type))
			break;
	if (i == n)
		return ERR_SYS;
	o.rec_set = newfs_shared[i].set | attr | MOUNT_ATTR_NOSUID |
		    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	o.rec_set &= ~(uint64_t)MOUNT_ATTR__ATIME;
	if (prepare_clone(AT_FDCWD, newfs_shared[i].path, true, &m->fd, NULL) <
	    0)
		return ERR_SYS;
	return prepare_attr(m->fd, &o, true, NULL);
}

static int newfs_new(const struct rootfs *r, struct rootfs_mount *m,
		     struct err *err)
{
	unsigned int attr = (unsigned int)(m->opt.set | m->opt.rec_set);
	int rc;

	if (strcmp(m->m->type, "tmpfs") == 0)
		return newfs_tmpfs(r, m, attr, err);
	rc = newfs_create(m->m->type, m->m->source, &m->opt, attr, &m->fd, err);
	if (rc < 0 && err->sys_errno == EPERM && newfs_share(r, m, attr) == 0)
		rc = 0;
	return rc;
}

int newfs_make(struct rootfs *r, struct rootfs_mount *m, struct err *err)
{
	struct mountopt rest = {.propagation = m->opt.propagation,
				.propagation_rec = m->opt.propagation_rec};
	int rc;

	if (m->m->type == NULL || m->m->type[0] == '\0')
		return err_set(err, ERR_INPUT, "want a type");
	if (m->kind == ROOTFS_CGROUP)
		return newfs_cgroup_base(r, m, err);
	rc = newfs_new(r, m, err);
	if (rc < 0 || m->opt.propagation == 0)
		return rc;
	return prepare_attr(m->fd, &rest, false, err);
}

static int newfs_reconfigure(const struct rootfs_mount *m, int fs,
			     struct err *err)
{
	const struct mountopt *o = &m->opt;
	size_t i;
	int r = 0;

	for (i = 0; i < o->n_data && r == 0; i++)
		r = newfs_option(fs, o->data[i], err);
	if (r == 0 &&
	    esys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		r = prepare_fs_fail(fs, errno, "remount", err);
	return r;
}

int newfs_remount(const struct rootfs_mount *m, int dest, struct err *err)
{
	struct mountopt o = m->opt;
	int fs, r = 0;

	if (o.propagation == 0)
		o.propagation_rec = false; /* stays as it is */
	if (m->opt.n_data > 0) {
		fs = esys_fspick(dest);
		if (fs < 0)
			return err_sys(err, errno, "remount");
		r = newfs_reconfigure(m, fs, err);
		(void)close(fs);
	}
	return r < 0 ? r : prepare_attr(dest, &o, false, err);
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

		/* a tmpfs of ours, empty until now: names mean themselves */
		if (mkdirat(m->fd, name, 0755) < 0)
			return err_sys(err, errno, "mkdir %s", name);
		if (esys_move_mount(r->cgroup[i].fd, m->fd, name) < 0)
			return err_sys(err, errno, "attach cgroup %s", name);
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
				       dir ? 0 : 0600);
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

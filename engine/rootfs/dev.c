/*
 * dev.c - see dev.h and rootfs.h.  Everything below /dev is reached through
 * inroot.h: an image whose /dev is a link cannot lead us out (E34).
 */
#include "engine/rootfs/dev.h"

#include "engine/rootfs/inroot.h"
#include "engine/rootfs/prepare.h"
#include "engine/sys/esys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

static const struct dev_node {
	const char *name; /* in /dev */
	unsigned int major, minor;
} dev_nodes[ROOTFS_NODES] = {
	{"null", 1, 3},	  {"zero", 1, 5},    {"full", 1, 7},
	{"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

static const struct dev_link {
	const char *name, *target;
	const char *only_if; /* this exists on the host; NULL: always */
} dev_links[] = {
	{"fd", "/proc/self/fd", NULL},
	{"stdin", "/proc/self/fd/0", NULL},
	{"stdout", "/proc/self/fd/1", NULL},
	{"stderr", "/proc/self/fd/2", NULL},
	{"ptmx", "pts/ptmx", NULL},
	{"core", "/proc/kcore", "/proc/kcore"},
};

static const struct dev_type {
	const char *name;
	mode_t mode;
} dev_types[] = {
	{"c", S_IFCHR}, {"u", S_IFCHR}, {"b", S_IFBLK}, {"p", S_IFIFO}};

/* A bind over /dev brings its own nodes; ours would land in its source. */
static bool dev_is_bound(const struct rootfs *r)
{
	size_t i;

	for (i = 0; i < r->n_mounts; i++)
		if (r->mounts[i].kind == ROOTFS_BIND &&
		    strcmp(r->mounts[i].at, "/dev") == 0)
			return true;
	return false;
}

/* ptmx is the link to the container's own devpts.  Owner and mode of a node in
 * a bound /dev are not ours to change. */
static bool dev_is_left_out(const struct rootfs *r, const struct spec_device *d)
{
	return strcmp(d->path, "/dev/ptmx") == 0 ||
	       (strncmp(d->path, "/dev/", 5) == 0 && dev_is_bound(r));
}

static mode_t dev_type(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(dev_types) / sizeof(dev_types[0]); i++)
		if (strcmp(name, dev_types[i].name) == 0)
			return dev_types[i].mode;
	return 0;
}

static dev_t dev_number(const struct spec_device *d)
{
	return dev_type(d->type) == S_IFIFO ? 0
					    : makedev((unsigned int)d->major.v,
						      (unsigned int)d->minor.v);
}

static int dev_prepare_own(struct rootfs *r, struct arena *arena,
			   struct err *err)
{
	const struct spec_linux *l = &r->spec->linux_;
	size_t i;
	int rc = 0;

	r->device_fd = arena_calloc(arena, l->n_devices + 1, sizeof(int));
	for (i = 0; i < l->n_devices; i++)
		r->device_fd[i] = -1;
	for (i = 0; i < l->n_devices && rc == 0; i++) {
		const struct spec_device *d = &l->devices[i];

		if (r->no_mknod && dev_type(d->type) != S_IFIFO &&
		    !dev_is_left_out(r, d))
			rc = prepare_node(d->path, dev_type(d->type),
					  dev_number(d), &r->device_fd[i], err);
	}
	return rc;
}

struct spec_resources dev_rules(const struct spec *s, struct arena *arena)
{
	const struct spec_linux *l = &s->linux_;
	struct spec_resources res = l->resources;
	size_t i;

	if (l->n_devices == 0 || spec_ns_find(s, SPEC_NS_USER) != NULL)
		return res;
	res.devices = arena_calloc(arena, res.n_devices + l->n_devices,
				   sizeof(*res.devices));
	for (i = 0; i < res.n_devices; i++)
		res.devices[i] = l->resources.devices[i];
	for (i = 0; i < l->n_devices; i++) {
		const struct spec_device *d = &l->devices[i];

		if (dev_type(d->type) == S_IFIFO)
			continue;
		res.devices[res.n_devices++] = (struct spec_dev_rule){
			.allow = true,
			.type = d->type,
			.access = arena_strdup(arena, "m"),
			.major = d->major,
			.minor = d->minor};
	}
	return res;
}

int dev_prepare(struct rootfs *r, struct arena *arena, struct err *err)
{
	char path[32];
	size_t i;
	int rc = 0;

	if (r->no_mknod && !dev_is_bound(r))
		for (i = 0; i < ROOTFS_NODES && rc == 0; i++) {
			(void)snprintf(path, sizeof(path), "/dev/%s",
				       dev_nodes[i].name);
			rc = prepare_node(
				path, S_IFCHR,
				makedev(dev_nodes[i].major, dev_nodes[i].minor),
				&r->node_fd[i], err);
		}
	if (rc == 0)
		rc = dev_prepare_own(r, arena, err);
	return rc;
}

/* What bears this name already: 1, the wanted node; 0, nothing, or a place to
 * put a mount on; else an error (the specification's "MUST").  type 0: no node
 * is wanted, anything but a link or a directory is a place. */
static int dev_look(int dir, const char *name, mode_t type, dev_t dev,
		    struct err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "stat %s", name);
	if ((st.st_mode & S_IFMT) == type &&
	    (type == S_IFIFO || st.st_rdev == dev))
		return 1;
	if (type == 0 ? !S_ISLNK(st.st_mode) && !S_ISDIR(st.st_mode)
		      : S_ISREG(st.st_mode) && st.st_size == 0)
		return 0;
	return err_set(err, ERR_CONFLICT,
		       "%s is there already and is another file", name);
}

/* A mount over an empty file: never through a link.  *fd consumed. */
static int dev_attach(int dir, const char *name, mode_t type, dev_t dev,
		      int *fd, struct err *err)
{
	int rc = 0;

	if (mknodat(dir, name, S_IFREG | 0666, 0) < 0)
		rc = errno == EEXIST ? dev_look(dir, name, type, dev, err)
				     : err_sys(err, errno, "create %s", name);
	if (rc == 0 && esys_move_mount(*fd, dir, name) < 0)
		rc = err_sys(err, errno, "attach %s", name);
	(void)close(*fd);
	*fd = -1;
	return rc < 0 ? rc : 0;
}

/* *out_made: false for a node that was there, which need not be ours alone. */
static int dev_mknod(int dir, const char *name, mode_t mode, dev_t dev,
		     bool *out_made, struct err *err)
{
	int rc;

	*out_made = esys_mknodat(dir, name, mode, dev) == 0;
	if (*out_made)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, errno, "mknod %s", name);
	rc = dev_look(dir, name, mode & S_IFMT, dev, err);
	if (rc == 0)
		rc = err_set(err, ERR_CONFLICT,
			     "%s is there already and is a file", name);
	return rc < 0 ? rc : 0;
}

/* Owner and mode as asked, of a node that we have made: one that was there may
 * be the host's own, through a bind. */
static int dev_dress(int dir, const char *name, const struct spec_device *d,
		     struct err *err)
{
	if (fchownat(dir, name, (uid_t)d->uid.v, (gid_t)d->gid.v,
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    (d->mode.set &&
	     fchmodat(dir, name, (mode_t)d->mode.v & 07777, 0) < 0))
		return err_sys(err, errno, "owner and mode of %s", name);
	return 0;
}

static int dev_make_one(struct rootfs *r, const struct spec_device *d, int *fd,
			struct err *err)
{
	const mode_t type = dev_type(d->type);
	const mode_t mode = d->mode.set ? (mode_t)d->mode.v & 07777 : 0666;
	const char *name = NULL;
	bool made = false;
	int dir = -1;
	int rc = inroot_parent(r->root_fd, d->path, &dir, &name, err);

	if (rc < 0)
		return rc;
	if (*fd >= 0) {
		rc = dev_attach(dir, name, type, dev_number(d), fd, err);
	} else {
		rc = dev_mknod(dir, name, type | mode, dev_number(d), &made,
			       err);
		if (rc == 0 && made)
			rc = dev_dress(dir, name, d, err);
	}
	(void)close(dir);
	return rc;
}

static int dev_make_own(struct rootfs *r, struct err *err)
{
	const struct spec_linux *l = &r->spec->linux_;
	char safe[128];
	size_t i;

	for (i = 0; i < l->n_devices; i++) {
		const struct spec_device *d = &l->devices[i];

		if (dev_is_left_out(r, d))
			continue;
		if (dev_make_one(r, d, &r->device_fd[i], err) < 0)
			return err_wrap(err, "device %s",
					text_safe(safe, sizeof(safe), d->path,
						  strlen(d->path)));
	}
	return 0;
}

static int dev_make_nodes(struct rootfs *r, int dir, struct err *err)
{
	bool made;
	size_t i;
	int rc = 0;

	for (i = 0; i < ROOTFS_NODES && rc == 0; i++) {
		const struct dev_node *n = &dev_nodes[i];
		dev_t dev = makedev(n->major, n->minor);

		if (r->no_mknod)
			rc = dev_attach(dir, n->name, S_IFCHR, dev,
					&r->node_fd[i], err);
		else
			rc = dev_mknod(dir, n->name, S_IFCHR | 0666, dev, &made,
				       err);
	}
	return rc;
}

static int dev_make_links(int dir, struct err *err)
{
	size_t i;

	for (i = 0; i < sizeof(dev_links) / sizeof(dev_links[0]); i++) {
		const struct dev_link *l = &dev_links[i];

		if (l->only_if != NULL && access(l->only_if, F_OK) < 0)
			continue;
		if (symlinkat(l->target, dir, l->name) < 0 && errno != EEXIST)
			return err_sys(err, errno, "link %s", l->name);
	}
	return 0;
}

int dev_make(struct rootfs *r, struct err *err)
{
	const mode_t mask = umask(0);
	int dir = -1;
	int rc;

	/* The config's own first: a default of the same name is then there. */
	rc = dev_make_own(r, err);
	if (rc == 0 && !dev_is_bound(r)) {
		rc = inroot_make(r->root_fd, "/dev", INROOT_DIR, &dir, err);
		if (rc == 0)
			rc = dev_make_nodes(r, dir, err);
		if (rc == 0)
			rc = dev_make_links(dir, err);
		if (rc < 0)
			rc = err_wrap(err, "/dev");
		if (dir >= 0)
			(void)close(dir);
	}
	(void)umask(mask);
	return rc;
}

/* E33: of a devpts, not what an image or a volume has put there. */
static int dev_open_ptmx(int root, struct err *err)
{
	const char *want = "terminal: open /dev/pts/ptmx (want a devpts mount "
			   "at /dev/pts)";
	struct statfs st;
	int fd = inroot_open(root, "/dev/pts/ptmx",
			     O_RDWR | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return err_sys(err, errno, "%s", want);
#ifndef GUARD_OFF_PTMX
	if (fstatfs(fd, &st) < 0 || st.f_type != DEVPTS_SUPER_MAGIC) {
		(void)close(fd);
		return err_set(err, ERR_DENIED, "%s", want);
	}
#endif
	if (fcntl(fd, F_SETFL, 0) < 0) {
		int saved = errno;

		(void)close(fd);
		return err_sys(err, saved, "terminal");
	}
	return fd;
}

int dev_open_pty(int root, const struct spec_size *size, int *out_master,
		 int *out_slave, struct err *err)
{
	struct winsize ws = {.ws_row = (unsigned short)size->height,
			     .ws_col = (unsigned short)size->width};
	int unlock = 0, master, slave = -1;

	master = dev_open_ptmx(root, err);
	if (master < 0)
		return master;
	if (ioctl(master, TIOCSPTLCK, &unlock) == 0)
		slave = ioctl(master, TIOCGPTPEER,
			      O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || (ws.ws_row != 0 && ws.ws_col != 0 &&
			  ioctl(slave, TIOCSWINSZ, &ws) < 0)) {
		int saved = errno;

		if (slave >= 0)
			(void)close(slave);
		(void)close(master);
		return err_sys(err, saved, "terminal: open its other end");
	}
	*out_master = master;
	*out_slave = slave;
	return 0;
}

static int dev_attach_console(const struct rootfs *r, int *tree,
			      struct err *err)
{
	const char *name = NULL;
	int dir = -1;
	int rc = inroot_parent(r->root_fd, "/dev/console", &dir, &name, err);

	if (rc < 0)
		return rc;
	rc = dev_attach(dir, name, 0, 0, tree, err);
	(void)close(dir);
	return rc;
}

/* E33: /dev/console is the very object behind our descriptor, not whatever
 * now bears its name. */
int dev_make_console(struct rootfs *r, const struct spec_size *size,
		     int *out_master, int *out_slave, struct err *err)
{
	int master = -1, slave = -1, tree = -1;
	int rc = dev_open_pty(r->root_fd, size, &master, &slave, err);

	if (rc < 0)
		return rc;
	rc = prepare_clone(slave, "", false, &tree, err);
	if (rc == 0)
		rc = dev_attach_console(r, &tree, err);
	if (tree >= 0)
		(void)close(tree);
	if (rc < 0) {
		(void)close(master);
		(void)close(slave);
		return err_wrap(err, "console");
	}
	*out_master = master;
	*out_slave = slave;
	return 0;
}

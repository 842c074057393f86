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
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

static const struct dev_node {
	const char *path;
	int major, minor;
} dev_nodes[ROOTFS_NODES] = {
	{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
	{"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
};

static const struct dev_link {
	const char *name, *target;
} dev_links[] = {
	{"/dev/fd", "/proc/self/fd"},	    {"/dev/stdin", "/proc/self/fd/0"},
	{"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
	{"/dev/ptmx", "pts/ptmx"},
};

/* A bind over /dev brings its own nodes; ours would land in its source. */
static bool dev_is_bound(const struct rootfs *r)
{
	size_t i;

	for (i = 0; i < r->n_mounts; i++)
		if (r->mounts[i].kind == ROOTFS_BIND &&
		    strcmp(r->mounts[i].m->destination, "/dev") == 0)
			return true;
	return false;
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
	for (i = 0; i < l->n_devices && r->userns && rc == 0; i++) {
		const struct spec_device *d = &l->devices[i];

		if (strcmp(d->type, "p") == 0)
			continue;
		rc = prepare_node(d->path,
				  strcmp(d->type, "b") == 0 ? -1
							    : (int)d->major.v,
				  (int)d->minor.v, &r->device_fd[i], err);
	}
	return rc;
}

int dev_prepare(struct rootfs *r, struct arena *arena, struct err *err)
{
	size_t i;
	int rc = 0;

	if (r->userns && !dev_is_bound(r))
		for (i = 0; i < ROOTFS_NODES && rc == 0; i++)
			rc = prepare_node(dev_nodes[i].path, dev_nodes[i].major,
					  dev_nodes[i].minor, &r->node_fd[i],
					  err);
	if (rc == 0)
		rc = dev_prepare_own(r, arena, err);
	return rc;
}

static int dev_attach(const struct rootfs *r, const char *path, int *fd,
		      struct err *err)
{
	int at = -1;
	int rc = inroot_make(r->root_fd, path, INROOT_FILE, &at, err);

	if (rc < 0)
		return rc;
	if (esys_move_mount(*fd, at, "") < 0)
		rc = err_sys(err, errno, "attach %s", path);
	(void)close(at);
	(void)close(*fd);
	*fd = -1;
	return rc;
}

static int dev_mknod(const struct rootfs *r, const char *path, mode_t mode,
		     dev_t dev, uid_t uid, gid_t gid, struct err *err)
{
	const char *name = NULL;
	int dir = -1;
	int rc = inroot_parent(r->root_fd, path, &dir, &name, err);

	if (rc < 0)
		return rc;
	if (esys_mknodat(dir, name, mode, dev) < 0) {
		if (errno != EEXIST)
			rc = err_sys(err, errno, "mknod %s", path);
	} else if (fchmodat(dir, name, mode & 07777, 0) < 0 ||
		   fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0) {
		rc = err_sys(err, errno, "owner of %s", path);
	}
	(void)close(dir);
	return rc;
}

static int dev_make_links(const struct rootfs *r, struct err *err)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(dev_links) / sizeof(dev_links[0]); i++) {
		const char *name = NULL;
		int dir = -1;

		rc = inroot_parent(r->root_fd, dev_links[i].name, &dir, &name,
				   err);
		if (rc < 0)
			return rc;
		if (symlinkat(dev_links[i].target, dir, name) < 0 &&
		    errno != EEXIST)
			rc = err_sys(err, errno, "link %s", dev_links[i].name);
		(void)close(dir);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static mode_t dev_type(const char *type)
{
	if (strcmp(type, "b") == 0)
		return S_IFBLK;
	return strcmp(type, "p") == 0 ? S_IFIFO : S_IFCHR;
}

static int dev_make_own(struct rootfs *r, struct err *err)
{
	const struct spec_linux *l = &r->spec->linux_;
	char safe[128];
	size_t i;
	int rc = 0;

	for (i = 0; i < l->n_devices && rc == 0; i++) {
		const struct spec_device *d = &l->devices[i];
		mode_t mode = d->mode.set ? (mode_t)d->mode.v & 07777 : 0666;

		if (r->device_fd[i] >= 0)
			rc = dev_attach(r, d->path, &r->device_fd[i], err);
		else
			rc = dev_mknod(r, d->path, dev_type(d->type) | mode,
				       makedev((unsigned int)d->major.v,
					       (unsigned int)d->minor.v),
				       (uid_t)d->uid.v, (gid_t)d->gid.v, err);
		if (rc < 0)
			return err_wrap(err, "device %s",
					text_safe(safe, sizeof(safe), d->path,
						  strlen(d->path)));
	}
	return rc;
}

int dev_make(struct rootfs *r, struct err *err)
{
	size_t i;
	int rc = 0;

	if (dev_is_bound(r))
		return 0;
	for (i = 0; i < ROOTFS_NODES && rc == 0; i++) {
		if (r->userns)
			rc = dev_attach(r, dev_nodes[i].path, &r->node_fd[i],
					err);
		else
			rc = dev_mknod(
				r, dev_nodes[i].path, S_IFCHR | 0666,
				makedev((unsigned int)dev_nodes[i].major,
					(unsigned int)dev_nodes[i].minor),
				0, 0, err);
	}
	if (rc == 0)
		rc = dev_make_own(r, err);
	if (rc == 0)
		rc = dev_make_links(r, err);
	return rc;
}

int dev_open_pty(int root, const struct spec_size *size, int *out_master,
		 int *out_slave, struct err *err)
{
	struct winsize ws = {.ws_row = (unsigned short)size->height,
			     .ws_col = (unsigned short)size->width};
	int unlock = 0, master, slave = -1;

	master = inroot_open(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
	if (master < 0)
		return err_sys(err, errno,
			       "terminal: open /dev/pts/ptmx (want a devpts "
			       "mount at /dev/pts)");
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
		rc = dev_attach(r, "/dev/console", &tree, err);
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

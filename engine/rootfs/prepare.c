/*
 * prepare.c - the engine's side of rootfs.h: sources on the host become
 * detached mounts.  Runs with the host's privileges; the paths come from the
 * config (the caller's), never from the image.
 */
#include "engine/rootfs/rootfs.h"

#include "engine/rootfs/dev.h"
#include "engine/rootfs/overlay.h"
#include "engine/rootfs/prepare.h"
#include "engine/sys/esys.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

void prepare_init(struct rootfs *r)
{
	size_t i;

	*r = (struct rootfs){.tree_fd = -1, .root_fd = -1, .null_fd = -1};
	for (i = 0; i < ROOTFS_NODES; i++)
		r->node_fd[i] = -1;
}

static void prepare_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void prepare_release(struct rootfs *r)
{
	size_t i;

	for (i = 0; i < r->n_mounts; i++)
		prepare_close(&r->mounts[i].fd);
	for (i = 0; i < ROOTFS_NODES; i++)
		prepare_close(&r->node_fd[i]);
	for (i = 0; i < r->n_cgroup; i++)
		prepare_close(&r->cgroup[i].fd);
	for (i = 0; r->device_fd != NULL && i < r->spec->linux_.n_devices; i++)
		prepare_close(&r->device_fd[i]);
	if (r->overlay != NULL)
		overlay_release(r->overlay);
	prepare_close(&r->tree_fd);
	prepare_close(&r->root_fd);
	prepare_close(&r->null_fd);
}

int prepare_attr(int fd, const struct mountopt *o, bool tree, struct err *err)
{
	struct mount_attr one = {.attr_set = o->set, .attr_clr = o->clear};
	struct mount_attr all = {.attr_set = o->rec_set,
				 .attr_clr = o->rec_clear};
	uint64_t propagation = o->propagation != 0  ? o->propagation
			       : o->propagation_rec ? (uint64_t)MS_PRIVATE
						    : 0;

	if (!tree) { /* one call for the one mount */
		one.attr_set |= o->rec_set & ~o->clear;
		one.attr_clr |= o->rec_clear & ~o->set;
		all = (struct mount_attr){.attr_set = 0};
	}
	*(tree && o->propagation_rec ? &all.propagation : &one.propagation) =
		propagation;
	if ((all.attr_set | all.attr_clr | all.propagation) != 0 &&
	    esys_mount_setattr(fd, AT_RECURSIVE, &all) < 0)
		return err_sys(err, errno, "mount_setattr recursively");
	if ((one.attr_set | one.attr_clr | one.propagation) != 0 &&
	    esys_mount_setattr(fd, 0, &one) < 0)
		return err_sys(err, errno, "mount_setattr");
	return 0;
}

int prepare_clone(int dirfd, const char *path, bool recursive, int *out_fd,
		  struct err *err)
{
	unsigned int flags = OPEN_TREE_CLONE | AT_EMPTY_PATH;
	char safe[160];
	int fd;

	if (recursive)
		flags |= AT_RECURSIVE;
	fd = esys_open_tree(dirfd, path, flags);
	if (fd < 0)
		return err_sys(
			err, errno, "open_tree %s",
			text_safe(safe, sizeof(safe), path, strlen(path)));
	*out_fd = fd;
	return 0;
}

int prepare_node(const char *path, mode_t type, dev_t dev, int *out_fd,
		 struct err *err)
{
	char safe[160];
	struct stat st;
	int fd = -1;
	int r = prepare_clone(AT_FDCWD, path, false, &fd, err);

	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		r = err_sys(err, errno, "stat it");
	else if ((st.st_mode & S_IFMT) != type || st.st_rdev != dev)
		r = err_set(err, ERR_DENIED, "%s: want the %s device %u:%u",
			    text_safe(safe, sizeof(safe), path, strlen(path)),
			    type == S_IFBLK ? "block" : "character", major(dev),
			    minor(dev));
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*out_fd = fd;
	return 0;
}

int prepare_fs_fail(int fs, int sys_errno, const char *what, struct err *err)
{
	char text[256], safe[300];
	ssize_t n = read(fs, text, sizeof(text));

	if (n <= 0)
		return err_sys(err, sys_errno, "%s", what);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	return err_sys(err, sys_errno, "%s: %s", what,
		       text_safe(safe, sizeof(safe), text, (size_t)n));
}

static enum rootfs_kind prepare_kind(const struct spec_mount *m,
				     const struct mountopt *o)
{
	const char *type = m->type != NULL ? m->type : "";

	if (o->bind)
		return ROOTFS_BIND;
	if (o->remount)
		return ROOTFS_REMOUNT;
	if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0)
		return ROOTFS_CGROUP;
	return ROOTFS_NEW;
}

static int prepare_bind(struct rootfs_mount *mount, int bundle, struct err *err)
{
	struct statx sx;
	int r;

	if (mount->m->source == NULL || mount->m->source[0] == '\0')
		return err_set(err, ERR_INPUT, "a bind mount wants a source");
	r = prepare_clone(bundle, mount->m->source, mount->opt.rbind,
			  &mount->fd, err);
	if (r < 0)
		return r;
	if (sys_statx(mount->fd, STATX_TYPE, &sx) < 0)
		return err_sys(err, errno, "statx the source");
	mount->file = !S_ISDIR(sx.stx_mode);
	return prepare_attr(mount->fd, &mount->opt, mount->opt.rbind, err);
}

/* The destination as a person would write it: absolute, no ".", no "..", no
 * doubled slash.  What is compared with names such as /proc is this; where it
 * leads is for inroot.h to find. */
static const char *prepare_at(const char *destination, struct arena *arena)
{
	char *out = arena_alloc(arena, strlen(destination) + 2);
	const char *part = destination;
	size_t n = 0, len;

	for (; *part != '\0'; part += len) {
		part += strspn(part, "/");
		len = strcspn(part, "/");
		if (len == 0 || (len == 1 && part[0] == '.'))
			continue;
		if (len == 2 && part[0] == '.' && part[1] == '.') {
			while (n > 0 && out[--n] != '/')
				;
			continue;
		}
		out[n++] = '/';
		memcpy(out + n, part, len);
		n += len;
	}
	if (n == 0)
		out[n++] = '/';
	out[n] = '\0';
	return out;
}

/* SELinux: new file systems get the label of the config; those of the kernel
 * have labels of their own, and binds keep what the host gave them. */
static void prepare_label(const char *label, struct rootfs_mount *m,
			  struct arena *arena)
{
	static const char *const own[] = {"proc", "sysfs", "mqueue", "cgroup",
					  "cgroup2"};
	struct mountopt *o = &m->opt;
	size_t i;

	if (label == NULL || label[0] == '\0' || m->kind == ROOTFS_BIND ||
	    o->remount || m->m->type == NULL || o->n_data == MOUNTOPT_DATA_MAX)
		return;
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(m->m->type, own[i]) == 0)
			return;
	o->data[o->n_data++] = arena_printf(arena, "context=%s", label);
}

static int prepare_mounts(struct rootfs *r, int bundle, struct arena *arena,
			  struct err *err)
{
	const struct spec *s = r->spec;
	char safe[128];
	size_t i;
	int rc;

	r->mounts = arena_calloc(arena, s->n_mounts + 1, sizeof(*r->mounts));
	for (i = 0; i < s->n_mounts; i++)
		r->mounts[i].fd = -1;
	r->n_mounts = s->n_mounts;
	for (i = 0; i < s->n_mounts; i++) {
		struct rootfs_mount *mount = &r->mounts[i];

		mount->m = &s->mounts[i];
		mount->at = prepare_at(mount->m->destination, arena);
		rc = mountopt_parse(mount->m, &mount->opt, err);
		if (rc < 0)
			return rc;
		mount->kind = prepare_kind(mount->m, &mount->opt);
		prepare_label(s->linux_.mount_label, mount, arena);
		if (mount->kind != ROOTFS_BIND)
			continue;
		rc = prepare_bind(mount, bundle, err);
		if (rc < 0) {
			return err_wrap(err, "mount %s",
					text_safe(safe, sizeof(safe), mount->at,
						  strlen(mount->at)));
		}
	}
	return 0;
}

int prepare_sources(struct rootfs *r, int bundle, const struct idmap *map,
		    struct arena *arena, struct err *err)
{
	int rc;

	r->no_mknod = r->no_mknod || map->n_uid > 0;
	if (r->overlay != NULL)
		rc = overlay_prepare(r->overlay, map, arena, err);
	else
		rc = prepare_clone(bundle, r->spec->root.path, true,
				   &r->tree_fd, err);
	if (rc < 0)
		return err_wrap(err, "root");
	rc = prepare_mounts(r, bundle, arena, err);
	if (rc == 0)
		rc = prepare_node("/dev/null", S_IFCHR, makedev(1, 3),
				  &r->null_fd, err);
	if (rc == 0)
		rc = dev_prepare(r, arena, err);
	return rc;
}

/* Always through a clone of the host's view of exactly this directory, so
 * that nothing above it can be reached, with or without a cgroup namespace. */
int prepare_cgroup(struct rootfs *r, const char *name, int dirfd,
		   struct err *err)
{
	struct rootfs_cgroup_dir *dir;
	size_t i;

	for (i = 0; i < r->n_mounts; i++)
		if (r->mounts[i].kind == ROOTFS_CGROUP)
			break;
	if (i == r->n_mounts)
		return 0;
	if (r->n_cgroup == ROOTFS_CGROUPS)
		return err_set(err, ERR_LIMIT, "more than %d cgroup mounts",
			       ROOTFS_CGROUPS);
	dir = &r->cgroup[r->n_cgroup];
	dir->name = name;
	dir->fd = -1;
	if (prepare_clone(dirfd, "", false, &dir->fd, err) < 0)
		return err->code;
	r->n_cgroup++;
	return prepare_attr(dir->fd, &r->mounts[i].opt, false, err);
}

static int prepare_map_one(struct rootfs_mount *mount, int userns_fd,
			   struct err *err)
{
	const struct spec_mount *m = mount->m;
	struct idmap map = {m->uid_map, m->gid_map, m->n_uid_map, m->n_gid_map};
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};
	int own = -1;
	int r = 0;

	if (map.n_uid + map.n_gid > 0) {
		r = idmap_namespace(&map, &own, err);
		if (r < 0)
			return r;
	} else if (userns_fd < 0) {
		return err_set(err, ERR_INPUT,
			       "idmap wants a user namespace or mappings");
	}
	attr.userns_fd = (unsigned int)(own >= 0 ? own : userns_fd);
	if (esys_mount_setattr(mount->fd,
			       mount->opt.idmap_rec ? AT_RECURSIVE : 0,
			       &attr) < 0)
		r = err_sys(err, errno, "id-map it");
	if (own >= 0)
		(void)close(own);
	return r;
}

int prepare_map_binds(struct rootfs *r, int userns_fd, struct err *err)
{
	char safe[128];
	size_t i;

	for (i = 0; i < r->n_mounts; i++) {
		const char *at = r->mounts[i].at;

		if (!r->mounts[i].opt.idmap)
			continue;
		if (prepare_map_one(&r->mounts[i], userns_fd, err) < 0)
			return err_wrap(
				err, "mount %s",
				text_safe(safe, sizeof(safe), at, strlen(at)));
	}
	return 0;
}

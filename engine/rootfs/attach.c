/*
 * attach.c - the container's side of rootfs.h: the root, the mounts, pivot.
 *
 * Runs in the container's first process, in its own namespaces, still with
 * the capabilities of its user namespace.  Hostile: the tree of the image and
 * of the volumes that are attached meanwhile.
 */
#include "engine/rootfs/rootfs.h"

#include "engine/rootfs/inroot.h"
#include "engine/rootfs/newfs.h"
#include "engine/rootfs/oldroot.h"
#include "engine/rootfs/overlay.h"
#include "engine/rootfs/prepare.h"
#include "engine/sys/esys.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

/* What may be put over an entry of procfs (lxcfs and the like do). */
static const char *const attach_proc_files[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/net/dev",
	"/proc/slabinfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/sys/crypto/fips_enabled",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/uptime",
};

/* The namespace's copy of the host's tree must send nothing back while we
 * work; it goes at the pivot. */
static int attach_isolate(struct err *err)
{
	const struct mount_attr attr = {.propagation = MS_PRIVATE};
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return err_sys(err, errno, "open /");
	if (esys_mount_setattr(fd, AT_RECURSIVE, &attr) < 0)
		rc = err_sys(err, errno, "make / private");
	(void)close(fd);
	return rc;
}

/* slave: a clone of a shared mount hears what its host mounts there later.
 * shared and unbindable come last (attach_finish): until then nothing of ours
 * may be seen elsewhere, and we clone ourselves. */
static int attach_propagate(const struct rootfs *r, struct err *err)
{
	const char *prop = r->spec->linux_.propagation;
	struct mount_attr attr = {.propagation = MS_PRIVATE};
	bool rec;
	uint64_t want = mountopt_propagation(prop, &rec);

	if (prop != NULL && prop[0] != '\0' && want == 0)
		return err_set(err, ERR_INPUT,
			       "linux.rootfsPropagation: unknown value");
	if (want == MS_SLAVE)
		attr.propagation = MS_SLAVE;
	if (esys_mount_setattr(r->tree_fd, AT_RECURSIVE, &attr) < 0)
		return err_sys(err, errno, "propagation of the root");
	return 0;
}

/* "/" of this namespace is the one place that every id map can reach;
 * pivot_root then drops what is beneath.  Hooks before the pivot, however, look
 * for the root where the config has it. */
static int attach_place(const struct rootfs *r)
{
	int fd = -1;

	if (r->seen_at != NULL && !r->no_pivot)
		fd = open(r->seen_at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int attach_put(const struct rootfs *r, struct err *err)
{
	int place = attach_place(r);
	int rc = 0;

	if (place < 0)
		return err_sys(err, errno, "open /");
	if (esys_move_mount(r->tree_fd, place, "") < 0)
		rc = err_sys(err, errno, "attach the root");
	(void)close(place);
	return rc;
}

/* In a namespace that is not ours alone the root stays detached: nobody else
 * sees it, and it goes with the last process whose root it is. */
int attach_root(struct rootfs *r, struct err *err)
{
	const bool detached = spec_is_detached(r->spec);
	int rc = 0;

	if (r->overlay != NULL && detached)
		return err_set(err, ERR_INPUT,
			       "--overlay wants a new mount namespace");
	if (!detached)
		rc = attach_isolate(err);
	if (rc == 0 && r->overlay != NULL)
		rc = overlay_make(r->overlay, &r->tree_fd, err);
	if (rc == 0)
		rc = attach_propagate(r, err);
	if (rc == 0 && !detached)
		rc = attach_put(r, err);
	if (rc == 0 && inroot_id(r->tree_fd, &r->root_id) < 0)
		rc = err_sys(err, errno, "stat the root");
	r->root_fd = r->tree_fd;
	r->tree_fd = -1;
	return rc;
}

/* unknown: the answer that refuses, for what cannot be looked at. */
static bool attach_is_proc(int fd, bool unknown)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 ? st.f_type == PROC_SUPER_MAGIC : unknown;
}

static bool attach_proc_allowed(const char *destination)
{
	size_t i;

	for (i = 0;
	     i < sizeof(attach_proc_files) / sizeof(attach_proc_files[0]); i++)
		if (strcmp(destination, attach_proc_files[i]) == 0)
			return true;
	return false;
}

static int attach_deny(struct err *err, const char *destination,
		       const char *why)
{
	char safe[160];

	return err_set(
		err, ERR_DENIED, "mount destination %s: %s",
		text_safe(safe, sizeof(safe), destination, strlen(destination)),
		why);
}

static bool attach_is_kernel(const struct rootfs_mount *m)
{
	const char *type = m->m->type;

	return m->kind == ROOTFS_NEW && type != NULL &&
	       (strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0);
}

/* E17, E18: what is there may be the image's; rules of rootfs.h, (3).  What
 * lies on the root's own mount is on no procfs. */
static int attach_check(const struct rootfs *r, const struct rootfs_mount *m,
			int dest, struct err *err)
{
	struct inroot_id id;

	if (inroot_id(dest, &id) < 0)
		return err_sys(err, errno, "stat the destination");
	if (inroot_same(&id, &r->root_id))
		return attach_deny(err, m->at, "it is the root itself");
	if (attach_is_kernel(m) && !id.dir)
		return attach_deny(err, m->at,
				   "it must be an ordinary directory");
	if (id.dir == m->file)
		return attach_deny(err, m->at,
				   "a directory wants a directory to be "
				   "mounted on, a file wants a file");
#ifndef GUARD_OFF_PROC_COVER
	if (id.mount != r->root_id.mount && attach_is_proc(dest, true) &&
	    !attach_proc_allowed(m->at) && !attach_is_proc(m->fd, false))
		return attach_deny(err, m->at,
				   "nothing may cover the procfs there");
	if (strcmp(m->at, "/proc") == 0 && !attach_is_proc(m->fd, false))
		return attach_deny(err, m->at, "only procfs may be there");
	if (strncmp(m->at, "/proc/", 6) == 0 && !attach_proc_allowed(m->at) &&
	    !attach_is_proc(m->fd, false))
		return attach_deny(err, m->at, "it is inside /proc");
#endif
	return 0;
}

/* procfs and sysfs want an ordinary directory: where a link led would be
 * where masks and labels go. */
static int attach_plain_dest(const struct rootfs *r,
			     const struct rootfs_mount *m, int *out_fd,
			     struct err *err)
{
	int fd = inroot_open_plain(r->root_fd, m->at, O_PATH | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT && m->kind != ROOTFS_REMOUNT)
		return inroot_make(r->root_fd, m->at, INROOT_DIR, out_fd, err);
	if (fd < 0 && errno == ELOOP)
		return attach_deny(err, m->at,
				   "it must be an ordinary directory, not a "
				   "link");
	if (fd < 0)
		return err_sys(err, errno, "open %s", m->at);
	*out_fd = fd;
	return 0;
}

static int attach_dest(const struct rootfs *r, const struct rootfs_mount *m,
		       int *out_fd, struct err *err)
{
#ifndef GUARD_OFF_PROC_LINK
	if (attach_is_kernel(m) || m->kind == ROOTFS_REMOUNT)
		return attach_plain_dest(r, m, out_fd, err);
#endif
	return inroot_make(r->root_fd, m->at,
			   m->file ? INROOT_FILE : INROOT_DIR, out_fd, err);
}

static int attach_read_only(struct rootfs_mount *m, struct err *err)
{
	const struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};

	if (esys_mount_setattr(m->fd, 0, &ro) < 0)
		return err_sys(err, errno, "make %s read-only", m->at);
	m->late_ro = false;
	return 0;
}

/* Below a detached root no mount can be changed any more: it is filled, and
 * made read-only, before. */
static int attach_fill(struct rootfs *r, struct rootfs_mount *m, int dest,
		       struct err *err)
{
	int rc = 0;

	if (m->opt.copy_up)
		rc = newfs_copy_up(dest, m->fd, err);
	if (rc < 0 || !spec_is_detached(r->spec))
		return rc;
	if (m->kind == ROOTFS_CGROUP)
		rc = newfs_cgroups(r, m, err);
	if (rc == 0 && m->late_ro)
		rc = attach_read_only(m, err);
	return rc;
}

static int attach_at(struct rootfs *r, struct rootfs_mount *m, int dest,
		     struct err *err)
{
	const bool detached = spec_is_detached(r->spec);
	int rc = attach_check(r, m, dest, err);

	if (rc == 0)
		rc = attach_fill(r, m, dest, err);
	if (rc == 0 && esys_move_mount(m->fd, dest, "") < 0)
		rc = err_sys(err, errno, "attach%s",
			     errno == EINVAL && detached
				     ? " (without a mount namespace of its "
				       "own it wants Linux 6.15)"
				     : "");
	if (rc == 0 && m->kind == ROOTFS_CGROUP && !detached)
		rc = newfs_cgroups(r, m, err);
	if (rc == 0 && !m->late_ro) {
		(void)close(m->fd);
		m->fd = -1;
	}
	return rc;
}

static int attach_one(struct rootfs *r, struct rootfs_mount *m, struct err *err)
{
	int dest = -1, rc = 0;

	if (m->kind == ROOTFS_NEW || m->kind == ROOTFS_CGROUP)
		rc = newfs_make(r, m, err);
	if (rc == 0)
		rc = attach_dest(r, m, &dest, err);
	if (rc < 0)
		return rc;
	if (m->kind == ROOTFS_REMOUNT)
		rc = newfs_remount(m, dest, err);
	else
		rc = attach_at(r, m, dest, err);
	(void)close(dest);
	return rc;
}

int attach_mounts(struct rootfs *r, struct err *err)
{
	char safe[128];
	size_t i;

	for (i = 0; i < r->n_mounts; i++) {
		const char *at = r->mounts[i].at;

		if (attach_one(r, &r->mounts[i], err) < 0)
			return err_wrap(
				err, "mount %s",
				text_safe(safe, sizeof(safe), at, strlen(at)));
	}
	return 0;
}

int attach_enter(const struct rootfs *r, struct err *err)
{
	if (fchdir(r->root_fd) < 0 || esys_chroot_here() < 0)
		return err_sys(err, errno, "chroot to the root");
	return 0;
}

static int attach_drop_old(struct err *err)
{
	if (esys_umount_here() < 0)
		return err_sys(err, errno, "detach the old root");
	/* umount follows to what lies on top: only when nothing is mounted at
	 * the old root any more has it gone itself. */
	while (esys_umount_here() == 0)
		;
	if (errno != EINVAL)
		return err_sys(err, errno, "the old root is still there");
	return 0;
}

int attach_pivot(struct rootfs *r, struct err *err)
{
	int old, rc = 0;

	if (spec_is_detached(r->spec))
		return attach_enter(r, err);
	if (r->no_pivot) {
		rc = oldroot_strip(r, err);
		return rc < 0 ? rc : attach_enter(r, err);
	}
	old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (old < 0)
		return err_sys(err, errno, "open /");
	if (fchdir(r->root_fd) < 0)
		rc = err_sys(err, errno, "chdir to the root");
	if (rc == 0 && esys_pivot_here() < 0)
		rc = err_sys(err, errno, "pivot_root%s",
			     errno == EINVAL ? " (where \"/\" is an initramfs, "
					       "--no-pivot is the way)"
					     : "");
	if (rc == 0 && fchdir(old) < 0)
		rc = err_sys(err, errno, "chdir to the old root");
	if (rc == 0)
		rc = attach_drop_old(err);
	if (rc == 0 && chdir("/") < 0)
		rc = err_sys(err, errno, "chdir /");
	(void)close(old);
	return rc;
}

/* Last: nothing may have to be created below these any more. */
int attach_finish(struct rootfs *r, struct err *err)
{
	const struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};
	bool rec;
	const struct mount_attr root = {
		.propagation = mountopt_propagation(r->spec->linux_.propagation,
						    &rec)};
	size_t i;

	for (i = 0; i < r->n_mounts; i++) {
		if (!r->mounts[i].late_ro)
			continue;
		if (attach_read_only(&r->mounts[i], err) < 0)
			return err->code;
		(void)close(r->mounts[i].fd);
		r->mounts[i].fd = -1;
	}
	if (r->spec->root.readonly &&
	    esys_mount_setattr(r->root_fd, 0, &ro) < 0)
		return err_sys(err, errno, "make the root read-only");
	if ((root.propagation == MS_SHARED ||
	     root.propagation == MS_UNBINDABLE) &&
	    esys_mount_setattr(r->root_fd, rec ? AT_RECURSIVE : 0, &root) < 0)
		return err_sys(err, errno, "propagation of the root");
	return 0;
}

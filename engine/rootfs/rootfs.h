/*
 * rootfs.h - the container's file system tree.
 *
 * Two sides.  The engine (host privileges, host's mount namespace) turns every
 * source on the host into a detached mount, a descriptor: prepare_sources().
 * The container's first process (its own namespaces) makes the kernel's file
 * systems, attaches all of them below the new root by descriptor, and pivots.
 * Nothing is ever mounted in the host's mount namespace.
 *
 * Hostile: the tree of the image and of every volume.  Invariants: (1) a
 * destination is an O_PATH descriptor from inroot.h, and is attached to by
 * that descriptor; (2) no container path is opened by its text; (3) what is
 * attached on procfs is on the list of attach.c.
 */
#ifndef ENGINE_ROOTFS_ROOTFS_H
#define ENGINE_ROOTFS_ROOTFS_H

#include "engine/namespace/idmap.h"
#include "engine/rootfs/inroot.h"
#include "engine/rootfs/mountopt.h"
#include "engine/spec/spec.h"

#define ROOTFS_NODES 6
#define ROOTFS_CGROUPS 16
#define ROOTFS_LOWER_MAX 128

enum rootfs_kind {
	ROOTFS_BIND,
	ROOTFS_NEW,	/* a new file system: proc, tmpfs ... */
	ROOTFS_CGROUP,	/* the container's part of each hierarchy */
	ROOTFS_REMOUNT, /* other options for what is there already */
};

struct rootfs_mount {
	const struct spec_mount *m; /* borrowed */
	const char *at;		    /* destination, absolute and clean */
	struct mountopt opt;
	enum rootfs_kind kind;
	int fd;	      /* owned, detached; -1 until made */
	bool file;    /* a bind of something that is no directory */
	bool late_ro; /* read-only once everything is in place */
};

/* --overlay FILE */
struct rootfs_overlay {
	char **lower; /* top first; absolute */
	size_t n_lower;
	char *upper, *work;
	bool has_idmap;
	struct spec_idmap idmap;	/* host_id and size only */
	int lower_fd[ROOTFS_LOWER_MAX]; /* owned, detached */
	int base_fd, upper_fd, work_fd; /* owned */
};

struct rootfs_cgroup_dir {
	const char *name; /* borrowed: directory below /sys/fs/cgroup */
	int fd;		  /* owned, detached read-only clone */
};

struct rootfs {
	const struct spec *spec;
	struct rootfs_mount *mounts;
	size_t n_mounts;
	struct rootfs_overlay *overlay; /* NULL: root.path */
	int tree_fd;			/* owned: detached root.path */
	int root_fd;			/* child: the attached root */
	const char *seen_at;		/* host path for hooks; NULL: none */
	struct inroot_id root_id;	/* child: what it is */
	int null_fd;			/* owned: clone of /dev/null */
	int node_fd[ROOTFS_NODES];	/* owned: clones of host nodes */
	int *device_fd;			/* owned: spec.linux.devices */
	struct rootfs_cgroup_dir cgroup[ROOTFS_CGROUPS];
	size_t n_cgroup;
	bool no_mknod; /* set before prepare_sources(), or by it for a user
			* namespace: the host's nodes are cloned */
	bool cgroup_v2_only;
	bool no_pivot; /* chroot: where "/" cannot be pivoted away */
};

void prepare_init(struct rootfs *r);
void prepare_release(struct rootfs *r);

/* Decodes the --overlay file.  ERR_INPUT. */
int overlay_read(const char *bytes, size_t len, struct arena *arena,
		 struct rootfs_overlay **out, struct err *err);

/* --- engine side, in this order --------------------------------------------
 * bundle: descriptor of the bundle directory; map: the container's id map, as
 * the host will see it (n_uid 0 without a user namespace). */
int prepare_sources(struct rootfs *r, int bundle, const struct idmap *map,
		    struct arena *arena, struct err *err);
/* Adds one hierarchy's container directory. */
int prepare_cgroup(struct rootfs *r, const char *name, int dirfd,
		   struct err *err);
/* After the clone: id-maps the binds that ask for it. */
int prepare_map_binds(struct rootfs *r, int userns_fd, struct err *err);

/* --- container side, in this order ------------------------------------------
 */
int attach_root(struct rootfs *r, struct err *err);
int attach_mounts(struct rootfs *r, struct err *err);
int dev_make(struct rootfs *r, struct err *err);
/* terminal: a new pty of the container's devpts; *out_master owned. */
int dev_make_console(struct rootfs *r, const struct spec_size *size,
		     int *out_master, int *out_slave, struct err *err);
/* chroot to r->root_fd; for exec into a container whose root is detached. */
int attach_enter(const struct rootfs *r, struct err *err);
int attach_pivot(struct rootfs *r, struct err *err);
int mask_paths(struct rootfs *r, struct err *err);
int attach_finish(struct rootfs *r, struct err *err);

#endif

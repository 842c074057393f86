/* newfs.h - new file systems of the container (its side of rootfs.h). */
#ifndef ENGINE_ROOTFS_NEWFS_H
#define ENGINE_ROOTFS_NEWFS_H

#include "engine/rootfs/rootfs.h"

/* Makes m's file system, detached, into m->fd. */
int newfs_make(struct rootfs *r, struct rootfs_mount *m, struct err *err);
/* Changes the mount that dest is the root of, and its file system. */
int newfs_remount(const struct rootfs_mount *m, int dest, struct err *err);
/* Fills the attached cgroup mount m with one directory a hierarchy. */
int newfs_cgroups(struct rootfs *r, struct rootfs_mount *m, struct err *err);
/* tmpcopyup: copies the tree below dest into the detached mount fd. */
int newfs_copy_up(int dest, int fd, struct err *err);
/* An empty directory that nobody can put anything into: the file system itself
 * is read-only, not the mount alone (E39). */
int newfs_empty(int *out_fd, struct err *err);
/* A detached file system without options; *out_fd owned. */
int newfs_plain(const char *type, unsigned int attr, int *out_fd,
		struct err *err);

#endif

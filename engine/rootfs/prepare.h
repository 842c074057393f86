/* prepare.h - helpers shared by the two sides of rootfs.h. */
#ifndef ENGINE_ROOTFS_PREPARE_H
#define ENGINE_ROOTFS_PREPARE_H

#include "engine/rootfs/mountopt.h"

/* A detached clone of the mount at dirfd/path ("" : dirfd itself). */
int prepare_clone(int dirfd, const char *path, bool recursive, int *out_fd,
		  struct err *err);
/* Sets flags and propagation of a mount by descriptor. */
int prepare_attr(int fd, const struct mountopt *o, struct err *err);
/* Clone of a host device node; its type and number are checked unless major
 * is -1.  ERR_DENIED if it is something else. */
int prepare_node(const char *path, int want_major, int want_minor, int *out_fd,
		 struct err *err);

/* err_sys() with what the kernel wrote about the file system context fs. */
int prepare_fs_fail(int fs, int sys_errno, const char *what, struct err *err);

#endif

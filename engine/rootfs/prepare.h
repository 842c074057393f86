/* prepare.h - helpers shared by the two sides of rootfs.h. */
#ifndef ENGINE_ROOTFS_PREPARE_H
#define ENGINE_ROOTFS_PREPARE_H

#include "engine/rootfs/mountopt.h"

#include <sys/types.h>

/* A detached clone of the mount at dirfd/path ("" : dirfd itself). */
int prepare_clone(int dirfd, const char *path, bool recursive, int *out_fd,
		  struct err *err);
/* Sets flags and propagation of a mount by descriptor; tree: others may hang
 * below it. */
int prepare_attr(int fd, const struct mountopt *o, bool tree, struct err *err);
/* Clone of a host device node.  ERR_DENIED if it is not of this type (S_IFCHR,
 * S_IFBLK) and number. */
int prepare_node(const char *path, mode_t type, dev_t dev, int *out_fd,
		 struct err *err);

/* err_sys() with what the kernel wrote about the file system context fs. */
int prepare_fs_fail(int fs, int sys_errno, const char *what, struct err *err);

#endif

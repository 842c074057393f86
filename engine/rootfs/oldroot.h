/* oldroot.h - the tree that lies beneath a root that was not pivoted. */
#ifndef ENGINE_ROOTFS_OLDROOT_H
#define ENGINE_ROOTFS_OLDROOT_H

#include "engine/rootfs/rootfs.h"

/* --no-pivot: what is mounted on the old root goes, all but r's own root; its
 * first file system (an initramfs) cannot. */
int oldroot_strip(const struct rootfs *r, struct err *err);

#endif

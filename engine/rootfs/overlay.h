/* overlay.h - the overlay root of --overlay; both sides, see rootfs.h. */
#ifndef ENGINE_ROOTFS_OVERLAY_H
#define ENGINE_ROOTFS_OVERLAY_H

#include "engine/rootfs/rootfs.h"

/* Engine: clones, id-maps, chowns upper and work to the container's root. */
int overlay_prepare(struct rootfs_overlay *o, const struct idmap *map,
		    struct arena *arena, struct err *err);
/* Container: makes the overlay, detached; *out_fd owned. */
int overlay_make(struct rootfs_overlay *o, int *out_fd, struct err *err);
void overlay_release(struct rootfs_overlay *o);

#endif

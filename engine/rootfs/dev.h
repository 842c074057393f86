/* dev.h - device nodes, standard links and the console; see rootfs.h. */
#ifndef ENGINE_ROOTFS_DEV_H
#define ENGINE_ROOTFS_DEV_H

#include "engine/rootfs/rootfs.h"

/* Engine: in a user namespace nodes cannot be made, so the host's are
 * cloned, each checked for type and number. */
int dev_prepare(struct rootfs *r, struct arena *arena, struct err *err);
/* The config's resources, and besides that the nodes of linux.devices may be
 * made: by us, inside the container's group.  Whether they may be opened is for
 * the config's own rules.  In arena. */
struct spec_resources dev_rules(const struct spec *s, struct arena *arena);
/* A pty of the devpts at /dev/pts below root, of this size when not 0. */
int dev_open_pty(int root, const struct spec_size *size, int *out_master,
		 int *out_slave, struct err *err);

#endif

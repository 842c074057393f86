/*
 * inroot.h - the one path library of the engine: every name that a container
 * or an image may have chosen is resolved here, inside the root, by the kernel
 * (openat2 RESOLVE_IN_ROOT|NO_MAGICLINKS), and only descriptors come out.
 *
 * Runs in the container's first process, before it gives up its privileges.
 * Hostile: the tree below root.  No other module joins path strings.
 */
#ifndef ENGINE_ROOTFS_INROOT_H
#define ENGINE_ROOTFS_INROOT_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum inroot_kind { INROOT_DIR, INROOT_FILE };

struct inroot_id {
	uint64_t ino, mount;
	uint32_t major, minor;
	bool dir;
};

/* Opens path O_PATH, links followed inside root.  -1 and errno as openat2. */
int inroot_open(int root, const char *path, int flags);
/* The same without following any link. */
int inroot_open_plain(int root, const char *path, int flags);
/* Opens path; what is missing of it is created (directories 0755, the last
 * one by kind), behind links to nothing too, inside root.  *out_fd owned,
 * O_PATH. */
int inroot_make(int root, const char *path, enum inroot_kind kind, int *out_fd,
		struct err *err);
/* Opens the directory that holds the last component of path (created when
 * missing) and gives that component's name, borrowed from path. */
int inroot_parent(int root, const char *path, int *out_fd,
		  const char **out_name, struct err *err);
/* What fd stands for.  -1 and errno. */
int inroot_id(int fd, struct inroot_id *out);
/* True if both are the same object of the same mount. */
bool inroot_same(const struct inroot_id *a, const struct inroot_id *b);

#endif

/*
 * tree.h - paths of a layer, resolved inside the layer's folder whatever
 * symbolic links it has: what "/" and ".." mean ends at the root.
 */
#ifndef ENGINE_IMAGE_UNPACK_TREE_H
#define ENGINE_IMAGE_UNPACK_TREE_H

#include "lib/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct tree_limits {
	size_t max_name_bytes; /* at most PATH_MAX - 1 */
	size_t max_depth;      /* components */
};

struct tree {
	int root; /* borrowed */
	struct tree_limits limits;
	char path[PATH_MAX]; /* folder that fd stands for */
	int fd;		     /* last parent, -1 when none */
	bool stale;	     /* path may now mean another folder */
};

void tree_init(struct tree *t, int root, const struct tree_limits *limits);
void tree_release(struct tree *t);
/* name without leading '/', "." and doubled '/'; "" is the root.  ERR_INPUT
 * for "..", ERR_LIMIT for lengths. */
int tree_clean(const struct tree *t, const char *name, char out[PATH_MAX],
	       struct err *err);
/* Folder that holds clean path `path`, made (0755, owner 0) where missing; a
 * dangling link is followed inside the root and its target made; a whiteout in
 * the way becomes an opaque folder.  *out_fd is borrowed until the next call,
 * *out_base points into path.  ERR_INPUT when something else is in the way. */
int tree_parent(struct tree *t, const char *path, int *out_fd,
		const char **out_base, struct err *err);
/* The same for what must exist already. */
int tree_find(struct tree *t, const char *path, int *out_fd,
	      const char **out_base, struct err *err);
/* Removes name below dir, all of it; says whether it was a whiteout. */
int tree_remove(struct tree *t, int dir, const char *name, bool *out_whiteout,
		struct err *err);
/* Character device 0:0: how overlayfs writes a whiteout. */
bool tree_is_whiteout(const struct stat *st);
/* user.overlay.opaque=y on an open folder. */
int tree_set_opaque(int fd, struct err *err);

#endif

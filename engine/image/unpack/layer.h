/*
 * layer.h - one layer's tar stream becomes files below one folder (OCI
 * image-spec 1.1 layer.md).
 */
#ifndef ENGINE_IMAGE_UNPACK_LAYER_H
#define ENGINE_IMAGE_UNPACK_LAYER_H

#include "engine/image/unpack/source.h"
#include "engine/image/unpack/tree.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

struct layer_limits {
	uint64_t max_bytes; /* sum of the logical sizes of files */
	uint64_t max_entries;
	struct tree_limits names;
};

struct layer_counts {
	uint64_t entries;
	uint64_t bytes;
	uint64_t whiteouts;
	uint64_t xattrs_dropped;
};

/* Fills the folder root (empty at first).  Does not check the diff id: that is
 * source_finish(), afterwards.  The message names the entry.  ERR_INPUT,
 * ERR_LIMIT, ERR_SYS (disk full). */
int layer_unpack(struct source *source, int root,
		 const struct layer_limits *limits,
		 struct layer_counts *out_counts, struct err *err);

#endif

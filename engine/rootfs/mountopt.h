/*
 * mountopt.h - the options of a mount entry as flags; no option string ever
 * reaches mount(2) as it is.  Pure.  runtime-spec config.md and
 * config-linux.md, "mount options".
 */
#ifndef ENGINE_ROOTFS_MOUNTOPT_H
#define ENGINE_ROOTFS_MOUNTOPT_H

#include "engine/spec/spec.h"
#include "lib/err.h"

#define MOUNTOPT_DATA_MAX 32

struct mountopt {
	uint64_t set, clear;	     /* MOUNT_ATTR_*, this mount */
	uint64_t rec_set, rec_clear; /* MOUNT_ATTR_*, it and all below */
	uint64_t propagation;	     /* MS_SHARED ..., 0: private */
	bool propagation_rec;
	bool bind, rbind;
	bool remount; /* of what is mounted there already */
	bool idmap, idmap_rec;
	bool copy_up;			     /* tmpcopyup */
	const char *data[MOUNTOPT_DATA_MAX]; /* borrowed, "key" or "key=v" */
	size_t n_data;
};

/* m borrowed.  ERR_INPUT for an option that this runtime does not know on a
 * bind mount, or that makes no sense.  Options of the file system itself (sync,
 * lazytime ...) mean nothing on a bind mount, as in mount(8); iversion and mand
 * are switches that kernels no longer have. */
int mountopt_parse(const struct spec_mount *m, struct mountopt *out,
		   struct err *err);
/* MS_SHARED ... of a value of linux.rootfsPropagation, 0 for an unknown one;
 * *out_rec: also of all below. */
uint64_t mountopt_propagation(const char *name, bool *out_rec);
/* Name of row i of the table, NULL past the end (for `features`). */
const char *mountopt_name(size_t i);

#endif

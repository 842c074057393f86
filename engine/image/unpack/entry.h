/*
 * entry.h - one entry of a layer, made in the tree.
 */
#ifndef ENGINE_IMAGE_UNPACK_ENTRY_H
#define ENGINE_IMAGE_UNPACK_ENTRY_H

#include "engine/image/unpack/tree.h"
#include "lib/err.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>
#include <time.h>

/* Where an entry goes. */
struct entry_place {
	struct tree *tree;
	const char *path; /* clean, not "" */
	int dir;	  /* parent */
	const char *base; /* last component */
};

struct entry_attr {
	uid_t uid;
	gid_t gid;
	mode_t mode; /* 07777 */
	struct timespec times[2];
};

/* ERR_INPUT for ids beyond 0..65535. */
int entry_attr(struct archive_entry *e, struct entry_attr *out,
	       struct err *err);
/* Owner, extended attributes and mode of an open file or folder; counts in
 * *dropped the attributes that are not on the list.  user.* but user.overlay.*
 * is kept. */
int entry_apply(int fd, struct archive_entry *e, const struct entry_attr *at,
		uint64_t *dropped, struct err *err);

int entry_file(const struct entry_place *p, struct archive *a,
	       struct archive_entry *e, const struct entry_attr *at,
	       uint64_t *dropped, struct err *err);
/* The folder's time is the caller's to set, when all is in it. */
int entry_folder(const struct entry_place *p, struct archive_entry *e,
		 const struct entry_attr *at, uint64_t *dropped,
		 struct err *err);
int entry_symlink(const struct entry_place *p, struct archive_entry *e,
		  const struct entry_attr *at, struct err *err);
int entry_hardlink(const struct entry_place *p, struct archive_entry *e,
		   struct err *err);
int entry_fifo(const struct entry_place *p, const struct entry_attr *at,
	       struct err *err);
/* name: what ".wh." was in front of */
int entry_whiteout(const struct entry_place *p, const char *name,
		   struct err *err);
/* The folder p->dir itself. */
int entry_opaque(const struct entry_place *p, struct err *err);

#endif

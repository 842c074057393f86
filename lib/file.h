/* file.h - whole files by descriptor and relative name; atomic replacement. */
#ifndef LIB_FILE_H
#define LIB_FILE_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Reads a regular file (O_NOFOLLOW) of at most max bytes and appends it to
 * out.  dirfd may be AT_FDCWD.  ERR_NOTFOUND, ERR_LIMIT, ERR_INPUT (not a
 * regular file), ERR_SYS. */
int file_read(int dirfd, const char *name, size_t max, struct buf *out,
	      struct err *err);
/* Reads to end of file from an open descriptor. */
int file_read_fd(int fd, size_t max, struct buf *out, struct err *err);
int file_write_fd(int fd, const void *bytes, size_t len, struct err *err);
/* Temp file in the same directory, fsync, rename, fsync of the directory. */
int file_replace(int dirfd, const char *name, mode_t mode, const void *bytes,
		 size_t len, struct err *err);
/* mkdir -p relative to dirfd with mode for the new ones; opens the last one. */
int file_mkdirs(int dirfd, const char *path, mode_t mode, int *out_fd,
		struct err *err);
/* Removes a tree below dirfd without following links or crossing mounts. */
int file_remove_tree(int dirfd, const char *name, struct err *err);
/* Takes an exclusive lock (flock) without waiting; ERR_AGAIN if held. */
int file_lock(int dirfd, const char *name, int *out_fd, struct err *err);

#endif

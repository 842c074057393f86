/* cgfile.h - reading and writing the small files of a cgroup directory. */
#ifndef ENGINE_CGROUP_CGFILE_H
#define ENGINE_CGROUP_CGFILE_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Opened once, one write for each line of value; -1 with errno. */
int cgfile_put(int dirfd, const char *file, const char *value);
/* The same with a message. */
int cgfile_write(int dirfd, const char *file, const char *value,
		 struct err *err);
/* Whole file, NUL terminated, cut at len - 1; number of bytes or -1. */
long cgfile_get(int dirfd, const char *file, char *out, size_t len);
/* The number in it; -1 if there is none, as in "max". */
long long cgfile_number(int dirfd, const char *file);
/* True if a line "key value" of the file has this value. */
bool cgfile_has(int dirfd, const char *file, const char *line);
/* True if word (len bytes) is one of the parts of list, which sep separates. */
bool cgfile_listed(const char *list, const char *word, size_t len, char sep);

#endif

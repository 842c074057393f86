/*
 * source.h - a repository on this machine as the place to mirror from.
 *
 * Only its objects and the file of one reference are read; its configuration,
 * hooks and alternates never are (A42).  It must belong to root or to the user
 * that runs us, so that nobody else can feed objects or links.
 */
#ifndef RECONCILER_FETCH_SOURCE_H
#define RECONCILER_FETCH_SOURCE_H

#include "lib/err.h"

#include <git2/types.h>
#include <stddef.h>

/* path of a bare repository or worktree -> path of its git folder.
 * ERR_AGAIN (not there now), ERR_DENIED (owner), ERR_INPUT (borrows, shallow).
 */
int source_find(const char *path, char *out, size_t out_len, struct err *err);
/* ERR_NOTFOUND if the ref does not exist. */
int source_read_ref(const char *git_dir, const char *ref, git_oid *out,
		    struct err *err);

#endif

/*
 * bare.h - the bare object stores that reconcile-fetch writes, and libgit2 as
 * it is used on them.  No configuration of anybody is read but the three lines
 * that bare_create() wrote.
 */
#ifndef RECONCILER_FETCH_BARE_H
#define RECONCILER_FETCH_BARE_H

#include "lib/err.h"
#include "reconciler/fetch/budget.h"

#include <git2/types.h>
#include <stdbool.h>

#define BARE_MIRROR_REF "refs/reconcile/mirror"
#define BARE_INCOMING "objects/incoming" /* packs that are not judged yet */
#define BARE_HEX 41

/* Makes the folders and files of an empty store where missing, becomes its only
 * writer until the process ends (ERR_AGAIN: another one is, for too long), and
 * removes what a writer that was stopped left behind.  Before the sandbox. */
int bare_create(const char *path, struct err *err);
/* Once a process, after the sandbox. */
int bare_library_init(struct err *err);
/* ERR_SYS with libgit2's last message behind ours. */
int bare_error(struct err *err, int code, const char *what);
/* Opens a store: its objects alone (*out_repo without references). */
int bare_open_objects(const char *path, git_repository **out_repo,
		      git_odb **out_odb, struct err *err);
/* Commit that BARE_MIRROR_REF names; false if there is none. */
bool bare_mirror_read(const char *path, git_oid *out);
int bare_mirror_write(const char *path, const git_oid *id, struct err *err);
/* Whether the store has this commit, or this tag and the commit that it is of;
 * whole objects checked.  *out (NULL allowed) is the commit. */
bool bare_has_commit(git_odb *odb, const git_oid *id, git_oid *out);

#endif

/* repository.h - the git repository that somebody stands in. */
#ifndef RECONCILER_CLI_REPOSITORY_H
#define RECONCILER_CLI_REPOSITORY_H

#include "lib/arena.h"
#include "lib/err.h"

/* dir or a folder above it, as git finds it; NULL: where we are.  *out_git: the
 * bare repository or .git folder; *out_top (NULL allowed): the folder that
 * holds it, or the bare repository itself.  Of the arena.  ERR_INPUT. */
int repository_find(const char *dir, struct arena *arena, const char **out_git,
		    const char **out_top, struct err *err);

#endif

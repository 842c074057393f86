/* repository.c - see repository.h.  Looks at names only; nothing in the
 * repository is read here. */
#include "reconciler/cli/repository.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A linked worktree has a file there, which names a folder elsewhere. */
static int check_git(const char *git, struct err *err)
{
	struct stat st;

	if (stat(git, &st) < 0)
		return err_sys(err, errno, "%s", git);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INPUT,
			       "%s is not a folder (a linked worktree?): name "
			       "the repository that it belongs to with --repo",
			       git);
	return 0;
}

int repository_find(const char *dir, struct arena *arena, const char **out_git,
		    const char **out_top, struct err *err)
{
	const char *from = dir != NULL ? dir : ".";
	char *at = realpath(from, NULL);
	const char *git = NULL;
	char *slash;
	int r = 0;

	if (at == NULL)
		return err_sys(err, errno, "--repo %s", from);
	for (;;) {
		const char *head = arena_printf(arena, "%s/HEAD", at);

		git = arena_printf(arena, "%s/.git", at);
		if (access(git, F_OK) == 0) {
			r = check_git(git, err);
			break;
		}
		git = arena_strdup(arena, at);
		if (access(head, F_OK) == 0)
			break;
		slash = strrchr(at, '/');
		if (slash == NULL || slash == at) {
			r = err_set(err, ERR_INPUT,
				    "%s is in no git repository: name one "
				    "with --repo",
				    from);
			break;
		}
		*slash = '\0';
	}
	if (r == 0) {
		*out_git = git;
		if (out_top != NULL)
			*out_top = arena_strdup(arena, at);
	}
	free(at);
	return r;
}

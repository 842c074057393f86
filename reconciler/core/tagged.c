/*
 * tagged.c - see tagged.h.  One value, "TAG COMMIT": one that is of another
 * commit, as after a crash between two writes, is none.
 */
#include "reconciler/core/tagged.h"

#include <stdio.h>
#include <string.h>

#define KEY "tag"
#define TEXT_BYTES 160

int tagged_get(struct core *c, const char *commit, struct arena *arena,
	       const char **out, struct err *err)
{
	const char *text = NULL;
	const char *space;
	int r = state_get(c->state, KEY, arena, &text, err);

	if (r < 0)
		return r;
	*out = NULL;
	space = text != NULL ? strchr(text, ' ') : NULL;
	if (space != NULL && commit != NULL && strcmp(space + 1, commit) == 0)
		*out = arena_strndup(arena, text, (size_t)(space - text));
	return 0;
}

int tagged_set(struct core *c, const char *tag, const char *commit,
	       struct err *err)
{
	char text[TEXT_BYTES];

	(void)snprintf(text, sizeof(text), "%.64s %.64s", tag, commit);
	return state_set(c->state, KEY, text, err);
}

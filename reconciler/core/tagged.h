/*
 * tagged.h - the tag object that stood in front of the last accepted commit,
 * when the followed ref is a tag: what hosts are given so that each verifies it
 * too, and by which the next pass knows that nothing is new.
 */
#ifndef RECONCILER_CORE_TAGGED_H
#define RECONCILER_CORE_TAGGED_H

#include "reconciler/core/core.h"

/* Id of the tag that commit (NULL allowed) was accepted under; NULL: none. */
int tagged_get(struct core *c, const char *commit, struct arena *arena,
	       const char **out, struct err *err);
int tagged_set(struct core *c, const char *tag, const char *commit,
	       struct err *err);

#endif

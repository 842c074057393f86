/*
 * freshness.h - a repository that says nothing new for longer than its trust
 * policy allows: what runs goes on and is repaired, nothing new comes in, and
 * it is told (A27, docs/trust.md).
 */
#ifndef RECONCILER_CORE_FRESHNESS_H
#define RECONCILER_CORE_FRESHNESS_H

#include "reconciler/core/target.h"

/* Unix seconds; until 0: no limit. */
bool freshness_is_over(int64_t until, int64_t now);
/* What freshness_note() stored about the commit that was in force last: its
 * time in *out_until, and it in *out_commit; NULL: nothing. */
int freshness_recall(struct core *c, struct arena *arena,
		     const char **out_commit, int64_t *out_until,
		     struct err *err);
/* Stores it for the commit in force; one record when it becomes stale and one
 * when it is fresh again. */
int freshness_note(struct core *c, const struct pass_target *t,
		   struct arena *arena, struct err *err);
/* "the repository was fresh until ...: want a newer commit, ..."; arena. */
const char *freshness_words(struct arena *arena, int64_t until);

#endif

/*
 * target.h - which commit is in force: the fetched head, or the last accepted
 * one when the head is refused.
 */
#ifndef RECONCILER_CORE_TARGET_H
#define RECONCILER_CORE_TARGET_H

#include "reconciler/core/core.h"
#include "reconciler/core/siblings.h"

/* What the pass works towards. */
struct pass_target {
	int64_t now;		/* unix seconds, never behind what was */
	const char *head;	/* the fetched commit, or the tag in front of
				 * it until target_decide() knows better */
	const char *tag;	/* in front of head; NULL: none known */
	const char *commit;	/* in force: head, or the accepted one */
	const char *accepted;	/* before this pass; NULL at first */
	bool refused;		/* head was refused; verdict says why */
	struct verdict verdict; /* of head */
	int64_t fresh_until;	/* of commit, unix seconds; 0: no limit */
	bool stale;		/* that is over */
	bool have_snapshot;
	struct snapshot want; /* of commit */
};

/* Accepted and head. */
int target_fetch(struct core *c, struct arena *arena, struct pass_target *out,
		 struct err *err);
/* Verdict, commit in force and its snapshot. */
int target_decide(struct core *c, struct arena *arena, struct pass_target *io,
		  struct err *err);

#endif

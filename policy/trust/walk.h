/*
 * walk.h - which commits are new: those that the target reaches and the
 * accepted one does not, through every parent of every merge.
 *
 * Paint: the target is NEW, the accepted commit OLD; both colours flow to the
 * parents, latest commit first.  The walk ends when everything that waits is
 * OLD: what is NEW and not OLD then is a superset of the new commits, because a
 * commit with a wrong date may still miss its OLD.  walk_spread() paints to the
 * end, and then it is exactly the new ones.  Dates only order the walk: a date
 * that lies can make more commits be looked at, never fewer.
 */
#ifndef POLICY_TRUST_WALK_H
#define POLICY_TRUST_WALK_H

#include "policy/trust/commit.h"

struct walk;

struct walk_source {
	/* Raw bytes of commit `id`, borrowed until the next call; T141, T144,
	 * T102. */
	int (*read)(void *ctx, const struct commit_id *id, const char **out,
		    size_t *out_len, struct verdict *v);
	void *ctx;
};

struct walk_visitor {
	/* Each commit that is not OLD when its turn comes, once. */
	void (*visit)(void *ctx, const struct commit_id *id, const char *bytes,
		      size_t len);
	void *ctx;
	const size_t *stop; /* ends the walk early at stop_at; NULL: never */
	size_t stop_at;
};

/* accepted NULL: the whole history is new.  *out owned: walk_free().  T141,
 * T143, T144. */
int walk_new(const struct walk_source *src, const struct walk_visitor *visitor,
	     const struct commit_id *target, const struct commit_id *accepted,
	     size_t max_commits, struct walk **out, struct verdict *v);
void walk_free(struct walk *w); /* NULL allowed */
int walk_run(struct walk *w);
int walk_spread(struct walk *w);
/* Reached from the target; reached from the accepted commit. */
bool walk_is_new(const struct walk *w, const struct commit_id *id);
bool walk_is_old(const struct walk *w, const struct commit_id *id);
/* Remembers something of a commit that was reached; how many marked ones are
 * not OLD. */
void walk_mark(struct walk *w, const struct commit_id *id);
size_t walk_marked_new(const struct walk *w);

#endif

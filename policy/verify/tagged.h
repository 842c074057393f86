/*
 * tagged.h - a trust root that follows refs/tags/NAME: the tag object in front
 * of the commit.
 *
 * The tag says which commit is meant, and its own signature says that a person
 * meant it; the commit is then judged as any other.  Only the commit that was
 * accepted before may come without its tag: else whoever serves the ref could
 * take the tag's signature away by making the ref point at the commit.
 */
#ifndef POLICY_VERIFY_TAGGED_H
#define POLICY_VERIFY_TAGGED_H

#include "lib/arena.h"
#include "policy/trust/tag.h"
#include "policy/verify/store.h"

struct tagged {
	bool found;
	struct commit_id id; /* of the tag object */
	struct tag tag;	     /* spans in the arena */
};

/* With a tag as the target: *io_target becomes its commit.  accepted: NULL at
 * first trust.  T106, T107, T110, what tag_parse() and store_read() say. */
int tagged_open(struct store *store, const char *ref,
		const struct commit_id *accepted, struct arena *arena,
		struct commit_id *io_target, struct tagged *out,
		struct verdict *v);
/* The signature, by the signers in force; 0 when there is no tag. */
int tagged_check(const struct tagged *t, const struct signers *s,
		 const struct signature_time *time, struct signature_by *out_by,
		 struct verdict *v);

#endif

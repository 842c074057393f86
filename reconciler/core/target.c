/*
 * target.c - which commit is in force.  A refused head changes nothing: the
 * last accepted commit stays the target, so drift is still repaired.
 */
#include "reconciler/core/target.h"

#include "lib/clock.h"
#include "policy/verify/verify.pb-c.h"
#include "reconciler/core/anchor.h"
#include "reconciler/core/clockfloor.h"
#include "reconciler/core/fetcher.h"
#include "reconciler/core/freshness.h"
#include "reconciler/core/tagged.h"

#include <string.h>

static int decode_snapshot(const struct verdict *v, struct arena *arena,
			   struct pass_target *t, struct err *err)
{
	int r;

	if (v->snapshot == NULL)
		return err_set(err, ERR_PROTO,
			       "reconcile-verify accepted %s without snapshot",
			       v->commit);
	r = snapshot_decode(v->snapshot, v->snapshot_len, arena, &t->want, err);
	if (r == 0)
		t->have_snapshot = true;
	return r;
}

static int ask_verdict(struct core *c, const struct pass_target *t,
		       const char *commit, struct arena *arena,
		       struct verdict *out, struct err *err)
{
	struct verify_args args = {
		.repository = siblings_mirror(c->conf, arena),
		.accepted = t->accepted,
		.target = commit,
		.now = t->now,
	};

	return siblings_verify(c->conf, c->libexec, &args, arena, out, err);
}

int target_fetch(struct core *c, struct arena *arena, struct pass_target *out,
		 struct err *err)
{
	struct pass_target t = {0};
	int r = clockfloor_now(c, &t.now, err);

	if (r == 0)
		r = anchor_load(c, arena, &t.accepted, err);
	if (r == 0)
		r = tagged_get(c, t.accepted, arena, &t.tag, err);
	if (r == 0)
		r = fetcher_head(c, arena, &t.head, err);
	if (r < 0)
		return r;
	if (t.tag != NULL && strcmp(t.tag, t.head) == 0)
		t.head = t.accepted;
	else
		t.tag = NULL;
	*out = t;
	return 0;
}

/* A commit that is stale when it is first seen introduces nothing: somebody
 * withheld it, or withholds what came after it (A27). */
static void refuse_stale(struct pass_target *t)
{
	struct verdict *v = &t->verdict;
	char until[CLOCK_RFC3339_BYTES];
	struct manifest_pos nowhere = {0};

	if (v->kind != VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED ||
	    (t->accepted != NULL && strcmp(t->accepted, t->head) == 0) ||
	    !freshness_is_over(v->fresh_until, t->now))
		return;
	v->kind = VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST;
	diags_add(&v->diags, "T146", DIAG_ERROR, nowhere, NULL,
		  "commit on top of it: git commit --allow-empty -S",
		  "the commit is first seen now, but was fresh until %s only",
		  clock_rfc3339(v->fresh_until * 1000, until));
}

/* The commit in force is v's. */
static int take(const struct verdict *v, struct arena *arena,
		struct pass_target *t, struct err *err)
{
	t->fresh_until = v->fresh_until;
	t->stale = freshness_is_over(v->fresh_until, t->now);
	return decode_snapshot(v, arena, t, err);
}

int target_decide(struct core *c, struct arena *arena, struct pass_target *io,
		  struct err *err)
{
	struct pass_target t = *io;
	const char *asked = t.tag != NULL ? t.tag : t.head;
	const char *before = NULL; /* tag of what was accepted */
	struct verdict again;
	int r = ask_verdict(c, &t, asked, arena, &t.verdict, err);

	if (r == 0)
		r = tagged_get(c, t.accepted, arena, &before, err);
	if (r < 0)
		return r;
	if (t.verdict.kind == VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED &&
	    strcmp(t.verdict.commit, asked) != 0) {
		t.tag = asked;
		t.head = t.verdict.commit;
	}
	refuse_stale(&t);
	t.refused = t.verdict.kind != VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED;
	t.commit = t.refused ? t.accepted : t.head;
	if (!t.refused) {
		r = take(&t.verdict, arena, &t, err);
	} else if (t.accepted != NULL) {
		r = ask_verdict(c, &t, before != NULL ? before : t.accepted,
				arena, &again, err);
		if (r == 0 &&
		    again.kind == VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED)
			r = take(&again, arena, &t, err);
	}
	if (r == 0)
		*io = t;
	return r;
}

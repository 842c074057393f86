/*
 * target.c - which commit is in force.  A refused head changes nothing: the
 * last accepted commit stays the target, so drift is still repaired.
 */
#include "reconciler/core/target.h"

#include "policy/verify/verify.pb-c.h"
#include "reconciler/core/record.h"

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

static int ask_verdict(struct core *c, const char *accepted, const char *commit,
		       struct arena *arena, struct verdict *out,
		       struct err *err)
{
	struct verify_args args = {
		.repository = siblings_mirror(c->conf, arena),
		.accepted = accepted,
		.target = commit,
	};

	return siblings_verify(c->conf, c->libexec, &args, arena, out, err);
}

int target_fetch(struct core *c, struct arena *arena, struct pass_target *out,
		 struct err *err)
{
	struct pass_target t = {0};
	int r = state_get(c->state, "accepted", arena, &t.accepted, err);

	if (r == 0)
		r = siblings_fetch(c->conf, c->libexec, arena, &t.head, err);
	if (r == 0)
		*out = t;
	return r;
}

int target_decide(struct core *c, struct arena *arena, struct pass_target *io,
		  struct err *err)
{
	struct pass_target t = *io;
	struct verdict again;
	int r = ask_verdict(c, t.accepted, t.head, arena, &t.verdict, err);

	if (r < 0)
		return r;
	t.refused = t.verdict.kind != VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED;
	t.commit = t.refused ? t.accepted : t.head;
	if (!t.refused) {
		r = decode_snapshot(&t.verdict, arena, &t, err);
	} else if (t.accepted != NULL) {
		r = ask_verdict(c, t.accepted, t.accepted, arena, &again, err);
		if (r == 0 &&
		    again.kind == VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED)
			r = decode_snapshot(&again, arena, &t, err);
	}
	if (r == 0)
		*io = t;
	return r;
}

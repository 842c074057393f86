/*
 * history.c - see history.h.
 *
 * Every new commit was checked once and passed or is in refused.  Only if one
 * was refused is the paint of the walk spread to the end, and the refusals of
 * what turns out to be old dropped.
 */
#include "policy/trust/history.h"

#include <string.h>

struct run {
	const struct signers *signers;
	const struct history_ask *ask;
	struct history_result *out;
	struct walk *walk; /* NULL while only the head is checked */
	struct verdict *v;
};

void history_refuse(struct history_result *out, const struct commit_id *id,
		    const struct signature_by *by, const struct verdict *v)
{
	struct history_refused *r = NULL;

	if (out->n_refused == HISTORY_REFUSED_MAX)
		return;
	r = &out->refused[out->n_refused++];
	r->id = *id;
	r->by = *by;
	r->verdict = *v;
}

void history_note_head(struct history_result *out, const struct commit *c)
{
	out->tree = c->tree;
	out->has_parent = c->n_parents > 0;
	if (out->has_parent)
		out->parent = c->parents[0];
	out->commit_time = c->committer.when;
}

/* Checks one new commit; a refusal is kept, not returned. */
static void check(struct run *w, const struct commit_id *id, const char *bytes,
		  size_t len, bool first_seen)
{
	struct signature_time t = {.now = w->ask->now,
				   .first_seen = first_seen};
	bool head = commit_id_equal(id, &w->ask->target);
	struct signature_by by = {0};
	struct verdict v = {0};
	bool grammar;
	struct commit c;
	int r;

	r = commit_parse(bytes, len, &c, &v);
	grammar = r == 0;
	if (grammar) {
		if (head)
			history_note_head(w->out, &c);
		r = signature_check(w->signers, &c, &t, &by, &v);
	}
	if (w->ask->each != NULL)
		w->ask->each(w->ask->each_ctx, id, &by, r < 0 ? &v : NULL,
			     grammar ? &c : NULL);
	if (r < 0) {
		if (w->walk != NULL)
			walk_mark(w->walk, id);
		history_refuse(w->out, id, &by, &v);
		return;
	}
	w->out->verified++;
	if (head) {
		w->out->head = by;
		w->out->head_passed = true;
	}
}

static void visit(void *ctx, const struct commit_id *id, const char *bytes,
		  size_t len)
{
	check(ctx, id, bytes, len, true);
}

/* Drops refusals of commits that were accepted before after all.  The marks are
 * the truth; the list in out may be shorter than what was refused. */
static int drop_old(struct run *w)
{
	struct history_result *out = w->out;
	size_t really = walk_marked_new(w->walk);
	size_t kept = 0;

	for (size_t i = 0; i < out->n_refused; i++)
		if (!walk_is_old(w->walk, &out->refused[i].id))
			out->refused[kept++] = out->refused[i];
	out->n_refused = kept;
	if (really > 0 && kept == 0)
		return verdict_fail(w->v, TCODE_TOO_MANY,
				    "%zu commits are refused", really);
	return 0;
}

int history_not_descendant(const struct commit_id *accepted, struct verdict *v)
{
	char hex[COMMIT_ID_HEX];

	return verdict_fail(v, TCODE_NOT_DESCENDANT, "want a descendant of %s",
			    commit_id_hex(accepted, hex));
}

static int walk_all(struct run *w, const struct walk_source *src)
{
	const struct history_ask *ask = w->ask;
	struct walk_visitor visitor = {visit, w, &w->out->n_refused,
				       HISTORY_REFUSED_MAX};
	size_t max =
		ask->max_commits != 0 ? ask->max_commits : HISTORY_COMMITS_MAX;
	int r;

	r = walk_new(src, &visitor, &ask->target,
		     ask->has_accepted ? &ask->accepted : NULL, max, &w->walk,
		     w->v);
	if (r == 0)
		r = walk_run(w->walk);
	/* To be sure which are old; also ends what the limit above cut. */
	if (r == 0 && w->out->n_refused > 0 && ask->has_accepted)
		r = walk_spread(w->walk);
	if (r < 0)
		return r;
	r = drop_old(w);
#ifndef GUARD_OFF_RATCHET
	if (r == 0 && w->out->n_refused == 0 && ask->has_accepted &&
	    !walk_is_new(w->walk, &ask->accepted))
		return history_not_descendant(&ask->accepted, w->v);
#endif
	return r;
}

/* The target alone: it was accepted before. */
static int check_head(struct run *w, const struct walk_source *src)
{
	const char *bytes = NULL;
	size_t len = 0;
	int r;

	r = src->read(src->ctx, &w->ask->target, &bytes, &len, w->v);
	if (r == 0)
		check(w, &w->ask->target, bytes, len, false);
	return r;
}

int history_check(const struct walk_source *src, const struct signers *s,
		  const struct history_ask *ask, struct history_result *out,
		  struct verdict *v)
{
	struct run w = {.signers = s, .ask = ask, .out = out, .v = v};
	int r;

	memset(out, 0, sizeof(*out));
	if (ask->head_only || (ask->has_accepted &&
			       commit_id_equal(&ask->target, &ask->accepted)))
		r = check_head(&w, src);
	else
		r = walk_all(&w, src);
	walk_free(w.walk);
	return r;
}

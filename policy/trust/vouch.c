/*
 * vouch.c - see vouch.h.  Runs in reconcile-verify, sandboxed.
 *
 * Invariants: (1) no step is good whose commits, and what they merge, are not
 * all signed by keys that the policy before it knows; (2) a merged commit
 * counts only in a merge whose tree is what merging gives; (3) the key of a
 * forge never counts.
 */
#include "policy/trust/vouch.h"
#include "lib/clock.h"
#include "policy/trust/tally.h"

#include <string.h>

#define SCRATCH_BYTES ((size_t)256 << 20)

/* Who gave a path what it has: on the line, and below a merge. */
struct giver {
	size_t place; /* that changed it last; 0: not known yet */
	bool settled; /* somebody below the merge changed it last */
	const struct chain_commit *line, *side;
};

struct judging {
	struct vouch *w;
	const struct vouch_step *step;
	struct chain_place *from, *to;
	struct arena *scratch;
	struct diff diff;
	struct tally_hand *whole; /* vouch for every path */
	size_t n_whole;
	struct giver *givers; /* by change */
	struct verdict merge; /* why merged commits do not count */
	struct vouch_result *out;
	struct verdict *v;
};

int vouch_signature(struct vouch *w, struct chain_commit *c,
		    const struct people *people, struct verdict *v)
{
	struct signature_time t = {.now = w->ask->now,
				   .openpgp = w->ask->openpgp,
				   .first_seen = true};
	const struct walk_source *src = &w->src->commits;
	struct signature_by by = {0};
	struct verdict why = {0};
	const char *bytes = NULL;
	struct commit parsed;
	size_t len = 0;
	int r;

	if (c->judge == people || (c->judge == NULL && c->verdict != NULL))
		return 0;
	r = src->read(src->ctx, &c->id, &bytes, &len, v);
	if (r < 0)
		return r;
	if (commit_parse(bytes, len, &parsed, &why) == 0)
		(void)signature_check(people_signers(people), &parsed, &t, &by,
				      &why);
	c->judge = people;
	c->verdict = why.code != 0 ? arena_memdup(w->arena, &why, sizeof(why))
				   : NULL;
	memcpy(c->payload, by.payload, sizeof(c->payload));
	memset(by.payload, 0, sizeof(by.payload));
	if (w->last_by == NULL || memcmp(w->last_by, &by, sizeof(by)) != 0)
		w->last_by = arena_memdup(w->arena, &by, sizeof(by));
	c->by = w->last_by;
	w->verified += c->verdict == NULL;
	return 0;
}

static bool refuse(struct judging *j, const struct chain_commit *c,
		   const struct verdict *why)
{
	if (j->out->verdict.code == TCODE_OK) {
		j->out->refused = c;
		j->out->verdict = *why;
	}
	return false;
}

static int tree_of(struct judging *j, const struct commit_id *id,
		   struct commit_id *out)
{
	return chain_read_tree(j->w->chain, id, out, j->v);
}

/* Has the tree of its only parent. */
static int is_empty(struct judging *j, const struct chain_commit *c, bool *out)
{
	struct commit_id tree;
	int r;

	*out = false;
	if (c->n_parents != 1)
		return 0;
	r = tree_of(j, &c->parents[0], &tree);
	*out = r == 0 && commit_id_equal(&tree, &c->tree);
	return r;
}

/* What a key that is no person's may do: on the line, or below a merge. */
static int check_use(struct judging *j, const struct chain_commit *c)
{
	enum people_carry how = c->n_parents > 1 ? PEOPLE_MERGE : PEOPLE_SQUASH;
	struct verdict why = {0};
	bool empty = false;
	int r;

	if (c->by->use == SIGNER_PERSON)
		return 0;
	r = is_empty(j, c, &empty);
	if (r < 0 || empty)
		return r;
#ifndef GUARD_OFF_LINE_EMPTY
	if (c->by->use == SIGNER_TIMESTAMP) {
		(void)verdict_fail(&why, TCODE_ONLY_EMPTY,
				   "the key of %s, which changes something",
				   c->by->principal);
		(void)refuse(j, c, &why);
	}
#endif
#ifndef GUARD_OFF_LINE_CARRIER
	if (c->by->use == SIGNER_CARRIER && c->on_line &&
	    !people_carrier_accepts(j->step->people, c->by->principal, how)) {
		(void)verdict_fail(&why, TCODE_CARRIER,
				   "the carrier %s does not accept %s",
				   c->by->principal,
				   how == PEOPLE_MERGE ? "Merge" : "Squash");
		(void)refuse(j, c, &why);
	}
#endif
	(void)how;
	(void)why;
	return 0;
}

/* Somebody known signed it, and may do such a thing. */
static int check_commit(struct judging *j, struct chain_commit *c)
{
	int r = vouch_signature(j->w, c, j->step->people, j->v);
	bool old = false;

#ifdef GUARD_OFF_LINE_KNOWN
	if (c->verdict != NULL && c->judge != NULL)
		return r;
#endif
	if (r == 0 && c->verdict != NULL && !c->on_line)
		r = chain_is_old(j->w->chain, c, &old, j->v);
	if (r < 0 || old)
		return r;
	if (c->verdict != NULL)
		(void)refuse(j, c, c->verdict);
	else
		r = check_use(j, c);
	return r;
}

static int check_commits(struct judging *j)
{
	struct chain *chain = j->w->chain;
	int r = 0;

	for (size_t i = j->step->a + 1; r == 0 && i <= j->step->b; i++) {
		struct chain_place *p = &chain->line[i];

		if (p->commit != NULL)
			r = check_commit(j, p->commit);
		for (size_t k = 0; r == 0 && k < p->n_side; k++)
			r = check_commit(j, chain->sides[p->side + k]);
	}
	return r;
}

static bool is_person(const struct judging *j, const struct chain_commit *c)
{
	return c != NULL && c->verdict == NULL && c->judge == j->step->people &&
	       c->by->use == SIGNER_PERSON;
}

static void add_hand(const struct judging *j, struct tally_hand *hands,
		     size_t *n, const struct signature_by *by)
{
	const struct people_person *who =
		people_find(j->step->people, by->principal);

	if (who != NULL)
		hands[(*n)++] =
			(struct tally_hand){who, by->touched, by->verified};
}

static void check_approval(struct judging *j, struct approved_item *item)
{
	const struct people *people = j->step->people;
	const struct line_ask *ask = j->w->ask;

	if (item->judge == people)
		return;
	item->judge = people;
	item->verdict = (struct verdict){0};
	(void)approval_check(&item->approval, people_signers(people),
			     ask->repository, ask->ref, item->when, ask->now,
			     &item->by, &item->verdict);
}

/* The signer of the one commit, and whoever approved exactly this. */
static int gather_whole(struct judging *j)
{
	const struct approved *approved = j->w->approved;
	const struct commit_id *from =
		j->from->is_nothing ? NULL : &j->from->content;
	const struct chain_commit *commit =
		j->step->b == j->step->a + 1 ? j->to->commit : NULL;
	struct approved_item *items = NULL;
	size_t n = 1;
	int r = 0;

	if (approved->n_items > 0) {
		r = chain_read_content(j->w->chain, j->from, j->v);
		if (r == 0)
			r = chain_read_content(j->w->chain, j->to, j->v);
		items = approved_to(approved, &j->to->content);
	}
	for (const struct approved_item *i = items; i != NULL; i = i->next)
		n++;
	j->whole = arena_calloc(j->scratch, n, sizeof(j->whole[0]));
	if (is_person(j, commit))
		add_hand(j, j->whole, &j->n_whole, commit->by);
	for (; r == 0 && items != NULL; items = items->next) {
		if (!approved_from(items, from))
			continue;
		check_approval(j, items);
		if (items->verdict.code == 0)
			add_hand(j, j->whole, &j->n_whole, &items->by);
	}
	return r;
}

static int diff_of(struct judging *j, const struct commit_id *before,
		   const struct commit_id *after, struct diff *out)
{
	return diff_trees(&j->w->src->trees.trees, before, after, j->scratch,
			  out, j->v);
}

static size_t index_of(const struct judging *j, const char *path)
{
	const struct diff_change *c = diff_find(&j->diff, path);

	return c != NULL ? (size_t)(c - j->diff.items) : SIZE_MAX;
}

/* Is the merge at a place what merging its two parents gives? */
static int is_clean(struct judging *j, const struct chain_place *p,
		    bool *out_clean)
{
	const struct line_source *src = j->w->src;
	struct commit_id tree;
	bool clean = false;
	int r;

	*out_clean = p->commit == NULL; /* a proposal: it was merged here */
	if (p->commit == NULL || p->commit->n_parents != 2) {
		if (p->commit != NULL)
			(void)verdict_fail(&j->merge, TCODE_MERGE,
					   "it has %zu parents",
					   p->commit->n_parents);
		return 0;
	}
	r = src->merge(src->ctx, &p->commit->parents[0], &p->commit->parents[1],
		       false, &clean, &tree, j->v);
	if (r < 0)
		return r;
#ifndef GUARD_OFF_LINE_MERGE
	*out_clean = clean && commit_id_equal(&tree, &p->commit->tree);
#else
	*out_clean = true;
#endif
	if (!*out_clean)
		(void)verdict_fail(&j->merge, TCODE_MERGE,
				   clean ? "the merge has another tree than "
					   "merging its parents gives"
					 : "its parents do not merge without "
					   "conflicts from one base");
	return 0;
}

/* What one merged commit changed that nobody after it did. */
static int give_by(struct judging *j, size_t place,
		   const struct chain_commit *s, const struct diff *ends)
{
	struct commit_id before = {{0}};
	struct diff d = {0};
	int r = 0;

	if (s->n_parents > 0)
		r = tree_of(j, &s->parents[0], &before);
	if (r == 0)
		r = diff_of(j, s->n_parents > 0 ? &before : NULL, &s->tree, &d);
	for (size_t i = 0; r == 0 && i < d.n; i++) {
		const struct diff_change *c = &d.items[i];
		const struct diff_change *end = diff_find(ends, c->path);
		size_t at = index_of(j, c->path);

		if (at == SIZE_MAX || end == NULL ||
		    j->givers[at].place != place || j->givers[at].settled)
			continue;
		j->givers[at].settled = true;
		if (is_person(j, s) && end->after == c->after &&
		    commit_id_equal(&end->after_id, &c->after_id))
			j->givers[at].side = s;
	}
	return r;
}

/* Below a clean merge: the last to change a path counts for it, when what it
 * gave is what the merged branch ends with. */
static int give_below(struct judging *j, size_t place)
{
	struct chain *chain = j->w->chain;
	struct chain_place *p = &chain->line[place];
	const struct commit_id *branch =
		p->commit != NULL ? &p->commit->parents[1] : &p->id;
	struct commit_id end = {{0}};
	struct diff ends = {0};
	bool clean = false;
	int r = is_clean(j, p, &clean);

	if (r < 0 || !clean)
		return r;
	r = tree_of(j, branch, &end);
	if (r == 0)
		r = diff_of(j, &chain->line[place - 1].tree, &end, &ends);
	for (size_t k = 0; r == 0 && k < p->n_side; k++)
		r = give_by(j, place, chain->sides[p->side + k], &ends);
	return r;
}

/* Which place of the line changed each path last, and who below it. */
static int find_givers(struct judging *j)
{
	struct chain *chain = j->w->chain;
	int r = 0;

	j->givers = arena_calloc(j->scratch, j->diff.n, sizeof(j->givers[0]));
	for (size_t i = j->step->b; r == 0 && i > j->step->a; i--) {
		const struct chain_place *before = &chain->line[i - 1];
		const struct chain_place *here = &chain->line[i];
		struct diff d = j->diff;

		if (j->step->b > j->step->a + 1)
			r = diff_of(j,
				    before->is_nothing ? NULL : &before->tree,
				    &here->tree, &d);
		for (size_t k = 0; r == 0 && k < d.n; k++) {
			size_t at = index_of(j, d.items[k].path);

			if (at == SIZE_MAX || j->givers[at].place != 0)
				continue;
			j->givers[at].place = i;
			if (is_person(j, here->commit))
				j->givers[at].line = here->commit;
		}
		if (r == 0 && here->n_side > 0 && !before->is_nothing)
			r = give_below(j, i);
	}
	return r;
}

/* Who the people are is nobody's by having merged it: an old proposal of one of
 * root would count in a merge that its signer never saw. */
static bool may_be_merged(const struct diff_change *c)
{
#ifndef GUARD_OFF_LINE_ROOT_MERGED
	return strcmp(c->path, PEOPLE_PATH) != 0;
#else
	return c != NULL;
#endif
}

static void count_paths(struct judging *j, struct tally *t)
{
	for (size_t i = 0; i < j->diff.n; i++) {
		const struct giver *g =
			j->givers != NULL ? &j->givers[i] : NULL;
		struct tally_hand extra[2];
		size_t n = 0;

		if (g != NULL && g->line != NULL)
			add_hand(j, extra, &n, g->line->by);
		if (g != NULL && g->side != NULL &&
		    may_be_merged(&j->diff.items[i]))
			add_hand(j, extra, &n, g->side->by);
		(void)tally_path(t, &j->diff.items[i], j->whole, j->n_whole,
				 extra, n);
	}
}

/* Enough people for every path; what merged commits add is only looked for when
 * it is needed. */
static int count_people(struct judging *j, const struct line_access *access)
{
	const struct tally_ask ask = {j->step->people, access, j->w->ask->now,
				      j->scratch};
	struct tally_words words = {j->from, j->to, &j->merge, false};
	bool more = j->step->b > j->step->a + 1 || j->to->n_side > 0;
	struct tally *t = tally_new(&ask);
	int r = 0;

	count_paths(j, t);
	if (!tally_good(t) && more) {
		r = find_givers(j);
		t = tally_new(&ask);
		if (r == 0)
			count_paths(j, t);
	}
	j->out->good = r == 0 && tally_good(t);
	words.forge = j->to->commit != NULL && j->to->commit->by != NULL &&
		      j->to->commit->by->use == SIGNER_CARRIER;
	if (r == 0 && (!j->out->good || j->step->report))
		tally_requirements(t, &words, j->w->arena,
				   &j->out->requirements,
				   &j->out->n_requirements);
	return r;
}

/* The file that guards itself: it stays, and each version follows the last. */
static bool check_policy(struct judging *j)
{
	const struct vouch_step *step = j->step;
	struct verdict why = {0};
	int64_t expires = people_expires(step->people) * 1000;
	char text[CLOCK_RFC3339_BYTES];

	if (step->next == NULL) {
		(void)verdict_fail(&why, TCODE_NO_TRUST,
				   "the commit has no plain file %s",
				   PEOPLE_PATH);
		return refuse(j, j->to->commit, &why);
	}
#ifndef GUARD_OFF_LINE_VERSION
	if (!step->same_policy &&
	    people_successor(step->people, step->next, &why) < 0)
		return refuse(j, j->to->commit, &why);
#endif
#ifndef GUARD_OFF_LINE_EXPIRED
	if (!people_expired(step->people, j->to->when) &&
	    !(step->in_force && people_expired(step->people, j->w->ask->now)))
		return true;
	for (size_t i = 0; i < j->diff.n; i++)
		if (strcmp(j->diff.items[i].path, PEOPLE_PATH) != 0 &&
		    strncmp(j->diff.items[i].path, PEOPLE_APPROVALS "/",
			    strlen(PEOPLE_APPROVALS "/")) != 0)
			step = NULL;
	if (step != NULL && !step->same_policy)
		return true;
	(void)verdict_fail(&why, TCODE_TRUST_EXPIRED,
			   "it expired on %s: only %s may change",
			   clock_rfc3339(expires, text), PEOPLE_PATH);
	return refuse(j, j->to->commit, &why);
#else
	(void)expires;
	(void)text;
	return true;
#endif
}

static int judge(struct judging *j)
{
	struct line_access *access = j->w->ask->access;
	bool report = j->w->ask->proposal;
	struct verdict why = {0};
	int r = check_commits(j);

	if (r < 0 || (j->out->verdict.code != 0 && !report))
		return r;
	r = diff_of(j, j->from->is_nothing ? NULL : &j->from->tree,
		    &j->to->tree, &j->diff);
	if (r < 0)
		return r;
	if (!check_policy(j) && !report)
		return 0;
	if (!people_rbac(j->step->people))
		access = NULL;
	if (access != NULL) {
		struct line_step step = {
			j->from->is_nothing ? NULL : &j->from->id,
			&j->to->id,
			j->from->is_nothing ? NULL : &j->from->tree,
			&j->to->tree,
			j->step->people,
			&j->diff,
		};

		if (access->begin(access->ctx, &step, &why) < 0 &&
		    !refuse(j, j->to->commit, &why) && !report)
			return 0;
	}
	r = gather_whole(j);
	if (r == 0)
		r = count_people(j, access);
	if (j->out->verdict.code != 0)
		j->out->good = false;
	return r;
}

int vouch_step(struct vouch *w, const struct vouch_step *step,
	       struct vouch_result *out, struct verdict *v)
{
	struct judging j = {.w = w,
			    .step = step,
			    .from = &w->chain->line[step->a],
			    .to = &w->chain->line[step->b],
			    .scratch = arena_new(SCRATCH_BYTES),
			    .out = out,
			    .v = v};
	int r;

	*out = (struct vouch_result){0};
	r = judge(&j);
	arena_free(j.scratch);
	return r;
}

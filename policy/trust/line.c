/*
 * line.c - see line.h.  Runs in reconcile-verify, sandboxed.
 *
 * Places of the line that can be reached by good steps are found from its
 * beginning: by the step from the place before, else by one that approvals
 * join.  The policy in force is that of the place, by the id of the file, so it
 * does not matter by which steps a place was reached.
 */
#include "policy/trust/line.h"
#include "policy/trust/inforce.h"
#include "policy/trust/vouch.h"

#include <string.h>

#define JOINED_MAX ((size_t)100000) /* commits in joined steps, in one look */
#define REPORT_MAX 1000		    /* steps that a proposal tells of */

struct line {
	const struct line_source *src;
	const struct line_ask *ask;
	struct arena *arena;
	struct history_result *history;
	struct line_result *out;
	struct chain chain;
	struct approved approved;
	struct vouch vouch;
	struct inforce policies;
	uint32_t *reached; /* by place: the place before, plus 1; 0: not */
	size_t joined;	   /* commits of steps tried */
	struct verdict *v;
};

/* The policy file at a place; *out NULL when there is none. */
static int policy_at(struct line *l, struct chain_place *place,
		     const struct inforce_policy **out)
{
	int r = chain_read_place(&l->chain, place, l->v);

	*out = NULL;
	if (r < 0 || !place->has_policy)
		return r;
	return inforce_read(&l->policies, &place->policy, out, l->v);
}

/* The one that judges steps from a place: its own, or at the root of history
 * that of the first commit. */
static int policy_before(struct line *l, size_t place,
			 const struct inforce_policy **out)
{
	if (l->chain.line[place].is_nothing)
		place++;
#ifdef GUARD_OFF_LINE_POLICY_BEFORE
	place += place + 1 < l->chain.n;
#endif
	return policy_at(l, &l->chain.line[place], out);
}

/* Where trust begins stands the policy that is pinned (first trust). */
static int check_first(struct line *l, const struct inforce_policy *p)
{
	if (p == NULL)
		return verdict_fail(
			l->v, TCODE_NO_TRUST,
			"where trust begins there is no plain file %s%s",
			PEOPLE_PATH,
			l->ask->has_accepted
				? ": name in trust.anchor a later commit that "
				  "has it"
				: "");
#ifndef GUARD_OFF_LINE_FIRST
	if ((!l->ask->has_accepted ||
	     (l->ask->has_anchor &&
	      commit_id_equal(&l->ask->anchor, &l->chain.line[0].id))) &&
	    !l->ask->proposal && strcmp(l->ask->first_policy, p->digest) != 0)
		return verdict_fail(l->v, TCODE_FIRST_TRUST,
				    "want %s where trust begins, have %s",
				    l->ask->first_policy, p->digest);
#endif
	if (p->people == NULL) {
		*l->v = p->why;
		return ERR_TRUST;
	}
	return 0;
}

static int read_chain(struct line *l)
{
	const struct line_ask *ask = l->ask;
	struct chain_ask c = {
		.target = ask->target,
		.start = ask->has_accepted ? ask->accepted : ask->anchor,
		.anchor = ask->anchor,
		.has_start = ask->has_accepted || ask->has_anchor,
		.has_anchor = ask->has_accepted && ask->has_anchor &&
			      !commit_id_equal(&ask->accepted, &ask->anchor),
		.may_be_off_line = ask->proposal,
		.want_subjects = ask->proposal || ask->want_commits,
		.max_commits = ask->max_commits != 0 ? ask->max_commits
						     : HISTORY_COMMITS_MAX,
	};

	return chain_read(&l->src->commits, &l->src->trees, &c, l->arena,
			  &l->chain, l->v);
}

/* A proposal that does not begin at BASE: judged as it would be merged. */
static int merge_proposal(struct line *l, bool *out_clean)
{
	const struct line_source *src = l->src;
	struct chain *c = &l->chain;
	struct chain_place *line =
		arena_calloc(l->arena, 2, sizeof(c->line[0]));
	int r;

	line[0] = c->line[0];
	line[1] = (struct chain_place){.id = l->ask->target,
				       .when = l->ask->now,
				       .n_side = c->n_sides};
	r = src->merge(src->ctx, &l->ask->accepted, &l->ask->target, true,
		       out_clean, &line[1].tree, l->v);
	if (r == 0 && *out_clean) {
		l->out->has_merged = true;
		l->out->merged = line[1].tree;
		c->line = line;
		c->n = 2;
		r = chain_read_place(c, &c->line[1], l->v);
	}
	return r;
}

/* Approvals of any place, for any later one. */
static int gather(struct line *l, const struct chain *carriers)
{
	struct chain *c = &l->chain;
	struct commit_id *wanted =
		arena_calloc(l->arena, c->n, sizeof(wanted[0]));
	struct approved_ask ask = {&l->src->trees.trees, l->src->blob,
				   l->src->ctx, wanted, c->n - 1};
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < carriers->n; i++)
		any |= carriers->line[i].has_approvals;
	if (!any)
		return 0;
	for (size_t i = 0; r == 0 && i < c->n; i++) {
		r = chain_read_content(c, &c->line[i], l->v);
		if (i > 0)
			wanted[i - 1] = c->line[i].content;
	}
	return r < 0 ? r
		     : approved_gather(&ask, carriers, carriers->n, l->arena,
				       &l->approved, l->v);
}

/* Reads what stands at each place up to the first commit without grammar. */
static int read_places(struct line *l)
{
	struct chain *c = &l->chain;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n; i++) {
		struct chain_commit *commit = c->line[i].commit;

		if (commit != NULL && commit->verdict != NULL) {
			history_refuse(l->history, &commit->id,
				       &(struct signature_by){0},
				       commit->verdict);
			return 0;
		}
		r = chain_read_place(c, &c->line[i], l->v);
	}
	return r;
}

static int try_step(struct line *l, size_t a, size_t b, bool report,
		    struct vouch_result *out)
{
	struct chain *c = &l->chain;
	struct vouch_step step = {.a = a, .b = b, .report = report};
	const struct inforce_policy *before = NULL;
	const struct inforce_policy *after = NULL;
	int r;

	*out = (struct vouch_result){0};
	r = policy_before(l, a, &before);
	if (r == 0)
		r = policy_at(l, &c->line[b], &after);
	if (r < 0)
		return r;
	if (before == NULL || before->people == NULL)
		return check_first(l, before);
	if (after != NULL && after->people == NULL) {
		out->verdict = after->why;
		out->refused = c->line[b].commit;
		return 0;
	}
	step.people = before->people;
	step.next = after != NULL ? after->people : NULL;
	step.same_policy = step.next == step.people;
	step.in_force =
		c->line[c->n - 1].has_policy &&
		commit_id_equal(&c->line[c->n - 1].policy, &before->blob);
	return vouch_step(&l->vouch, &step, out, l->v);
}

static int reach(struct line *l, size_t a, size_t b)
{
	struct vouch_result result;
	int r;

	if (l->reached[b] != 0)
		return 0;
	r = try_step(l, a, b, false, &result);
	if (r == 0 && result.good)
		l->reached[b] = (uint32_t)a + 1;
	return r;
}

/* One step more to a place, joined by an approval. */
static int join(struct line *l, size_t a, size_t b)
{
	size_t max = JOINED_MAX + 10 * l->chain.n;

	if (a + 1 >= b || l->reached[a] == 0)
		return 0;
	l->joined += b - a;
	if (l->joined > max)
		return verdict_fail(l->v, TCODE_TOO_MANY,
				    "approvals join more than %zu commits",
				    max);
	return reach(l, a, b);
}

/* Steps to a place that an approval joins, from places that were reached. */
static int reach_joined(struct line *l, const struct approved_item *item,
			size_t b)
{
	struct chain *c = &l->chain;
	const struct commit_id *from = &item->approval.from;
	int r = 0;

	if (!item->approval.has_from)
		return c->line[0].is_nothing && approved_from(item, NULL)
			       ? join(l, 0, b)
			       : 0;
	for (size_t at = chain_seek(c, from);
	     r == 0 && at < c->n && l->reached[b] == 0; at++) {
		const struct chain_place *p = c->by_content[at];

		if (!approved_from(item, &p->content))
			break;
		r = join(l, (size_t)(p - c->line), b);
	}
	return r;
}

/* Marks what good steps reach; the last place that they do. */
static int reach_all(struct line *l, size_t *out_last)
{
	size_t n = l->chain.n;
	int r = 0;

	l->reached = arena_calloc(l->arena, n, sizeof(l->reached[0]));
	l->reached[0] = 1;
	*out_last = 0;
	if (l->approved.n_items > 0)
		chain_sort(&l->chain, l->arena);
	for (size_t b = 1; r == 0 && b < n; b++) {
		const struct approved_item *item =
			approved_to(&l->approved, &l->chain.line[b].content);

		if (l->reached[b - 1] != 0)
			r = reach(l, b - 1, b);
		for (; r == 0 && item != NULL; item = item->next)
			r = reach_joined(l, item, b);
		if (l->reached[b] != 0)
			*out_last = b;
	}
	return r;
}

static void add_requirements(struct line *l, const struct vouch_result *from)
{
	struct line_result *out = l->out;
	size_t n = out->n_requirements + from->n_requirements;
	struct line_requirement *list =
		arena_calloc(l->arena, n, sizeof(list[0]));

	if (out->n_requirements > 0)
		memcpy(list, out->requirements,
		       out->n_requirements * sizeof(list[0]));
	if (from->n_requirements > 0)
		memcpy(list + out->n_requirements, from->requirements,
		       from->n_requirements * sizeof(list[0]));
	out->requirements = list;
	out->n_requirements = n;
}

/* Judges a step again, and keeps what it says. */
static int report(struct line *l, size_t a, size_t b)
{
	static const struct signature_by nobody;
	struct vouch_result result;
	int r = try_step(l, a, b, true, &result);

	if (r < 0)
		return r;
	add_requirements(l, &result);
	if (result.verdict.code != TCODE_OK)
		history_refuse(l->history,
			       result.refused != NULL ? &result.refused->id
						      : &l->chain.line[b].id,
			       result.refused != NULL && result.refused->by
				       ? result.refused->by
				       : &nobody,
			       &result.verdict);
	return 0;
}

/* The good steps to a place, from the first. */
static int report_path(struct line *l, size_t place)
{
	size_t before;
	int r = 0;

	if (place == 0)
		return 0;
	before = l->reached[place] - 1;
	r = report_path(l, before);
	return r < 0 ? r : report(l, before, place);
}

static void note_approvals(struct line *l)
{
	struct line_result *out = l->out;
	const struct approved *a = &l->approved;

	for (size_t i = 0; i < a->n_trees; i++)
		for (const struct approved_item *item = a->trees[i].items;
		     item != NULL && out->n_notes < LINE_NOTES_MAX;
		     item = item->next)
			if (item->verdict.code != TCODE_OK)
				out->notes[out->n_notes++] = arena_printf(
					l->arena, "%s does not count: %s: %s",
					item->path,
					verdict_name(item->verdict.code),
					item->verdict.reason);
}

static int judge_line(struct line *l)
{
	struct chain *c = &l->chain;
	size_t last = 0;
	int r = reach_all(l, &last);

	if (r < 0)
		return r;
	if (last == c->n - 1)
		return l->ask->proposal && c->n <= REPORT_MAX
			       ? report_path(l, last)
			       : 0;
	note_approvals(l);
	/* a proposal lacks what the whole of it lacks; else the first step that
	 * is not good is to be cured */
	return l->ask->proposal ? report(l, 0, c->n - 1)
				: report(l, last, last + 1);
}

static void add_commit(struct line_result *out, const struct chain_commit *from)
{
	struct line_commit *c = &out->commits[out->n_commits++];

	c->id = from->id;
	c->by = from->by;
	c->verdict = from->verdict;
	c->subject = from->subject;
	memcpy(c->payload, from->payload, sizeof(c->payload));
}

/* Verdicts of commits, the target first, by the policy where trust begins. */
static int list_commits(struct line *l, const struct people *people)
{
	struct chain *c = &l->chain;
	struct line_result *out = l->out;
	int r = 0;

	out->commits = arena_calloc(l->arena, c->n_commits + 1,
				    sizeof(out->commits[0]));
	for (size_t i = 0; r == 0 && i < c->n_commits; i++) {
		struct chain_commit *commit = &c->commits[i];

		if (commit->judge == NULL)
			r = vouch_signature(&l->vouch, commit, people, l->v);
		if (r < 0)
			break;
		add_commit(out, commit);
	}
	return r;
}

static int finish(struct line *l)
{
	struct chain *c = &l->chain;
	struct chain_place *end = &c->line[c->n - 1];
	const struct inforce_policy *p = NULL;
	int r = policy_at(l, end, &p);

	if (r < 0)
		return r;
	if (p != NULL && p->people != NULL && l->ask->at_target != NULL &&
	    l->history->n_refused == 0)
		r = l->ask->at_target(l->ask->target_ctx,
				      people_signers(p->people), l->v);
	if (r < 0)
		return r;
	if (p != NULL && p->people != NULL) {
		int64_t age = people_max_age_s(p->people);

		l->out->version = (uint64_t)people_spec(p->people)->version;
		l->out->fresh_until = age > 0 ? end->when + age : 0;
	}
	if (end->commit != NULL && end->commit->verdict == NULL &&
	    end->commit->by != NULL) {
		l->history->head = *end->commit->by;
		l->history->head_passed = true;
	}
	l->history->verified = l->vouch.verified;
	r = chain_read_content(c, &c->line[0], l->v);
	if (r == 0)
		r = chain_read_content(c, end, l->v);
	l->out->has_from = !c->line[0].is_nothing;
	l->out->from = c->line[0].content;
	l->out->has_to = true;
	l->out->to = end->content;
	return r;
}

/* Was this signer, or what was signed, revoked since? */
static bool is_revoked(const struct people *people,
		       const struct signature_by *by, struct verdict *v)
{
	const struct signers *s = people_signers(people);

	if (!signers_fingerprint_revoked(s, by->key) &&
	    !signers_payload_revoked(s, by->payload))
		return false;
	(void)verdict_fail(v, TCODE_REVOKED, "key %s of %s", by->key,
			   by->principal);
	return true;
}

/* The accepted commit, again: by its own policy, or, when it changed who may
 * sign, by the one before it; what is revoked now is refused. */
static int check_again(struct line *l, const struct people *own)
{
	struct signature_time t = {.now = l->ask->now,
				   .openpgp = l->ask->openpgp};
	const struct walk_source *src = &l->src->commits;
	const struct inforce_policy *before = NULL;
	struct chain_place parent = {0};
	struct signature_by *by = &l->history->head;
	struct verdict why = {0};
	const char *bytes = NULL;
	struct commit c;
	size_t len = 0;
	int r = src->read(src->ctx, &l->ask->target, &bytes, &len, l->v);

	if (r < 0)
		return r;
	r = commit_parse(bytes, len, &c, &why);
	if (r == 0)
		r = signature_check(people_signers(own), &c, &t, by, &why);
	if (signature_is_unknown(why.code) && l->history->has_parent &&
	    chain_read_tree(&l->chain, &l->history->parent, &parent.tree,
			    NULL) == 0 &&
	    policy_at(l, &parent, &before) == 0 && before != NULL &&
	    before->people != NULL &&
	    src->read(src->ctx, &l->ask->target, &bytes, &len, l->v) == 0 &&
	    commit_parse(bytes, len, &c, &why) == 0)
		r = signature_check(people_signers(before->people), &c, &t, by,
				    &why);
	if (r == 0 && is_revoked(own, by, &why))
		r = ERR_TRUST;
	if (r == 0)
		l->history->verified = 1;
	else if (!l->ask->has_anchor ||
		 !commit_id_equal(&l->ask->anchor, &l->ask->target))
		history_refuse(l->history, &l->ask->target, by, &why);
	l->history->head_passed = l->history->n_refused == 0;
	return 0;
}

static int judge_all(struct line *l)
{
	struct chain carriers;
	const struct inforce_policy *first = NULL;
	const struct people *people;
	bool clean = true;
	int r = read_chain(l);

	if (r == 0)
		r = read_places(l);
	carriers = l->chain;
	if (r < 0 || (l->history->n_refused > 0 && !l->ask->proposal))
		return r;
	if (l->chain.off_line) {
		l->out->by_merging = true;
		r = merge_proposal(l, &clean);
	}
	if (r == 0)
		r = policy_before(l, 0, &first);
	if (r < 0)
		return r;
	l->out->has_policy = first != NULL;
	if (l->ask->proposal && first == NULL)
		return 0;
	r = check_first(l, first);
	if (r < 0)
		return r;
	people = first->people;
	if (clean)
		r = gather(l, &carriers);
	if (r == 0 && l->chain.n == 1 && !l->ask->proposal)
		r = check_again(l, people);
	else if (r == 0 && clean && l->chain.n > 1)
		r = judge_line(l);
	if (r == 0 && (l->ask->proposal || l->ask->want_commits))
		r = list_commits(l, people);
	if (r == 0 && clean)
		r = finish(l);
	return r;
}

/* Facts of the target that do not depend on who signed it. */
static int note_target(struct line *l)
{
	const struct walk_source *src = &l->src->commits;
	const char *bytes = NULL;
	struct verdict why;
	size_t len = 0;
	struct commit c;
	int r = src->read(src->ctx, &l->ask->target, &bytes, &len, l->v);

	if (r == 0 && commit_parse(bytes, len, &c, &why) == 0)
		history_note_head(l->history, &c);
	return r;
}

int line_check(const struct line_source *src, const struct line_ask *ask,
	       struct arena *arena, struct history_result *history,
	       struct line_result *out, struct verdict *v)
{
	struct line l = {.src = src,
			 .ask = ask,
			 .arena = arena,
			 .history = history,
			 .out = out,
			 .v = v};
	int r;

	memset(history, 0, sizeof(*history));
	memset(out, 0, sizeof(*out));
	l.policies = (struct inforce){.src = src, .arena = arena};
	l.vouch = (struct vouch){.src = src,
				 .ask = ask,
				 .chain = &l.chain,
				 .approved = &l.approved,
				 .arena = arena};
	r = note_target(&l);
	if (r == 0)
		r = judge_all(&l);
	inforce_release(&l.policies);
	chain_release(&l.chain);
	return r;
}

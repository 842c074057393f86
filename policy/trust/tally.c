/*
 * tally.c - see tally.h.
 *
 * Invariants: (1) a person counts once for a path, with however many keys; (2)
 * a path without a rule is never met.
 */
#include "policy/trust/tally.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

struct count {				/* of one rule */
	const struct people_rule *rule; /* NULL: none decides */
	size_t n_paths, n_unmet;
	const struct diff_change *paths[LINE_PATHS_SHOWN];
	const struct diff_change *unmet[LINE_PATHS_SHOWN];
	bool *any; /* by person: vouches for a path of it */
	bool *all; /* by person: vouches for every path that is not met */
	size_t n_by_roles;  /* paths that are unmet because of roles alone */
	struct verdict why; /* why somebody who may by the rule may not */
};

struct tally {
	struct tally_ask ask;
	struct count *counts;
	size_t n, cap;
	uint32_t *stamps; /* by person: the path that they counted for last */
	uint32_t *denied; /* ... that roles denied them last */
	uint32_t stamp;
};

struct tally *tally_new(const struct tally_ask *ask)
{
	struct tally *t = arena_alloc(ask->scratch, sizeof(*t));

	t->ask = *ask;
	t->stamps = arena_calloc(ask->scratch, people_count(ask->people) + 1,
				 sizeof(t->stamps[0]));
	t->denied = arena_calloc(ask->scratch, people_count(ask->people) + 1,
				 sizeof(t->denied[0]));
	return t;
}

static struct count *count_of(struct tally *t, const struct people_rule *rule)
{
	size_t people = people_count(t->ask.people) + 1;
	struct count *c;

	for (size_t i = t->n; i > 0; i--)
		if (t->counts[i - 1].rule == rule)
			return &t->counts[i - 1];
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 8 : t->cap * 2;
		struct count *room =
			arena_calloc(t->ask.scratch, cap, sizeof(t->counts[0]));

		if (t->n > 0)
			memcpy(room, t->counts, t->n * sizeof(room[0]));
		t->counts = room;
		t->cap = cap;
	}
	c = &t->counts[t->n++];
	c->rule = rule;
	c->any = arena_calloc(t->ask.scratch, people, sizeof(bool));
	c->all = arena_calloc(t->ask.scratch, people, sizeof(bool));
	return c;
}

/* Distinct people of hands that count; they get the stamp of this path.
 * *io_denied: and those who would, but for roles. */
static unsigned int count_hands(struct tally *t, struct count *c,
				const struct diff_change *change,
				const struct tally_hand *hands, size_t n,
				unsigned int *io_denied, struct verdict *why)
{
	const struct line_access *access = t->ask.access;
	unsigned int have = 0;

	for (size_t i = 0; i < n; i++) {
		const struct tally_hand *h = &hands[i];

		if (!people_counts(c->rule, h->who, h->touched, h->verified))
			continue;
#ifndef GUARD_OFF_LINE_DISTINCT
		if (t->stamps[h->who->index] == t->stamp)
			continue;
#endif
		if (access != NULL &&
		    !access->allows(access->ctx, change, h->who, why)) {
			*io_denied += t->denied[h->who->index] != t->stamp;
			t->denied[h->who->index] = t->stamp;
			continue;
		}
		t->stamps[h->who->index] = t->stamp;
		c->any[h->who->index] = true;
		have++;
	}
	return have;
}

static void keep_unmet(struct tally *t, struct count *c,
		       const struct diff_change *change)
{
	for (size_t i = 0; i < people_count(t->ask.people); i++) {
		bool here = c->rule != NULL && t->stamps[i] == t->stamp;

		c->all[i] = here && (c->n_unmet == 0 || c->all[i]);
	}
	if (c->n_unmet < LINE_PATHS_SHOWN)
		c->unmet[c->n_unmet] = change;
	c->n_unmet++;
}

bool tally_path(struct tally *t, const struct diff_change *change,
		const struct tally_hand *whole, size_t n_whole,
		const struct tally_hand *extra, size_t n_extra)
{
	const struct people_rule *rule =
		people_rule(t->ask.people, change->path);
	struct count *c = count_of(t, rule);
	struct verdict why = {0};
	unsigned int denied = 0;
	unsigned int have = 0;

	if (c->n_paths < LINE_PATHS_SHOWN)
		c->paths[c->n_paths] = change;
	c->n_paths++;
	t->stamp++;
	if (rule != NULL) {
		have = count_hands(t, c, change, whole, n_whole, &denied, &why);
		have += count_hands(t, c, change, extra, n_extra, &denied,
				    &why);
#ifndef GUARD_OFF_LINE_THRESHOLD
		if (have >= rule->threshold)
			return true;
#else
		(void)have;
		return true;
#endif
	}
	if (denied > 0)
		c->why = why;
	c->n_by_roles += denied > 0 && have + denied >= rule->threshold;
	keep_unmet(t, c, change);
	return false;
}

bool tally_good(const struct tally *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->counts[i].n_unmet > 0)
			return false;
	return true;
}

static const char *safe(struct arena *arena, const char *text)
{
	char shown[300];

	return arena_strdup(
		arena, text_safe(shown, sizeof(shown), text, strlen(text)));
}

static void set_paths(struct line_requirement *q, const struct count *c,
		      struct arena *arena)
{
	const struct diff_change *const *from = q->met ? c->paths : c->unmet;

	q->paths_total = q->met ? c->n_paths : c->n_unmet;
	q->n_paths = q->paths_total < LINE_PATHS_SHOWN ? q->paths_total
						       : LINE_PATHS_SHOWN;
	q->paths = arena_calloc(arena, q->n_paths, sizeof(q->paths[0]));
	for (size_t i = 0; i < q->n_paths; i++)
		q->paths[i] = safe(arena, from[i]->path);
}

/* Whether roles let them do what the paths shown amount to. */
static bool may_all(const struct tally *t, const struct count *c,
		    const struct people_person *who)
{
	const struct line_access *access = t->ask.access;
	struct verdict unused;

	for (size_t i = 0;
	     access != NULL && i < c->n_unmet && i < LINE_PATHS_SHOWN; i++)
		if (!access->allows(access->ctx, c->unmet[i], who, &unused))
			return false;
	return true;
}

static void set_people(const struct tally *t, struct line_requirement *q,
		       const struct count *c, struct arena *arena)
{
	const struct people *p = t->ask.people;
	const bool *has = q->met ? c->any : c->all;
	const struct people_rule *ask =
		c->rule != NULL ? c->rule : people_root(p);
	const char *could[LINE_PEOPLE_SHOWN];
	size_t n;

	q->have = arena_calloc(arena, LINE_PEOPLE_SHOWN, sizeof(q->have[0]));
	q->could = arena_calloc(arena, LINE_PEOPLE_SHOWN, sizeof(q->could[0]));
	for (size_t i = 0; i < people_count(p); i++)
		if (has[i] && q->n_have < LINE_PEOPLE_SHOWN)
			q->have[q->n_have++] =
				safe(arena, people_at(p, i)->name);
	n = people_of_rule(p, ask, t->ask.now, could, LINE_PEOPLE_SHOWN);
	n = n < LINE_PEOPLE_SHOWN ? n : LINE_PEOPLE_SHOWN;
	for (size_t i = 0; !q->met && i < n; i++) {
		const struct people_person *who = people_find(p, could[i]);

		if (c->rule == NULL || who == NULL ||
		    (!has[who->index] && may_all(t, c, who)))
			q->could[q->n_could++] = safe(arena, could[i]);
	}
}

static const char *list(struct arena *arena, const char *const *names, size_t n)
{
	const char *text = n == 0 ? "nobody" : names[0];

	for (size_t i = 1; i < n && i < 8; i++)
		text = arena_printf(arena, "%s, %s", text, names[i]);
	return n > 8 ? arena_printf(arena, "%s and %zu more", text, n - 8)
		     : text;
}

static const char *path_list(const struct line_requirement *q,
			     struct arena *arena)
{
	return q->paths_total > 1
		       ? arena_printf(arena, "%s and %zu more", q->paths[0],
				      q->paths_total - 1)
		       : q->paths[0];
}

static const char *command(const struct tally_words *w, struct arena *arena)
{
	char to[COMMIT_ID_HEX];
	char from[COMMIT_ID_HEX];

	commit_id_hex(&w->to->id, to);
	if (w->from->is_nothing)
		return arena_printf(
			arena, "reconcile trust approve --base - %.12s", to);
	return arena_printf(arena, "reconcile trust approve --base %.12s %.12s",
			    commit_id_hex(&w->from->id, from), to);
}

/* Says rule, path, who vouches, who could, and what to do. */
static void set_words(struct line_requirement *q, const struct count *c,
		      const struct tally_words *w, struct arena *arena)
{
	const char *why = "";

	if (q->met)
		return;
	q->fix = command(w, arena);
	if (c->rule == NULL) {
		q->code = TCODE_NO_RULE;
		q->message =
			arena_printf(arena, "no rule allows a change of %s",
				     path_list(q, arena));
		q->fix = arena_printf(arena,
				      "let %s add a rule to %s in a commit "
				      "before",
				      list(arena, q->could, q->n_could),
				      PEOPLE_PATH);
		return;
	}
	q->code = TCODE_VOUCH;
	if (w->merge != NULL && w->merge->code != 0) {
		q->code = w->forge ? w->merge->code : TCODE_VOUCH;
		why = arena_printf(arena, "; merged commits do not count: %s",
				   w->merge->reason);
	}
	if (c->why.code != 0) {
		q->code = c->why.code;
		why = arena_printf(arena, "%s; %s", why, c->why.reason);
	}
	q->message = arena_printf(
		arena,
		"%s: want %u of its people for %s%s, have %s; could: %s%s",
		q->rule, q->threshold, path_list(q, arena),
		c->rule->touch || c->rule->pin
			? c->rule->pin ? " (key with a PIN)" : " (touched key)"
			: "",
		list(arena, q->have, q->n_have),
		list(arena, q->could, q->n_could), why);
	if (c->n_by_roles == c->n_unmet)
		q->rule = "rbac"; /* of the rule there are enough */
}

void tally_requirements(const struct tally *t, const struct tally_words *words,
			struct arena *arena, struct line_requirement **out,
			size_t *out_n)
{
	*out = arena_calloc(arena, t->n, sizeof(**out));
	*out_n = 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct count *c = &t->counts[i];
		struct line_requirement *q = &(*out)[*out_n];

		if (c->rule != NULL && c->rule->threshold == 0)
			continue;
		q->has_from = !words->from->is_nothing;
		q->from = words->from->id;
		q->to = words->to->id;
		q->rule = c->rule != NULL ? c->rule->id : "no rule";
		q->threshold = c->rule != NULL ? c->rule->threshold : 0;
		q->met = c->n_unmet == 0;
		q->message = q->fix = "";
		set_paths(q, c, arena);
		set_people(t, q, c, arena);
		set_words(q, c, words, arena);
		(*out_n)++;
	}
}

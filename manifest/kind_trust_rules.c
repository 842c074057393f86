/*
 * kind_trust_rules.c - what the parts of a TrustPolicy say about each other:
 * names are unique and known, each rule can be met and each pattern decides
 * something.  Pure; input is hostile.  Lists are walked as nodes, because an
 * item that did not decode still has its index.
 */
#include "manifest/kind.h"

#include "lib/pattern.h"
#include "lib/text.h"

#include <string.h>

struct names {
	const char **items; /* "" where one did not decode */
	size_t n;
};

/* A file may come from a stranger: what grows with its square is counted. */
#define GUESSES 32
#define COMPARE_MAX ((size_t)1 << 28) /* letters against letters: a second */

struct members { /* of a role, as indices of people */
	size_t *items;
	size_t n;
};

struct trust {
	struct decode *d;
	const struct node *spec;
	const struct trust_spec *s;
	struct names people, roles;
	struct members *members; /* by role */
	unsigned int guesses;	 /* names that may still be guessed */
	size_t compare;		 /* what patterns may still cost */
};

static const struct node *item_of(const struct node *n, const char *list,
				  size_t i)
{
	const struct node *at = node_get(n, list);

	return at && at->type == NODE_SEQ && i < at->n ? at->items[i] : NULL;
}

static size_t items_in(const struct node *n, const char *list)
{
	const struct node *at = n ? node_get(n, list) : NULL;

	return at && at->type == NODE_SEQ ? at->n : 0;
}

static size_t index_of(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i], name) == 0)
			return i;
	return SIZE_MAX;
}

/* --- names ---------------------------------------------------------------- */

/* name is the i-th of a list; seen are those before it, of any list. */
static void take_name(struct trust *t, const char *list, size_t i,
		      const char *name, struct names *seen)
{
	char safe[80];

	if (name && index_of(seen, name) != SIZE_MAX)
		decode_say_item(
			t->d, CODE_DUPLICATE_ITEM, DIAG_ERROR, t->spec, list, i,
			"name", "give each its own",
			"'%s' is the name of another one already",
			text_safe(safe, sizeof(safe), name, strlen(name)));
	seen->items[seen->n++] = name ? name : "";
}

static struct names new_names(struct trust *t, size_t max)
{
	return (struct names){arena_calloc(t->d->arena, max, sizeof(char *)),
			      0};
}

/* A carrier must not look like a person in an audit log. */
static void collect_names(struct trust *t)
{
	const struct trust_spec *s = t->s;
	struct names signers = new_names(t, s->n_people + s->n_carriers + 1);

	t->people = new_names(t, s->n_people);
	t->roles = new_names(t, s->n_roles);
	signers.items[signers.n++] = "freshness";
	for (size_t i = 0; i < s->n_people; i++) {
		take_name(t, "people", i, s->people[i].name, &signers);
		t->people.items[t->people.n++] = signers.items[signers.n - 1];
	}
	for (size_t i = 0; i < s->n_carriers; i++)
		take_name(t, "carriers", i, s->carriers[i].name, &signers);
	for (size_t i = 0; i < s->n_roles; i++)
		take_name(t, "roles", i, s->roles[i].name, &t->roles);
}

/* Each text of a list is one of names and stands there once; calls on() with
 * its index. */
static void check_refs(struct trust *t, const struct node *n, const char *list,
		       const struct names *names,
		       void (*on)(struct trust *t, size_t index, bool *member),
		       bool *member)
{
	struct names seen = new_names(t, items_in(n, list));
	char safe[80], fix[120];

	for (size_t i = 0; i < items_in(n, list); i++) {
		const char *text = node_text(item_of(n, list, i));
		size_t index = text ? index_of(names, text) : SIZE_MAX;
		const char *near;

		if (text && index_of(&seen, text) != SIZE_MAX)
			decode_say_item(t->d, CODE_DUPLICATE_ITEM, DIAG_ERROR,
					n, list, i, NULL, "delete one",
					"'%s' is given twice",
					text_safe(safe, sizeof(safe), text,
						  strlen(text)));
		seen.items[seen.n++] = text ? text : "";
		if (index != SIZE_MAX)
			on(t, index, member);
		if (!text || index != SIZE_MAX)
			continue;
		near = t->guesses > 0
			       ? text_nearest(text, names->items, names->n)
			       : NULL;
		t->guesses -= t->guesses > 0;
		if (near)
			(void)snprintf(fix, sizeof(fix), "did you mean '%s'?",
				       near);
		decode_say_item(
			t->d, CODE_REF_PERSON, DIAG_ERROR, n, list, i, NULL,
			near ? fix : NULL, "'%s' is not in spec.%s",
			text_safe(safe, sizeof(safe), text, strlen(text)),
			names == &t->people ? "people" : "roles");
	}
}

static void add_person(struct trust *t, size_t index, bool *member)
{
	(void)t;
	member[index] = true;
}

static void add_role(struct trust *t, size_t index, bool *member)
{
	const struct members *m = &t->members[index];

	for (size_t i = 0; i < m->n; i++)
		member[m->items[i]] = true;
}

static void collect_members(struct trust *t)
{
	t->members =
		arena_calloc(t->d->arena, t->s->n_roles, sizeof(t->members[0]));
	for (size_t r = 0; r < t->s->n_roles; r++) {
		const struct strings *people = &t->s->roles[r].people;
		struct members *m = &t->members[r];

		m->items = arena_calloc(t->d->arena, people->n,
					sizeof(m->items[0]));
		for (size_t i = 0; i < people->n; i++) {
			size_t at = index_of(&t->people, people->items[i]);

			if (at != SIZE_MAX)
				m->items[m->n++] = at;
		}
	}
}

/* --- rules ---------------------------------------------------------------- */

/* The root, or a rule: who is in it, and whether they are enough. */
static void check_members(struct trust *t, const struct node *n,
			  const struct trust_rule *rule)
{
	bool *member = arena_calloc(t->d->arena, t->people.n, sizeof(bool));
	size_t errors = t->d->diags->n_errors;
	int64_t n_members = 0;

	check_refs(t, n, "roles", &t->roles, add_role, member);
	check_refs(t, n, "people", &t->people, add_person, member);
	if (items_in(n, "roles") + items_in(n, "people") == 0) {
		decode_say(t->d, CODE_REQUIRED, DIAG_ERROR, n, NULL, NULL,
			   "want roles or people, have neither");
		return;
	}
	for (size_t i = 0; i < t->people.n; i++)
		n_members += member[i];
	if (n_members < rule->threshold && t->d->diags->n_errors == errors)
		decode_say(t->d, CODE_CONFLICT, DIAG_ERROR,
			   node_get(n, "threshold") ? node_get(n, "threshold")
						    : n,
			   "threshold", "lower it, or name more people",
			   "want at least %lld people in roles and people, "
			   "have %lld",
			   (long long)rule->threshold, (long long)n_members);
}

/* What is decided before any rule. */
static const struct {
	const char *pattern, *by;
} fixed[] = {
	{".reconcile/trust.yaml", "root"},
	{".reconcile/trust.yaml/**", "root"},
	{".reconcile/approvals/**", "nothing: approvals are open to all"},
};

/* Who decides what a pattern of rule i fits, before rule i; NULL: nobody. */
static const char *decided_by(struct trust *t, size_t i, const char *pattern,
			      char *out, size_t out_len)
{
	char safe[80];

	for (size_t k = 0; k < FIELD_COUNT(fixed); k++)
		if (pattern_covers(fixed[k].pattern, pattern, &t->compare))
			return fixed[k].by;
	for (size_t r = 0; r < i; r++) {
		const struct strings *paths = &t->s->rules[r].paths;

		for (size_t k = 0; k < paths->n; k++) {
			if (!pattern_covers(paths->items[k], pattern,
					    &t->compare))
				continue;
			(void)snprintf(out, out_len, "rules[%zu] with '%s'", r,
				       text_safe(safe, sizeof(safe),
						 paths->items[k],
						 strlen(paths->items[k])));
			return out;
		}
	}
	return NULL;
}

static void check_paths(struct trust *t, const struct node *n, size_t i)
{
	struct names seen = new_names(t, items_in(n, "paths"));
	char who[160], safe[80];

	for (size_t k = 0; k < items_in(n, "paths"); k++) {
		const char *text = node_text(item_of(n, "paths", k));
		const char *by;

		if (!text || pattern_check(text))
			continue;
		text_safe(safe, sizeof(safe), text, strlen(text));
		if (index_of(&seen, text) != SIZE_MAX)
			decode_say_item(t->d, CODE_DUPLICATE_ITEM, DIAG_ERROR,
					n, "paths", k, NULL, "delete one",
					"'%s' is given twice", safe);
		seen.items[seen.n++] = text;
		by = decided_by(t, i, text, who, sizeof(who));
		if (by)
			decode_say_item(t->d, CODE_NO_EFFECT, DIAG_ERROR, n,
					"paths", k, NULL,
					"delete it, or put it first",
					"'%s' never decides: it is decided by "
					"%s",
					safe, by);
	}
}

/* --- all of it ------------------------------------------------------------ */

static void ignore(struct trust *t, size_t index, bool *member)
{
	(void)t, (void)index, (void)member;
}

/* Calls fn for each item of a list of the spec, at its place. */
static void each(struct trust *t, const char *list,
		 void (*fn)(struct trust *t, const struct node *n, size_t i))
{
	struct decode_step keys = {.up = t->d->step, .key = list};
	struct decode_step step = {.up = &keys};
	const struct decode_step *before = t->d->step;

	for (size_t i = 0; i < items_in(t->spec, list); i++) {
		const struct node *n = item_of(t->spec, list, i);

		step.index = i;
		t->d->step = &step;
		if (n && n->type == NODE_MAP)
			fn(t, n, i);
		t->d->step = before;
	}
}

/* A list that says nothing is a slip: nothing could ever follow from it. */
static void need_items(struct trust *t, const struct node *n, const char *list)
{
	const struct node *at = node_get(n, list);

	if (at && at->type == NODE_SEQ && at->n == 0)
		decode_say(t->d, CODE_REQUIRED, DIAG_ERROR, at, list, NULL,
			   "want at least one of %s, have none", list);
}

static void on_owner(struct trust *t, const struct node *n, size_t i)
{
	(void)i;
	need_items(t, n, "keys");
	need_items(t, n, "accept");
}

static void on_role(struct trust *t, const struct node *n, size_t i)
{
	(void)i;
	need_items(t, n, "people");
	check_refs(t, n, "people", &t->people, ignore, NULL);
}

static void on_rule(struct trust *t, const struct node *n, size_t i)
{
	need_items(t, n, "paths");
	check_members(t, n, &t->s->rules[i]);
	check_paths(t, n, i);
}

void kind_trust_rules_finish(struct decode *d, const struct node *n, void *obj)
{
	struct trust t = {.d = d,
			  .spec = n,
			  .s = obj,
			  .guesses = GUESSES,
			  .compare = COMPARE_MAX};
	struct decode_step step = {.up = d->step, .key = "root"};
	const struct node *root = node_get(n, "root");

	collect_names(&t);
	collect_members(&t);
	need_items(&t, n, "people");
	need_items(&t, n, "rules");
	each(&t, "people", on_owner);
	each(&t, "carriers", on_owner);
	each(&t, "roles", on_role);
	each(&t, "rules", on_rule);
	if (t.compare == 0)
		decode_say(d, CODE_SIZE, DIAG_ERROR, node_get(n, "rules"),
			   "rules", "write fewer or shorter ones",
			   "want patterns that can be compared with each "
			   "other, have too many");
	if (!root || root->type != NODE_MAP)
		return;
	d->step = &step;
	check_members(&t, root, &t.s->root);
	d->step = step.up;
}

/*
 * fuzz_trust - hostile bytes as a trust policy.  What is accepted keeps what
 * people.h promises: names find their person, a rule has people enough, the
 * root decides its own file, no version follows itself, and the canonical form
 * compiles to the same people.
 */
#include "policy/trust/people.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)
#define DIAGS_MAX 100
#define NOW 1795824000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_rule(const struct people *p, const struct people_rule *rule)
{
	size_t members = 0;
	const char *names[4];

	for (size_t i = 0; i < people_count(p); i++)
		members += people_counts(rule, people_at(p, i), true, true);
	must(members >= rule->threshold);
	must(people_of_rule(p, rule, NOW, names, 4) <= members);
	must(!people_counts(rule, NULL, true, true));
}

static void check_people(const struct people *p)
{
	static const char *const paths[] = {
		".reconcile/trust.yaml", ".reconcile/approvals/a/b",
		".reconcile/policy.yaml", "a/b/c.yaml", "x"};
	const struct signer *s = NULL;
	struct verdict v;

	for (size_t i = 0; i < people_count(p); i++)
		must(people_find(p, people_at(p, i)->name) == people_at(p, i));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct people_rule *rule = people_rule(p, paths[i]);

		if (rule != NULL)
			check_rule(p, rule);
	}
	must(people_rule(p, paths[0]) == people_root(p));
	must(people_root(p)->threshold > 0);
	must(people_rule(p, paths[1])->threshold == 0);
	for (int kind = 0; kind < ARMOR_KINDS; kind++)
		while ((s = signers_next_of(people_signers(p),
					    (enum armor_kind)kind, s)) != NULL)
			must((s->use == SIGNER_PERSON) ==
			     (people_find(p, s->name) != NULL));
	must(people_successor(p, p, &v) < 0);
}

static void check_canonical(const struct object *o, const struct people *p,
			    struct arena *arena)
{
	struct people *again = NULL;
	struct object copy;
	struct diags diags;
	struct verdict v;
	struct err err;

	diags_init(&diags, arena, DIAGS_MAX);
	must(manifest_from_canonical(o->canonical, o->canonical_len, arena,
				     &copy, &err) == 0);
	must(people_new(&copy, arena, &diags, &again, &v) == 0);
	must(people_count(again) == people_count(p));
	must(people_expires(again) == people_expires(p));
	people_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest_input in = {
		.path = PEOPLE_PATH, .bytes = (const char *)data, .len = size};
	struct arena *arena = arena_new(ARENA_BYTES);
	struct people *p = NULL;
	struct verdict v = {0};
	struct diags diags;

	diags_init(&diags, arena, DIAGS_MAX);
	if (people_read(&in, arena, &diags, &p, &v) == 0) {
		must(diags.n_errors == 0 && v.code == TCODE_OK);
		check_people(p);
		check_canonical(people_object(p), p, arena);
	} else {
		must(p == NULL && diags.n_errors > 0 && v.code != TCODE_OK);
	}
	people_free(p);
	arena_free(arena);
	return 0;
}

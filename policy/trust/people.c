/*
 * people.c - see people.h.
 *
 * Names, roles and thresholds were checked when the file was decoded
 * (manifest/kind_trust_rules.c); here is what needs the keys.
 */
#include "policy/trust/people.h"
#include "lib/clock.h"
#include "lib/pattern.h"
#include "policy/trust/people_keys.h"

#include <stdlib.h>
#include <string.h>

struct people {
	const struct object *object;
	const struct trust_spec *spec; /* in it */
	struct arena *arena;
	struct people_person *persons; /* by the order of the file */
	const struct people_person **by_name;
	size_t n;
	struct people_rule root, approvals;
	struct people_rule *rules;
	size_t n_rules;
	struct people_keys keys;
	size_t *first; /* of the keys of each person */
	int64_t expires, max_age_s;
};

void people_digest(const void *bytes, size_t len, char out[PEOPLE_DIGEST])
{
	memcpy(out, "sha256:", 7);
	hash_sha256_hex(bytes, len, out + 7);
}

/* --- building ------------------------------------------------------------- */

static int by_name(const void *pa, const void *pb)
{
	const struct people_person *const *a = pa, *const *b = pb;

	return strcmp((*a)->name, (*b)->name);
}

static bool has_name(const struct strings *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], name) == 0)
			return true;
	return false;
}

static struct strings roles_of(const struct people *p, const char *name)
{
	const struct trust_spec *s = p->spec;
	struct strings out = {
		arena_calloc(p->arena, s->n_roles, sizeof(char *)), 0};

	for (size_t i = 0; i < s->n_roles; i++)
		if (has_name(&s->roles[i].people, name))
			out.items[out.n++] = s->roles[i].name;
	return out;
}

static void build_persons(struct people *p)
{
	p->n = p->spec->n_people;
	p->persons = arena_calloc(p->arena, p->n, sizeof(p->persons[0]));
	p->by_name = arena_calloc(p->arena, p->n, sizeof(p->by_name[0]));
	for (size_t i = 0; i < p->n; i++) {
		const struct trust_person *from = &p->spec->people[i];

		p->persons[i] =
			(struct people_person){.name = from->name,
					       .roles = roles_of(p, from->name),
					       .index = i,
					       .spec = from};
		p->by_name[i] = &p->persons[i];
	}
	if (p->n > 0)
		qsort(p->by_name, p->n, sizeof(p->by_name[0]), by_name);
}

static struct people_rule build_rule(const struct people *p, const char *id,
				     const struct trust_rule *from)
{
	bool *member = arena_calloc(p->arena, p->n, sizeof(bool));

	for (size_t i = 0; i < p->n; i++) {
		const struct people_person *who = &p->persons[i];

		member[i] = has_name(&from->people, who->name);
		for (size_t k = 0; !member[i] && k < who->roles.n; k++)
			member[i] = has_name(&from->roles, who->roles.items[k]);
	}
	return (struct people_rule){
		.id = id,
		.paths = from->paths,
		.threshold = (unsigned int)from->threshold,
		.touch = has_name(&from->require, "Touch"),
		.pin = has_name(&from->require, "PIN"),
		.member = member,
		.spec = from,
	};
}

/* Where each person's keys begin; they stand by the order of people. */
static void build_ranges(struct people *p)
{
	size_t at = 0;

	p->first = arena_calloc(p->arena, p->n + 1, sizeof(p->first[0]));
	for (size_t i = 0; i < p->n; i++) {
		p->first[i] = at;
		while (at < p->keys.n && p->keys.owner[at] == i)
			at++;
	}
	p->first[p->n] = at;
}

/* Whether one of a person's keys can give what the rule asks for; at now, or
 * (now NULL) at some time. */
static bool is_able(const struct people *p, size_t person,
		    const struct people_rule *rule, const int64_t *now)
{
	for (size_t i = p->first[person]; i < p->first[person + 1]; i++) {
		const struct signer *s = &p->keys.items[i];

		if (p->keys.revoked[i])
			continue;
		if (now != NULL &&
		    (*now < s->valid_after || *now >= s->valid_before))
			continue;
		/* an authority may certify a hardware key */
		if ((rule->touch || rule->pin) && !s->authority &&
		    *s->key.application == '\0')
			continue;
		return true;
	}
	return false;
}

static void check_reach(struct people *p, const struct people_rule *rule,
			struct people_faults *faults)
{
	unsigned int able = 0;

	for (size_t i = 0; i < p->n; i++)
		able += rule->member[i] && is_able(p, i, rule, NULL);
#ifndef GUARD_OFF_RULE_REACH
	if (able < rule->threshold)
		people_keys_fault(
			faults, TCODE_TRUST_THRESHOLD, rule->spec->pos,
			"%s: want %u people whose keys are not revoked%s, "
			"have %u",
			rule->id, rule->threshold,
			rule->touch || rule->pin ? " and are in hardware" : "",
			able);
#else
	(void)faults;
#endif
}

static void build_rules(struct people *p, struct people_faults *faults)
{
	p->n_rules = p->spec->n_rules;
	p->rules = arena_calloc(p->arena, p->n_rules, sizeof(p->rules[0]));
	p->approvals = (struct people_rule){
		.id = "approvals",
		.member = arena_calloc(p->arena, p->n, sizeof(bool))};
	p->root = build_rule(p, "root", &p->spec->root);
	check_reach(p, &p->root, faults);
	for (size_t i = 0; i < p->n_rules; i++) {
		p->rules[i] =
			build_rule(p, arena_printf(p->arena, "rules[%zu]", i),
				   &p->spec->rules[i]);
		check_reach(p, &p->rules[i], faults);
	}
}

int people_new(const struct object *o, struct arena *arena, struct diags *diags,
	       struct people **out, struct verdict *v)
{
	const struct trust_spec *spec = &o->trust;
	struct people *p = arena_alloc(arena, sizeof(*p));
	struct people_faults faults = {.diags = diags, .v = v};
	int64_t ms = 0;

	p->object = o;
	p->spec = spec;
	p->arena = arena;
	if (clock_parse_rfc3339(spec->expires, &ms))
		p->expires = ms / 1000;
	if (spec->freshness_max_age != NULL)
		(void)clock_parse_span(spec->freshness_max_age, &p->max_age_s);
	build_persons(p);
	people_keys_init(&p->keys, spec, arena, &faults);
	build_ranges(p);
	build_rules(p, &faults);
	if (faults.n > 0) {
		people_free(p);
		return ERR_TRUST;
	}
	*out = p;
	return 0;
}

/* The first error among the diagnostics from `from` on. */
static int refused(const struct diags *diags, size_t from, struct verdict *v)
{
	for (size_t i = from; i < diags->n; i++) {
		const struct diag *d = &diags->items[i];

		if (d->severity == DIAG_ERROR)
			return verdict_fail(
				v, TCODE_TRUST_POLICY, "%s:%u:%u: %s %s",
				d->pos.path != NULL ? d->pos.path : "",
				d->pos.line, d->pos.column, d->code,
				d->message);
	}
	return verdict_fail(v, TCODE_TRUST_POLICY, "the file does not decode");
}

int people_read(const struct manifest_input *in, struct arena *arena,
		struct diags *diags, struct people **out, struct verdict *v)
{
	struct manifest_pos pos = {.path = arena_strdup(arena, in->path)};
	size_t errors = diags->n_errors, before = diags->n;
	struct people_faults faults = {.diags = diags, .v = v};
	struct objects set = {0};
	struct err err = {0};

	if (manifest_load(in, 1, NULL, arena, diags, &set, &err) < 0)
		return verdict_fail(v, TCODE_TRUST_POLICY, "%s", err.msg);
	if (diags->n_errors != errors)
		return refused(diags, before, v);
	if (set.n == 1 && set.items[0].kind == MANIFEST_TRUSTPOLICY)
		return people_new(&set.items[0], arena, diags, out, v);
	people_keys_fault(&faults, TCODE_TRUST_POLICY, pos,
			  "want exactly one TrustPolicy, have %zu objects%s%s",
			  set.n, set.n > 0 ? ", the first a " : "",
			  set.n > 0 ? manifest_kind_name(set.items[0].kind)
				    : "");
	return ERR_TRUST;
}

void people_free(struct people *p)
{
	if (p != NULL)
		people_keys_release(&p->keys);
}

/* --- questions ------------------------------------------------------------ */

const struct object *people_object(const struct people *p)
{
	return p->object;
}

const struct trust_spec *people_spec(const struct people *p)
{
	return p->spec;
}

const struct signers *people_signers(const struct people *p)
{
	return p->keys.signers;
}

const struct people_person *people_find(const struct people *p,
					const char *principal)
{
	struct people_person want = {.name = principal};
	const struct people_person *key = &want;
	const struct people_person **found;

	if (p->n == 0)
		return NULL;
	found = bsearch(&key, p->by_name, p->n, sizeof(p->by_name[0]), by_name);
	return found != NULL ? *found : NULL;
}

size_t people_count(const struct people *p)
{
	return p->n;
}

const struct people_person *people_at(const struct people *p, size_t index)
{
	return &p->persons[index];
}

/* path is name, or below it. */
static bool is_at(const char *path, const char *name, bool itself)
{
	size_t n = strlen(name);

	return strncmp(path, name, n) == 0 &&
	       (path[n] == '/' || (itself && path[n] == '\0'));
}

const struct people_rule *people_rule(const struct people *p, const char *path)
{
#ifndef GUARD_OFF_POLICY_ROOT
	if (is_at(path, PEOPLE_PATH, true))
		return &p->root;
#endif
	if (is_at(path, PEOPLE_APPROVALS, false))
		return &p->approvals;
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct strings *paths = &p->rules[i].paths;

		for (size_t k = 0; k < paths->n; k++)
			if (pattern_path(paths->items[k], path))
				return &p->rules[i];
	}
	return NULL;
}

const struct people_rule *people_root(const struct people *p)
{
	return &p->root;
}

bool people_counts(const struct people_rule *rule,
		   const struct people_person *who, bool touched, bool verified)
{
	if (who == NULL || !rule->member[who->index])
		return false;
#ifndef GUARD_OFF_REQUIRE
	if ((rule->touch && !touched) || (rule->pin && !verified))
		return false;
#else
	(void)touched;
	(void)verified;
#endif
	return true;
}

size_t people_of_rule(const struct people *p, const struct people_rule *rule,
		      int64_t now, const char **out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (!rule->member[i] || !is_able(p, i, rule, &now))
			continue;
		if (n < max)
			out[n] = p->persons[i].name;
		n++;
	}
	return n;
}

bool people_carrier_accepts(const struct people *p, const char *principal,
			    enum people_carry how)
{
	static const char *const words[] = {
		[PEOPLE_MERGE] = "Merge", [PEOPLE_SQUASH] = "Squash"};

	for (size_t i = 0; i < p->spec->n_carriers; i++)
		if (strcmp(p->spec->carriers[i].name, principal) == 0)
			return has_name(&p->spec->carriers[i].accept,
					words[how]);
	return false;
}

bool people_rbac(const struct people *p)
{
	return strcmp(p->spec->authorization, "RBAC") == 0;
}

int64_t people_max_age_s(const struct people *p)
{
	return p->max_age_s;
}

int64_t people_expires(const struct people *p)
{
	return p->expires;
}

bool people_expired(const struct people *p, int64_t now)
{
#ifdef GUARD_OFF_POLICY_EXPIRY
	return false;
#endif
	return now >= p->expires;
}

int people_successor(const struct people *p, const struct people *next,
		     struct verdict *v)
{
#ifndef GUARD_OFF_POLICY_VERSION
	if (next->spec->version != p->spec->version + 1)
		return verdict_fail(v, TCODE_TRUST_VERSION,
				    "want version %lld, have %lld",
				    (long long)p->spec->version + 1,
				    (long long)next->spec->version);
#else
	(void)p;
	(void)next;
	(void)v;
#endif
	return 0;
}

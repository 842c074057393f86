/*
 * rule.c - one list of all codes and rules, gathered from the tables of the
 * parts that use them, so that no text can say something else than the code
 * does.  Pure.
 */
#include "reconciler/report/rule.h"

#include "lib/buf.h"
#include "lib/text.h"
#include "manifest/codes.h"
#include "policy/admission/admission.h"
#include "policy/admission/gates.h"
#include "policy/admission/pss.h"
#include "policy/trust/verdict.h"
#include "reconciler/plan/plan.h"
#include "reconciler/report/example.h"
#include "reconciler/report/rule_host.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TEXT_BYTES ((size_t)1 << 16)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define TRUST_ROW(name, number, text, fix) {"T" #number, text, fix},
static const struct {
	const char *code, *title, *fix;
} trust[] = {TCODE_LIST(TRUST_ROW)};
#undef TRUST_ROW

/* Words of reconcile-trust(5) that a verdict names as rules; the code of what
 * is not there. */
static const struct rule words[] = {
	{"T000", NULL, "findings that are not shown",
	 "There are more of them than a report or a format can have; those "
	 "that are shown are the worst.",
	 "mend what is shown, and run it again",
	 "$ reconcile --dry-run --from BASE --to HEAD -o json"},
	{NULL, "root", "who may change the trust policy itself",
	 "A change of .reconcile/trust.yaml needs the threshold of distinct "
	 "people under spec.root of the policy before the change, and adds "
	 "exactly 1 to spec.version. No rule of spec.rules can loosen that.",
	 "let another person of root approve: reconcile trust approve",
	 "spec:\n  root:\n    roles: [admins]\n    threshold: 2"},
	{NULL, "rules", "who may change which paths",
	 "The first rule whose pattern fits a changed path decides; a path "
	 "that no rule fits cannot be changed. ** is any depth, * within a "
	 "name. threshold counts distinct people, not keys.",
	 "let the people of the rule sign or approve: reconcile trust approve",
	 "spec:\n  rules:\n  - paths: [\"manifests/web/**\"]\n    roles: "
	 "[web]\n    threshold: 1"},
	{NULL, "require", "keys that were touched or unlocked by a PIN",
	 "With require: [Touch, PIN] a person counts for the rule only with a "
	 "signature of a hardware key that says so.",
	 "sign again with a hardware key; for PIN, one made with -O "
	 "verify-required",
	 "spec:\n  rules:\n  - paths: [\".reconcile/**\"]\n    roles: "
	 "[admins]\n    require: [Touch, PIN]"},
	{NULL, "approvals", "signed statements of people beyond the committer",
	 "An approval names the repository, the ref, and the trees before and "
	 "after; so it survives squash and rebase and is good for nothing "
	 "else. It is a file below .reconcile/approvals/ that travels with "
	 "the commits.",
	 "reconcile trust approve", ".reconcile/approvals/TREE/NAME"},
	{NULL, "carriers", "keys of forges",
	 "A merge or squash commit that the forge signed makes nobody "
	 "responsible: the people are the signers of what was merged, or "
	 "those who approved the tree.",
	 "let the people of the rule approve the tree: reconcile trust approve",
	 "spec:\n  carriers:\n  - name: github\n    keys: [...]\n    accept: "
	 "[Merge, Squash]"},
	{NULL, "rbac", "Roles must allow the change, too",
	 "With authorization: RBAC a person counts for a file only if the "
	 "Roles before the step allow each create, update and delete that the "
	 "change of the file amounts to.",
	 "let a person sign whose Role allows it, or change the Role first",
	 "spec:\n  authorization: RBAC"},
	{NULL, "freshness", "a mirror that is frozen is noticed",
	 "The newest commit may not be older than freshness.maxAge. Where "
	 "little happens an empty commit keeps the repository fresh; a key "
	 "under freshness.keys may sign such commits only.",
	 "git commit --allow-empty -S -m fresh",
	 "spec:\n  freshness:\n    maxAge: 48h"},
	{NULL, "revocations", "keys and commits that are denied",
	 "revocations is never empty: asOf says when somebody looked last. "
	 "A revoked key also loses what it signed before.",
	 "add the fingerprint under spec.revocations.keys",
	 "spec:\n  revocations:\n    asOf: \"2026-11-28T00:00:00Z\"\n    "
	 "keys:\n    - fingerprint: SHA256:...\n      reason: lost"},
};

static int get_manifest(size_t i, struct arena *arena, struct rule *out)
{
	(void)arena;
	if (i >= CODE_COUNT)
		return ERR_NOTFOUND;
	*out = (struct rule){.code = codes_id((enum code)i),
			     .title = codes_title((enum code)i),
			     .help = codes_help((enum code)i)};
	return 0;
}

static int get_pss(size_t i, struct arena *arena, struct rule *out)
{
	size_t n;
	const struct pss_row *row = pss_rows(&n);

	if (i >= n)
		return ERR_NOTFOUND;
	row += i;
	*out = (struct rule){
		.code = row->code,
		.id = row->id,
		.title = arena_printf(arena, "%s: want %s", row->field,
				      row->want),
		.help = arena_printf(arena,
				     "Level %s of the Pod Security Standards, "
				     "since v1.%d.",
				     admission_level_name(row->level),
				     row->since),
		.fix = row->instead};
	return 0;
}

static int get_gate(size_t i, struct arena *arena, struct rule *out)
{
	size_t n;
	const struct gates_row *row = gates_rows(&n);

	if (i >= n)
		return ERR_NOTFOUND;
	row += i;
	*out = (struct rule){
		.code = row->code,
		.id = row->id,
		.title = arena_printf(arena, "%s: want %s", row->field,
				      row->want),
		.help = "A rule of .reconcile/policy.yaml (ClusterPolicy). A "
			"commit is judged by its own policy and by the one "
			"before it.",
		.fix = row->instead};
	return 0;
}

static int get_trust(size_t i, struct arena *arena, struct rule *out)
{
	(void)arena;
	if (i >= COUNT(trust))
		return ERR_NOTFOUND;
	*out = (struct rule){.code = trust[i].code,
			     .title = trust[i].title,
			     .help = "",
			     .fix = trust[i].fix};
	return 0;
}

static int get_plan(size_t i, struct arena *arena, struct rule *out)
{
	size_t n;
	const struct plan_code *row = plan_codes(&n);

	(void)arena;
	if (i >= n)
		return ERR_NOTFOUND;
	*out = (struct rule){.code = row[i].code,
			     .title = row[i].title,
			     .help = row[i].help};
	return 0;
}

static int get_word(size_t i, struct arena *arena, struct rule *out)
{
	(void)arena;
	if (i >= COUNT(words))
		return ERR_NOTFOUND;
	*out = words[i];
	return 0;
}

int rule_get(size_t i, struct arena *arena, struct rule *out)
{
	static int (*const lists[])(size_t i, struct arena * arena,
				    struct rule * out) = {
		get_manifest, get_pss,	 get_gate, get_trust,
		get_plan,     rule_host, get_word,
	};

	for (size_t k = 0; k < COUNT(lists); k++) {
		size_t n = 0;

		if (lists[k](i, arena, out) == 0) {
			if (out->example == NULL)
				out->example = example_of(out->code);
			return 0;
		}
		while (lists[k](n, arena, out) == 0)
			n++;
		i -= n;
	}
	return ERR_NOTFOUND;
}

int rule_find(const char *name, struct arena *arena, struct rule *out)
{
	struct rule r;

	for (size_t i = 0; rule_get(i, arena, &r) == 0; i++)
		if ((r.code != NULL && strcasecmp(r.code, name) == 0) ||
		    (r.id != NULL && strcasecmp(r.id, name) == 0)) {
			*out = r;
			return 0;
		}
	return ERR_NOTFOUND;
}

const char *rule_nearest(const char *name, struct arena *arena)
{
	const char **names;
	struct rule r;
	size_t rules = 0;
	size_t n = 0;

	while (rule_get(rules, arena, &r) == 0)
		rules++;
	names = arena_calloc(arena, 2 * rules + 1, sizeof(const char *));
	for (size_t i = 0; i < rules && rule_get(i, arena, &r) == 0; i++) {
		if (r.code != NULL)
			names[n++] = r.code;
		if (r.id != NULL)
			names[n++] = r.id;
	}
	return text_nearest(name, names, n);
}

static void put_lines(struct buf *out, const char *indent, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		buf_printf(out, "%s%.*s\n", indent, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

const char *rule_text(const struct rule *r, struct arena *arena)
{
	const char *out;
	struct buf b;

	buf_init(&b, TEXT_BYTES);
	buf_printf(&b, "%s%s%s: %s\n", r->code != NULL ? r->code : "",
		   r->code != NULL && r->id != NULL ? " " : "",
		   r->id != NULL ? r->id : "", r->title);
	if (r->help[0] != '\0')
		put_lines(&b, "  ", r->help);
	if (r->fix != NULL)
		buf_printf(&b, "  fix: %s\n", r->fix);
	if (r->example != NULL) {
		buf_puts(&b, "  example:\n");
		put_lines(&b, "    ", r->example);
	}
	out = arena_strdup(arena, b.data);
	buf_release(&b);
	return out;
}

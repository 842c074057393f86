/*
 * test_line.c - a line judged by the trust policy in it: which steps are
 * joined, who counts below a merge, what a refusal says; real signatures over
 * objects in memory.  With real git: tests/attack/trust_people.t.
 */
#include "policy/trust/line.h"

#include "tests/unit/policy/trust/signing.h"

#define NOW 1800000000
#define ID "test"
#define REF "refs/heads/main"

enum { ALICE, BOB, CAROL, FORGE, STRANGER, KEYS };

struct fixture {
	struct objects_mem *m;
	struct arena *arena;
	struct signing_key keys[KEYS];
	char policy[8192];
	char digest[PEOPLE_DIGEST];
	/* what the callback of merging says */
	bool merge_clean, merge_fails;
	struct commit_id merge_tree;
	size_t merges;
	/* what the callback of roles says */
	const char *denied;
	struct commit_id base; /* where trust is */
	long when;
	struct history_result history;
	struct line_result result;
	struct verdict v;
};

static void write_policy(struct fixture *f, int version)
{
	snprintf(f->policy, sizeof(f->policy),
		 ".reconcile/trust.yaml="
		 "apiVersion: reconcile/v1alpha1\nkind: TrustPolicy\n"
		 "metadata: {name: trust}\nspec:\n  version: %d\n"
		 "  expires: \"2090-01-01T00:00:00Z\"\n"
		 "  authorization: RBAC\n  people:\n"
		 "  - {name: alice, keys: [{ssh: %s}]}\n"
		 "  - {name: bob, keys: [{ssh: %s}]}\n"
		 "  - {name: carol, keys: [{ssh: %s}]}\n"
		 "  root: {people: [alice, bob], threshold: 2}\n"
		 "  rules:\n"
		 "  - {paths: [\"two/**\"], people: [alice, bob, carol], "
		 "threshold: 2}\n"
		 "  - {paths: [\"one/**\"], people: [alice, carol]}\n"
		 "  carriers:\n"
		 "  - {name: forge, keys: [{ssh: %s}], accept: [Merge]}\n"
		 "  revocations: {asOf: \"2026-11-28T00:00:00Z\"}\n",
		 version, f->keys[ALICE].line, f->keys[BOB].line,
		 f->keys[CAROL].line, f->keys[FORGE].line);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct commit_id tree;
	const char *file;

	f->m = calloc(1, sizeof(*f->m));
	f->arena = arena_new((size_t)1 << 28);
	for (size_t i = 0; i < KEYS; i++)
		signing_make(&f->keys[i]);
	write_policy(f, 1);
	file = strchr(f->policy, '=') + 1;
	people_digest(file, strlen(file), f->digest);
	f->when = NOW - 10000;
	tree = OBJECTS_TREE(f->m, f->policy, "one/a=1", "two/a=1");
	f->base =
		signing_commit(f->m, &f->keys[ALICE], &tree, NULL, 0, f->when);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	objects_free(f->m);
	arena_free(f->arena);
	for (size_t i = 0; i < KEYS; i++)
		signing_free(&f->keys[i]);
	free(f);
	return 0;
}

static int merge(void *ctx, const struct commit_id *ours,
		 const struct commit_id *theirs, bool keep, bool *out_clean,
		 struct commit_id *out_tree, struct verdict *v)
{
	struct fixture *f = ctx;

	(void)ours;
	(void)theirs;
	(void)keep;
	f->merges++;
	if (f->merge_fails)
		return verdict_fail(v, TCODE_MISSING, "gone");
	*out_clean = f->merge_clean;
	*out_tree = f->merge_tree;
	return 0;
}

static int blob(void *ctx, const struct commit_id *id, const char **out,
		size_t *out_len, struct verdict *v)
{
	return objects_read(((struct fixture *)ctx)->m, id, out, out_len, v);
}

static int begin(void *ctx, const struct line_step *step, struct verdict *v)
{
	(void)ctx;
	(void)v;
	assert_non_null(step->people);
	return 0;
}

static bool allows(void *ctx, const struct diff_change *change,
		   const struct people_person *who, struct verdict *why)
{
	struct fixture *f = ctx;

	(void)change;
	if (f->denied == NULL || strcmp(f->denied, who->name) != 0)
		return true;
	(void)verdict_fail(why, TCODE_REF, "roles deny it");
	return false;
}

static int check(struct fixture *f, const struct commit_id *target,
		 const struct commit_id *accepted, bool proposal)
{
	struct line_access access = {begin, allows, f};
	struct line_source src = {{objects_read, f->m},
				  {{objects_read, f->m}, objects_hash},
				  blob,
				  merge,
				  f};
	struct line_ask ask = {.target = *target,
			       .has_accepted = accepted != NULL,
			       .proposal = proposal,
			       .first_policy = f->digest,
			       .repository = ID,
			       .ref = REF,
			       .now = NOW,
			       .access = &access};

	if (accepted != NULL)
		ask.accepted = *accepted;
	f->v = (struct verdict){0};
	f->merges = 0;
	return line_check(&src, &ask, f->arena, &f->history, &f->result, &f->v);
}

static struct commit_id commit(struct fixture *f, int key,
			       struct commit_id tree, struct commit_id parent)
{
	return signing_commit(f->m, &f->keys[key], &tree, &parent, 1,
			      ++f->when);
}

/* 0: good; else the code of the first thing that is missing. */
static enum tcode says(struct fixture *f, const struct commit_id *target)
{
	if (check(f, target, &f->base, false) < 0)
		return f->v.code;
	if (f->history.n_refused > 0)
		return f->history.refused[0].verdict.code;
	for (size_t i = 0; i < f->result.n_requirements; i++)
		if (!f->result.requirements[i].met)
			return f->result.requirements[i].code;
	return TCODE_OK;
}

/* "path=file" of an approval from one commit's tree to another's. */
static const char *approval(struct fixture *f, int key, struct commit_id from,
			    struct commit_id to)
{
	struct approval a = {.repository = ID,
			     .ref = REF,
			     .has_from = true,
			     .from = from,
			     .to = to};
	char hex[COMMIT_ID_HEX];
	struct buf text, file;
	char *out;

	buf_init(&text, 8192);
	buf_init(&file, 8192);
	approval_statement(&a, &text);
	buf_printf(&file, ".reconcile/approvals/%s/x%d=%s\n",
		   commit_id_hex(&to, hex), key, text.data);
	signing_armor(&f->keys[key], APPROVAL_NAMESPACE, &text, "", &file);
	out = arena_strdup(f->arena, file.data);
	buf_release(&text);
	buf_release(&file);
	return out;
}

#define TREE(f, ...) OBJECTS_TREE((f)->m, __VA_ARGS__)

static void one_person_is_enough(void **state)
{
	struct fixture *f = *state;
	struct commit_id t = TREE(f, f->policy, "one/a=2", "two/a=1");
	struct commit_id c = commit(f, CAROL, t, f->base);

	assert_int_equal(says(f, &c), TCODE_OK);
	assert_string_equal(f->history.head.principal, "carol");
	assert_int_equal(f->history.verified, 1);
	assert_int_equal(f->result.version, 1);
	c = commit(f, BOB, t, f->base);
	assert_int_equal(says(f, &c), TCODE_VOUCH);
	assert_string_equal(f->result.requirements[0].rule, "rules[1]");
	assert_string_equal(f->result.requirements[0].paths[0], "one/a");
	assert_int_equal(f->result.requirements[0].n_have, 0);
	assert_string_equal(f->result.requirements[0].could[0], "alice");
	assert_string_equal(f->result.requirements[0].could[1], "carol");
	c = commit(f, STRANGER, t, f->base);
	assert_int_equal(says(f, &c), TCODE_UNKNOWN_KEY);
	c = signing_commit(f->m, NULL, &t, &f->base, 1, ++f->when);
	assert_int_equal(says(f, &c), TCODE_UNSIGNED);
}

static void roles_filter_who_counts(void **state)
{
	struct fixture *f = *state;
	struct commit_id t = TREE(f, f->policy, "one/a=2", "two/a=1");
	struct commit_id c = commit(f, CAROL, t, f->base);

	f->denied = "carol";
	assert_int_equal(says(f, &c), TCODE_REF);
	assert_non_null(
		strstr(f->result.requirements[0].message, "roles deny it"));
	f->denied = "alice";
	assert_int_equal(says(f, &c), TCODE_OK);
}

/* All subsets of approvers of a change of two commits. */
static void A31_joined_steps_count_people(void **state)
{
	struct fixture *f = *state;
	struct commit_id t0 = TREE(f, f->policy, "one/a=1", "two/a=1");
	struct commit_id t1 = TREE(f, f->policy, "one/a=1", "two/a=2");
	struct commit_id t2 =
		TREE(f, f->policy, "one/a=1", "two/a=2", "two/b=2");
	struct commit_id c1 = commit(f, ALICE, t1, f->base);
	struct commit_id c2 = commit(f, CAROL, t2, c1);

	for (unsigned int who = 0; who < 8; who++) {
		const char *files[8];
		struct commit_id c3, t3;
		size_t n = 0;
		/* two/a is alice's, two/b carol's: each lacks one other */
		bool good = (who & (1u << BOB)) != 0 ||
			    ((who & (1u << ALICE)) && (who & (1u << CAROL)));

		for (int key = ALICE; key <= CAROL; key++)
			if (who & (1u << key))
				files[n++] = approval(f, key, t0, t2);
		files[n++] = f->policy;
		files[n++] = "one/a=1";
		files[n++] = "two/a=2";
		files[n++] = "two/b=2";
		t3 = objects_tree(f->m, files, n, 0);
		c3 = commit(f, CAROL, t3, c2);
		assert_int_equal(says(f, &c3), good ? TCODE_OK : TCODE_VOUCH);
	}
}

static void A33_an_approval_of_a_part_is_none_of_the_whole(void **state)
{
	struct fixture *f = *state;
	struct commit_id t0 = TREE(f, f->policy, "one/a=1", "two/a=1");
	struct commit_id t1 = TREE(f, f->policy, "one/a=1", "two/a=2");
	struct commit_id c1 = commit(f, ALICE, t1, f->base);
	struct commit_id t2 = TREE(f, approval(f, BOB, t0, t1), f->policy,
				   "one/a=1", "two/a=3");
	struct commit_id c2 = commit(f, ALICE, t2, c1);

	/* the first step is good, the second is not */
	assert_int_equal(says(f, &c2), TCODE_VOUCH);
	assert_true(commit_id_equal(&f->result.requirements[0].from, &c1));
	assert_true(commit_id_equal(&f->result.requirements[0].to, &c2));
	/* and good places go on being good: judged from c1 on */
	assert_int_equal(check(f, &c2, &c1, false), 0);
	assert_int_equal(f->result.n_requirements, 1);
	assert_false(f->result.requirements[0].met);
}

static void A32_below_a_merge(void **state)
{
	struct fixture *f = *state;
	struct commit_id side = TREE(f, f->policy, "one/a=2", "two/a=1");
	struct commit_id parents[2] = {f->base,
				       commit(f, CAROL, side, f->base)};
	struct commit_id m = signing_commit(f->m, &f->keys[FORGE], &side,
					    parents, 2, ++f->when);

	f->merge_clean = true;
	f->merge_tree = side;
	assert_int_equal(says(f, &m), TCODE_OK);
	assert_int_equal(f->merges, 1);
	assert_string_equal(f->history.head.principal, "forge");
	f->merge_clean = false;
	assert_int_equal(says(f, &m), TCODE_MERGE);
	f->merge_clean = true;
	f->merge_tree = f->base;
	assert_int_equal(says(f, &m), TCODE_MERGE);
	f->merge_fails = true;
	assert_int_equal(says(f, &m), TCODE_MISSING);
	/* a person who merges needs nothing of that */
	m = signing_commit(f->m, &f->keys[ALICE], &side, parents, 2, ++f->when);
	assert_int_equal(says(f, &m), TCODE_OK);
	assert_int_equal(f->merges, 0);
}

static void only_the_last_to_change_a_path_counts(void **state)
{
	struct fixture *f = *state;
	struct commit_id good = TREE(f, f->policy, "one/a=2", "two/a=1");
	struct commit_id other = TREE(f, f->policy, "one/a=3", "two/a=1");
	struct commit_id c1 = commit(f, CAROL, good, f->base);
	struct commit_id c2 = commit(f, CAROL, other, c1);
	struct commit_id c3 = commit(f, FORGE, good, c2);
	struct commit_id parents[2] = {f->base, c3};
	struct commit_id m = signing_commit(f->m, &f->keys[FORGE], &good,
					    parents, 2, ++f->when);

	f->merge_clean = true;
	f->merge_tree = good;
	assert_int_equal(says(f, &m), TCODE_VOUCH);
	parents[1] = c1;
	m = signing_commit(f->m, &f->keys[FORGE], &good, parents, 2, ++f->when);
	assert_int_equal(says(f, &m), TCODE_OK);
}

static void A30_the_policy_before_judges(void **state)
{
	struct fixture *f = *state;
	struct commit_id t0 = TREE(f, f->policy, "one/a=1", "two/a=1");
	struct commit_id t1, t2, c1, c2;

	write_policy(f, 2);
	t1 = TREE(f, f->policy, "one/a=1", "two/a=1");
	c1 = commit(f, ALICE, t1, f->base);
	assert_int_equal(says(f, &c1), TCODE_VOUCH);
	assert_string_equal(f->result.requirements[0].rule, "root");
	t2 = TREE(f, approval(f, CAROL, t0, t1), f->policy, "one/a=1",
		  "two/a=1");
	c2 = commit(f, ALICE, t2, c1);
	assert_int_equal(says(f, &c2), TCODE_VOUCH);
	t2 = TREE(f, approval(f, BOB, t0, t1), f->policy, "one/a=1", "two/a=1");
	c2 = commit(f, ALICE, t2, c1);
	assert_int_equal(says(f, &c2), TCODE_OK);
	assert_int_equal(f->result.version, 2);
	/* and further by the one that came */
	assert_int_equal(check(f, &c2, &c1, false), 0);
	assert_int_equal(f->history.n_refused, 0);
}

static void a_proposal_says_all_that_is_missing(void **state)
{
	struct fixture *f = *state;
	struct commit_id t =
		TREE(f, f->policy, "one/a=2", "other=1", "two/a=2");
	struct commit_id c = commit(f, BOB, t, f->base);
	size_t unmet = 0;

	assert_int_equal(check(f, &c, &f->base, true), 0);
	for (size_t i = 0; i < f->result.n_requirements; i++)
		unmet += !f->result.requirements[i].met;
	assert_int_equal(f->result.n_requirements, 3);
	assert_int_equal(unmet, 3);
	assert_int_equal(f->result.n_commits, 1);
	assert_null(f->result.commits[0].verdict);
	assert_true(f->result.has_from && f->result.has_to);
	assert_true(commit_id_equal(&f->result.to, &t));
	/* unsigned, it is told of all the same */
	c = signing_commit(f->m, NULL, &t, &f->base, 1, ++f->when);
	assert_int_equal(check(f, &c, &f->base, true), 0);
	assert_int_equal(f->result.commits[0].verdict->code, TCODE_UNSIGNED);
	assert_int_equal(f->result.n_requirements, 3);
}

static void first_trust(void **state)
{
	struct fixture *f = *state;

	/* the root commit adds the policy: it needs both of root */
	assert_int_equal(check(f, &f->base, NULL, false), 0);
	assert_false(f->result.requirements[0].met);
	f->digest[10] = (char)(f->digest[10] == '0' ? '1' : '0');
	assert_int_equal(check(f, &f->base, NULL, false), ERR_TRUST);
	assert_int_equal(f->v.code, TCODE_FIRST_TRUST);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_person_is_enough),
		T(roles_filter_who_counts),
		T(A31_joined_steps_count_people),
		T(A33_an_approval_of_a_part_is_none_of_the_whole),
		T(A32_below_a_merge),
		T(only_the_last_to_change_a_path_counts),
		T(A30_the_policy_before_judges),
		T(a_proposal_says_all_that_is_missing),
		T(first_trust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

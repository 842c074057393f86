/*
 * test_history.c - which commits count as new: random graphs with dates that
 * lie, against a slow count of reachable sets.  All commits are unsigned, so
 * the refused ones are exactly those that were looked at and count.
 */
#include "policy/trust/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NODES 24
#define ROUNDS 3000

struct graph {
	size_t n;
	size_t parents[NODES][3];
	size_t n_parents[NODES];
	long dates[NODES];
	bool missing[NODES];
	char text[4096];
	size_t reads;
};

static uint64_t seed;

static size_t pick(size_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % below;
}

/* Ids are made up: the number of the node. */
static struct commit_id id_of(size_t node)
{
	struct commit_id id = {{0}};

	id.bytes[0] = (uint8_t)(node * 37);
	id.bytes[19] = (uint8_t)node;
	return id;
}

static int read_node(void *ctx, const struct commit_id *id, const char **out,
		     size_t *out_len, struct verdict *v)
{
	struct graph *g = ctx;
	size_t node = id->bytes[19];
	char hex[COMMIT_ID_HEX];
	int n;

	g->reads++;
	if (node >= g->n || g->missing[node])
		return verdict_fail(v, TCODE_MISSING, "missing");
	n = snprintf(g->text, sizeof(g->text), "tree %040d\n", 0);
	for (size_t i = 0; i < g->n_parents[node]; i++) {
		struct commit_id p = id_of(g->parents[node][i]);

		n += snprintf(g->text + n, sizeof(g->text) - (size_t)n,
			      "parent %s\n", commit_id_hex(&p, hex));
	}
	n += snprintf(g->text + n, sizeof(g->text) - (size_t)n,
		      "author A <a> %ld +0000\ncommitter A <a> %ld +0000\n\n"
		      "node %zu\n",
		      g->dates[node], g->dates[node], node);
	*out = g->text;
	*out_len = (size_t)n;
	return 0;
}

static void make_graph(struct graph *g)
{
	memset(g, 0, sizeof(*g));
	g->n = 2 + pick(NODES - 2);
	for (size_t i = 0; i < g->n; i++) {
		g->n_parents[i] = i == 0 ? 0 : pick(i < 3 ? i + 1 : 4);
		for (size_t k = 0; k < g->n_parents[i]; k++)
			g->parents[i][k] = pick(i);
		g->dates[i] =
			1000 + (long)(pick(4) == 0 ? pick(5000) : i * 100);
	}
}

static void reach(const struct graph *g, size_t from, bool set[NODES])
{
	if (set[from])
		return;
	set[from] = true;
	for (size_t k = 0; k < g->n_parents[from]; k++)
		reach(g, g->parents[from][k], set);
}

static struct signers *some_signers(void)
{
	static const char line[] =
		"a namespaces=\"git\" ssh-ed25519 "
		"AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2"
		"l9GKJl\n";
	struct signers *s = NULL;
	struct verdict v = {0};

	if (signers_new(line, sizeof(line) - 1, "#\n", 2, &s, &v) != 0)
		fail_msg("%s", v.reason);
	return s;
}

static struct history_ask ask_for(size_t target, size_t accepted)
{
	struct history_ask ask = {.now = 1000000, .has_accepted = true};

	ask.target = id_of(target);
	ask.accepted = id_of(accepted);
	return ask;
}

static void A03_new_commits_are_exactly_those(void **state)
{
	struct history_result *out = malloc(sizeof(*out));
	struct signers *s = some_signers();

	(void)state;
	for (seed = 1; seed < ROUNDS; seed++) {
		bool new[NODES] = {0}, old[NODES] = {0}, seen[NODES] = {0};
		uint64_t keep = seed;
		struct graph g;
		struct walk_source src = {read_node, &g};
		struct history_ask ask;
		struct verdict v = {0};
		size_t target, accepted, want = 0;
		int r;

		make_graph(&g);
		target = pick(g.n);
		accepted = pick(g.n);
		seed = keep;
		ask = ask_for(target, accepted);
		reach(&g, target, new);
		reach(&g, accepted, old);
		r = history_check(&src, s, &ask, out, &v);
		for (size_t i = 0; i < g.n; i++)
			want += new[i] && !old[i];
		if (target == accepted) {
			assert_int_equal(r, 0);
			assert_int_equal(out->n_refused, 1);
			continue;
		}
		if (want == 0) {
			assert_int_equal(r, ERR_TRUST);
			assert_int_equal(v.code, TCODE_NOT_DESCENDANT);
			continue;
		}
		assert_int_equal(r, 0);
		if (out->n_refused != want)
			fail_msg("seed %llu: want %zu, have %zu",
				 (unsigned long long)seed, want,
				 out->n_refused);
		for (size_t i = 0; i < out->n_refused; i++) {
			size_t node = out->refused[i].id.bytes[19];

			assert_true(new[node] && !old[node] && !seen[node]);
			assert_int_equal(out->refused[i].verdict.code,
					 TCODE_UNSIGNED);
			seen[node] = true;
		}
	}
	signers_free(s);
	free(out);
}

static void A34_missing_history_is_refused(void **state)
{
	struct history_result *out = malloc(sizeof(*out));
	struct signers *s = some_signers();
	struct graph g = {.n = 3,
			  .n_parents = {0, 1, 1},
			  .parents = {{0}, {0}, {1}},
			  .dates = {1, 2, 3},
			  .missing = {false, true, false}};
	struct walk_source src = {read_node, &g};
	struct history_ask ask = ask_for(2, 0);
	struct verdict v = {0};

	(void)state;
	assert_int_equal(history_check(&src, s, &ask, out, &v), ERR_TRUST);
	assert_int_equal(v.code, TCODE_MISSING);
	/* what is missing below the accepted commit does not matter */
	ask = ask_for(2, 1);
	assert_int_equal(history_check(&src, s, &ask, out, &v), 0);
	assert_int_equal(out->n_refused, 1);
	signers_free(s);
	free(out);
}

static void A45_limit_of_commits(void **state)
{
	struct history_result *out = malloc(sizeof(*out));
	struct signers *s = some_signers();
	struct graph g = {.n = 4,
			  .n_parents = {0, 1, 1, 1},
			  .parents = {{0}, {0}, {1}, {2}},
			  .dates = {1, 2, 3, 4}};
	struct walk_source src = {read_node, &g};
	struct history_ask ask = ask_for(3, 0);
	struct verdict v = {0};

	(void)state;
	ask.max_commits = 3;
	assert_int_equal(history_check(&src, s, &ask, out, &v), ERR_TRUST);
	assert_int_equal(v.code, TCODE_TOO_MANY);
	signers_free(s);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A03_new_commits_are_exactly_those),
		cmocka_unit_test(A34_missing_history_is_refused),
		cmocka_unit_test(A45_limit_of_commits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

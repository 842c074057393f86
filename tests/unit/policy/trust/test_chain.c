/*
 * test_chain.c - random histories against a slow count: the line is the chain
 * of first parents, and each other new commit belongs to the earliest merge
 * that reaches it, after all of its descendants there.
 */
#include "policy/trust/chain.h"

#include "tests/unit/policy/trust/objects.h"

#define NODES 20
#define ROUNDS 3000

struct graph {
	struct objects_mem *m;
	struct arena *arena;
	size_t n;
	size_t parents[NODES][3], n_parents[NODES];
	struct commit_id ids[NODES];
	bool old[NODES];
};

static uint64_t seed;

static size_t pick(size_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % below;
}

/* Dates go up: which commits are new is another test's (test_history.c). */
static void make(struct graph *g)
{
	struct commit_id tree;
	char hex[COMMIT_ID_HEX];
	struct buf text;

	memset(g, 0, sizeof(*g));
	g->m = calloc(1, sizeof(*g->m));
	g->arena = arena_new((size_t)1 << 26);
	tree = objects_put(g->m, "tree", "", 0);
	g->n = 2 + pick(NODES - 2);
	for (size_t i = 0; i < g->n; i++) {
		buf_init(&text, 4096);
		buf_printf(&text, "tree %s\n", commit_id_hex(&tree, hex));
		g->n_parents[i] = i == 0 ? 0 : 1 + pick(i < 3 ? 1 : 3);
		for (size_t k = 0; k < g->n_parents[i]; k++) {
			g->parents[i][k] = pick(2) ? i - 1 : pick(i);
			buf_printf(
				&text, "parent %s\n",
				commit_id_hex(&g->ids[g->parents[i][k]], hex));
		}
		buf_printf(&text,
			   "author A <a> %zu +0000\ncommitter A <a> %zu "
			   "+0000\n\nnode %zu\n",
			   1000 + i, 1000 + i, i);
		g->ids[i] = objects_put(g->m, "commit", text.data, text.len);
		buf_release(&text);
	}
}

static void drop(struct graph *g)
{
	objects_free(g->m);
	arena_free(g->arena);
}

static void reach(const struct graph *g, size_t from, bool set[NODES])
{
	if (set[from])
		return;
	set[from] = true;
	for (size_t k = 0; k < g->n_parents[from]; k++)
		reach(g, g->parents[from][k], set);
}

static size_t node_of(const struct graph *g, const struct commit_id *id)
{
	for (size_t i = 0; i < g->n; i++)
		if (commit_id_equal(&g->ids[i], id))
			return i;
	fail_msg("an id from nowhere");
	return 0;
}

static int read_chain(struct graph *g, size_t target, size_t start,
		      bool has_start, struct chain *out, struct verdict *v)
{
	struct walk_source commits = {objects_read, g->m};
	struct approval_source trees = {{objects_read, g->m}, objects_hash};
	struct chain_ask ask = {.target = g->ids[target],
				.start = g->ids[start],
				.has_start = has_start,
				.max_commits = 1000};

	*v = (struct verdict){0};
	return chain_read(&commits, &trees, &ask, g->arena, out, v);
}

/* The chain of first parents from the target, as node numbers. */
static size_t slow_line(const struct graph *g, size_t target, size_t start,
			bool has_start, size_t line[NODES], bool *out_found)
{
	size_t at = target;
	size_t n = 0;

	for (;;) {
		if (has_start && at == start) {
			*out_found = true;
			return n;
		}
		line[n++] = at;
		if (g->n_parents[at] == 0) {
			*out_found = !has_start;
			return n;
		}
		at = g->parents[at][0];
	}
}

/* Each once, in the earliest merge, children before parents. */
static void check_sides(const struct graph *g, const struct chain *c,
			const size_t *line, size_t n)
{
	bool done[NODES] = {false};

	memcpy(done, g->old, sizeof(done));
	for (size_t i = 0; i < n; i++)
		done[line[i]] = true;
	for (size_t i = 1; i < c->n; i++) {
		const struct chain_place *p = &c->line[i];
		size_t node = node_of(g, &p->id);
		bool below[NODES] = {false};
		size_t want = 0;

		for (size_t k = 1; k < g->n_parents[node]; k++)
			reach(g, g->parents[node][k], below);
		for (size_t k = 0; k < g->n; k++)
			want += below[k] && !done[k];
		assert_int_equal(p->n_side, want);
		for (size_t k = 0; k < p->n_side; k++) {
			size_t s = node_of(g, &c->sides[p->side + k]->id);
			bool under[NODES] = {false};

			assert_true(below[s] && !done[s]);
			reach(g, s, under);
			for (size_t e = 0; e < k; e++)
				assert_false(under[node_of(
					g, &c->sides[p->side + e]->id)]);
		}
		for (size_t k = 0; k < p->n_side; k++)
			done[node_of(g, &c->sides[p->side + k]->id)] = true;
	}
}

static void line_and_sides(void **state)
{
	size_t lines = 0;

	(void)state;
	for (seed = 1; seed < ROUNDS; seed += 7) {
		uint64_t at = seed;
		struct graph g;
		struct chain c;
		struct verdict v;
		size_t line[NODES];
		bool found = false;
		size_t start, n;
		bool has_start;
		int r;

		make(&g);
		start = pick(g.n);
		has_start = pick(4) != 0;
		if (has_start)
			reach(&g, start, g.old);
		n = slow_line(&g, g.n - 1, start, has_start, line, &found);
		r = read_chain(&g, g.n - 1, start, has_start, &c, &v);
		assert_int_equal(r, found ? 0 : ERR_TRUST);
		if (!found) {
			bool all[NODES] = {false};

			reach(&g, g.n - 1, all);
			assert_int_equal(v.code,
					 all[start] ? TCODE_OFF_LINE
						    : TCODE_NOT_DESCENDANT);
		} else {
			lines++;
			assert_int_equal(c.n, n + 1);
			assert_int_equal(c.line[0].is_nothing, !has_start);
			for (size_t i = 0; i < n; i++)
				assert_true(commit_id_equal(&c.line[n - i].id,
							    &g.ids[line[i]]));
			check_sides(&g, &c, line, n);
		}
		chain_release(&c);
		drop(&g);
		seed = at;
	}
	assert_true(lines > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_and_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_diff.c - which paths differ, and what a hostile tree costs. */
#include "policy/trust/diff.h"

#include "tests/unit/policy/trust/objects.h"

struct fixture {
	struct objects_mem *m;
	struct arena *arena;
	struct diff d;
	struct verdict v;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = calloc(1, sizeof(*f->m));
	f->arena = arena_new((size_t)1 << 28);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	objects_free(f->m);
	arena_free(f->arena);
	free(f);
	return 0;
}

static int run(struct fixture *f, const struct commit_id *a,
	       const struct commit_id *b)
{
	struct diff_source src = {objects_read, f->m};

	f->v = (struct verdict){0};
	f->m->reads = 0;
	return diff_trees(&src, a, b, f->arena, &f->d, &f->v);
}

/* "-a +b ~c": taken away, new, changed. */
static const char *text(struct fixture *f)
{
	const char *out = "";

	for (size_t i = 0; i < f->d.n; i++) {
		const struct diff_change *c = &f->d.items[i];

		out = arena_printf(f->arena, "%s%s%c%s", out, i > 0 ? " " : "",
				   c->before == 0  ? '+'
				   : c->after == 0 ? '-'
						   : '~',
				   c->path);
	}
	return out;
}

static void paths_that_differ(void **state)
{
	struct fixture *f = *state;
	struct commit_id a = OBJECTS_TREE(f->m, "a=1", "d/x=1", "d/y=1",
					  "e/deep/z=1", "s=1", "same/q=1");
	struct commit_id b = OBJECTS_TREE(f->m, "a=2", "d/x=1", "d/z=1",
					  "e/deep/z*=1", "s/t=1", "same/q=1");

	assert_int_equal(run(f, &a, &b), 0);
	assert_string_equal(text(f), "~a -d/y +d/z ~e/deep/z -s +s/t");
	assert_int_equal(f->d.items[3].before, TREE_FILE);
	assert_int_equal(f->d.items[3].after, TREE_EXEC);
	for (size_t i = 0; i < f->d.n; i++)
		assert_ptr_equal(diff_find(&f->d, f->d.items[i].path),
				 &f->d.items[i]);
	assert_null(diff_find(&f->d, "d/x"));
	/* root, d, e, e/deep on two sides and s: the equal folder is unread */
	assert_int_equal(f->m->reads, 9);
	assert_int_equal(run(f, &b, &b), 0);
	assert_int_equal(f->d.n, 0);
	assert_int_equal(f->m->reads, 0);
	assert_int_equal(run(f, NULL, &a), 0);
	assert_string_equal(text(f), "+a +d/x +d/y +e/deep/z +s +same/q");
	assert_int_equal(run(f, &a, NULL), 0);
	assert_string_equal(text(f), "-a -d/x -d/y -e/deep/z -s -same/q");
}

/* git's order has "a.b" before "a/": two lists must not get out of step. */
static void a_folder_sorts_as_if_it_ended_in_a_slash(void **state)
{
	struct fixture *f = *state;
	struct commit_id a = OBJECTS_TREE(f->m, "a-b=1", "a.b=1", "a/x=1");
	struct commit_id b = OBJECTS_TREE(f->m, "a=1", "a-b=1", "a.b=2");

	assert_int_equal(run(f, &a, &b), 0);
	assert_string_equal(text(f), "+a ~a.b -a/x");
}

static void a_folder_without_entries_is_a_path(void **state)
{
	struct fixture *f = *state;
	struct commit_id a = OBJECTS_TREE(f->m, "x=1");
	struct commit_id b = OBJECTS_TREE(f->m, "d/=", "x=1");
	struct commit_id c = OBJECTS_TREE(f->m, "d/y=1", "x=1");

	assert_int_equal(run(f, &a, &b), 0);
	assert_string_equal(text(f), "+d/");
	assert_int_equal(run(f, &b, &c), 0);
	assert_string_equal(text(f), "-d/ +d/y");
}

static void A38_dangerous_names_come_in_nowhere(void **state)
{
	struct fixture *f = *state;
	struct commit_id good = OBJECTS_TREE(f->m, "x=1");
	struct commit_id blob = objects_put(f->m, "blob", "1", 1);
	static const char *const names[] = {"..",   ".GIT",	 "a/b",
					    "a\\b", "e\xcc\x81", "git~1"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct commit_id bad;
		struct buf tree;

		buf_init(&tree, 1000);
		objects_entry(&tree, "100644", names[i], &blob);
		bad = objects_put(f->m, "tree", tree.data, tree.len);
		buf_release(&tree);
		assert_int_equal(run(f, &good, &bad), ERR_TRUST);
		assert_int_equal(f->v.code, TCODE_TREE_NAME);
		/* what is there can be taken away, as no other path */
		assert_int_equal(run(f, &bad, &good), 0);
		assert_int_equal(f->d.n, 2);
		assert_null(strchr(f->d.items[0].path, '/'));
	}
}

static void A43_two_names_in_one_folder_do_not_clash(void **state)
{
	struct fixture *f = *state;
	struct commit_id a = OBJECTS_TREE(f->m, "x=1");
	struct commit_id b = OBJECTS_TREE(f->m, "App=1", "app=1");

	assert_int_equal(run(f, &a, &b), ERR_TRUST);
	assert_int_equal(f->v.code, TCODE_TREE_CLASH);
}

static void A45_a_tree_that_repeats_itself_is_counted(void **state)
{
	struct fixture *f = *state;
	struct commit_id good = OBJECTS_TREE(f->m, "x=1");
	struct commit_id id = objects_put(f->m, "blob", "1", 1);
	char name[16];
	struct buf tree;

	for (int level = 0; level < 8; level++) {
		buf_init(&tree, 1 << 20);
		for (int i = 0; i < 20; i++) {
			snprintf(name, sizeof(name), "n%02d", i);
			objects_entry(&tree, level == 0 ? "100644" : "40000",
				      name, &id);
		}
		id = objects_put(f->m, "tree", tree.data, tree.len);
		buf_release(&tree);
	}
	assert_int_equal(run(f, &good, &id), ERR_TRUST);
	assert_int_equal(f->v.code, TCODE_TREE_LIMIT);
	assert_non_null(strstr(f->v.reason, "100000 paths"));
	id = good;
	for (int level = 0; level <= DIFF_DEPTH_MAX; level++) {
		buf_init(&tree, 1000);
		objects_entry(&tree, "40000", "d", &id);
		id = objects_put(f->m, "tree", tree.data, tree.len);
		buf_release(&tree);
	}
	assert_int_equal(run(f, &good, &id), ERR_TRUST);
	assert_int_equal(f->v.code, TCODE_TREE_LIMIT);
	assert_non_null(strstr(f->v.reason, "folders deep"));
}

static void a_missing_tree_is_said(void **state)
{
	struct fixture *f = *state;
	struct commit_id good = OBJECTS_TREE(f->m, "x=1");
	struct commit_id none = {{1}};

	f->d.n = 77;
	assert_int_equal(run(f, &good, &none), ERR_TRUST);
	assert_int_equal(f->v.code, TCODE_MISSING);
	assert_int_equal(f->d.n, 77);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(paths_that_differ),
		T(a_folder_sorts_as_if_it_ended_in_a_slash),
		T(a_folder_without_entries_is_a_path),
		T(A38_dangerous_names_come_in_nowhere),
		T(A43_two_names_in_one_folder_do_not_clash),
		T(A45_a_tree_that_repeats_itself_is_counted),
		T(a_missing_tree_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

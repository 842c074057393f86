/* Paths inside a root: what is missing is made there, wherever links lead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/rootfs/inroot.h"
#include "lib/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree {
	char path[32];
	int top, root; /* root is the directory "r" in top */
};

static int setup(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	memcpy(t->path, "/tmp/inroot.XXXXXX", sizeof("/tmp/inroot.XXXXXX"));
	assert_non_null(mkdtemp(t->path));
	t->top = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(t->top, "r", 0755), 0);
	t->root = openat(t->top, "r", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(t->root >= 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct tree *t = *state;

	(void)close(t->root);
	(void)file_remove_tree(t->top, "r", NULL);
	(void)close(t->top);
	/* fails if anything was made outside the root */
	assert_int_equal(rmdir(t->path), 0);
	free(t);
	return 0;
}

static mode_t mode_of(const struct tree *t, const char *name)
{
	struct stat st;

	return fstatat(t->root, name, &st, AT_SYMLINK_NOFOLLOW) == 0
		       ? st.st_mode & S_IFMT
		       : 0;
}

static int make(const struct tree *t, const char *path, enum inroot_kind kind,
		struct err *err)
{
	int fd = -1;
	int r = inroot_make(t->root, path, kind, &fd, err);

	if (r == 0)
		(void)close(fd);
	else
		assert_int_equal(fd, -1);
	return r;
}

static void test_make(void **state)
{
	static const struct {
		const char *path, *made;
		enum inroot_kind kind;
	} rows[] = {
		{"/a/b/c", "a/b/c", INROOT_DIR},
		{"a/rel", "a/rel", INROOT_DIR},
		{"/a/f", "a/f", INROOT_FILE},
		{"//a//g/", "a/g", INROOT_DIR},
		{"/../../../x", "x", INROOT_DIR},
		{"/a/../y/z", "y/z", INROOT_FILE},
		/* links: out by "..", absolute, to nothing, in a chain */
		{"/up/n", "n", INROOT_DIR},
		{"/abs/o", "a/o", INROOT_FILE},
		{"/nothing", "new/place", INROOT_FILE},
		{"/chain/p", "new2/deep/p", INROOT_DIR},
		{"/out/q", "etc/q", INROOT_FILE},
	};
	struct tree *t = *state;
	struct err err = {0};
	size_t i;

	assert_int_equal(symlinkat("../../../..", t->root, "up"), 0);
	assert_int_equal(symlinkat("/a", t->root, "abs"), 0);
	assert_int_equal(symlinkat("new/place", t->root, "nothing"), 0);
	assert_int_equal(symlinkat("chain2", t->root, "chain"), 0);
	assert_int_equal(symlinkat("../../new2/deep", t->root, "chain2"), 0);
	assert_int_equal(symlinkat("/../../etc", t->root, "out"), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(make(t, rows[i].path, rows[i].kind, &err), 0);
		assert_int_equal(mode_of(t, rows[i].made),
				 rows[i].kind == INROOT_DIR ? S_IFDIR
							    : S_IFREG);
		/* and again, now that it is there */
		assert_int_equal(make(t, rows[i].path, rows[i].kind, &err), 0);
	}
	assert_int_equal(mode_of(t, "nothing"), S_IFLNK);
}

static void test_refused(void **state)
{
	static const struct {
		const char *path;
		int code;
		const char *words;
	} rows[] = {
		{"/loop/x", ERR_DENIED, "leads out or in circles"},
		{"/loop", ERR_DENIED, "leads out or in circles"},
		{"/proc-link/x", ERR_DENIED, "leads out or in circles"},
		{"/grows/x", ERR_DENIED, "leads out or in circles"},
		{"/file/x", ERR_SYS, "Not a directory"},
		{"/missing/../x", ERR_NOTFOUND, "No such file"},
		{"/missing/./x", ERR_NOTFOUND, "No such file"},
	};
	char lengthy[5000];
	struct tree *t = *state;
	struct err err = {0};
	size_t i;

	assert_int_equal(symlinkat("loop2", t->root, "loop"), 0);
	assert_int_equal(symlinkat("loop", t->root, "loop2"), 0);
	assert_int_equal(symlinkat("/proc/self/fd/0", t->root, "magic"), 0);
	assert_int_equal(symlinkat("grows/y", t->root, "grows"), 0);
	assert_int_equal(symlinkat("loop", t->root, "proc-link"), 0);
	assert_int_equal(make(t, "/file", INROOT_FILE, &err), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(make(t, rows[i].path, INROOT_DIR, &err),
				 rows[i].code);
		assert_non_null(strstr(err.msg, rows[i].words));
	}
	memset(lengthy, 'a', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	assert_int_equal(make(t, lengthy, INROOT_DIR, &err), ERR_SYS);
	lengthy[300] = '\0';
	assert_int_equal(make(t, lengthy, INROOT_DIR, &err), ERR_SYS);
	assert_int_equal(mode_of(t, "x"), 0);
}

static void test_parent(void **state)
{
	struct tree *t = *state;
	struct err err = {0};
	const char *name = NULL;
	int fd = -1;

	assert_int_equal(inroot_parent(t->root, "/d/e/f", &fd, &name, &err), 0);
	assert_string_equal(name, "f");
	(void)close(fd);
	assert_int_equal(mode_of(t, "d/e"), S_IFDIR);
	assert_int_equal(mode_of(t, "d/e/f"), 0);
	assert_int_equal(inroot_parent(t->root, "/d/..", &fd, &name, &err),
			 ERR_SYS);
	assert_int_equal(inroot_parent(t->root, "/d/", &fd, &name, &err),
			 ERR_SYS);
}

static void test_same(void **state)
{
	struct tree *t = *state;
	struct inroot_id a, b, c;

	assert_int_equal(inroot_id(t->root, &a), 0);
	assert_int_equal(inroot_id(t->root, &b), 0);
	assert_int_equal(inroot_id(t->top, &c), 0);
	assert_true(inroot_same(&a, &b));
	assert_false(inroot_same(&a, &c));
	assert_true(a.dir);
	assert_int_equal(inroot_id(-1, &a), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_make, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

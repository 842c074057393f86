/* test_arena.c - alignment, zeroing, big blocks; over the limit it aborts. */
#include "lib/arena.h"

#include <setjmp.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void blocks_are_zeroed_and_aligned(void **state)
{
	struct arena *a = arena_new(16u << 20);

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		size_t n = i % 97;
		unsigned char *p = arena_alloc(a, n);

		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, n);
	}
	assert_ptr_not_equal(arena_alloc(a, 0), arena_alloc(a, 0));
	unsigned char *big = arena_alloc(a, 1u << 20);
	unsigned char *small = arena_alloc(a, 8);

	memset(big, 1, 1u << 20);
	assert_int_equal(small[0], 0);
	assert_in_range(arena_used(a), 1u << 20, 16u << 20);
	arena_free(a);
	arena_free(NULL);
}

static void copies(void **state)
{
	struct arena *a = arena_new(1u << 16);

	(void)state;
	assert_string_equal(arena_strdup(a, "abc"), "abc");
	assert_null(arena_strdup(a, NULL));
	assert_string_equal(arena_strndup(a, "abcdef", 2), "ab");
	assert_memory_equal(arena_memdup(a, "a\0b", 3), "a\0b", 3);
	assert_string_equal(arena_printf(a, "%d-%s", 4, "x"), "4-x");
	arena_free(a);
}

static int status_of(void (*f)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		const struct rlimit none = {0, 0};

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGABRT, SIG_DFL);
		f();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void over_the_limit(void)
{
	(void)arena_alloc(arena_new(100), 101);
}

static void count_overflows(void)
{
	(void)arena_calloc(arena_new(SIZE_MAX), SIZE_MAX / 2, 3);
}

static void limits_abort(void **state)
{
	(void)state;
	assert_int_equal(status_of(over_the_limit), SIGABRT);
	assert_int_equal(status_of(count_overflows), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_zeroed_and_aligned),
		cmocka_unit_test(copies),
		cmocka_unit_test(limits_abort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_compiled.c - kept filters: used when all fits, compiled again when
 * anything does not (E60).  Seen red with GUARD_OFF_COMPILED_OWNER, _KEY and
 * _SUM.
 */
#include "engine/confine/compiled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_MAX 65536

struct world {
	char path[64];
	int dir;
	struct filter fresh;
};

static char getpid_name[] = "getpid", getuid_name[] = "getuid";
static char allow[] = "SCMP_ACT_ALLOW", deny[] = "SCMP_ACT_ERRNO";

/* One profile for each name; EPERM for all other calls. */
static int get(int dir, char *name, struct filter *out)
{
	char *names[] = {name, NULL};
	struct spec_syscall call = {.names = {names, 1}, .action = allow};
	struct spec_seccomp s = {
		.default_action = deny, .calls = &call, .n_calls = 1};

	return compiled_filter(dir, &s, out, NULL);
}

static bool same(const struct filter *a, const struct filter *b)
{
	return a->n == b->n && a->flags == b->flags &&
	       memcmp(a->bpf, b->bpf, a->n * FILTER_INSN_BYTES) == 0;
}

/* Name of the only file, which must be there. */
static void only_file(int dir, char out[64])
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, ".filter-", 8) == 0) {
			(void)snprintf(out, 64, "%.63s", e->d_name);
			n++;
		}
	(void)closedir(d);
	assert_int_equal(n, 1);
}

static size_t slurp(int dir, const char *name, char *out)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, out, BYTES_MAX);

	assert_true(fd >= 0 && n > 0);
	(void)close(fd);
	return (size_t)n;
}

static void spill(int dir, const char *name, const char *bytes, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	(void)close(fd);
}

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	(void)snprintf(w->path, sizeof(w->path), "/tmp/compiled.XXXXXX");
	assert_non_null(mkdtemp(w->path));
	w->dir = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->dir >= 0);
	assert_int_equal(get(w->dir, getpid_name, &w->fresh), 0);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	DIR *d = fdopendir(w->dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		(void)unlinkat(w->dir, e->d_name, 0);
	(void)closedir(d);
	(void)rmdir(w->path);
	filter_release(&w->fresh);
	free(w);
	return 0;
}

/* What is there now is not used, and is replaced by what fits. */
static void is_made_again(struct world *w)
{
	struct filter f = {.n = 0};

	assert_int_equal(get(w->dir, getpid_name, &f), 0);
	assert_true(same(&f, &w->fresh));
	filter_release(&f);
}

static void kept_and_used(void **state)
{
	struct world *w = *state;
	char name[64], old[BYTES_MAX], now[BYTES_MAX];
	struct stat a, b;
	size_t len;

	only_file(w->dir, name);
	assert_int_equal(fstatat(w->dir, name, &a, 0), 0);
	assert_int_equal(a.st_mode & 07777, 0600);
	len = slurp(w->dir, name, old);
	is_made_again(w);
	assert_int_equal(fstatat(w->dir, name, &b, 0), 0);
	assert_int_equal(a.st_ino, b.st_ino); /* not written again */
	assert_int_equal(slurp(w->dir, name, now), len);
	assert_memory_equal(old, now, len);
}

static void another_profile_is_another_key(void **state)
{
	struct world *w = *state;
	char name[64], mine[BYTES_MAX];
	struct filter f = {.n = 0};
	size_t len;

	/* The other profile's file in the place of ours. */
	only_file(w->dir, name);
	assert_int_equal(unlinkat(w->dir, name, 0), 0);
	assert_int_equal(get(w->dir, getuid_name, &f), 0);
	assert_false(same(&f, &w->fresh));
	filter_release(&f);
	{
		char other[64];

		only_file(w->dir, other);
		len = slurp(w->dir, other, mine);
		spill(w->dir, name, mine, len);
	}
	is_made_again(w);
}

/* Every bit of it counts. */
static void e60_changed_bytes_are_not_used(void **state)
{
	struct world *w = *state;
	char name[64], good[BYTES_MAX], bad[BYTES_MAX];
	size_t len, i;

	only_file(w->dir, name);
	len = slurp(w->dir, name, good);
	for (i = 0; i < len; i++) {
		memcpy(bad, good, len);
		bad[i] ^= (char)(1 << (i % 8));
		spill(w->dir, name, bad, len);
		is_made_again(w);
	}
	for (i = 0; i < len; i += 7) {
		spill(w->dir, name, good, i);
		is_made_again(w);
	}
	memcpy(bad, good, len);
	memset(bad + len, 0, 8);
	spill(w->dir, name, bad, len + 8);
	is_made_again(w);
}

/* Replaces the program by "allow all" with a sum that fits, as somebody who
 * may write there could: owner, mode, links and kind must stop it. */
static void forge(struct world *w, const char *name)
{
	static const char ret_allow[8] = {0x06, 0, 0,	       0,
					  0,	0, (char)0xff, 0x7f};
	char bytes[BYTES_MAX];
	uint64_t sum = UINT64_C(0xcbf29ce484222325), word;
	size_t len = slurp(w->dir, name, bytes), at;

	for (at = len - w->fresh.n * FILTER_INSN_BYTES; at < len; at += 8)
		memcpy(bytes + at, ret_allow, 8);
	memset(bytes + 8, 0, 8);
	for (at = 0; at < len; at += 8) {
		word = 0;
		memcpy(&word, bytes + at, len - at < 8 ? len - at : 8);
		sum = (sum ^ word) * UINT64_C(0x100000001b3);
		sum ^= sum >> 32;
	}
	memcpy(bytes + 8, &sum, 8);
	spill(w->dir, name, bytes, len);
}

static void e60_what_others_could_write_is_not_used(void **state)
{
	struct world *w = *state;
	char name[64];

	only_file(w->dir, name);
	forge(w, name);
	assert_int_equal(fchmodat(w->dir, name, 0620, 0), 0);
	is_made_again(w);

	forge(w, name);
	if (fchownat(w->dir, name, 65534, 65534, 0) == 0) /* we are root */
		is_made_again(w);
	else
		assert_int_equal(unlinkat(w->dir, name, 0), 0);
	is_made_again(w);

	forge(w, name);
	assert_int_equal(linkat(w->dir, name, w->dir, "second", 0), 0);
	is_made_again(w);

	forge(w, name);
	assert_int_equal(renameat(w->dir, name, w->dir, "aside"), 0);
	assert_int_equal(symlinkat("aside", w->dir, name), 0);
	is_made_again(w);

	forge(w, name);
	assert_int_equal(fchmod(w->dir, 0770), 0);
	is_made_again(w);
	assert_int_equal(fchmod(w->dir, 0700), 0);
}

static void errors_are_not_kept(void **state)
{
	struct world *w = *state;
	char bad[] = "SCMP_ACT_NONE";
	struct spec_seccomp s = {.default_action = bad};
	struct filter f = {.n = 0};
	struct err err = {0};
	char name[64];

	assert_int_equal(compiled_filter(w->dir, &s, &f, &err), ERR_INPUT);
	assert_non_null(strstr(err.msg, "unknown action \"SCMP_ACT_NONE\""));
	only_file(w->dir, name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept_and_used, begin, end),
		cmocka_unit_test_setup_teardown(another_profile_is_another_key,
						begin, end),
		cmocka_unit_test_setup_teardown(e60_changed_bytes_are_not_used,
						begin, end),
		cmocka_unit_test_setup_teardown(
			e60_what_others_could_write_is_not_used, begin, end),
		cmocka_unit_test_setup_teardown(errors_are_not_kept, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

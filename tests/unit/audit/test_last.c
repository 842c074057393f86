/* test_last.c - the newest entry of a type, from the end: far back, across the
 * windows that are read, with values that imitate it, behind a torn line. */
#include "tests/unit/audit/place.h"

#include "audit/last.h"
#include "audit/record.h"

static const char *const types[] = {"commit.accept", "trust.anchor", NULL};

static void put(struct audit_log *log, const char *type, const char *commit,
		const char *object)
{
	const struct audit_pair detail[] = {
		{"reason", "\",\"type\":\"commit.accept\",\"phase\":\"fact"},
		{"type", "commit.accept"},
		{"zz", "phase"}};
	struct audit_event ev = {.type = type,
				 .commit = commit,
				 .object = object,
				 .detail = detail,
				 .n_detail = 3};
	uint64_t first = 0;
	struct err e = {0};

	assert_int_equal(audit_log_append(log, &ev, 1, NOW, &first, &e), 0);
}

static struct audit_last last_of(struct place *p)
{
	struct audit_last last = {0};
	struct err e = {0};

	assert_int_equal(audit_last(p->dir, types, &last, &e), 0);
	return last;
}

static void nothing_is_nothing(void **state)
{
	struct place *p = *state;
	struct audit_log *log;

	assert_false(last_of(p).found);
	log = place_open(p);
	place_append(log, 10);
	put(log, "commit.refuse", "cc", "x");
	assert_false(last_of(p).found);
	audit_log_close(log);
}

static void the_newest_counts(void **state)
{
	struct place *p = *state;
	struct audit_log *log = place_open(p);

	put(log, "commit.accept", "aa", "x");
	assert_string_equal(last_of(p).commit, "aa");
	put(log, "trust.anchor", "bb", "x");
	assert_string_equal(last_of(p).commit, "bb");
	put(log, "commit.refuse", "cc", "x");
	assert_string_equal(last_of(p).commit, "bb");
	assert_int_equal(last_of(p).seq, 3);
	audit_log_close(log);
}

/* 3 MiB of others behind it: three windows. */
static void far_back(void **state)
{
	static char big[AUDIT_TEXT_MAX + 1];
	struct place *p = *state;
	struct audit_log *log = place_open(p);

	memset(big, 'x', sizeof(big) - 1);
	put(log, "commit.accept", "aa", "x");
	for (size_t i = 0; i < 720; i++)
		put(log, "pod.start", "cc", big);
	assert_string_equal(last_of(p).commit, "aa");
	assert_int_equal(last_of(p).seq, 2);
	audit_log_close(log);
}

static void torn_lines_do_not_count(void **state)
{
	static const char torn[] = "{\"seq\":3,\"time\":\"2026-11-22T08:11:00."
				   "123Z\",\"prev\":\"00\",\"type\":\"commit."
				   "accept\",\"phase\":\"fact\"";
	struct place *p = *state;
	struct audit_log *log = place_open(p);
	int fd;

	put(log, "commit.accept", "aa", "x");
	audit_log_close(log);
	fd = openat(p->dir, AUDIT_FILE_LOG, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, torn, sizeof(torn) - 1), sizeof(torn) - 1);
	assert_string_equal(last_of(p).commit, "aa");
	/* with its newline it claims to be one, and is none */
	assert_int_equal(write(fd, "\n", 1), 1);
	(void)close(fd);
	{
		struct audit_last last = {0};
		struct err e = {0};

		assert_int_equal(audit_last(p->dir, types, &last, &e),
				 ERR_AUDIT);
		assert_string_equal(e.msg,
				    "a line of the audit log is no entry; see "
				    "\"reconcile audit verify\"");
	}
}

static void endless_lines_are_an_error(void **state)
{
	struct place *p = *state;
	size_t len = 3 * AUDIT_RECORD_MAX;
	char *bytes = malloc(len);
	struct audit_last last = {0};
	struct err e = {0};

	assert_non_null(bytes);
	memset(bytes, 'x', len);
	bytes[len - 1] = '\n';
	place_write(p, AUDIT_FILE_LOG, bytes, len);
	free(bytes);
	assert_int_equal(audit_last(p->dir, types, &last, &e), ERR_AUDIT);
	assert_string_equal(e.msg, "the audit log has a line that is too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(nothing_is_nothing),
		PLACE_TEST(the_newest_counts),
		PLACE_TEST(far_back),
		PLACE_TEST(torn_lines_do_not_count),
		PLACE_TEST(endless_lines_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

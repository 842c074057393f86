/*
 * test_log.c - the writer's core: what is refused, what a crash or a full or
 * failing disk leaves behind (A97, A98, R05).  fdatasync is our own here, so
 * that it can fail on demand; seen red with GUARD_OFF_AUDIT_POISON.
 */
#include "tests/unit/audit/place.h"

#include "audit/record.h"
#include "audit/show.h"
#include "lib/json.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int fail_syncs; /* the next n calls fail with EIO */

int fdatasync(int fd)
{
	if (fail_syncs > 0) {
		fail_syncs--;
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static int append_one(struct audit_log *log, struct err *e)
{
	const struct audit_event ev = {.type = "pod.stop", .object = "x"};
	uint64_t first = 0;

	return audit_log_append(log, &ev, 1, NOW, &first, e);
}

static uint64_t entries(struct place *p)
{
	struct audit_verdict v = {0};
	struct err e = {0};

	assert_int_equal(audit_verify_log(p->dir, NULL, NULL, &v, &e), 0);
	return v.entries;
}

static void a_batch_is_one_chain(void **state)
{
	const struct audit_event ev[3] = {
		{.type = "a"}, {.type = "b"}, {.type = "c"}};
	struct place *p = *state;
	struct audit_log *log = place_open(p);
	struct err e = {0};
	uint64_t first = 0;

	assert_int_equal(audit_log_append(log, ev, 3, NOW, &first, &e), 0);
	assert_int_equal(first, 2);
	assert_int_equal(audit_log_state(log).last_seq, 4);
	assert_int_equal(entries(p), 4);
	audit_log_close(log);
	log = place_open(p);
	assert_int_equal(audit_log_state(log).last_seq, 4);
	assert_int_equal(audit_log_unsigned(log), 4);
	audit_log_close(log);
}

static void first_line_is_as_documented(void **state)
{
	static const char want[] =
		"{\"seq\":1,\"time\":\"2026-11-22T08:11:00.123Z\",\"prev\":\""
		"0000000000000000000000000000000000000000000000000000000000000"
		"000\",\"type\":\"log.open\",\"phase\":\"fact\",\"actor\":"
		"\"reconcile-audit\",\"object\":\"reconcile/test/manager\","
		"\"commit\":\"\",\"host\":\"\",\"change\":\"\",\"detail\":"
		"{\"format\":\"1\"},\"hash\":\"";
	struct place *p = *state;
	struct buf b;

	audit_log_close(place_open(p));
	place_read(p, AUDIT_FILE_LOG, &b);
	assert_memory_equal(b.data, want, strlen(want));
	assert_int_equal(b.len, strlen(want) + 64 + 3);
	buf_release(&b);
}

static void bad_events_are_refused_whole(void **state)
{
	static char big[AUDIT_TEXT_MAX + 2];
	static const struct audit_pair twice[] = {{"a", "1"}, {"a", "2"}};
	static const struct audit_pair odd[] = {{"A b", "1"}};
	memset(big, 'x', sizeof(big) - 1);
	const struct {
		struct audit_event ev;
		const char *part;
	} rows[] = {
		{{.type = NULL}, "type is not a word"},
		{{.type = ""}, "type is not a word"},
		{{.type = "Bad"}, "type is not a word"},
		{{.type = "a\"b"}, "type is not a word"},
		{{.type = "log.open"}, "is the writer's own"},
		{{.type = "log.recovered"}, "is the writer's own"},
		{{.type = "a", .phase = (enum audit_phase)3}, "unknown phase"},
		{{.type = "a", .phase = (enum audit_phase) - 1},
		 "unknown phase"},
		{{.type = "a", .actor = big}, "want texts of at most 4096"},
		{{.type = "a", .detail = twice, .n_detail = 2},
		 "detail a is given twice"},
		{{.type = "a", .detail = odd, .n_detail = 1}, "is not a word"},
		{{.type = "a", .detail = twice, .n_detail = 65},
		 "at most 64 details"},
	};
	struct place *p = *state;
	struct audit_log *log = place_open(p);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct audit_event two[2] = {{.type = "good"},
						   rows[i].ev};
		struct err e = {0};
		uint64_t first = 77;

		assert_int_equal(audit_log_append(log, two, 2, NOW, &first, &e),
				 ERR_INPUT);
		if (!strstr(e.msg, rows[i].part))
			assert_string_equal(e.msg, rows[i].part);
		assert_int_equal(first, 77);
	}
	struct err e = {0};
	uint64_t first;

	assert_int_equal(audit_log_append(log, NULL, 0, NOW, &first, &e),
			 ERR_INPUT);
	assert_int_equal(entries(p), 1);
	audit_log_close(log);
}

static int keep(void *ctx, const struct audit_entry *entry, struct err *err)
{
	struct buf *b = ctx;

	(void)err;
	buf_printf(b, "%s|%s|%zu;", entry->event.object, entry->event.actor,
		   entry->event.n_detail);
	return 0;
}

/* Names that try to end the record, start another, or move the cursor. */
static void A98_hostile_names_stay_in_one_record(void **state)
{
	static const char *const hostile[] = {
		"x\n{\"seq\":3}",
		"x\",\"hash\":\"0",
		"\x1b[2J\x1b[H",
		"\r\n\r\n",
		"\xe2\x80\xae"
		"evil\xc2\x9b"
		"31m",
		"\\\"}\n",
		"\xff\xfe\xc3",
		"\xe2\x80\xa8line",
		"\",\"type\":\"log.recovered\",\"",
	};
	struct place *p = *state;
	struct audit_log *log = place_open(p);
	struct err e = {0};
	struct buf b, text;

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		const struct audit_pair d[] = {{"k", hostile[i]}};
		const struct audit_event ev = {
			.type = "a",
			.actor = hostile[i],
			.object = hostile[i],
			.commit = hostile[i],
			.host = hostile[i],
			.change = hostile[i],
			.detail = d,
			.n_detail = 1,
		};
		uint64_t first = 0;

		assert_int_equal(audit_log_append(log, &ev, 1, NOW, &first, &e),
				 0);
		assert_int_equal(first, i + 2);
	}
	audit_log_close(log);
	assert_int_equal(entries(p), 10);
	place_read(p, AUDIT_FILE_LOG, &b);
	for (size_t i = 0; i < b.len; i++) {
		unsigned char c = (unsigned char)b.data[i];

		assert_true(c == '\n' || (c >= 0x20 && c < 0x7f) || c == 0xef ||
			    c == 0xbf || c == 0xbd);
	}
	buf_init(&text, 10000);
	assert_int_equal(audit_show(p->dir, NULL, keep, &text, &e), 0);
	for (size_t i = 0; i < 6; i++) /* those that are UTF-8 come back */
		assert_non_null(strstr(text.data, hostile[i]));
	struct audit_verdict v = {0};

	assert_int_equal(audit_verify_log(p->dir, NULL, NULL, &v, &e), 0);
	assert_int_equal(v.recoveries, 0);
	buf_release(&text);
	buf_release(&b);
}

/* Every possible cut of the last record; what was torn is in the log. */
static void A97_torn_tail_is_recorded(void **state)
{
	struct place *p = *state;
	struct buf whole, now;
	size_t cut;

	place_make(p, 5);
	place_read(p, AUDIT_FILE_LOG, &whole);
	for (cut = 1; cut < 350; cut += 13) {
		struct buf more;
		struct audit_log *log;
		struct audit_verdict v = {0};
		struct err e = {0};
		char part[64];

		buf_init(&more, whole.len * 2);
		buf_put(&more, whole.data, whole.len);
		buf_put(&more, whole.data, cut); /* some bytes, no newline */
		assert_null(memchr(whole.data, '\n', cut));
		place_write(p, AUDIT_FILE_LOG, more.data, more.len);
		assert_int_equal(
			audit_verify_log(p->dir, p->vkey, NULL, &v, &e), 0);
		assert_int_equal(v.torn_bytes, cut);
		log = place_open(p);
		assert_int_equal(audit_log_state(log).recovered_bytes, cut);
		assert_int_equal(audit_log_state(log).last_seq, 6);
		assert_int_equal(append_one(log, &e), 0);
		audit_log_close(log);
		assert_int_equal(
			audit_verify_log(p->dir, p->vkey, NULL, &v, &e), 0);
		assert_int_equal(v.entries, 7);
		assert_int_equal(v.recoveries, 1);
		assert_int_equal(v.torn_bytes, 0);
		place_read(p, AUDIT_FILE_LOG, &now);
		(void)snprintf(part, sizeof(part), "\"bytes\":\"%zu\"", cut);
		assert_non_null(strstr(now.data, "\"type\":\"log.recovered\""));
		assert_non_null(strstr(now.data, part));
		assert_int_equal(faccessat(p->dir, AUDIT_FILE_TORN, F_OK, 0),
				 -1);
		buf_release(&now);
		buf_release(&more);
	}
	buf_release(&whole);
}

/* A crash between the steps of a recovery: nothing of it is lost. */
static void A97_crash_within_the_recovery(void **state)
{
	struct place *p = *state;
	struct audit_log *log;
	struct buf whole, now;

	place_make(p, 3);
	place_read(p, AUDIT_FILE_LOG, &whole);
	place_write(p, AUDIT_FILE_TORN, "old part;", 9);
	buf_puts(&whole, "{\"seq\":4,");
	place_write(p, AUDIT_FILE_LOG, whole.data, whole.len);
	log = place_open(p);
	assert_int_equal(audit_log_state(log).recovered_bytes, 18);
	audit_log_close(log);
	place_read(p, AUDIT_FILE_LOG, &now);
	assert_non_null(strstr(now.data, /* old part;{"seq":4, */
			       "\"data\":\"b2xkIHBhcnQ7eyJzZXEiOjQs\""));
	buf_release(&now);
	buf_release(&whole);
}

static void torn_at_the_very_beginning(void **state)
{
	struct place *p = *state;
	struct audit_log *log;

	place_write(p, AUDIT_FILE_LOG, "{\"se", 4);
	log = place_open(p);
	assert_int_equal(audit_log_state(log).last_seq, 2);
	assert_int_equal(audit_log_state(log).recovered_bytes, 4);
	audit_log_close(log);
	assert_int_equal(entries(p), 2);
	audit_log_close(place_open(p));
}

/* R05: after one failed fsync nothing is acknowledged again, and what had not
 * reached the disk is not in the file either. */
static void R05_failed_fsync_poisons(void **state)
{
	struct place *p = *state;
	struct audit_log *log = place_open(p);
	struct err e = {0};
	struct buf note;

	place_append(log, 3);
	fail_syncs = 1;
	assert_int_equal(append_one(log, &e), ERR_AUDIT);
	assert_string_equal(e.msg, "audit log: fsync: Input/output error; "
				   "nothing more can be recorded until the "
				   "writer is started anew");
	assert_int_equal(append_one(log, &e), ERR_AUDIT);
	assert_string_equal(e.msg, "audit log: not usable since an error: "
				   "fsync: Input/output error");
	buf_init(&note, 1000);
	assert_int_equal(audit_log_checkpoint(log, &note, &e), ERR_AUDIT);
	buf_release(&note);
	assert_int_equal(audit_log_state(log).last_seq, 4);
	audit_log_close(log);
	assert_int_equal(entries(p), 4);
	log = place_open(p);
	assert_int_equal(append_one(log, &e), 0);
	audit_log_close(log);
	assert_int_equal(entries(p), 5);
}

/* R05: a full disk refuses, leaves the log whole, and works again as soon as
 * there is room, without a restart. */
static void R05_full_disk(void **state)
{
	struct place *p = *state;
	struct place small = *p;
	struct audit_log *log;
	struct err e = {0};
	char at[64], filler[80];
	uint64_t acked;
	int fd, r = 0;

	if (geteuid() != 0)
		return;
	(void)snprintf(at, sizeof(at), "%s/small", p->path);
	assert_int_equal(mkdir(at, 0700), 0);
	assert_int_equal(mount("tmpfs", at, "tmpfs", 0, "size=128k"), 0);
	small.dir = open(at, O_RDONLY | O_DIRECTORY);
	(void)snprintf(filler, sizeof(filler), "%s/filler", at);
	fd = open(filler, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, 40960), 0);
	assert_int_equal(fallocate(fd, 0, 0, 40960), 0);
	(void)close(fd);
	log = place_open(&small);
	for (int i = 0; i < 10000 && r == 0; i++)
		r = append_one(log, &e);
	acked = audit_log_state(log).last_seq;
	fd = unlink(filler);
	assert_int_equal(r, ERR_AUDIT);
	assert_string_equal(e.msg, "audit log: write: No space left on device");
	assert_int_equal(fd, 0);
	r = append_one(log, &e);
	assert_int_equal(r, 0);
	audit_log_close(log);
	assert_int_equal(entries(&small), acked + 1);
	(void)close(small.dir);
	assert_int_equal(umount2(at, MNT_DETACH), 0);
}

static int open_fails(struct place *p, struct err *e)
{
	struct audit_log *log = NULL;
	int r = audit_log_open(p->dir, ORIGIN, p->key, NOW, &log, e);

	audit_log_close(log);
	return r;
}

static void second_writer_is_refused(void **state)
{
	struct place *p = *state;
	struct audit_log *log = place_open(p);
	struct err e = {0};

	assert_int_equal(open_fails(p, &e), ERR_AUDIT);
	assert_string_equal(e.msg, "audit log: lock: held by another process");
	audit_log_close(log);
}

/* The writer does not go on with a log that is not what it signed. */
static void R03_writer_refuses_an_edited_log(void **state)
{
	struct place *p = *state;
	struct err e = {0};
	struct buf b;
	char *last;

	place_make(p, 20);
	place_read(p, AUDIT_FILE_LOG, &b);
	/* cut below the checkpoint */
	last = strstr(b.data, "{\"seq\":20,");
	place_write(p, AUDIT_FILE_LOG, b.data, (size_t)(last - b.data));
	assert_int_equal(open_fails(p, &e), ERR_AUDIT);
	assert_string_equal(e.msg, "audit log: the log has 19 entries, its "
				   "checkpoint signed 20");
	/* changed below the checkpoint, in the middle, at the end */
	for (int seq = 2; seq <= 20; seq += 9) {
		char word[32], want[64], *at;

		place_write(p, AUDIT_FILE_EDGE, "", 0);
		(void)snprintf(word, sizeof(word), "{\"seq\":%d,", seq);
		at = strstr(strstr(b.data, word), "alice");
		*at = 'A';
		place_write(p, AUDIT_FILE_LOG, b.data, b.len);
		assert_int_equal(open_fails(p, &e), ERR_AUDIT);
		(void)snprintf(want, sizeof(want),
			       "entry %d of the log has been changed", seq);
		assert_non_null(strstr(e.msg, want));
		*at = 'a';
	}
	buf_release(&b);
}

static void other_origin_or_key_is_refused(void **state)
{
	struct place *p = *state;
	struct audit_log *log = NULL;
	struct audit_key *other = NULL;
	struct err e = {0};
	char path[80];

	audit_log_close(place_open(p));
	assert_int_equal(audit_log_open(p->dir, "other", p->key, NOW, &log, &e),
			 ERR_AUDIT);
	assert_string_equal(e.msg, "audit log: the log was begun under another "
				   "origin, want \"other\"");
	place_checkpoint(log = place_open(p));
	audit_log_close(log);
	(void)snprintf(path, sizeof(path), "%s/key2", p->path);
	assert_int_equal(audit_key_generate(path, &e), 0);
	assert_int_equal(audit_key_load(path, &other, &e), 0);
	assert_int_equal(audit_log_open(p->dir, ORIGIN, other, NOW, &log, &e),
			 ERR_AUDIT);
	assert_non_null(strstr(e.msg, "checkpoint: has no signature of"));
	audit_key_free(other);
}

/* The edge file is only a help: wrong in any way, the log is read instead. */
static void edge_file_is_not_trusted(void **state)
{
	static const char *const wrong[] = {
		"",	  "5 10\n",	 "x", "18446744073709551615 1\n",
		"20 0\n", "20 5\n0000\n"};
	struct place *p = *state;
	struct buf good;

	place_make(p, 20);
	place_read(p, AUDIT_FILE_EDGE, &good);
	for (size_t i = 0; i <= good.len; i++) {
		struct audit_log *log;

		if (i < good.len)
			good.data[i] ^= 1;
		place_write(p, AUDIT_FILE_EDGE, good.data, good.len);
		log = place_open(p);
		assert_int_equal(audit_log_state(log).last_seq, 20);
		audit_log_close(log);
		if (i < good.len)
			good.data[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		place_write(p, AUDIT_FILE_EDGE, wrong[i], strlen(wrong[i]));
		audit_log_close(place_open(p));
	}
	assert_int_equal(unlinkat(p->dir, AUDIT_FILE_EDGE, 0), 0);
	struct audit_log *log = place_open(p);

	place_append(log, 3);
	place_checkpoint(log);
	audit_log_close(log);
	assert_int_equal(entries(p), 23);
	buf_release(&good);
}

static int stop_at_two(void *ctx, const struct audit_entry *entry,
		       struct err *err)
{
	(void)err;
	(*(int *)ctx)++;
	return entry->seq == 2 ? ERR_LIMIT : 0;
}

static int count(void *ctx, const struct audit_entry *entry, struct err *err)
{
	(void)entry;
	(void)err;
	(*(int *)ctx)++;
	return 0;
}

static void show_filters(void **state)
{
	static const struct {
		struct audit_filter f;
		int want;
	} rows[] = {
		{{.type = "pod.start"}, 19},
		{{.type = "pod."}, 19},
		{{.type = "pod"}, 0},
		{{.type = "log."}, 1},
		{{.object = "default/Pod/web-7"}, 1},
		{{.host = "h1"}, 19},
		{{.host = "h2"}, 0},
		{{.first = 5, .last = 8}, 4},
		{{.first = 19}, 2},
		{{.since_ms = NOW + 10}, 9},
		{{.until_ms = NOW + 1, .actor = "alice"}, 2},
		{{.change = "x"}, 0},
	};
	struct place *p = *state;
	struct err e = {0};
	int n = 0;

	place_make(p, 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = 0;
		assert_int_equal(audit_show(p->dir, &rows[i].f, count, &n, &e),
				 0);
		assert_int_equal(n, rows[i].want);
	}
	n = 0;
	assert_int_equal(audit_show(p->dir, NULL, stop_at_two, &n, &e),
			 ERR_LIMIT);
	assert_int_equal(n, 2);
	place_write(p, AUDIT_FILE_LOG, "junk\n", 5);
	assert_int_equal(audit_show(p->dir, NULL, count, &n, &e), ERR_AUDIT);
	assert_string_equal(e.msg, "line 1 of the audit log is no entry; see "
				   "\"reconcile audit verify\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(a_batch_is_one_chain),
		PLACE_TEST(first_line_is_as_documented),
		PLACE_TEST(bad_events_are_refused_whole),
		PLACE_TEST(A98_hostile_names_stay_in_one_record),
		PLACE_TEST(A97_torn_tail_is_recorded),
		PLACE_TEST(A97_crash_within_the_recovery),
		PLACE_TEST(torn_at_the_very_beginning),
		PLACE_TEST(R05_failed_fsync_poisons),
		PLACE_TEST(R05_full_disk),
		PLACE_TEST(second_writer_is_refused),
		PLACE_TEST(R03_writer_refuses_an_edited_log),
		PLACE_TEST(other_origin_or_key_is_refused),
		PLACE_TEST(edge_file_is_not_trusted),
		PLACE_TEST(show_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

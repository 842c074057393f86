/*
 * test_verify.c - R03, A93, A94, A96: every kind of edit at every entry of a
 * log is detected, and the first bad entry is named.
 */
#include "tests/unit/audit/place.h"

#include "audit/checkpoint.h"
#include "audit/record.h"
#include "lib/encode.h"

#define ENTRIES 200

struct lines {
	char *at[ENTRIES + 2];
	size_t len[ENTRIES + 2]; /* newline included */
	size_t n;
};

static void cut_lines(struct buf *b, struct lines *l)
{
	l->n = 0;
	for (char *p = b->data; *p; l->n++) {
		char *eol = strchr(p, '\n');

		assert_non_null(eol);
		assert_true(l->n < ENTRIES + 2);
		l->at[l->n] = p;
		l->len[l->n] = (size_t)(eol - p) + 1;
		p = eol + 1;
	}
}

static void put(struct buf *b, const struct lines *l, size_t i)
{
	buf_put(b, l->at[i], l->len[i]);
}

/* The verdict on this file; signed or by chain only. */
static struct audit_verdict judge(struct place *p, const struct buf *b,
				  bool with_key)
{
	struct audit_verdict v = {0};
	struct err e = {0};
	int fd = openat(p->dir, AUDIT_FILE_LOG, O_WRONLY | O_TRUNC), r;

	assert_true(fd >= 0);
	assert_int_equal(file_write_fd(fd, b->data, b->len, &e), 0);
	(void)close(fd);
	r = audit_verify_log(p->dir, with_key ? p->vkey : NULL, NULL, &v, &e);
	assert_int_equal(r, v.reason == AUDIT_REASON_GOOD ? 0 : ERR_AUDIT);
	if (r < 0)
		assert_string_equal(e.msg, v.text);
	return v;
}

enum edit {
	EDIT_BYTE,
	EDIT_SEQ,
	EDIT_TIME,
	EDIT_PREV,
	EDIT_HASH,
	EDIT_INSERT_COPY,
	EDIT_INSERT_JUNK,
	EDIT_DELETE,
	EDIT_SWAP,
	EDIT_TRUNCATE,
	EDIT_TRUNCATE_HALF,
	EDIT_EMPTY_LINE,
	EDIT_REHASHED,
	EDIT_COUNT
};

static void put_changed(struct buf *out, const struct lines *l, size_t i,
			const char *where, size_t skip)
{
	size_t start = out->len;
	char *p;

	put(out, l, i);
	p = strstr(out->data + start, where);
	assert_non_null(p);
	p += strlen(where) + skip;
	*p = *p == '1' ? '2' : '1';
}

/* A forger who knows the format, with the right hash on the changed line. */
static void put_rehashed(struct buf *out, const struct lines *l, size_t i)
{
	struct hash *h = hash_new();
	uint8_t digest[HASH_BYTES];
	char hex[HASH_HEX], *line;
	size_t start = out->len;

	put_changed(out, l, i, "\"time\":\"", 2);
	line = out->data + start;
	audit_record_hash(h, line, l->len[i] - 1, digest);
	encode_hex(hex, digest, sizeof(digest));
	memcpy(line + l->len[i] - 1 - 2 - 64, hex, 64);
	hash_free(h);
}

/* Entry i (from 0) edited; *out_last: what follows is dropped. */
static bool put_edit(struct buf *out, const struct lines *l, size_t i,
		     enum edit edit)
{
	switch (edit) {
	case EDIT_BYTE:
		put_changed(out, l, i, "\"actor\":\"", 0);
		break;
	case EDIT_SEQ:
		put_changed(out, l, i, "{\"seq\":", 0);
		break;
	case EDIT_TIME:
		put_changed(out, l, i, "\"time\":\"", 2);
		break;
	case EDIT_PREV:
		put_changed(out, l, i, "\"prev\":\"", 9);
		break;
	case EDIT_HASH:
		put_changed(out, l, i, "\"hash\":\"", 9);
		break;
	case EDIT_INSERT_COPY:
		put(out, l, i == 0 ? 1 : i - 1);
		put(out, l, i);
		break;
	case EDIT_INSERT_JUNK:
		buf_puts(out, "{\"seq\":1}\n");
		put(out, l, i);
		break;
	case EDIT_DELETE:
		break;
	case EDIT_SWAP:
		put(out, l, i + 1 < l->n ? i + 1 : i - 1);
		put(out, l, i);
		break;
	case EDIT_TRUNCATE:
		return false;
	case EDIT_TRUNCATE_HALF:
		buf_put(out, l->at[i], l->len[i] / 2);
		return false;
	case EDIT_EMPTY_LINE:
		buf_puts(out, "\n");
		put(out, l, i);
		break;
	case EDIT_REHASHED:
		put_rehashed(out, l, i);
		break;
	case EDIT_COUNT:
		break;
	}
	return true;
}

static void R03_A94_every_edit_at_every_entry(void **state)
{
	struct place *p = *state;
	struct buf whole, out;
	struct lines l;

	place_make(p, ENTRIES);
	place_read(p, AUDIT_FILE_LOG, &whole);
	cut_lines(&whole, &l);
	assert_int_equal(l.n, ENTRIES);
	buf_init(&out, whole.len * 2);
	for (int edit = 0; edit < EDIT_COUNT; edit++)
		for (size_t i = 0; i < l.n; i++) {
			struct audit_verdict v;
			size_t next = edit == EDIT_SWAP ? i + 2 : i + 1;

			buf_reset(&out);
			for (size_t k = 0; k < i; k++)
				put(&out, &l, k);
			if (put_edit(&out, &l, i, (enum edit)edit))
				for (size_t k = next; k < l.n; k++)
					put(&out, &l, k);
			v = judge(p, &out, true);
			if (edit == EDIT_REHASHED && i + 1 == l.n) {
				/* the last one: nothing follows it, only the
				 * signed root differs, from 1 on */
				assert_int_equal(v.reason, AUDIT_REASON_ROOT);
				continue;
			}
			if (v.bad_seq != i + 1)
				print_error("edit %d of entry %zu: %s\n", edit,
					    i + 1, v.text);
			assert_int_not_equal(v.reason, AUDIT_REASON_GOOD);
			assert_int_equal(v.bad_seq, i + 1);
			assert_int_equal(v.bad_seq_last, i + 1);
			assert_true(v.entries >= i);
		}
	buf_release(&out);
	buf_release(&whole);
}

static void good_log_is_good(void **state)
{
	struct place *p = *state;
	struct audit_verdict v = {0};
	struct err e = {0};

	place_make(p, 17);
	assert_int_equal(audit_verify_log(p->dir, p->vkey, NULL, &v, &e), 0);
	assert_int_equal(v.entries, 17);
	assert_int_equal(v.signed_to, 17);
	assert_string_equal(v.text, "17 entries good, 17 covered by signed "
				    "checkpoints, 0 recovered tails");
	assert_int_equal(audit_verify_log(p->dir, NULL, NULL, &v, &e), 0);
	assert_int_equal(v.signed_to, 0);
	for (int i = 0; i < AUDIT_REASON_COUNT; i++)
		assert_true(audit_verify_reason_text((enum audit_reason)i)[0]);
	assert_string_equal(audit_verify_reason(AUDIT_REASON_COUNT), "UNKNOWN");
}

/* A93: a tail that the checkpoint does not cover may be cut unseen, one that it
 * covers may not; the chain alone does not see it. */
static void A93_truncated_tail(void **state)
{
	struct place *p = *state;
	struct audit_verdict v;
	struct buf whole, out;
	struct lines l;

	place_make(p, ENTRIES);
	place_read(p, AUDIT_FILE_LOG, &whole);
	cut_lines(&whole, &l);
	buf_init(&out, whole.len);
	for (size_t k = 0; k < 150; k++)
		put(&out, &l, k);
	v = judge(p, &out, false);
	assert_int_equal(v.reason, AUDIT_REASON_GOOD);
	v = judge(p, &out, true);
	assert_int_equal(v.reason, AUDIT_REASON_TRUNCATED);
	assert_string_equal(v.text, "entry 151 (line 151): missing: the log is "
				    "shorter than its checkpoint");
	buf_release(&out);
	buf_release(&whole);
}

/* A96: all written anew from entry 120 on with right hashes; checkpoints at 50,
 * 100, 200 narrow it. */
static void A96_rewritten_tail_is_narrowed_by_the_history(void **state)
{
	struct place *p = *state;
	struct audit_log *log = place_open(p);
	uint8_t head[HASH_BYTES] = {0};
	struct hash *h = hash_new();
	struct audit_verdict v;
	struct buf whole, out;
	struct lines l;

	place_append(log, 49);
	place_checkpoint(log);
	place_append(log, 50);
	place_checkpoint(log);
	place_append(log, 100);
	place_checkpoint(log);
	audit_log_close(log);
	place_read(p, AUDIT_FILE_LOG, &whole);
	cut_lines(&whole, &l);
	buf_init(&out, whole.len * 2);
	for (size_t k = 0; k < 119; k++)
		put(&out, &l, k);
	assert_true(encode_unhex(head, out.data + out.len - 3 - 64, 64));
	for (uint64_t seq = 120; seq <= 200; seq++) {
		const struct audit_event ev = {.type = "forged"};

		audit_record_write(&out, h, &ev, seq, NOW, head);
	}
	v = judge(p, &out, true);
	assert_int_equal(v.reason, AUDIT_REASON_ROOT);
	assert_int_equal(v.bad_seq, 101);
	assert_int_equal(v.bad_seq_last, 200);
	assert_int_equal(v.signed_to, 100);
	assert_string_equal(v.text, "first bad entry is one of 101..200: "
				    "differs from what the checkpoint signed");
	hash_free(h);
	buf_release(&out);
	buf_release(&whole);
}

static void A96_other_key_other_origin(void **state)
{
	static const char none[] = "";
	struct place *p = *state;
	struct audit_vkey other;
	struct audit_verdict v = {0};
	char text[AUDIT_VKEY_BYTES];
	struct err e = {0};

	place_make(p, 5);
	assert_int_equal(audit_key_public(p->key, AUDIT_KEY_LOG, "elsewhere",
					  &other, &e),
			 0);
	audit_key_format(&other, text);
	assert_int_equal(audit_verify_log(p->dir, text, NULL, &v, &e),
			 ERR_AUDIT);
	assert_int_equal(v.reason, AUDIT_REASON_SIGNATURE);
	assert_int_equal(audit_key_parse(p->vkey, &other, &e), 0);
	other.pub[0] ^= 1;
	audit_key_format(&other, text);
	assert_int_equal(audit_verify_log(p->dir, text, NULL, &v, &e),
			 ERR_INPUT);
	assert_string_equal(e.msg, "verifier key: its hash does not match");
	place_write(p, AUDIT_FILE_CHECKPOINT, none, 0);
	assert_int_equal(audit_verify_log(p->dir, p->vkey, NULL, &v, &e),
			 ERR_AUDIT);
	assert_int_equal(v.reason, AUDIT_REASON_SIGNATURE);
	assert_int_equal(unlinkat(p->dir, AUDIT_FILE_CHECKPOINT, 0), 0);
	assert_int_equal(audit_verify_log(p->dir, p->vkey, NULL, &v, &e),
			 ERR_AUDIT);
	assert_int_equal(v.reason, AUDIT_REASON_NOCHECKPOINT);
	assert_int_equal(unlinkat(p->dir, AUDIT_FILE_LOG, 0), 0);
	assert_int_equal(audit_verify_log(p->dir, p->vkey, NULL, &v, &e),
			 ERR_NOTFOUND);
}

/* Every byte of the checkpoint is signed or its signature. */
static void A96_every_byte_of_the_checkpoint(void **state)
{
	struct place *p = *state;
	struct buf note;

	place_make(p, 5);
	place_read(p, AUDIT_FILE_CHECKPOINT, &note);
	for (size_t i = 0; i < note.len; i++) {
		struct audit_checkpoint cp;
		struct audit_vkey v;
		struct err e = {0};
		int r;

		note.data[i] ^= 1;
		assert_int_equal(audit_key_parse(p->vkey, &v, &e), 0);
		r = audit_checkpoint_open(note.data, &v, &cp, &e);
		assert_true(r == ERR_TRUST || r == ERR_INPUT);
		note.data[i] ^= 1;
	}
	buf_release(&note);
}

/* A checkpoint that was kept elsewhere beats a folder that was set back. */
static void A93_older_copy_of_the_whole_folder(void **state)
{
	struct place *p = *state;
	struct audit_log *log = place_open(p);
	struct audit_verdict v = {0};
	struct buf old_log, old_cp, kept;
	struct err e = {0};

	place_append(log, 9);
	place_checkpoint(log);
	place_read(p, AUDIT_FILE_LOG, &old_log);
	place_read(p, AUDIT_FILE_CHECKPOINT, &old_cp);
	place_append(log, 10);
	place_checkpoint(log);
	audit_log_close(log);
	place_read(p, AUDIT_FILE_CHECKPOINT, &kept);
	place_write(p, AUDIT_FILE_LOG, old_log.data, old_log.len);
	place_write(p, AUDIT_FILE_CHECKPOINT, old_cp.data, old_cp.len);
	assert_int_equal(unlinkat(p->dir, AUDIT_FILE_HISTORY, 0), 0);
	assert_int_equal(audit_verify_log(p->dir, p->vkey, NULL, &v, &e), 0);
	assert_int_equal(audit_verify_log(p->dir, p->vkey, kept.data, &v, &e),
			 ERR_AUDIT);
	assert_int_equal(v.reason, AUDIT_REASON_TRUNCATED);
	assert_int_equal(v.bad_seq, 11);
	buf_release(&old_log);
	buf_release(&old_cp);
	buf_release(&kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(good_log_is_good),
		PLACE_TEST(R03_A94_every_edit_at_every_entry),
		PLACE_TEST(A93_truncated_tail),
		PLACE_TEST(A96_rewritten_tail_is_narrowed_by_the_history),
		PLACE_TEST(A96_other_key_other_origin),
		PLACE_TEST(A96_every_byte_of_the_checkpoint),
		PLACE_TEST(A93_older_copy_of_the_whole_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

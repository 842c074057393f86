/*
 * test_witness.c - A95, A96: a witness cosigns what extends the log it knows
 * and refuses forks and smaller logs; keys and notes.  Seen red with
 * GUARD_OFF_WITNESS_FORK.
 */
#include "tests/unit/audit/place.h"

#include "audit/checkpoint.h"
#include "audit/note.h"
#include "audit/proof.h"
#include "audit/witness.h"

#include <sys/stat.h>

static void read_note(struct place *p, struct buf *b)
{
	place_read(p, AUDIT_FILE_CHECKPOINT, b);
}

static void log_key(struct place *p, struct audit_vkey *v)
{
	struct err e = {0};

	assert_int_equal(audit_key_parse(p->vkey, v, &e), 0);
}

static int sign(struct place *p, struct audit_witness_state *s,
		const char *note, struct buf *out, struct err *e)
{
	struct audit_proof proof = {.n = 0};
	struct audit_checkpoint cp;
	struct audit_vkey v;

	log_key(p, &v);
	assert_int_equal(audit_checkpoint_open(note, &v, &cp, e), 0);
	if (cp.size >= s->size)
		assert_int_equal(audit_proof_consistency(p->dir, s->size,
							 cp.size, &proof, e),
				 0);
	return audit_witness_sign(s, note, &v, &proof, p->key, "host-1",
				  1795335060, out, e);
}

static void cosigns_growth(void **state)
{
	struct place *p = *state;
	struct audit_log *log = place_open(p);
	struct audit_witness_state s = {0};
	struct audit_vkey v, w[3];
	struct err e = {0};
	struct buf note, out;
	size_t n = 9;

	buf_init(&out, 10000);
	for (int i = 0; i < 12; i++) {
		place_append(log, (size_t)i);
		place_checkpoint(log);
		read_note(p, &note);
		buf_reset(&out);
		assert_int_equal(sign(p, &s, note.data, &out, &e), 0);
		assert_int_equal(s.size, audit_log_state(log).last_seq);
		if (i < 11)
			buf_release(&note);
	}
	audit_log_close(log);
	/* the cosigned note: the log's and the host's line */
	buf_put(&note, out.data, out.len);
	log_key(p, &v);
	assert_int_equal(audit_key_public(p->key, AUDIT_KEY_WITNESS, "host-1",
					  &w[0], &e),
			 0);
	w[1] = w[0]; /* a key that is given twice counts once */
	w[2] = w[0];
	w[2].pub[1] ^= 1;
	assert_int_equal(audit_witness_count(note.data, &v, w, 3, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(audit_witness_count(note.data, &v, w + 2, 1, &n, &e),
			 0);
	assert_int_equal(n, 0);
	/* the same words of a log key are no cosignature */
	w[0].type = AUDIT_KEY_LOG;
	assert_int_equal(audit_witness_count(note.data, &v, w, 1, &n, &e), 0);
	assert_int_equal(n, 0);
	/* and a time that was changed */
	w[0].type = AUDIT_KEY_WITNESS;
	assert_int_equal(audit_key_public(p->key, AUDIT_KEY_WITNESS, "host-1",
					  &w[0], &e),
			 0);
	note.data[note.len - 90] = note.data[note.len - 90] == 'A' ? 'B' : 'A';
	assert_int_equal(audit_witness_count(note.data, &v, w, 1, &n, &e), 0);
	assert_int_equal(n, 0);
	buf_release(&note);
	buf_release(&out);
}

/* Two logs with the same key: the manager that tells two stories. */
static void A95_A96_fork_and_rollback_are_refused(void **state)
{
	struct place *p = *state;
	struct audit_witness_state s = {0}, before;
	struct audit_log *log = place_open(p);
	struct err e = {0};
	struct buf first, second, other, out;

	buf_init(&out, 10000);
	place_append(log, 9);
	place_checkpoint(log);
	read_note(p, &first);
	place_append(log, 9);
	place_checkpoint(log);
	audit_log_close(log);
	read_note(p, &second);
	assert_int_equal(sign(p, &s, second.data, &out, &e), 0);
	assert_int_equal(s.size, 19);
	before = s;
	buf_reset(&out);
	/* smaller */
	assert_int_equal(sign(p, &s, first.data, &out, &e), ERR_CONFLICT);
	assert_string_equal(e.msg, "witness: want a log of at least 19 "
				   "entries, have 10");
	/* all written anew: same size, then larger */
	for (size_t n = 19; n <= 25; n += 6) {
		assert_int_equal(unlinkat(p->dir, AUDIT_FILE_LOG, 0), 0);
		assert_int_equal(unlinkat(p->dir, AUDIT_FILE_CHECKPOINT, 0), 0);
		assert_int_equal(unlinkat(p->dir, AUDIT_FILE_HISTORY, 0), 0);
		log = NULL;
		assert_int_equal(audit_log_open(p->dir, ORIGIN, p->key, NOW + 5,
						&log, &e),
				 0);
		place_append(log, n - 1);
		place_checkpoint(log);
		audit_log_close(log);
		read_note(p, &other);
		assert_int_equal(sign(p, &s, other.data, &out, &e),
				 ERR_CONFLICT);
		assert_non_null(strstr(e.msg, "does not extend the one of 19 "
					      "that was cosigned: a fork"));
		buf_release(&other);
	}
	assert_memory_equal(&s, &before, sizeof(s));
	assert_int_equal(out.len, 0);
	buf_release(&first);
	buf_release(&second);
	buf_release(&out);
}

static void unsigned_note_is_refused(void **state)
{
	struct place *p = *state;
	struct audit_witness_state s = {0};
	struct audit_proof proof = {.n = 0};
	struct audit_vkey v;
	struct err e = {0};
	struct buf note, out;

	place_make(p, 3);
	read_note(p, &note);
	log_key(p, &v);
	buf_init(&out, 1000);
	note.data[strlen(ORIGIN) + 1] = '4';
	assert_int_equal(audit_witness_sign(&s, note.data, &v, &proof, p->key,
					    "host-1", 1, &out, &e),
			 ERR_TRUST);
	assert_string_equal(e.msg, "signature of reconcile/test/manager is not "
				   "good");
	assert_int_equal(s.size, 0);
	buf_release(&note);
	buf_release(&out);
}

static void bad_notes(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"\n\n",
		"a\n1\nx\n",
		"a\n\n",
		"a\n\n- name AAAAAAA=\n",
		"a\n\n\xe2\x80\x94 name\n",
		"a\n\n\xe2\x80\x94  AAAA\n",
		"a\n\n\xe2\x80\x94 n AAAA\n",
		"a\n\n\xe2\x80\x94 n AAAAAAA=",
		"a\n\n\xe2\x80\x94 n AAAAAAB=\n",
		"a\xff\n\n\xe2\x80\x94 n AAAAAAA=\n",
		"o\nx\nAA==\n\n\xe2\x80\x94 n AAAAAAA=\n",
		"o\n01\nAA==\n\n\xe2\x80\x94 n AAAAAAA=\n",
		"o\n1\nAA==\n\n\xe2\x80\x94 n AAAAAAA=\n",
		"\n1\nAA==\n\n\xe2\x80\x94 n AAAAAAA=\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct audit_checkpoint cp;
		struct err e = {0};

		assert_int_equal(audit_checkpoint_open(bad[i], NULL, &cp, &e),
				 ERR_INPUT);
	}
}

static void keys(void **state)
{
	struct place *p = *state;
	struct audit_key *k = NULL;
	struct audit_vkey v;
	struct stat st;
	struct err e = {0};
	uint8_t sig[AUDIT_SIG_BYTES];

	assert_int_equal(stat(p->key_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(audit_key_generate(p->key_path, &e), ERR_CONFLICT);
	assert_non_null(strstr(e.msg, "there is a key already"));
	assert_int_equal(chmod(p->key_path, 0640), 0);
	assert_int_equal(audit_key_load(p->key_path, &k, &e), ERR_TRUST);
	assert_string_equal(e.msg, "audit key: want a file of mode 0600, have "
				   "0640");
	assert_int_equal(audit_key_load("/nonexistent", &k, &e), ERR_NOTFOUND);
	place_write(p, "junk", "junk", 4);
	char path[80];

	(void)snprintf(path, sizeof(path), "%s/junk", p->path);
	assert_int_equal(audit_key_load(path, &k, &e), ERR_TRUST);
	assert_int_equal(audit_key_public(p->key, AUDIT_KEY_LOG, "a b", &v, &e),
			 ERR_INPUT);
	assert_int_equal(audit_key_public(p->key, AUDIT_KEY_LOG, "a+b", &v, &e),
			 ERR_INPUT);
	assert_int_equal(audit_key_public(p->key, AUDIT_KEY_LOG, "", &v, &e),
			 ERR_INPUT);
	log_key(p, &v);
	assert_int_equal(audit_key_sign(p->key, "abc", 3, sig, &e), 0);
	assert_int_equal(audit_key_verify(&v, "abc", 3, sig, &e), 0);
	assert_int_equal(audit_key_verify(&v, "abd", 3, sig, &e), ERR_TRUST);
	assert_null(k);
}

/* The example key of C2SP signed-note (verifier key text and its hash). */
static void verifier_key_vector(void **state)
{
	static const char text[] =
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izW"
		"y10TW";
	char again[AUDIT_VKEY_BYTES];
	struct audit_vkey v;
	struct err e = {0};

	(void)state;
	assert_int_equal(audit_key_parse(text, &v, &e), 0);
	assert_string_equal(v.name, "PeterNeumann");
	audit_key_format(&v, again);
	assert_string_equal(again, text);
	assert_int_equal(audit_key_parse("a+00000000+AAAA", &v, &e), ERR_INPUT);
	assert_int_equal(audit_key_parse("PeterNeumann", &v, &e), ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(cosigns_growth),
		PLACE_TEST(A95_A96_fork_and_rollback_are_refused),
		PLACE_TEST(unsigned_note_is_refused),
		PLACE_TEST(keys),
		cmocka_unit_test(bad_notes),
		cmocka_unit_test(verifier_key_vector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

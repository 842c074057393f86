/*
 * test_witness_state.c - the writer of a host's log as a witness of the
 * manager's: A95 (fork, rollback) and A96 (log written anew with the log's own
 * key) are refused, and what was cosigned outlives the writer.  Seen red with
 * GUARD_OFF_WITNESS_FORK.
 */
#include "tests/unit/audit/place.h"

#include "audit/checkpoint.h"
#include "audit/client.h"
#include "audit/proof.h"
#include "audit/witness.h"

#include <dirent.h>

#define HOST "reconcile/host/host-1"

static const char *programs(char out[4200])
{
	const char *given = getenv("PROGRAMS");
	char exe[2048] = "";
	char *cut;

	if (given != NULL)
		return given;
	/* BUILD/unit/audit/test_x -> BUILD/bin */
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	cut = strstr(exe, "/unit/audit/");
	assert_non_null(cut);
	*cut = '\0';
	(void)snprintf(out, 4200, "%s/bin", exe);
	return out;
}

/* The host's writer, with a key and a folder of its own. */
static struct audit_client *host_open(struct place *p)
{
	struct audit_client *c = NULL;
	char bin[4200], dir[80], key[80];
	struct err e = {0};
	int r;

	(void)snprintf(dir, sizeof(dir), "%s/host", p->path);
	(void)snprintf(key, sizeof(key), "%s/host.key", p->path);
	if (access(key, F_OK) != 0)
		assert_int_equal(audit_key_generate(key, &e), 0);
	r = audit_client_open(programs(bin), dir, key, HOST, &c, &e);
	if (r != 0)
		print_error("%s\n", e.msg);
	assert_int_equal(r, 0);
	return c;
}

struct asked {
	struct audit_witness_answer answer;
	char *line; /* owned */
};

static int ask_note(struct place *p, struct audit_client *c, const char *note,
		    uint64_t old_size, struct asked *out, struct err *e)
{
	struct audit_proof proof = {.n = 0};
	const struct audit_witness_ask ask = {note, p->vkey, old_size, &proof};
	struct audit_checkpoint cp;

	*out = (struct asked){.line = NULL};
	assert_int_equal(audit_checkpoint_open(note, NULL, &cp, e), 0);
	if (old_size > 0 && old_size <= cp.size)
		assert_int_equal(audit_proof_consistency(p->dir, old_size,
							 cp.size, &proof, e),
				 0);
	return audit_client_witness(c, &ask, &out->answer, &out->line, e);
}

/* About the checkpoint as it is now. */
static enum audit_witness_verdict ask(struct place *p, struct audit_client *c,
				      uint64_t old_size, struct asked *out)
{
	struct err e = {0};
	struct buf note;

	place_read(p, AUDIT_FILE_CHECKPOINT, &note);
	assert_int_equal(ask_note(p, c, note.data, old_size, out, &e), 0);
	buf_release(&note);
	assert_true((out->line != NULL) ==
		    (out->answer.verdict == AUDIT_WITNESS_COSIGNED));
	free(out->line);
	out->line = NULL;
	return out->answer.verdict;
}

static void grow(struct place *p, size_t n)
{
	struct audit_log *log = place_open(p);

	place_append(log, n);
	place_checkpoint(log);
	audit_log_close(log);
}

static void cosigns_with_its_own_name(void **state)
{
	struct place *p = *state;
	struct audit_client *c = host_open(p);
	struct audit_vkey log, witness;
	struct err e = {0};
	struct asked a;
	struct buf note;
	size_t n = 0;

	place_make(p, 10);
	assert_int_equal(
		audit_key_parse(audit_client_witness_key(c), &witness, &e), 0);
	assert_string_equal(witness.name, HOST);
	assert_int_equal(witness.type, AUDIT_KEY_WITNESS);
	place_read(p, AUDIT_FILE_CHECKPOINT, &note);
	assert_int_equal(ask_note(p, c, note.data, 0, &a, &e), 0);
	assert_int_equal(a.answer.verdict, AUDIT_WITNESS_COSIGNED);
	assert_int_equal(a.answer.size, 10);
	buf_puts(&note, a.line);
	assert_int_equal(audit_key_parse(p->vkey, &log, &e), 0);
	assert_int_equal(
		audit_witness_count(note.data, &log, &witness, 1, &n, &e), 0);
	assert_int_equal(n, 1);
	free(a.line);
	buf_release(&note);
	/* an answer that was lost is given again, without a proof */
	assert_int_equal(ask(p, c, 0, &a), AUDIT_WITNESS_COSIGNED);
	grow(p, 5);
	/* a proof from elsewhere is no refusal: it says from where */
	assert_int_equal(ask(p, c, 3, &a), AUDIT_WITNESS_STALE);
	assert_int_equal(a.answer.size, 10);
	assert_int_equal(ask(p, c, 10, &a), AUDIT_WITNESS_COSIGNED);
	assert_int_equal(a.answer.size, 15);
	audit_client_close(c);
}

static void A95_rollback_is_refused_by_a_new_writer(void **state)
{
	struct place *p = *state;
	struct audit_client *c = host_open(p);
	struct buf old;
	struct err e = {0};
	struct asked a;

	place_make(p, 10);
	place_read(p, AUDIT_FILE_CHECKPOINT, &old);
	grow(p, 5);
	assert_int_equal(ask(p, c, 0, &a), AUDIT_WITNESS_COSIGNED);
	audit_client_close(c);
	c = host_open(p); /* the memory is on the disk */
	assert_int_equal(ask_note(p, c, old.data, 0, &a, &e), 0);
	assert_int_equal(a.answer.verdict, AUDIT_WITNESS_ROLLBACK);
	assert_null(a.line);
	assert_int_equal(a.answer.size, 15);
	assert_string_equal(
		a.answer.why,
		"witness: want a log of at least 15 entries, have 10");
	/* and it goes on with the true one */
	assert_int_equal(ask(p, c, 15, &a), AUDIT_WITNESS_COSIGNED);
	audit_client_close(c);
	buf_release(&old);
}

static void A96_rewritten_and_signed_again_is_refused(void **state)
{
	struct place *p = *state;
	struct audit_client *c = host_open(p);
	struct audit_log *log;
	struct asked a;

	place_make(p, 10);
	assert_int_equal(ask(p, c, 0, &a), AUDIT_WITNESS_COSIGNED);
	for (int same = 0; same < 2; same++) {
		(void)unlinkat(p->dir, AUDIT_FILE_LOG, 0);
		(void)unlinkat(p->dir, AUDIT_FILE_CHECKPOINT, 0);
		(void)unlinkat(p->dir, AUDIT_FILE_EDGE, 0);
		log = place_open(p);
		place_append(log, 1);
		place_append(log, same ? 8 : 15);
		place_checkpoint(log);
		audit_log_close(log);
		assert_int_equal(ask(p, c, 10, &a), AUDIT_WITNESS_FORK);
		assert_non_null(strstr(a.answer.why, "a fork"));
		assert_int_equal(a.answer.size, 10);
	}
	audit_client_close(c);
}

/* Of every log that this host watches. */
static void damage(struct place *p)
{
	int dir = openat(p->dir, "host", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fdopendir(dir);
	const struct dirent *d;
	struct err e = {0};
	int n = 0;

	assert_non_null(list);
	while ((d = readdir(list)) != NULL)
		if (strncmp(d->d_name, AUDIT_FILE_WITNESS,
			    strlen(AUDIT_FILE_WITNESS)) == 0) {
			assert_int_equal(file_replace(dir, d->d_name, 0600,
						      "x\n", 2, &e),
					 0);
			n++;
		}
	(void)closedir(list);
	assert_int_equal(n, 1);
}

static void others_keys_and_damaged_memory(void **state)
{
	struct place *p = *state;
	struct audit_client *c = host_open(p);
	const struct audit_proof none = {.n = 0};
	struct audit_witness_ask q = {"no note", p->vkey, 0, &none};
	struct audit_witness_answer answer;
	char *line = NULL;
	struct err e = {0};
	struct asked a;
	struct buf note;

	place_make(p, 3);
	assert_int_equal(audit_client_witness(c, &q, &answer, &line, &e), 0);
	assert_int_equal(answer.verdict, AUDIT_WITNESS_UNSIGNED);
	place_read(p, AUDIT_FILE_CHECKPOINT, &note);
	q.note = note.data;
	q.log_key = audit_client_witness_key(c);
	assert_int_equal(audit_client_witness(c, &q, &answer, &line, &e), 0);
	assert_int_equal(answer.verdict, AUDIT_WITNESS_UNSIGNED);
	assert_null(line);
	assert_int_equal(ask(p, c, 0, &a), AUDIT_WITNESS_COSIGNED);
	/* a memory that cannot be read is not an empty one */
	damage(p);
	assert_int_equal(ask_note(p, c, note.data, 3, &a, &e), ERR_AUDIT);
	assert_non_null(strstr(e.msg, "is damaged"));
	assert_null(a.line);
	/* the writer is of use still */
	assert_int_equal(audit_client_checkpoint(c, NULL, &e), 0);
	audit_client_close(c);
	buf_release(&note);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(cosigns_with_its_own_name),
		PLACE_TEST(A95_rollback_is_refused_by_a_new_writer),
		PLACE_TEST(A96_rewritten_and_signed_again_is_refused),
		PLACE_TEST(others_keys_and_damaged_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * witness_state.c - see witness_state.h.  Runs in the writer of a host's own
 * log; note, key text and proof come from a manager that may be hostile.
 *
 * Invariants: (1) a line leaves only after what it says is on the disk; (2) the
 * remembered size never falls; (3) a state that cannot be read is no empty
 * state: nothing is cosigned then.  The file is named by the digest of the
 * verifier key text, so that a log of another key starts anew.
 */
#include "audit/witness_state.h"

#include "audit/checkpoint.h"
#include "audit/reader.h"
#include "lib/encode.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/num.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STATE_MAX 256
#define NAME_BYTES (sizeof(AUDIT_FILE_WITNESS) + HASH_HEX)

static void file_name(const struct audit_vkey *log, char out[NAME_BYTES])
{
	char text[AUDIT_VKEY_BYTES], hex[HASH_HEX];

	audit_key_format(log, text);
	hash_sha256_hex(text, strlen(text), hex);
	(void)snprintf(out, NAME_BYTES, "%s%s", AUDIT_FILE_WITNESS, hex);
}

/* "SIZE ROOT\n", the root in hex. */
static bool parse(const char *text, struct audit_witness_state *out)
{
	size_t n = strcspn(text, " ");
	const char *root = text + n + 1;

	return text[n] == ' ' &&
	       num_parse_u64(text, n, INT64_MAX, &out->size) &&
	       strlen(root) == HASH_HEX && root[HASH_HEX - 1] == '\n' &&
	       encode_unhex(out->root, root, HASH_HEX - 1);
}

static int load(int dirfd, const char *name, struct audit_witness_state *out,
		struct err *err)
{
	struct err cause = {0};
	struct buf text;
	int r;

	buf_init(&text, STATE_MAX);
	r = file_read(dirfd, name, STATE_MAX, &text, &cause);
	if (r == ERR_NOTFOUND)
		r = 0; /* never cosigned this log */
	else if (r == 0 && (!text.data || !parse(text.data, out)))
		r = err_set(&cause, ERR_INPUT, "%s is damaged", name);
	buf_release(&text);
	return r < 0 ? err_set(err, ERR_AUDIT, "witness: %.900s", cause.msg)
		     : 0;
}

static int save(int dirfd, const char *name,
		const struct audit_witness_state *s, struct err *err)
{
	char text[STATE_MAX], hex[HASH_HEX];
	struct err cause = {0};
	int n;

	encode_hex(hex, s->root, sizeof(s->root));
	n = snprintf(text, sizeof(text), "%" PRIu64 " %s\n", s->size, hex);
	if (file_replace(dirfd, name, 0600, text, (size_t)n, &cause) < 0)
		return err_set(err, ERR_AUDIT, "witness: %.900s", cause.msg);
	return 0;
}

static int refuse(struct audit_witness_answer *out,
		  enum audit_witness_verdict verdict, const char *why)
{
	out->verdict = verdict;
	(void)snprintf(out->why, sizeof(out->why), "%.500s", why);
	return 0;
}

/* The log's own signature has been checked. */
static int answer(int dirfd, const struct audit_witness_ask *ask,
		  const struct audit_vkey *log,
		  const struct audit_checkpoint *cp,
		  const struct audit_key *key, const char *name, int64_t unix_s,
		  struct buf *line, struct audit_witness_answer *out,
		  struct err *err)
{
	const struct audit_proof none = {.n = 0};
	struct audit_witness_state known = {0}, s;
	char file[NAME_BYTES];
	struct err why = {0};
	struct buf made;
	int r;

	file_name(log, file);
	r = load(dirfd, file, &known, err);
	if (r < 0)
		return r;
	out->size = known.size;
	if (cp->size > known.size && ask->old_size != known.size)
		return refuse(out, AUDIT_WITNESS_STALE,
			      "the proof does not begin at what was cosigned");
	s = known;
	buf_init(&made, 4096);
	r = audit_witness_sign(&s, ask->note, log,
			       cp->size == known.size ? &none : ask->proof, key,
			       name, unix_s, &made, &why);
	if (r == ERR_CONFLICT) {
		r = refuse(out,
			   cp->size < known.size ? AUDIT_WITNESS_ROLLBACK
						 : AUDIT_WITNESS_FORK,
			   why.msg);
	} else if (r < 0) {
		r = err_set(err, ERR_AUDIT, "%.900s", why.msg);
	} else {
		if (memcmp(&s, &known, sizeof(s)) != 0)
			r = save(dirfd, file, &s, err);
		if (r == 0) {
			buf_put(line, made.data, made.len);
			out->size = s.size;
		}
	}
	buf_release(&made);
	return r;
}

int audit_witness_state_answer(int dirfd, const struct audit_witness_ask *ask,
			       const struct audit_key *key, const char *name,
			       int64_t unix_s, struct buf *line,
			       struct audit_witness_answer *out,
			       struct err *err)
{
	struct audit_witness_answer a = {.verdict = AUDIT_WITNESS_COSIGNED};
	struct audit_checkpoint cp;
	struct audit_vkey log;
	struct err why = {0};
	int r = audit_key_parse(ask->log_key, &log, &why);

	if (r == 0)
		r = audit_checkpoint_open(ask->note, &log, &cp, &why);
	if (r < 0)
		r = refuse(&a, AUDIT_WITNESS_UNSIGNED, why.msg);
	else
		r = answer(dirfd, ask, &log, &cp, key, name, unix_s, line, &a,
			   err);
	if (r == 0)
		*out = a;
	return r;
}

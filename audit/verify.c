/*
 * verify.c - is the log what was written?  Runs in `reconcile audit verify`,
 * without privilege; every byte of the folder is hostile.
 *
 * Each line must have the next sequence number, the hash of the line before and
 * its own hash; at each size that a good checkpoint signed, the Merkle root
 * must be the signed one.  A link that is broken between two entries which are
 * both well-formed does not say which of them is false; if a signed head
 * further on still hangs together with the second, it is the first.
 */
#include "audit/verify.h"
#include "audit/checkpoint.h"
#include "audit/note.h"
#include "audit/reader.h"
#include "audit/record.h"
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HISTORY_MAX ((size_t)64 * 1024 * 1024)

struct reason_row {
	const char *name, *text;
};

#define REASON_ROW(n, t) [AUDIT_REASON_##n] = {#n, t},
static const struct reason_row reasons[AUDIT_REASON_COUNT] = {
	AUDIT_REASON_LIST(REASON_ROW)};
#undef REASON_ROW

const char *audit_verify_reason(enum audit_reason reason)
{
	return (unsigned int)reason < AUDIT_REASON_COUNT ? reasons[reason].name
							 : "UNKNOWN";
}

const char *audit_verify_reason_text(enum audit_reason reason)
{
	return (unsigned int)reason < AUDIT_REASON_COUNT ? reasons[reason].text
							 : "unknown";
}

struct verifier {
	const struct audit_vkey *vkey; /* NULL: chain only */
	struct audit_checkpoint *cps;  /* good ones, by size */
	size_t n_cps, cap_cps, next_cp;
	struct hash *hash;
	struct audit_merkle tree;
	struct audit_verdict v;
	/* a broken link in front of this entry, waiting for proof; 0: none */
	uint64_t broken_at;
	uint8_t follow[HASH_BYTES]; /* chain behind the broken link */
};

/* --- checkpoints ---------------------------------------------------------- */

static int add_checkpoint(struct verifier *s, const struct audit_checkpoint *cp,
			  struct err *err)
{
	size_t cap = s->cap_cps ? s->cap_cps * 2 : 16;
	struct audit_checkpoint *grown;

	if (s->n_cps == s->cap_cps) {
		grown = reallocarray(s->cps, cap, sizeof(*grown));
		if (!grown)
			return err_set(err, ERR_NOMEM, "out of memory");
		s->cps = grown;
		s->cap_cps = cap;
	}
	s->cps[s->n_cps++] = *cp;
	return 0;
}

/* The history only narrows where a rewrite began: what is bad in it is skipped.
 * Notes are separated by an empty line after their signatures. */
static int read_history(struct verifier *s, int dirfd, struct err *err)
{
	struct audit_checkpoint cp;
	struct buf text;
	char *p, *end;
	int r;

	buf_init(&text, HISTORY_MAX);
	r = file_read(dirfd, AUDIT_FILE_HISTORY, HISTORY_MAX, &text, err);
	if (r == ERR_NOTFOUND || !text.data) {
		buf_release(&text);
		return 0;
	}
	for (p = text.data; r == 0 && p && *p; p = end) {
		char *gap = strstr(p, "\n\n");

		end = gap ? strstr(gap + 2, "\n\n") : NULL;
		if (end) {
			end[1] = '\0';
			end += 2;
		}
		if (gap && audit_checkpoint_open(p, s->vkey, &cp, NULL) == 0)
			r = add_checkpoint(s, &cp, err);
	}
	buf_release(&text);
	return r;
}

static int by_size(const void *a, const void *b)
{
	const struct audit_checkpoint *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size;
}

/* The checkpoint that counts: given, else the folder's.  Bad: a verdict. */
static int read_checkpoints(struct verifier *s, int dirfd, const char *given,
			    struct err *err)
{
	struct audit_checkpoint cp;
	struct buf note;
	int r = 0;

	buf_init(&note, AUDIT_NOTE_MAX);
	if (!given)
		r = file_read(dirfd, AUDIT_FILE_CHECKPOINT, AUDIT_NOTE_MAX,
			      &note, err);
	if (r == ERR_NOTFOUND)
		s->v.reason = AUDIT_REASON_NOCHECKPOINT;
	if (r == 0) {
		r = audit_checkpoint_open(given	      ? given
					  : note.data ? note.data
						      : "",
					  s->vkey, &cp, err);
		if (r == ERR_TRUST || r == ERR_INPUT)
			s->v.reason = AUDIT_REASON_SIGNATURE;
	}
	buf_release(&note);
	if (s->v.reason != AUDIT_REASON_GOOD)
		return 0;
	if (r == 0)
		r = add_checkpoint(s, &cp, err);
	if (r == 0)
		r = read_history(s, dirfd, err);
	if (r == 0)
		qsort(s->cps, s->n_cps, sizeof(*s->cps), by_size);
	return r;
}

/* --- entries -------------------------------------------------------------- */

static void blame(struct verifier *s, enum audit_reason reason, uint64_t first,
		  uint64_t last)
{
	s->v.reason = reason;
	s->v.bad_seq = first;
	s->v.bad_seq_last = last;
}

/* What is wrong with a line taken by itself and by its number. */
static enum audit_reason check_alone(struct verifier *s, const char *line,
				     size_t len, uint64_t want,
				     struct audit_record_scan *scan)
{
	uint8_t hash[HASH_BYTES];

	if (!audit_record_scan(line, len, scan))
		return AUDIT_REASON_FORM;
	if (scan->seq != want)
		return AUDIT_REASON_SEQ;
	audit_record_hash(s->hash, line, len, hash);
	if (memcmp(hash, scan->hash, sizeof(hash)) != 0)
		return AUDIT_REASON_HASH;
	return AUDIT_REASON_GOOD;
}

/* Compares with every checkpoint of exactly this size. */
static void check_roots(struct verifier *s)
{
	uint8_t root[AUDIT_HASH_BYTES];

	while (s->next_cp < s->n_cps &&
	       s->cps[s->next_cp].size == s->tree.size) {
		audit_merkle_root(&s->tree, s->hash, root);
#ifndef GUARD_OFF_AUDIT_ROOT
		if (memcmp(root, s->cps[s->next_cp].root, sizeof(root)) != 0) {
			blame(s, AUDIT_REASON_ROOT, s->v.signed_to + 1,
			      s->tree.size);
			return;
		}
#endif
		s->v.signed_to = s->tree.size;
		s->next_cp++;
	}
}

static void take_good(struct verifier *s, const char *line, size_t len,
		      const struct audit_record_scan *scan)
{
	static const char recovered[] = "\"type\":\"log.recovered\",";
	uint8_t leaf[AUDIT_HASH_BYTES];

	audit_merkle_leaf(s->hash, line, len, leaf);
	audit_merkle_add(&s->tree, s->hash, leaf);
	memcpy(s->v.head, scan->hash, sizeof(s->v.head));
	s->v.entries = s->tree.size;
	/* a value can not hold this text: its quotes would be escaped */
	if (memmem(line, len < 256 ? len : 256, recovered,
		   sizeof(recovered) - 1))
		s->v.recoveries++;
	check_roots(s);
}

/* Entry 1 is "log.open" on the origin, which is the key's name. */
static bool is_origin(const struct verifier *s, const char *line, size_t len)
{
	char want[AUDIT_NAME_MAX + 128] = "\"type\":\"log.open\",";

	if (s->vkey)
		(void)snprintf(want, sizeof(want),
			       "\"type\":\"log.open\",\"phase\":\"fact\","
			       "\"actor\":\"reconcile-audit\","
			       "\"object\":\"%s\",",
			       s->vkey->name);
	return memmem(line, len, want, strlen(want)) != NULL;
}

/* A line in the ordinary course; false: the first bad entry was found. */
static bool check_line(struct verifier *s, const char *line, size_t len)
{
	uint64_t seq = s->tree.size + 1;
	struct audit_record_scan scan;
	enum audit_reason bad = check_alone(s, line, len, seq, &scan);

	if (bad != AUDIT_REASON_GOOD) {
		blame(s, bad, seq, seq);
		return false;
	}
	if (memcmp(scan.prev, s->v.head, sizeof(scan.prev)) != 0) {
		blame(s, AUDIT_REASON_PREV, seq, seq);
		s->broken_at = seq;
		memcpy(s->follow, scan.hash, sizeof(s->follow));
		return false;
	}
	if (seq == 1 && !is_origin(s, line, len)) {
		blame(s, AUDIT_REASON_ORIGIN, 1, 1);
		return false;
	}
	take_good(s, line, len, &scan);
	return s->v.reason == AUDIT_REASON_GOOD;
}

/* Behind a broken link: does this still lead to a signed head?  Then the entry
 * before the link is the false one. */
static bool follow_line(struct verifier *s, const char *line, size_t len,
			uint64_t seq)
{
	struct audit_record_scan scan;

	if (seq > s->broken_at) {
		if (check_alone(s, line, len, seq, &scan) !=
			    AUDIT_REASON_GOOD ||
		    memcmp(scan.prev, s->follow, sizeof(scan.prev)) != 0)
			return false;
		memcpy(s->follow, scan.hash, sizeof(s->follow));
	}
	for (size_t i = s->next_cp; i < s->n_cps && s->cps[i].size <= seq; i++)
		if (s->cps[i].size == seq && s->cps[i].has_head &&
		    memcmp(s->cps[i].head, s->follow, sizeof(s->follow)) == 0 &&
		    s->broken_at - 1 > s->v.signed_to) {
			blame(s, AUDIT_REASON_HASH, s->broken_at - 1,
			      s->broken_at - 1);
			return false;
		}
	return true;
}

static int read_entries(struct verifier *s, int fd, struct err *err)
{
	struct audit_reader reader;
	bool going = true, follows = false;
	uint64_t seq = 0;
	const char *line;
	size_t len;
	int r;

	r = audit_reader_init(&reader, fd, 0, err);
	while (r == 0 && (going || follows)) {
		r = audit_reader_next(&reader, &line, &len, err);
		if (r <= 0)
			break;
		r = 0;
		seq++;
		if (going) {
			going = check_line(s, line, len);
			follows = !going && s->broken_at > 0;
		}
		if (follows)
			follows = follow_line(s, line, len, seq);
	}
	s->v.torn_bytes = reader.torn;
	audit_reader_release(&reader);
	return r;
}

/* --- the verdict ---------------------------------------------------------- */

static void say(struct audit_verdict *v)
{
	if (v->reason == AUDIT_REASON_GOOD)
		(void)snprintf(v->text, sizeof(v->text),
			       "%" PRIu64 " entries good, %" PRIu64
			       " covered by signed checkpoints, %" PRIu64
			       " recovered tail%s%s",
			       v->entries, v->signed_to, v->recoveries,
			       v->recoveries == 1 ? "" : "s",
			       v->torn_bytes ? "; a torn line at the end waits "
					       "for the writer"
					     : "");
	else if (v->bad_seq == 0)
		(void)snprintf(v->text, sizeof(v->text), "%s",
			       audit_verify_reason_text(v->reason));
	else if (v->bad_seq == v->bad_seq_last)
		(void)snprintf(v->text, sizeof(v->text),
			       "entry %" PRIu64 " (line %" PRIu64 "): %s",
			       v->bad_seq, v->bad_seq,
			       audit_verify_reason_text(v->reason));
	else
		(void)snprintf(v->text, sizeof(v->text),
			       "first bad entry is one of %" PRIu64 "..%" PRIu64
			       ": %s",
			       v->bad_seq, v->bad_seq_last,
			       audit_verify_reason_text(v->reason));
}

static int verify(struct verifier *s, int dirfd, const char *checkpoint,
		  struct err *err)
{
	int fd, r = 0;

	fd = openat(dirfd, AUDIT_FILE_LOG,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_sys(err, errno, "open the audit log");
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (s->vkey)
		r = read_checkpoints(s, dirfd, checkpoint, err);
	if (r == 0 && s->v.reason == AUDIT_REASON_GOOD)
		r = read_entries(s, fd, err);
	if (r == 0 && s->v.reason == AUDIT_REASON_GOOD && s->next_cp < s->n_cps)
		blame(s, AUDIT_REASON_TRUNCATED, s->v.entries + 1,
		      s->v.entries + 1);
	if (r == 0)
		audit_merkle_root(&s->tree, s->hash, s->v.root);
	(void)close(fd);
	return r;
}

int audit_verify_log(int dirfd, const char *vkey, const char *checkpoint,
		     struct audit_verdict *out, struct err *err)
{
	struct verifier s = {0};
	struct audit_vkey key;
	int r = 0;

	if (vkey)
		r = audit_key_parse(vkey, &key, err);
	if (r < 0)
		return r;
	s.vkey = vkey ? &key : NULL;
	s.hash = hash_new();
	r = verify(&s, dirfd, checkpoint, err);
	if (r == 0) {
		say(&s.v);
		*out = s.v;
		if (s.v.reason != AUDIT_REASON_GOOD)
			r = err_set(err, ERR_AUDIT, "%s", s.v.text);
	}
	hash_free(s.hash);
	free(s.cps);
	return r;
}

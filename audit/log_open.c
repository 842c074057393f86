/*
 * log_open.c - finding the place where the next entry goes.  Runs in the
 * writer.
 *
 * A log of a million entries must open at once, so what is signed is not read
 * again: the file "edge" holds the right edge of the Merkle tree at the last
 * checkpoint and the offset where it ends.  It is not trusted: its root must be
 * the root that our own key signed, and the line before the offset must have
 * the signed head.  If anything differs, the whole log is read and compared.
 */
#include "audit/log_open.h"
#include "audit/note.h"
#include "audit/reader.h"
#include "audit/record.h"
#include "lib/encode.h"
#include "lib/file.h"
#include "lib/num.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EDGE_MAX ((size_t)8192)

void audit_log_open_edge(const struct audit_log_place *place, struct buf *out)
{
	char hex[HASH_HEX];

	buf_printf(out, "%" PRIu64 " %" PRIu64 "\n", place->tree.size,
		   place->end);
	for (size_t i = 0; i < place->tree.n; i++) {
		encode_hex(hex, place->tree.edge[i], AUDIT_HASH_BYTES);
		buf_printf(out, "%s\n", hex);
	}
}

/* "SIZE OFFSET\n" and one hash a line, one per bit of SIZE. */
static bool parse_edge(const char *text, struct audit_log_place *out)
{
	size_t first = strcspn(text, " "), second;
	const char *p = text + first + 1;
	uint64_t size, end;

	if (text[first] != ' ' || !num_parse_u64(text, first, INT64_MAX, &size))
		return false;
	second = strcspn(p, "\n");
	if (p[second] != '\n' || !num_parse_u64(p, second, INT64_MAX, &end))
		return false;
	p += second + 1;
	out->tree.size = size;
	out->tree.n = (size_t)__builtin_popcountll(size);
	out->end = end;
	for (size_t i = 0; i < out->tree.n; i++) {
		if (strnlen(p, HASH_HEX) < HASH_HEX || p[HASH_HEX - 1] != '\n')
			return false;
		if (!encode_unhex(out->tree.edge[i], p, HASH_HEX - 1))
			return false;
		p += HASH_HEX;
	}
	return *p == '\0' && size > 0;
}

/* The hash member of the line that ends at offset end. */
static bool line_before(int fd, uint64_t end, uint8_t out[HASH_BYTES])
{
	char tail[HASH_BYTES * 2 + 3];

	if (end < sizeof(tail) ||
	    pread(fd, tail, sizeof(tail), (off_t)(end - sizeof(tail))) !=
		    (ssize_t)sizeof(tail))
		return false;
	return memcmp(tail + HASH_BYTES * 2, "\"}\n", 3) == 0 &&
	       encode_unhex(out, tail, (size_t)HASH_BYTES * 2);
}

static bool edge_matches(int dirfd, int fd, const struct audit_checkpoint *cp,
			 struct hash *h, struct audit_log_place *out)
{
	struct audit_log_place place = {0};
	uint8_t root[AUDIT_HASH_BYTES];
	struct buf text;
	bool ok;

	buf_init(&text, EDGE_MAX);
	ok = file_read(dirfd, AUDIT_FILE_EDGE, EDGE_MAX, &text, NULL) == 0 &&
	     text.data && parse_edge(text.data, &place);
	buf_release(&text);
	if (!ok || place.tree.size != cp->size || !cp->has_head)
		return false;
	audit_merkle_root(&place.tree, h, root);
	if (memcmp(root, cp->root, sizeof(root)) != 0 ||
	    !line_before(fd, place.end, place.head) ||
	    memcmp(place.head, cp->head, sizeof(cp->head)) != 0)
		return false;
	*out = place;
	return true;
}

/* *out_have: there is one.  Its signature must be ours. */
static int read_checkpoint(int dirfd, const struct audit_vkey *vkey,
			   struct audit_checkpoint *out, bool *out_have,
			   struct err *err)
{
	struct buf note;
	int r;

	*out_have = false;
	buf_init(&note, AUDIT_NOTE_MAX);
	r = file_read(dirfd, AUDIT_FILE_CHECKPOINT, AUDIT_NOTE_MAX, &note, err);
	if (r == ERR_NOTFOUND) {
		r = 0;
		goto out;
	}
	if (r == 0)
		r = audit_checkpoint_open(note.data ? note.data : "", vkey, out,
					  err);
	if (r == 0)
		*out_have = true;
out:
	buf_release(&note);
	return r;
}

/* Entry 1 is "log.open" on the origin; its own form is fixed, and origins have
 * no character that JSON escapes. */
static bool is_first(const char *line, size_t len, const char *origin)
{
	struct buf want;
	bool ok;

	buf_init(&want, 1024);
	buf_printf(&want,
		   "\"type\":\"log.open\",\"phase\":\"fact\","
		   "\"actor\":\"reconcile-audit\",\"object\":\"%s\",",
		   origin);
	ok = !want.failed && memmem(line, len, want.data, want.len) != NULL;
	buf_release(&want);
	return ok;
}

static int check_line(struct hash *h, const char *line, size_t len,
		      const char *origin, struct audit_log_place *p,
		      struct err *err)
{
	uint64_t want = p->tree.size + 1;
	struct audit_record_scan s;
	uint8_t hash[HASH_BYTES], leaf[AUDIT_HASH_BYTES];

	if (!audit_record_scan(line, len, &s) || s.seq != want ||
	    memcmp(s.prev, p->head, sizeof(p->head)) != 0)
		return err_set(err, ERR_AUDIT,
			       "entry %" PRIu64 " of the log is not what was "
			       "written; see \"reconcile audit verify\"",
			       want);
	audit_record_hash(h, line, len, hash);
	if (memcmp(hash, s.hash, sizeof(hash)) != 0)
		return err_set(err, ERR_AUDIT,
			       "entry %" PRIu64 " of the log has been changed; "
			       "see \"reconcile audit verify\"",
			       want);
	if (want == 1 && !is_first(line, len, origin))
		return err_set(err, ERR_AUDIT,
			       "the log was begun under another origin, want "
			       "\"%s\"",
			       origin);
	audit_merkle_leaf(h, line, len, leaf);
	audit_merkle_add(&p->tree, h, leaf);
	memcpy(p->head, hash, sizeof(p->head));
	p->end += len + 1;
	return 0;
}

/* Where the tree reaches the checkpoint's size its root must be that one's. */
static int check_signed(const struct audit_checkpoint *cp, struct hash *h,
			const struct audit_log_place *p, struct err *err)
{
	uint8_t root[AUDIT_HASH_BYTES];

	if (p->tree.size != cp->size)
		return 0;
	audit_merkle_root(&p->tree, h, root);
	if (memcmp(root, cp->root, sizeof(root)) == 0)
		return 0;
	return err_set(err, ERR_AUDIT,
		       "the log's first %" PRIu64 " entries differ from what "
		       "its checkpoint signed",
		       cp->size);
}

static int read_rest(int fd, const char *origin,
		     const struct audit_checkpoint *cp, struct hash *h,
		     struct audit_log_place *p, struct err *err)
{
	struct audit_reader reader;
	const char *line;
	size_t len;
	int r;

	r = audit_reader_init(&reader, fd, p->end, err);
	while (r == 0) {
		r = audit_reader_next(&reader, &line, &len, err);
		if (r <= 0)
			break;
		r = check_line(h, line, len, origin, p, err);
		if (r == 0 && cp)
			r = check_signed(cp, h, p, err);
	}
	if (r == 0)
		p->torn = reader.torn;
	audit_reader_release(&reader);
	if (r == 0 && cp && p->tree.size < cp->size)
		return err_set(err, ERR_AUDIT,
			       "the log has %" PRIu64 " entries, its "
			       "checkpoint signed %" PRIu64,
			       p->tree.size, cp->size);
	return r;
}

int audit_log_open_place(int dirfd, int fd, const char *origin,
			 const struct audit_vkey *vkey, struct hash *h,
			 struct audit_log_place *out, struct err *err)
{
	struct audit_log_place place = {0};
	struct audit_checkpoint cp;
	bool have = false;
	int r;

	r = read_checkpoint(dirfd, vkey, &cp, &have, err);
	if (r < 0)
		return err ? err_wrap(err, "checkpoint of the log") : r;
	if (have)
		(void)edge_matches(dirfd, fd, &cp, h, &place);
	r = read_rest(fd, origin, have ? &cp : NULL, h, &place, err);
	if (r < 0)
		return r;
	place.signed_size = have ? cp.size : 0;
	*out = place;
	return 0;
}

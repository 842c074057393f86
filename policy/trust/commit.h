/*
 * commit.h - the strict grammar of a git commit object, on its raw bytes.
 *
 * Pure; the input is hostile.  What git itself tolerates and would let two
 * readers see two things is refused (docs/trust.md section 2): exactly
 *
 *   tree, parent*, author, committer, then encoding?, mergetag*, gpgsig?
 *   in any order, an empty line, the message;
 *
 * no other header, no NUL anywhere, no CR in a header, all of it UTF-8, at most
 * COMMIT_BYTES_MAX.  The signed payload is the object without its gpgsig.
 */
#ifndef POLICY_TRUST_COMMIT_H
#define POLICY_TRUST_COMMIT_H

#include "policy/trust/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMIT_BYTES_MAX (1u << 20)
#define COMMIT_PARENTS_MAX 64
#define COMMIT_ID_BYTES 20
#define COMMIT_ID_HEX 41 /* with NUL */
#define COMMIT_SUBJECT 200

struct commit_id {
	uint8_t bytes[COMMIT_ID_BYTES];
};

struct commit_span {
	const char *at; /* borrowed from the object's bytes */
	size_t len;
};

struct commit_ident {
	struct commit_span name, email;
	int64_t when; /* unix seconds */
};

struct commit {
	struct commit_id tree;
	struct commit_id parents[COMMIT_PARENTS_MAX];
	size_t n_parents;
	struct commit_ident author, committer;
	struct commit_span message;
	/* Value of gpgsig as it stands: lines end in "\n ", no last newline.
	 * len 0: not signed. */
	struct commit_span signature;
	struct commit_span payload[2]; /* signed bytes, in order */
};

/* Whole object (without git's "commit N\0").  T101..T104, T111. */
int commit_parse(const char *bytes, size_t len, struct commit *out,
		 struct verdict *v);
/* Only the parents, of any commit that git would read: for history that was
 * accepted before.  At most max; false if the object has no tree line. */
bool commit_parents(const char *bytes, size_t len, struct commit_id *out,
		    size_t max, size_t *out_n);
/* Exactly 40 lower-case hex digits. */
bool commit_id_parse(const char *hex, size_t len, struct commit_id *out);
const char *commit_id_hex(const struct commit_id *id, char out[COMMIT_ID_HEX]);
/* First line of the message, escaped, cut to fit; returns out. */
const char *commit_subject(const struct commit *c, char out[COMMIT_SUBJECT]);
bool commit_id_equal(const struct commit_id *a, const struct commit_id *b);

/* --- the parts of the grammar that tags share (tag.h) --- */

struct commit_reader {
	const char *at, *end;
	struct verdict *v;
};

/* One header with its continuation lines: "key value". */
struct commit_header {
	struct commit_span key, value;
	const char *start, *next;
};

bool commit_span_is(const struct commit_span *s, const char *text);
/* Length, NUL, CR in a header, UTF-8.  T101, T102, T103. */
int commit_check_bytes(const char *bytes, size_t len, struct verdict *v);
/* Reads the header at r->at and leaves r->at there; *out_more is false at the
 * empty line that ends them.  T101. */
int commit_next_header(struct commit_reader *r, struct commit_header *out,
		       bool *out_more);
/* 40 hex digits; "Name <email> seconds +hhmm".  T101, T104. */
int commit_read_id(struct commit_reader *r, const struct commit_header *h,
		   struct commit_id *out);
int commit_read_ident(struct commit_reader *r, const struct commit_header *h,
		      struct commit_ident *out);

#endif

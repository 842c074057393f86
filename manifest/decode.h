/*
 * decode.h - a tree and a field table give a typed, checked, defaulted struct;
 * every fault becomes a diagnostic and decoding goes on.
 */
#ifndef MANIFEST_DECODE_H
#define MANIFEST_DECODE_H

#include "manifest/codes.h"
#include "manifest/field.h"
#include "manifest/manifest.h"

/* One step of the path from the document to here: a key or an index. */
struct decode_step {
	const struct decode_step *up;
	const char *key; /* NULL: index */
	size_t index;
};

struct decode {
	struct arena *arena;
	struct diags *diags;
	const char *path; /* file */
	const struct decode_step *step;
	const char *default_namespace;
	bool secret;	 /* inside a table whose values are hidden */
	bool partial;	 /* required fields may be absent */
	bool noise_said; /* one warning about dropped fields a file */
};

#define DECODE_HAVE_BYTES 160

void decode_table(struct decode *d, const struct table *t, const struct node *n,
		  void *obj);
/* As above on an obj that has its defaults already. */
void decode_given(struct decode *d, const struct table *t, const struct node *n,
		  void *obj);
/* Defaults of t in obj, as if nothing had been given. */
void decode_defaults(struct decode *d, const struct table *t, void *obj);

/* A diagnostic about n (in field `key` below the current step; NULL: here). */
void decode_say(struct decode *d, enum code code, enum diag_severity severity,
		const struct node *n, const char *key, const char *fix,
		const char *fmt, ...) __attribute__((format(printf, 7, 8)));
/* As decode_say() at value n of item [index] of list `key`, field `sub`. */
void decode_say_item(struct decode *d, enum code code,
		     enum diag_severity severity, const struct node *n,
		     const char *key, size_t index, const char *sub,
		     const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 9, 10)));
/* "string 'x'", "integer 5", "a list"; only the kind where it is secret. */
const char *decode_have(const struct decode *d, const struct node *n,
			char out[DECODE_HAVE_BYTES]);
struct manifest_pos decode_pos(const struct decode *d, const struct node *n);
/* String of a scalar whose field is a string; NULL after an error. */
const char *decode_string(struct decode *d, const struct node *n);
/* keyvals sorted by key; only strings.  check functions may be NULL. */
void decode_map(struct decode *d, const struct node *n, check_fn *check_key,
		check_fn *check, struct keyvals *out);

#endif

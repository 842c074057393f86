/*
 * field.h - the field tables: one const table per object of the API drives
 * decoding, defaults, did-you-mean, explain, canonical JSON and the man page.
 *
 * Invariants (tests/unit/manifest walks the tables): fields of a table are
 * sorted by name, so lookup is binary search and canonical JSON has sorted
 * keys; each has exactly one class; NOT_YET and REFUSED ones have a hint.
 */
#ifndef MANIFEST_FIELD_H
#define MANIFEST_FIELD_H

#include "manifest/check.h"
#include "manifest/node.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_class {
	FIELD_IMPLEMENTED,
	FIELD_GATED,   /* implemented, the signed policy must allow */
	FIELD_INERT,   /* checked; by definition without effect */
	FIELD_DROPPED, /* written by a server: warning */
	FIELD_NOT_YET, /* error that names the release */
	FIELD_REFUSED, /* error that says what to do instead */
	FIELD_CLASS_COUNT
};

enum field_type {
	FIELD_STR,	  /* const char * */
	FIELD_BOOL,	  /* bool */
	FIELD_TRI,	  /* int, enum tristate */
	FIELD_INT,	  /* int64_t, UNSET without a value */
	FIELD_MODE,	  /* int64_t; octal accepted */
	FIELD_ENUM,	  /* int: index in values */
	FIELD_INT_OR_STR, /* struct int_or_string */
	FIELD_CPU,	  /* int64_t milli-CPU */
	FIELD_BYTES,	  /* int64_t bytes */
	FIELD_STRS,	  /* struct strings */
	FIELD_INTS,	  /* int64_t * and size_t */
	FIELD_MAP,	  /* struct keyvals */
	FIELD_DATA,	  /* struct keyvals: text; finish() decodes */
	FIELD_DATA64,	  /* struct keyvals: base64; finish() decodes */
	FIELD_OBJ,	  /* nested struct */
	FIELD_OBJS,	  /* struct * and size_t */
	FIELD_TYPE_COUNT
};

#define FIELD_NOWHERE ((size_t)-1) /* checked, not stored */

enum { FIELD_IS_REQUIRED = 1u << 0 };

struct decode;
struct table;

struct field {
	const char *name;
	uint8_t type;  /* enum field_type */
	uint8_t class; /* enum field_class */
	uint8_t flags;
	/* 1 + value that the table's variant takes when the field is given */
	uint8_t variant;
	size_t offset, offset_n;
	const struct table *table; /* OBJ, OBJS */
	const char *fallback;	   /* default as text */
	int64_t min, max;	   /* INT; 0, 0: 0..2^31-1 */
	const char *const *values; /* allowed, NULL terminated */
	const char *const *later;  /* known values that come later */
	check_fn *check;	   /* of a string, an item, a map value */
	check_fn *check_key;	   /* of a map key */
	size_t pos;		   /* 1 + offset of a struct manifest_pos; 0 */
	const char *doc;
	const char *hint;      /* what to do instead, or how to give it */
	const char *since;     /* release of NOT_YET and later values */
	const char *deviation; /* "D4: ..." */
};

struct table {
	const char *name; /* "Container" */
	const struct field *fields;
	size_t n;
	size_t size; /* of the struct, for FIELD_OBJS */
	size_t pos;  /* 1 + offset of a struct manifest_pos; 0 */
	/* Fields with .variant set an int here; at most one may be given. */
	size_t variant; /* 1 + offset; 0: no variants */
	bool variant_required;
	bool secret; /* values never appear in a message */
	/* Says what is wrong between fields, writes defaults that depend on
	 * others.  Members may be unset where an error was reported. */
	void (*finish)(struct decode *d, const struct node *n, void *obj);
	/* Key that is not in fields; true if it said what is to be said. */
	bool (*unknown)(struct decode *d, const struct node *key);
};

#define FIELD_AT(type_, name_, st_, mem_, ...)                                 \
	{                                                                      \
		.name = (name_), .type = (type_),                              \
		.offset = offsetof(struct st_, mem_), __VA_ARGS__              \
	}
#define FIELD_LIST_AT(type_, name_, st_, mem_, n_, ...)                        \
	{                                                                      \
		.name = (name_), .type = (type_),                              \
		.offset = offsetof(struct st_, mem_),                          \
		.offset_n = offsetof(struct st_, n_), __VA_ARGS__              \
	}
/* An object that writes into the struct that holds it. */
#define FIELD_INTO(name_, table_, ...)                                         \
	{                                                                      \
		.name = (name_), .type = FIELD_OBJ, .table = (table_),         \
		__VA_ARGS__                                                    \
	}
#define FIELD_CHECKED(type_, name_, ...)                                       \
	{                                                                      \
		.name = (name_), .type = (type_), .offset = FIELD_NOWHERE,     \
		__VA_ARGS__                                                    \
	}
#define FIELD_LATER(name_, since_, hint_)                                      \
	{                                                                      \
		.name = (name_), .class = FIELD_NOT_YET, .since = (since_),    \
		.hint = (hint_)                                                \
	}
#define FIELD_NEVER(name_, hint_)                                              \
	{                                                                      \
		.name = (name_), .class = FIELD_REFUSED, .hint = (hint_)       \
	}
#define FIELD_NOISE(name_)                                                     \
	{                                                                      \
		.name = (name_), .class = FIELD_DROPPED,                       \
		.doc = "Written by a server; dropped with a warning."          \
	}
#define FIELD_REQ .flags = FIELD_IS_REQUIRED
#define FIELD_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FIELD_VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define FIELD_POS(st_, mem_) .pos = 1 + offsetof(struct st_, mem_)

/* NULL if the table has no such field. */
const struct field *field_find(const struct table *t, const char *name);
/* "string", "integer", "list of Container" ... */
const char *field_type_name(const struct field *f);
const char *field_class_name(enum field_class c);
/* A name in t that looks like word; NULL if none. */
const char *field_nearest(const struct table *t, const char *word);
/* Number of values. */
size_t field_n_values(const char *const *values);

#endif

/*
 * decode.h - one table per JSON object: name, type, place in a struct.
 *
 * Pure: no system call, no privilege.  Input may be hostile (a bundle made by
 * a client); memory is the arena's, so its cap bounds the work.  Unknown
 * members are ignored, as the specification demands of a runtime; members that
 * are known and not supported are refused by name (DECODE_REFUSE).
 */
#ifndef ENGINE_SPEC_DECODE_H
#define ENGINE_SPEC_DECODE_H

#include "lib/arena.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decode_i64 {
	int64_t v;
	bool set;
};

struct decode_u64 {
	uint64_t v;
	bool set;
};

struct decode_bool {
	bool v;
	bool set;
};

struct decode_strv {
	char **v; /* NULL terminated; NULL when the member is absent */
	size_t n;
};

struct decode_ids {
	uint32_t *v;
	size_t n;
};

enum decode_type {
	DECODE_STR,    /* char * */
	DECODE_FLAG,   /* bool */
	DECODE_BOOL,   /* struct decode_bool */
	DECODE_U32,    /* uint32_t */
	DECODE_I64,    /* struct decode_i64 */
	DECODE_U64,    /* struct decode_u64 */
	DECODE_STRV,   /* struct decode_strv */
	DECODE_IDS,    /* struct decode_ids */
	DECODE_MAP,    /* struct decode_strv: key, value, key, value ... */
	DECODE_OBJ,    /* struct, by sub */
	DECODE_PTR,    /* struct *, by sub and size; NULL when absent */
	DECODE_LIST,   /* struct array by sub and size; count at offset2 */
	DECODE_DICT,   /* object of objects: a LIST whose structs begin with a
			* char *, the key */
	DECODE_REFUSE, /* refused when present and not empty */
};

struct decode_field {
	const char *name;
	enum decode_type type;
	size_t offset;
	size_t offset2;			/* LIST, DICT: place of the count */
	size_t size;			/* LIST, DICT, PTR: of one element */
	const struct decode_field *sub; /* ends with name == NULL */
	bool required;
};

/* Fills target from the JSON object that bytes are, by table.  where is the
 * path for messages ("process").  A member that is null counts as absent, one
 * that is there twice is refused.  ERR_INPUT with line, column, the whole path
 * and what was wanted; target may then be half filled. */
int decode_object(const char *bytes, size_t len,
		  const struct decode_field *table, void *target,
		  struct arena *arena, const char *where, struct err *err);

#endif

/* decode.c - see decode.h. */
#include "engine/spec/decode.h"

#include "lib/jsonp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DECODE_WHERE_BYTES 256
#define DECODE_DEPTH_MAX 32
#define DECODE_FIELDS_MAX 64 /* bits of `seen` */
#define DECODE_GROW 8
/* for arrays of all kinds; strings are never longer than their text */
#define DECODE_ARRAYS_BYTES ((size_t)32 << 20)

struct decode {
	struct jsonp p;
	size_t arrays; /* bytes given to them so far */
	char where[DECODE_WHERE_BYTES];
};

static int decode_table(struct decode *d, const struct decode_field *table,
			void *target);

static int decode_want(struct decode *d, const char *want)
{
	char text[DECODE_WHERE_BYTES + 64];

	(void)snprintf(text, sizeof(text), "%s%swant %s", d->where,
		       d->where[0] != '\0' ? ": " : "", want);
	return jsonp_fail(&d->p, ERR_INPUT, text);
}

static int decode_text(struct decode *d, char **out)
{
	if (jsonp_peek(&d->p) != JSONP_STRING)
		return decode_want(d, "a string");
	return jsonp_string(&d->p, out);
}

static int decode_int(struct decode *d, struct jsonp_int *out)
{
	if (jsonp_peek(&d->p) != JSONP_NUMBER)
		return decode_want(d, "an integer");
	return jsonp_integer(&d->p, out);
}

static int decode_u64(struct decode *d, uint64_t *out)
{
	struct jsonp_int v = {0};
	int r = decode_int(d, &v);

	if (r == 0 && v.negative && v.size != 0)
		return decode_want(d, "an integer of at least 0");
	if (r == 0)
		*out = v.size;
	return r;
}

static int decode_u32(struct decode *d, uint32_t *out)
{
	struct jsonp_int v = {0};
	int r = decode_int(d, &v);

	if (r == 0 && ((v.negative && v.size != 0) || v.size > UINT32_MAX))
		return decode_want(d, "an integer of 0 to 4294967295");
	if (r == 0)
		*out = (uint32_t)v.size;
	return r;
}

static int decode_i64(struct decode *d, struct decode_i64 *out)
{
	struct jsonp_int v = {0};
	int r = decode_int(d, &v);

	if (r == 0 && !v.negative && v.size > INT64_MAX)
		return decode_want(d, "an integer below 2^63");
	if (r < 0)
		return r;
	out->v = v.negative ? (int64_t)(0 - v.size) : (int64_t)v.size;
	out->set = true;
	return 0;
}

static int decode_flag(struct decode *d, bool *out)
{
	enum jsonp_type t = jsonp_peek(&d->p);

	if (t != JSONP_TRUE && t != JSONP_FALSE)
		return decode_want(d, "true or false");
	return jsonp_bool(&d->p, out);
}

struct decode_array {
	char *v; /* of the arena; one zeroed element is always behind the last
		  */
	size_t n, cap, size;
};

/* The next element, zeroed; NULL over the limit.  What growing leaves behind
 * is at most as much again. */
static void *decode_room(struct decode *d, struct decode_array *a)
{
	char *more;

	if (a->n + 1 >= a->cap) {
		a->cap = a->cap == 0 ? DECODE_GROW : a->cap * 2;
		d->arrays += a->cap * a->size;
		if (d->arrays > DECODE_ARRAYS_BYTES) {
			(void)jsonp_fail(&d->p, ERR_LIMIT, "too large");
			return NULL;
		}
		more = arena_calloc(d->p.arena, a->cap, a->size);
		if (a->n > 0)
			memcpy(more, a->v, a->n * a->size);
		a->v = more;
	}
	return a->v + a->n++ * a->size;
}

/* A list of scalars: strings or ids. */
static int decode_scalars(struct decode *d, const char *want, size_t size,
			  int (*one)(struct decode *d, void *at), void *out,
			  size_t *out_n)
{
	struct decode_array a = {.size = size};
	bool more = false;
	void *at;
	int r;

	if (jsonp_peek(&d->p) != JSONP_ARRAY)
		return decode_want(d, want);
	r = jsonp_enter(&d->p, JSONP_ARRAY);
	while (r == 0 && (r = jsonp_next(&d->p, &more)) == 0) {
		at = decode_room(d, &a);
		if (at == NULL || !more)
			break;
		r = one(d, at);
	}
	if (d->p.failed != 0)
		return d->p.failed;
	a.n--; /* the one that found the end */
	memcpy(out, &a.v, sizeof(a.v));
	*out_n = a.n;
	return 0;
}

static int decode_one_string(struct decode *d, void *at)
{
	return decode_text(d, at);
}

static int decode_one_id(struct decode *d, void *at)
{
	return decode_u32(d, at);
}

static int decode_by_key(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Elements that begin with their key: sorted by it, each once. */
static int decode_sort(struct decode *d, const struct decode_array *a)
{
	size_t i;

	if (a->n == 0)
		return 0;
	qsort(a->v, a->n, a->size, decode_by_key);
	for (i = 1; i < a->n; i++)
		if (decode_by_key(a->v + (i - 1) * a->size,
				  a->v + i * a->size) == 0)
			return decode_want(d, "each key once");
	return 0;
}

static int decode_map(struct decode *d, struct decode_strv *out)
{
	struct decode_array a = {.size = 2 * sizeof(char *)};
	bool more = false;
	char **pair;
	int r;

	if (jsonp_peek(&d->p) != JSONP_OBJECT)
		return decode_want(d, "an object of strings");
	r = jsonp_enter(&d->p, JSONP_OBJECT);
	while (r == 0 && (r = jsonp_next(&d->p, &more)) == 0) {
		pair = decode_room(d, &a);
		if (pair == NULL || !more)
			break;
		r = jsonp_key(&d->p, &pair[0]);
		if (r == 0)
			r = decode_text(d, &pair[1]);
	}
	if (d->p.failed != 0)
		return d->p.failed;
	a.n--;
	memcpy(&out->v, &a.v, sizeof(a.v));
	out->n = 2 * a.n;
	return decode_sort(d, &a);
}

/* Where the element is: "[3]" in a list, ".key" in a dictionary, whose
 * elements begin with their key. */
static int decode_place(struct decode *d, bool dict, size_t i, char **at)
{
	size_t used = strlen(d->where);
	int r;

	if (!dict) {
		(void)snprintf(d->where + used, sizeof(d->where) - used,
			       "[%zu]", i);
		return 0;
	}
	r = jsonp_key(&d->p, at);
	if (r == 0)
		(void)snprintf(d->where + used, sizeof(d->where) - used, ".%s",
			       *at);
	return r;
}

static int decode_list(struct decode *d, const struct decode_field *f,
		       char *target)
{
	struct decode_array a = {.size = f->size};
	bool dict = f->type == DECODE_DICT, more = false;
	enum jsonp_type type = dict ? JSONP_OBJECT : JSONP_ARRAY;
	size_t keep = strlen(d->where);
	void *at;
	int r;

	if (jsonp_peek(&d->p) != type)
		return decode_want(d, dict ? "an object of objects" : "a list");
	r = jsonp_enter(&d->p, type);
	while (r == 0 && (r = jsonp_next(&d->p, &more)) == 0) {
		at = decode_room(d, &a);
		if (at == NULL || !more)
			break;
		r = decode_place(d, dict, a.n - 1, at);
		if (r == 0)
			r = decode_table(d, f->sub, at);
		d->where[keep] = '\0';
	}
	if (d->p.failed != 0)
		return d->p.failed;
	a.n--;
	memcpy(target + f->offset, &a.v, sizeof(a.v));
	memcpy(target + f->offset2, &a.n, sizeof(a.n));
	return dict ? decode_sort(d, &a) : 0;
}

static int decode_pointer(struct decode *d, const struct decode_field *f,
			  char *target)
{
	void *item = arena_alloc(d->p.arena, f->size);
	int r = decode_table(d, f->sub, item);

	if (r == 0)
		memcpy(target + f->offset, &item, sizeof(item));
	return r;
}

/* Empty or false says nothing and is no reason to refuse. */
static int decode_refuse(struct decode *d)
{
	char text[DECODE_WHERE_BYTES + 64];
	struct jsonp before;
	enum jsonp_type t = jsonp_peek(&d->p);
	bool more = false;
	char *word;
	int r;

	before = d->p;
	if (t == JSONP_FALSE)
		return jsonp_skip(&d->p);
	if (t == JSONP_STRING) {
		r = jsonp_string(&d->p, &word);
		if (r < 0 || word[0] == '\0')
			return r;
	}
	if (t == JSONP_OBJECT || t == JSONP_ARRAY) {
		r = jsonp_enter(&d->p, t);
		if (r == 0)
			r = jsonp_next(&d->p, &more);
		if (r < 0 || !more)
			return r;
	}
	d->p = before;
	(void)snprintf(text, sizeof(text), "%s: not supported by this runtime",
		       d->where);
	return jsonp_fail(&d->p, ERR_INPUT, text);
}

static int decode_value(struct decode *d, const struct decode_field *f,
			char *target)
{
	void *at = target + f->offset;
	struct decode_bool *b = at;
	struct decode_u64 *u = at;
	struct decode_strv *strv = at;
	struct decode_ids *ids = at;

	switch (f->type) {
	case DECODE_STR:
		return decode_text(d, at);
	case DECODE_FLAG:
		return decode_flag(d, at);
	case DECODE_BOOL:
		b->set = true;
		return decode_flag(d, &b->v);
	case DECODE_U32:
		return decode_u32(d, at);
	case DECODE_I64:
		return decode_i64(d, at);
	case DECODE_U64:
		u->set = true;
		return decode_u64(d, &u->v);
	case DECODE_STRV:
		return decode_scalars(d, "a list of strings", sizeof(char *),
				      decode_one_string, &strv->v, &strv->n);
	case DECODE_IDS:
		return decode_scalars(d, "a list of integers", sizeof(uint32_t),
				      decode_one_id, &ids->v, &ids->n);
	case DECODE_MAP:
		return decode_map(d, at);
	case DECODE_OBJ:
		return decode_table(d, f->sub, at);
	case DECODE_PTR:
		return decode_pointer(d, f, target);
	case DECODE_LIST:
	case DECODE_DICT:
		return decode_list(d, f, target);
	case DECODE_REFUSE:
		return decode_refuse(d);
	}
	return decode_want(d, "a known type");
}

/* One member; seen: which rows of the table were there already. */
static int decode_member(struct decode *d, const struct decode_field *table,
			 const char *key, uint64_t *seen, void *target)
{
	size_t keep = strlen(d->where), i;
	bool null = jsonp_peek(&d->p) == JSONP_NULL;
	int r;

	for (i = 0; table[i].name != NULL; i++)
		if (strcmp(table[i].name, key) == 0)
			break;
	if (table[i].name == NULL)
		return jsonp_skip(&d->p);
	(void)snprintf(d->where + keep, sizeof(d->where) - keep, "%s%s",
		       keep > 0 ? "." : "", key);
	if ((*seen >> i & 1) != 0)
		r = decode_want(d, "it once");
	else if (null)
		r = jsonp_skip(&d->p);
	else
		r = decode_value(d, &table[i], target);
	*seen |= (uint64_t)!null << i;
	d->where[keep] = '\0';
	return r;
}

static int decode_table(struct decode *d, const struct decode_field *table,
			void *target)
{
	uint64_t seen = 0;
	bool more = false;
	char *key = NULL;
	size_t i;
	int r;

	if (jsonp_peek(&d->p) != JSONP_OBJECT)
		return decode_want(d, "an object");
	r = jsonp_enter(&d->p, JSONP_OBJECT);
	while (r == 0 && (r = jsonp_next(&d->p, &more)) == 0 && more) {
		r = jsonp_key(&d->p, &key);
		if (r == 0)
			r = decode_member(d, table, key, &seen, target);
	}
	for (i = 0; r == 0 && table[i].name != NULL; i++) {
		assert(i < DECODE_FIELDS_MAX);
		if (!table[i].required || (seen >> i & 1) != 0)
			continue;
		(void)snprintf(d->where + strlen(d->where),
			       sizeof(d->where) - strlen(d->where), "%s%s",
			       d->where[0] != '\0' ? "." : "", table[i].name);
		r = decode_want(d, "it present");
	}
	return r;
}

int decode_object(const char *bytes, size_t len,
		  const struct decode_field *table, void *target,
		  struct arena *arena, const char *where, struct err *err)
{
	struct decode d = {.arrays = 0};
	struct err why = {0};
	int r;

	jsonp_init(&d.p, bytes, len, DECODE_DEPTH_MAX, arena, &why);
	(void)snprintf(d.where, sizeof(d.where), "%s", where);
	r = decode_table(&d, table, target);
	if (r == 0)
		r = jsonp_end(&d.p);
	return r < 0 ? err_set(err, r, "config: %s", why.msg) : 0;
}

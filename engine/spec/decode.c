/* decode.c - see decode.h. */
#include "engine/spec/decode.h"

#include "lib/text.h"

#include <string.h>

#define DECODE_WHERE_BYTES 256

struct decode {
	struct arena *arena;
	struct err *err;
	char where[DECODE_WHERE_BYTES];
};

static int decode_table(struct decode *d, const json_t *object,
			const struct decode_field *table, void *target);

static int decode_want(struct decode *d, const char *want)
{
	return err_set(d->err, ERR_INPUT, "config: %s: want %s", d->where,
		       want);
}

/* JSON text may hold \u0000; a C string must not end early. */
static int decode_text(struct decode *d, const json_t *value, char **out)
{
	const char *text = json_string_value(value);

	if (text == NULL)
		return decode_want(d, "a string");
	if (strlen(text) != json_string_length(value))
		return decode_want(d, "a string without NUL");
	*out = arena_strndup(d->arena, text, json_string_length(value));
	return 0;
}

/* Reals appear only for integers over INT64_MAX (see spec_read()). */
static int decode_u64_value(struct decode *d, const json_t *value,
			    uint64_t *out)
{
	if (json_is_real(value)) {
		if (json_real_value(value) < 9.2e18)
			return decode_want(d, "an integer");
		*out = UINT64_MAX;
		return 0;
	}
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return decode_want(d, "an integer of at least 0");
	*out = (uint64_t)json_integer_value(value);
	return 0;
}

static int decode_u32_value(struct decode *d, const json_t *value,
			    uint32_t *out)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > UINT32_MAX)
		return decode_want(d, "an integer of 0 to 4294967295");
	*out = (uint32_t)json_integer_value(value);
	return 0;
}

static int decode_strings(struct decode *d, const json_t *value,
			  struct decode_strv *out)
{
	size_t n = json_array_size(value);
	size_t i;
	int r;

	if (!json_is_array(value))
		return decode_want(d, "a list of strings");
	out->v = arena_calloc(d->arena, n + 1, sizeof(*out->v));
	out->n = n;
	for (i = 0; i < n; i++) {
		r = decode_text(d, json_array_get(value, i), &out->v[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_id_list(struct decode *d, const json_t *value,
			  struct decode_ids *out)
{
	size_t n = json_array_size(value);
	size_t i;
	int r;

	if (!json_is_array(value))
		return decode_want(d, "a list of integers");
	out->v = arena_calloc(d->arena, n + 1, sizeof(*out->v));
	out->n = n;
	for (i = 0; i < n; i++) {
		r = decode_u32_value(d, json_array_get(value, i), &out->v[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_map(struct decode *d, const json_t *value,
		      struct decode_strv *out)
{
	void *it = json_object_iter((json_t *)(uintptr_t)value);
	size_t i = 0;
	int r;

	if (!json_is_object(value))
		return decode_want(d, "an object of strings");
	out->n = 2 * json_object_size(value);
	out->v = arena_calloc(d->arena, out->n + 1, sizeof(*out->v));
	while (it != NULL) {
		out->v[i++] = arena_strdup(d->arena, json_object_iter_key(it));
		r = decode_text(d, json_object_iter_value(it), &out->v[i++]);
		if (r < 0)
			return r;
		it = json_object_iter_next((json_t *)(uintptr_t)value, it);
	}
	return 0;
}

static int decode_list(struct decode *d, const json_t *value,
		       const struct decode_field *f, char *target)
{
	size_t n = json_array_size(value);
	size_t keep = strlen(d->where);
	char *items = NULL;
	char num[32];
	size_t i;
	int r;

	if (!json_is_array(value))
		return decode_want(d, "a list");
	items = arena_calloc(d->arena, n + 1, f->size);
	for (i = 0; i < n; i++) {
		(void)snprintf(num, sizeof(num), "[%zu]", i);
		(void)strncat(d->where, num, sizeof(d->where) - keep - 1);
		r = decode_table(d, json_array_get(value, i), f->sub,
				 items + i * f->size);
		d->where[keep] = '\0';
		if (r < 0)
			return r;
	}
	memcpy(target + f->offset, &items, sizeof(items));
	memcpy(target + f->offset2, &n, sizeof(n));
	return 0;
}

static int decode_pointer(struct decode *d, const json_t *value,
			  const struct decode_field *f, char *target)
{
	void *item = arena_alloc(d->arena, f->size);
	int r = decode_table(d, value, f->sub, item);

	if (r == 0)
		memcpy(target + f->offset, &item, sizeof(item));
	return r;
}

static bool decode_is_empty(const json_t *value)
{
	return (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0) ||
	       (json_is_string(value) && json_string_length(value) == 0) ||
	       json_is_false(value);
}

static int decode_flag(struct decode *d, const json_t *value, bool *out)
{
	if (!json_is_boolean(value))
		return decode_want(d, "true or false");
	*out = json_is_true(value);
	return 0;
}

static int decode_i64_value(struct decode *d, const json_t *value,
			    struct decode_i64 *out)
{
	if (!json_is_integer(value))
		return decode_want(d, "an integer");
	out->v = json_integer_value(value);
	out->set = true;
	return 0;
}

static int decode_value(struct decode *d, const json_t *value,
			const struct decode_field *f, char *target)
{
	void *at = target + f->offset;
	struct decode_bool *b = at;
	struct decode_u64 *u = at;

	switch (f->type) {
	case DECODE_STR:
		return decode_text(d, value, at);
	case DECODE_FLAG:
		return decode_flag(d, value, at);
	case DECODE_BOOL:
		b->set = true;
		return decode_flag(d, value, &b->v);
	case DECODE_U32:
		return decode_u32_value(d, value, at);
	case DECODE_I64:
		return decode_i64_value(d, value, at);
	case DECODE_U64:
		u->set = true;
		return decode_u64_value(d, value, &u->v);
	case DECODE_STRV:
		return decode_strings(d, value, at);
	case DECODE_IDS:
		return decode_id_list(d, value, at);
	case DECODE_MAP:
		return decode_map(d, value, at);
	case DECODE_OBJ:
		return decode_table(d, value, f->sub, at);
	case DECODE_PTR:
		return decode_pointer(d, value, f, target);
	case DECODE_LIST:
		return decode_list(d, value, f, target);
	case DECODE_REFUSE:
		if (decode_is_empty(value))
			return 0;
		return err_set(d->err, ERR_INPUT,
			       "config: %s: not supported by this runtime",
			       d->where);
	}
	return decode_want(d, "a known type");
}

static int decode_table(struct decode *d, const json_t *object,
			const struct decode_field *table, void *target)
{
	const struct decode_field *f;
	size_t keep = strlen(d->where);
	const json_t *value;
	int r;

	if (!json_is_object(object))
		return decode_want(d, "an object");
	for (f = table; f->name != NULL; f++) {
		value = json_object_get(object, f->name);
		if ((value == NULL || json_is_null(value)) && !f->required)
			continue;
		(void)snprintf(d->where + keep, sizeof(d->where) - keep, "%s%s",
			       keep > 0 ? "." : "", f->name);
		r = value == NULL ? decode_want(d, "it present")
				  : decode_value(d, value, f, target);
		d->where[keep] = '\0';
		if (r < 0)
			return r;
	}
	return 0;
}

int decode_object(const json_t *object, const struct decode_field *table,
		  void *target, struct arena *arena, const char *where,
		  struct err *err)
{
	struct decode d = {.arena = arena, .err = err};

	(void)snprintf(d.where, sizeof(d.where), "%s", where);
	return decode_table(&d, object, table, target);
}

/* value.c - the types of fields, one row each; pure.  Input is hostile. */
#include "manifest/value.h"

#include "lib/num.h"
#include "lib/text.h"
#include "manifest/quantity.h"
#include "manifest/scalar.h"

#include <stdlib.h>
#include <string.h>

#define INT_MAX_DEFAULT 2147483647
#define MODE_MAX 0777

typedef void decode_fn(struct decode *d, const struct field *f,
		       const struct node *n, void *at, void *base);
typedef void fallback_fn(struct decode *d, const struct field *f, void *at);

static void say_type(struct decode *d, const struct node *n, const char *want,
		     const char *fix)
{
	char have[DECODE_HAVE_BYTES];

	decode_say(d, CODE_TYPE, DIAG_ERROR, n, NULL, fix, "want %s, have %s",
		   want, decode_have(d, n, have));
}

static void say_format(struct decode *d, const struct node *n, const char *want)
{
	char have[DECODE_HAVE_BYTES];

	decode_say(d, CODE_FORMAT, DIAG_ERROR, n, NULL, NULL,
		   "want %s, have %s", want, decode_have(d, n, have));
}

static int index_of(const char *const *values, const char *text)
{
	for (int i = 0; values && values[i]; i++)
		if (strcmp(values[i], text) == 0)
			return i;
	return -1;
}

static void say_value(struct decode *d, const struct field *f,
		      const struct node *n, const char *text)
{
	const char *near =
		text_nearest(text, f->values, field_n_values(f->values));
	char list[256], fix[80], have[DECODE_HAVE_BYTES];
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; f->values[i]; i++) {
		int r = snprintf(list + used, sizeof(list) - used, "%s%s",
				 i ? ", " : "",
				 f->values[i][0] ? f->values[i] : "\"\"");

		if (r < 0 || (size_t)r >= sizeof(list) - used)
			break;
		used += (size_t)r;
	}
	if (near)
		(void)snprintf(fix, sizeof(fix), "write %s", near);
	decode_say(d, CODE_VALUE, DIAG_ERROR, n, NULL, near ? fix : f->hint,
		   "want %s%s, have %s", f->values[1] ? "one of " : "", list,
		   decode_have(d, n, have));
}

/* Index in values, or -1 after a diagnostic. */
static int value_index(struct decode *d, const struct field *f,
		       const struct node *n, const char *text)
{
	char safe[80];
	int i = index_of(f->values, text);

	if (i >= 0)
		return i;
	if (index_of(f->later, text) < 0) {
		say_value(d, f, n, text);
		return -1;
	}
	decode_say(d, CODE_NOT_YET, DIAG_ERROR, n, NULL, f->hint,
		   "'%s' has no effect before release %s",
		   text_safe(safe, sizeof(safe), text, strlen(text)), f->since);
	return -1;
}

static bool string_ok(struct decode *d, const struct field *f,
		      const struct node *n, const char *text)
{
	const char *want = NULL;

	if (f->values && value_index(d, f, n, text) < 0)
		return false;
	if (f->check)
		want = f->check(text);
	if (want)
		say_format(d, n, want);
	return !want;
}

static void decode_str(struct decode *d, const struct field *f,
		       const struct node *n, void *at, void *base)
{
	const char *text = decode_string(d, n);

	(void)base;
	if (text && string_ok(d, f, n, text) && at)
		*(const char **)at = text;
}

static void fallback_str(struct decode *d, const struct field *f, void *at)
{
	(void)d;
	*(const char **)at = f->fallback;
}

/* 0, 1, or -1 after a diagnostic. */
static int read_bool(struct decode *d, const struct node *n)
{
	enum scalar_class c = SCALAR_STRING;
	const char *fix = NULL;

	if (n->type == NODE_SCALAR && n->plain)
		c = scalar_class(n->text, n->n);
	if (c == SCALAR_BOOL)
		return scalar_bool(n->text);
	if (c == SCALAR_BOOL_WORD)
		fix = strchr("yYoO", n->text[0]) && n->text[1] != 'f' &&
				      n->text[1] != 'F'
			      ? "write true"
			      : "write false";
	else if (n->type == NODE_SCALAR && !n->plain &&
		 (strcmp(n->text, "true") == 0 ||
		  strcmp(n->text, "false") == 0))
		fix = "write it without quotes";
	say_type(d, n, "true or false", fix);
	return -1;
}

static void decode_bool(struct decode *d, const struct field *f,
			const struct node *n, void *at, void *base)
{
	int v = read_bool(d, n);

	(void)f, (void)base;
	if (v >= 0 && at)
		*(bool *)at = v == 1;
}

static void fallback_bool(struct decode *d, const struct field *f, void *at)
{
	(void)d;
	*(bool *)at = f->fallback && f->fallback[0] == 't';
}

static void decode_tri(struct decode *d, const struct field *f,
		       const struct node *n, void *at, void *base)
{
	int v = read_bool(d, n);

	(void)f, (void)base;
	if (v >= 0 && at)
		*(int *)at = v;
}

static void fallback_tri(struct decode *d, const struct field *f, void *at)
{
	(void)d;
	*(int *)at = !f->fallback	     ? TRI_UNSET
		     : f->fallback[0] == 't' ? TRI_TRUE
					     : TRI_FALSE;
}

static int64_t int_max(const struct field *f)
{
	if (f->max == 0)
		return f->type == FIELD_MODE ? MODE_MAX : INT_MAX_DEFAULT;
	return f->max;
}

/* Number of a plain decimal; false after a diagnostic. */
static bool read_int(struct decode *d, const struct field *f,
		     const struct node *n, const char *want, int64_t *out)
{
	enum scalar_class c = SCALAR_STRING;
	char have[DECODE_HAVE_BYTES];
	int64_t max = int_max(f);
	bool ok;

	if (n->type == NODE_SCALAR && n->plain)
		c = scalar_class(n->text, n->n);
	if (c == SCALAR_INT_ODD ||
	    (c == SCALAR_OCTAL && f->type != FIELD_MODE)) {
		decode_say(d, CODE_OCTAL, DIAG_ERROR, n, NULL,
			   "write it as a decimal number", "want %s, have %s",
			   want, decode_have(d, n, have));
		return false;
	}
	if (c != SCALAR_INT && c != SCALAR_OCTAL) {
		bool digits = n->type == NODE_SCALAR && n->n > 0 && !n->plain &&
			      strspn(n->text, "0123456789") == n->n;

		say_type(d, n, want, digits ? "write it without quotes" : NULL);
		return false;
	}
	if (c == SCALAR_OCTAL)
		ok = scalar_octal(n->text, n->n, max, out);
	else
		ok = num_parse_i64(n->text, n->n, f->min, max, out);
	if (!ok)
		decode_say(d, CODE_RANGE, DIAG_ERROR, n, NULL,
			   f->type == FIELD_MODE
				   ? "write modes in octal, as in 0644"
				   : NULL,
			   "want a number from %lld to %lld, have %s",
			   (long long)f->min, (long long)max,
			   decode_have(d, n, have));
	return ok;
}

static void decode_int(struct decode *d, const struct field *f,
		       const struct node *n, void *at, void *base)
{
	int64_t v;

	(void)base;
	if (read_int(d, f, n, "an integer", &v) && at)
		*(int64_t *)at = v;
}

static int64_t fallback_number(const char *text)
{
	int64_t v = MANIFEST_UNSET;

	if (text)
		(void)num_parse_i64(text, strlen(text), 0, INT64_MAX, &v);
	return v;
}

static void fallback_int(struct decode *d, const struct field *f, void *at)
{
	(void)d;
	*(int64_t *)at = fallback_number(f->fallback);
}

static void decode_enum(struct decode *d, const struct field *f,
			const struct node *n, void *at, void *base)
{
	const char *text = decode_string(d, n);
	int i = text ? value_index(d, f, n, text) : -1;

	(void)base;
	if (i >= 0 && at)
		*(int *)at = i + (int)f->min;
}

static void fallback_enum(struct decode *d, const struct field *f, void *at)
{
	int i = f->fallback ? index_of(f->values, f->fallback) : -1;

	(void)d;
	*(int *)at = i >= 0 ? i + (int)f->min : 0;
}

static void decode_int_or_str(struct decode *d, const struct field *f,
			      const struct node *n, void *at, void *base)
{
	struct int_or_string *v = at;
	const char *want;
	int64_t num;

	(void)base;
	if (n->type == NODE_SCALAR &&
	    (!n->plain || scalar_class(n->text, n->n) == SCALAR_STRING)) {
		want = f->check ? f->check(n->text) : NULL;
		if (want)
			say_format(d, n, want);
		else
			*v = (struct int_or_string){true, 0, n->text};
	} else if (read_int(d, f, n, "an integer or a string", &num)) {
		*v = (struct int_or_string){false, num, NULL};
	}
}

static void fallback_int_or_str(struct decode *d, const struct field *f,
				void *at)
{
	struct int_or_string *v = at;

	(void)d;
	if (!f->fallback)
		return;
	if (num_parse_i64(f->fallback, strlen(f->fallback), 0, INT64_MAX,
			  &v->num))
		return;
	v->is_string = true;
	v->text = f->fallback;
}

static void decode_quantity(struct decode *d, const struct field *f,
			    const struct node *n, void *at, void *base)
{
	enum quantity_result r = QUANTITY_BAD;
	enum scalar_class c = SCALAR_STRING;
	char have[DECODE_HAVE_BYTES];
	bool fraction = false;
	int64_t v = 0;

	(void)base;
	if (n->type == NODE_SCALAR && n->plain)
		c = scalar_class(n->text, n->n);
	if (n->type == NODE_SCALAR &&
	    (c == SCALAR_STRING || c == SCALAR_INT || c == SCALAR_FLOAT))
		r = quantity_parse(n->text, f->type == FIELD_CPU ? 3 : 0, &v,
				   &fraction);
	if (r != QUANTITY_OK) {
		decode_say(d, r == QUANTITY_BAD ? CODE_QUANTITY : CODE_RANGE,
			   DIAG_ERROR, n, NULL, NULL,
			   "want a quantity such as %s, have %s%s",
			   f->type == FIELD_CPU ? "500m or 0.5" : "128Mi",
			   decode_have(d, n, have),
			   r == QUANTITY_RANGE ? " (negative or too large)"
					       : "");
		return;
	}
	if (f->type == FIELD_BYTES && fraction)
		decode_say(d, CODE_SUSPECT, DIAG_WARNING, n, NULL,
			   "write M or Mi",
			   "want whole bytes, have %s; rounded up to %lld",
			   decode_have(d, n, have), (long long)v);
	*(int64_t *)at = v;
}

static void fallback_quantity(struct decode *d, const struct field *f, void *at)
{
	(void)d;
	*(int64_t *)at = MANIFEST_UNSET;
	if (f->fallback)
		(void)quantity_parse(f->fallback, f->type == FIELD_CPU ? 3 : 0,
				     at, NULL);
}

static bool want_list(struct decode *d, const struct node *n)
{
	if (n->type == NODE_SEQ)
		return true;
	say_type(d, n, "a list", NULL);
	return false;
}

static bool item_null(struct decode *d, const struct node *n)
{
	if (!node_is_null(n))
		return false;
	decode_say(d, CODE_NULL_ITEM, DIAG_ERROR, n, NULL, "delete the item",
		   "want a list item, have null");
	return true;
}

static void decode_strs(struct decode *d, const struct field *f,
			const struct node *n, void *at, void *base)
{
	struct strings *out = at;
	const char **items;
	size_t count = 0;

	(void)base;
	if (!want_list(d, n))
		return;
	items = arena_calloc(d->arena, n->n, sizeof(*items));
	for (uint32_t i = 0; i < n->n; i++) {
		struct decode_step step = {.up = d->step, .index = i};
		const struct node *item = n->items[i];
		const char *text = NULL;

		d->step = &step;
		if (!item_null(d, item))
			text = decode_string(d, item);
		if (text && string_ok(d, f, item, text))
			items[count++] = text;
		d->step = step.up;
	}
	if (out)
		*out = (struct strings){items, count};
}

static void decode_ints(struct decode *d, const struct field *f,
			const struct node *n, void *at, void *base)
{
	int64_t *items;
	size_t count = 0;

	if (!want_list(d, n))
		return;
	items = arena_calloc(d->arena, n->n, sizeof(*items));
	for (uint32_t i = 0; i < n->n; i++) {
		struct decode_step step = {.up = d->step, .index = i};

		d->step = &step;
		if (!item_null(d, n->items[i]) &&
		    read_int(d, f, n->items[i], "an integer", &items[count]))
			count++;
		d->step = step.up;
	}
	*(int64_t **)at = items;
	*(size_t *)(void *)((char *)base + f->offset_n) = count;
}

static void decode_keyvals(struct decode *d, const struct field *f,
			   const struct node *n, void *at, void *base)
{
	(void)base;
	decode_map(d, n, f->check_key, f->check, at);
}

static void decode_data(struct decode *d, const struct field *f,
			const struct node *n, void *at, void *base)
{
	(void)f, (void)at, (void)base;
	if (n->type != NODE_MAP)
		say_type(d, n, "an object", NULL);
}

static void decode_obj(struct decode *d, const struct field *f,
		       const struct node *n, void *at, void *base)
{
	(void)base;
	decode_given(d, f->table, n, at);
}

static void fallback_obj(struct decode *d, const struct field *f, void *at)
{
	decode_defaults(d, f->table, at);
}

static void decode_objs(struct decode *d, const struct field *f,
			const struct node *n, void *at, void *base)
{
	char *items;
	size_t count = 0;

	if (!want_list(d, n))
		return;
	items = arena_calloc(d->arena, n->n, f->table->size);
	/* an item keeps its index also behind a broken one: finish() looks up
	 * nodes by it */
	for (uint32_t i = 0; i < n->n; i++) {
		struct decode_step step = {.up = d->step, .index = i};

		d->step = &step;
		if (!item_null(d, n->items[i]))
			decode_table(d, f->table, n->items[i],
				     items + count * f->table->size);
		else
			decode_defaults(d, f->table,
					items + count * f->table->size);
		count++;
		d->step = step.up;
	}
	*(void **)at = items;
	*(size_t *)(void *)((char *)base + f->offset_n) = count;
}

static const struct {
	decode_fn *decode;
	fallback_fn *fallback; /* NULL: zero is unset */
} types[FIELD_TYPE_COUNT] = {
	[FIELD_STR] = {decode_str, fallback_str},
	[FIELD_BOOL] = {decode_bool, fallback_bool},
	[FIELD_TRI] = {decode_tri, fallback_tri},
	[FIELD_INT] = {decode_int, fallback_int},
	[FIELD_MODE] = {decode_int, fallback_int},
	[FIELD_ENUM] = {decode_enum, fallback_enum},
	[FIELD_INT_OR_STR] = {decode_int_or_str, fallback_int_or_str},
	[FIELD_CPU] = {decode_quantity, fallback_quantity},
	[FIELD_BYTES] = {decode_quantity, fallback_quantity},
	[FIELD_STRS] = {decode_strs, NULL},
	[FIELD_INTS] = {decode_ints, NULL},
	[FIELD_MAP] = {decode_keyvals, NULL},
	[FIELD_DATA] = {decode_data, NULL},
	[FIELD_DATA64] = {decode_data, NULL},
	[FIELD_OBJ] = {decode_obj, fallback_obj},
	[FIELD_OBJS] = {decode_objs, NULL},
};

void value_decode(struct decode *d, const struct field *f, const struct node *n,
		  void *base)
{
	void *at = f->offset == FIELD_NOWHERE ? NULL : (char *)base + f->offset;

	types[f->type].decode(d, f, n, at, base);
}

void value_fallback(struct decode *d, const struct field *f, void *base)
{
	if (f->offset != FIELD_NOWHERE && types[f->type].fallback)
		types[f->type].fallback(d, f, (char *)base + f->offset);
}

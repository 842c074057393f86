/* canon.c - one row a field type, as in value.c; pure. */
#include "manifest/canon.h"

#include "lib/encode.h"
#include "manifest/manifest.h"
#include "manifest/scan.h"

#include <string.h>

#define BASE64_BYTES_MAX ((size_t)2 << 20)

/* Writes key and value, or nothing at all. */
typedef void put_fn(struct canon *c, const struct field *f, const void *at,
		    const void *base);

static void put_str(struct canon *c, const struct field *f, const void *at,
		    const void *base)
{
	const char *text = *(const char *const *)at;

	(void)base;
	if (text)
		jsonw_kstr(&c->w, f->name, text);
}

static void put_bool(struct canon *c, const struct field *f, const void *at,
		     const void *base)
{
	(void)base;
	jsonw_kbool(&c->w, f->name, *(const bool *)at);
}

static void put_tri(struct canon *c, const struct field *f, const void *at,
		    const void *base)
{
	int v = *(const int *)at;

	(void)base;
	if (v != TRI_UNSET)
		jsonw_kbool(&c->w, f->name, v == TRI_TRUE);
}

static void put_int(struct canon *c, const struct field *f, const void *at,
		    const void *base)
{
	int64_t v = *(const int64_t *)at;

	(void)base;
	if (v != MANIFEST_UNSET)
		jsonw_kint(&c->w, f->name, v);
}

static void put_quantity(struct canon *c, const struct field *f, const void *at,
			 const void *base)
{
	int64_t v = *(const int64_t *)at;
	char text[32];

	(void)base;
	if (v == MANIFEST_UNSET)
		return;
	(void)snprintf(text, sizeof(text),
		       f->type == FIELD_CPU ? "%lldm" : "%lld", (long long)v);
	jsonw_kstr(&c->w, f->name, text);
}

static void put_enum(struct canon *c, const struct field *f, const void *at,
		     const void *base)
{
	int i = *(const int *)at - (int)f->min;

	(void)base;
	if (i >= 0)
		jsonw_kstr(&c->w, f->name, f->values[i]);
}

static void put_int_or_str(struct canon *c, const struct field *f,
			   const void *at, const void *base)
{
	const struct int_or_string *v = at;

	(void)base;
	if (!v->is_string)
		jsonw_kint(&c->w, f->name, v->num);
	else if (v->text)
		jsonw_kstr(&c->w, f->name, v->text);
}

static void put_strs(struct canon *c, const struct field *f, const void *at,
		     const void *base)
{
	const struct strings *v = at;

	(void)base;
	if (v->n == 0)
		return;
	jsonw_key(&c->w, f->name);
	jsonw_arr(&c->w);
	for (size_t i = 0; i < v->n; i++)
		jsonw_str(&c->w, v->items[i]);
	jsonw_arr_end(&c->w);
}

static size_t count_at(const struct field *f, const void *base)
{
	return *(const size_t *)(const void *)((const char *)base +
					       f->offset_n);
}

static void put_ints(struct canon *c, const struct field *f, const void *at,
		     const void *base)
{
	const int64_t *items = *(const int64_t *const *)at;
	size_t n = count_at(f, base);

	if (n == 0)
		return;
	jsonw_key(&c->w, f->name);
	jsonw_arr(&c->w);
	for (size_t i = 0; i < n; i++)
		jsonw_int(&c->w, items[i]);
	jsonw_arr_end(&c->w);
}

static void put_map(struct canon *c, const struct field *f, const void *at,
		    const void *base)
{
	const struct keyvals *v = at;

	(void)base;
	if (v->n == 0)
		return;
	jsonw_key(&c->w, f->name);
	jsonw_obj(&c->w);
	for (size_t i = 0; i < v->n; i++)
		jsonw_kstr(&c->w, v->items[i].key, v->items[i].value);
	jsonw_obj_end(&c->w);
}

static void put_base64(struct canon *c, const struct keyval *kv)
{
	struct buf text;

	buf_init(&text, BASE64_BYTES_MAX);
	encode_base64(&text, kv->value, kv->len);
	jsonw_key(&c->w, kv->key);
	jsonw_strn(&c->w, text.data ? text.data : "", text.len);
	if (text.data)
		explicit_bzero(text.data, text.len);
	buf_release(&text);
}

/* Both maps of a ConfigMap share one member: what is text goes to "data", the
 * rest to "binaryData"; a Secret has base64 only. */
static void put_data(struct canon *c, const struct field *f, const void *at,
		     const void *base)
{
	const struct keyvals *v = at;
	bool split = strcmp(f->name, "data") != 0 || f->type == FIELD_DATA;
	bool open = false;

	(void)base;
	if (strcmp(f->name, "stringData") == 0)
		return;
	for (size_t i = 0; i < v->n; i++) {
		const struct keyval *kv = &v->items[i];

		if (split && scan_value_ok(kv->value, kv->len) !=
				     (f->type == FIELD_DATA))
			continue;
		if (!open) {
			jsonw_key(&c->w, f->name);
			jsonw_obj(&c->w);
			open = true;
		}
		if (f->type == FIELD_DATA) {
			jsonw_key(&c->w, kv->key);
			jsonw_strn(&c->w, kv->value, kv->len);
		} else {
			put_base64(c, kv);
		}
	}
	if (open)
		jsonw_obj_end(&c->w);
}

static bool chosen(const struct table *t, const struct field *f,
		   const void *obj)
{
	if (!f->variant)
		return true;
	return *(const int *)(const void *)((const char *)obj + t->variant -
					    1) == f->variant - 1;
}

/* An object that must be one of several and is none was never given. */
static bool is_absent(const struct table *t, const void *obj)
{
	if (!t->variant_required)
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (t->fields[i].variant && chosen(t, &t->fields[i], obj))
			return false;
	return true;
}

static void put_obj(struct canon *c, const struct field *f, const void *at,
		    const void *base)
{
	struct jsonw before = c->w;
	struct buf *out = c->w.out;
	size_t len = out->len, start;

	(void)base;
	if (is_absent(f->table, at))
		return;
	jsonw_key(&c->w, f->name);
	start = out->len;
	canon_table(c, f->table, at);
	if (f->table == c->mark) {
		c->mark_start = start;
		c->mark_end = out->len;
	}
	/* an object with nothing in it is left out, unless it is a choice */
	if (out->len - start == 2 && !f->variant && !out->failed) {
		c->w = before;
		out->len = len;
		out->data[len] = '\0';
	}
}

static void put_objs(struct canon *c, const struct field *f, const void *at,
		     const void *base)
{
	const char *items = *(const char *const *)at;
	size_t n = count_at(f, base);

	if (n == 0)
		return;
	jsonw_key(&c->w, f->name);
	jsonw_arr(&c->w);
	for (size_t i = 0; i < n; i++)
		canon_table(c, f->table, items + i * f->table->size);
	jsonw_arr_end(&c->w);
}

static put_fn *const puts_of[FIELD_TYPE_COUNT] = {
	[FIELD_STR] = put_str,
	[FIELD_BOOL] = put_bool,
	[FIELD_TRI] = put_tri,
	[FIELD_INT] = put_int,
	[FIELD_MODE] = put_int,
	[FIELD_ENUM] = put_enum,
	[FIELD_INT_OR_STR] = put_int_or_str,
	[FIELD_CPU] = put_quantity,
	[FIELD_BYTES] = put_quantity,
	[FIELD_STRS] = put_strs,
	[FIELD_INTS] = put_ints,
	[FIELD_MAP] = put_map,
	[FIELD_DATA] = put_data,
	[FIELD_DATA64] = put_data,
	[FIELD_OBJ] = put_obj,
	[FIELD_OBJS] = put_objs,
};

void canon_init(struct canon *c, struct buf *out)
{
	*c = (struct canon){0};
	jsonw_init(&c->w, out);
}

void canon_table(struct canon *c, const struct table *t, const void *obj)
{
	const char *kind = c->kind;

	c->kind = NULL;
	jsonw_obj(&c->w);
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->fields[i];

		if (f->class > FIELD_INERT || !chosen(t, f, obj))
			continue;
		if (f->offset != FIELD_NOWHERE)
			puts_of[f->type](c, f, (const char *)obj + f->offset,
					 obj);
		else if (kind && strcmp(f->name, "kind") == 0)
			jsonw_kstr(&c->w, "kind", kind);
	}
	jsonw_obj_end(&c->w);
}

/*
 * decode.c - walks a tree along the field tables.  Runs where load.c runs; the
 * tree is hostile in content, bounded in size.
 *
 * A table is applied in two steps: first every default of the whole struct,
 * then what was given, so that finish() sees complete members.
 */
#include "manifest/decode.h"

#include "lib/text.h"
#include "manifest/scalar.h"
#include "manifest/value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 128
#define POINTER_BYTES 512

struct manifest_pos decode_pos(const struct decode *d, const struct node *n)
{
	return (struct manifest_pos){d->path, n->line, n->column};
}

static void put_token(struct buf *out, const char *key)
{
	buf_putc(out, '/');
	for (const char *s = key; *s; s++) {
		if (*s == '~')
			buf_puts(out, "~0");
		else if (*s == '/')
			buf_puts(out, "~1");
		else
			text_escape(out, s, 1);
	}
}

static void put_steps(struct buf *out, const struct decode_step *s)
{
	if (!s)
		return;
	put_steps(out, s->up);
	if (s->key)
		put_token(out, s->key);
	else
		buf_printf(out, "/%zu", s->index);
}

static void say(struct decode *d, enum code code, enum diag_severity severity,
		const struct node *n, const struct decode_step *at,
		const char *fix, const char *text)
{
	struct buf pointer;

	if (d->diags->n >= d->diags->max) { /* only counted */
		diags_add(d->diags, codes_id(code), severity, decode_pos(d, n),
			  NULL, NULL, "%s", text);
		return;
	}
	buf_init(&pointer, POINTER_BYTES);
	put_steps(&pointer, at);
	diags_add(d->diags, codes_id(code), severity, decode_pos(d, n),
		  pointer.data ? pointer.data : "", fix, "%s", text);
	buf_release(&pointer);
}

void decode_say(struct decode *d, enum code code, enum diag_severity severity,
		const struct node *n, const char *key, const char *fix,
		const char *fmt, ...)
{
	struct decode_step sub = {.up = d->step, .key = key};
	char text[ERR_MSG_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(d, code, severity, n, key ? &sub : d->step, fix, text);
}

void decode_say_item(struct decode *d, enum code code,
		     enum diag_severity severity, const struct node *n,
		     const char *key, size_t index, const char *sub,
		     const char *fix, const char *fmt, ...)
{
	struct decode_step list = {.up = d->step, .key = key};
	struct decode_step item = {.up = &list, .index = index};
	struct decode_step last = {.up = &item, .key = sub};
	const struct node *at = node_get(n, key), *field;
	char text[ERR_MSG_BYTES];
	va_list ap;

	if (at && at->type == NODE_SEQ && index < at->n) {
		at = at->items[index];
		field = sub ? node_get(at, sub) : NULL;
		at = field ? field : at;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(d, code, severity, at ? at : n, sub ? &last : &item, fix, text);
}

const char *decode_have(const struct decode *d, const struct node *n,
			char out[DECODE_HAVE_BYTES])
{
	char safe[80];
	const char *kind = node_kind(n);

	if (n->type != NODE_SCALAR || d->secret ||
	    (n->plain && scalar_class(n->text, n->n) == SCALAR_NULL)) {
		(void)snprintf(out, DECODE_HAVE_BYTES, "%s%s", kind,
			       d->secret && n->type == NODE_SCALAR
				       ? " (value hidden)"
				       : "");
		return out;
	}
	(void)snprintf(out, DECODE_HAVE_BYTES, "%s '%s'",
		       strncmp(kind, "an ", 3) == 0 ? kind + 3 : kind + 2,
		       text_safe(safe, sizeof(safe), n->text, n->n));
	return out;
}

const char *decode_string(struct decode *d, const struct node *n)
{
	char have[DECODE_HAVE_BYTES], safe[80], fix[120];

	if (n->type == NODE_SCALAR &&
	    (!n->plain || scalar_class(n->text, n->n) == SCALAR_STRING))
		return n->text;
	decode_have(d, n, have);
	if (n->type != NODE_SCALAR) {
		decode_say(d, CODE_TYPE, DIAG_ERROR, n, NULL, NULL,
			   "want a string, have %s", have);
		return NULL;
	}
	text_safe(safe, sizeof(safe), n->text, n->n);
	(void)snprintf(fix, sizeof(fix),
		       d->secret ? "quote it" : "quote it: \"%s\"", safe);
	decode_say(d, CODE_QUOTE, DIAG_ERROR, n, NULL, fix,
		   "want a string, have %s", have);
	return NULL;
}

static int by_map_key(const void *pa, const void *pb)
{
	const struct keyval *a = pa, *b = pb;

	return strcmp(a->key, b->key);
}

static void say_key(struct decode *d, const struct node *key, const char *want)
{
	char safe[80];

	decode_say(d, CODE_FORMAT, DIAG_ERROR, key, NULL, NULL,
		   "want %s, have '%s'", want,
		   text_safe(safe, sizeof(safe), key->text, key->n));
}

void decode_map(struct decode *d, const struct node *n, check_fn *check_key,
		check_fn *check, struct keyvals *out)
{
	char have[DECODE_HAVE_BYTES];
	struct keyval *items;
	size_t count = 0;

	if (n->type != NODE_MAP) {
		decode_say(d, CODE_TYPE, DIAG_ERROR, n, NULL, NULL,
			   "want an object, have %s", decode_have(d, n, have));
		return;
	}
	items = arena_calloc(d->arena, n->n, sizeof(*items));
	for (uint32_t i = 0; i < n->n; i++) {
		const struct node *k = n->pairs[i].key, *v = n->pairs[i].value;
		struct decode_step step = {.up = d->step, .key = k->text};
		const char *want = check_key ? check_key(k->text) : NULL;
		const char *text;

		if (want)
			say_key(d, k, want);
		d->step = &step;
		text = decode_string(d, v);
		want = text && check ? check(text) : NULL;
		if (want)
			decode_say(d, CODE_FORMAT, DIAG_ERROR, v, NULL, NULL,
				   "want %s, have %s", want,
				   decode_have(d, v, have));
		d->step = step.up;
		if (text)
			items[count++] = (struct keyval){k->text, text, v->n};
	}
	qsort(items, count, sizeof(*items), by_map_key);
	*out = (struct keyvals){items, count};
}

void decode_defaults(struct decode *d, const struct table *t, void *obj)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->fields[i].class <= FIELD_INERT)
			value_fallback(d, &t->fields[i], obj);
}

static void say_unknown(struct decode *d, const struct table *t,
			const struct node *key)
{
	const char *near = field_nearest(t, key->text);
	char safe[80], fix[120] = "";

	if (t->unknown && t->unknown(d, key))
		return;
	text_safe(safe, sizeof(safe), key->text, key->n);
	if (near)
		(void)snprintf(fix, sizeof(fix), "did you mean '%s'?", near);
	else if (key->text[0] == '$')
		(void)snprintf(fix, sizeof(fix),
			       "render the patch first: kustomize build");
	decode_say(d, CODE_UNKNOWN_FIELD, DIAG_ERROR, key, key->text,
		   fix[0] ? fix : NULL, "unknown field '%s' in %s", safe,
		   t->name);
}

/* Fields that have no struct member: nothing, a warning or an error. */
static void say_class(struct decode *d, const struct table *t,
		      const struct field *f, const struct node_pair *p)
{
	/* {} and [] say nothing, except where presence is the choice */
	if (p->value->type != NODE_SCALAR && p->value->n == 0 && !t->variant)
		return;
	if (f->class == FIELD_NOT_YET) {
		decode_say(d, CODE_NOT_YET, DIAG_ERROR, p->key, f->name,
			   f->hint, "'%s' has no effect before release %s",
			   f->name, f->since);
	} else if (f->class == FIELD_REFUSED) {
		decode_say(d, CODE_REFUSED, DIAG_ERROR, p->key, f->name,
			   f->hint, "'%s' is not supported", f->name);
	} else if (!d->noise_said) {
		d->noise_said = true;
		decode_say(d, CODE_DROPPED, DIAG_WARNING, p->key, f->name,
			   "delete it",
			   "'%s' is written by a server and was dropped; "
			   "others like it in this file are not reported",
			   f->name);
	}
}

static void take_variant(struct decode *d, const struct table *t,
			 const struct field *f, const struct field **first,
			 const struct node *n, void *obj)
{
	if (*first) {
		decode_say(d, CODE_ONE_OF, DIAG_ERROR, n, NULL,
			   "delete one of them",
			   "want one of the kinds of %s, have '%s' and '%s'",
			   t->name, (*first)->name, f->name);
		return;
	}
	*first = f;
	*(int *)((char *)obj + t->variant - 1) = f->variant - 1;
}

static void take_field(struct decode *d, const struct table *t,
		       const struct field *f, const struct node_pair *p,
		       void *obj)
{
	struct decode_step step = {.up = d->step, .key = f->name};

	if (f->class > FIELD_INERT) {
		say_class(d, t, f, p);
		return;
	}
	d->step = &step;
	if (f->pos)
		*(struct manifest_pos *)(void *)((char *)obj + f->pos - 1) =
			decode_pos(d, p->value);
	value_decode(d, f, p->value, obj);
	d->step = step.up;
}

static void say_variants(struct decode *d, const struct table *t,
			 const struct node *n)
{
	char list[200];
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; i < t->n; i++) {
		int r;

		if (!t->fields[i].variant || t->fields[i].class > FIELD_INERT)
			continue;
		r = snprintf(list + used, sizeof(list) - used, "%s%s",
			     used ? ", " : "", t->fields[i].name);
		if (r < 0 || (size_t)r >= sizeof(list) - used)
			break;
		used += (size_t)r;
	}
	decode_say(d, CODE_ONE_OF, DIAG_ERROR, n, NULL, NULL,
		   "want one of %s in %s, have none", list, t->name);
}

static void say_missing(struct decode *d, const struct table *t,
			const uint64_t seen[2], const struct node *n)
{
	if (d->partial)
		return;
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->fields[i];

		if (!(f->flags & FIELD_IS_REQUIRED) ||
		    (seen[i / 64] >> (i % 64) & 1))
			continue;
		decode_say(d, CODE_REQUIRED, DIAG_ERROR, n, NULL, f->hint,
			   "%s needs '%s'", t->name, f->name);
	}
}

/* What is given, on top of the defaults. */
static void take_pairs(struct decode *d, const struct table *t,
		       const struct node *n, void *obj)
{
	const struct field *variant = NULL;
	uint64_t seen[2] = {0, 0};
	bool refused = false;

	assert(t->n <= FIELDS_MAX);
	for (uint32_t i = 0; i < n->n; i++) {
		const struct node_pair *p = &n->pairs[i];
		const struct field *f = field_find(t, p->key->text);
		size_t at;

		if (!f) {
			say_unknown(d, t, p->key);
			refused = true;
			continue;
		}
		if (node_is_null(p->value))
			continue;
		at = (size_t)(f - t->fields);
		seen[at / 64] |= (uint64_t)1 << (at % 64);
		if (f->variant)
			take_variant(d, t, f, &variant, p->key, obj);
		refused = refused || f->class > FIELD_DROPPED;
		take_field(d, t, f, p, obj);
	}
	say_missing(d, t, seen, n);
	if (t->variant_required && !variant && !refused && !d->partial)
		say_variants(d, t, n);
}

void decode_given(struct decode *d, const struct table *t, const struct node *n,
		  void *obj)
{
	char have[DECODE_HAVE_BYTES];
	bool secret = d->secret;

#ifndef GUARD_OFF_SECRET_HIDE
	d->secret = secret || t->secret;
#endif
	if (n->type != NODE_MAP) {
		decode_say(d, CODE_TYPE, DIAG_ERROR, n, NULL, NULL,
			   "want an object, have %s", decode_have(d, n, have));
		d->secret = secret;
		return;
	}
	if (t->pos)
		*(struct manifest_pos *)(void *)((char *)obj + t->pos - 1) =
			decode_pos(d, n);
	take_pairs(d, t, n, obj);
	if (t->finish)
		t->finish(d, n, obj);
	d->secret = secret;
}

void decode_table(struct decode *d, const struct table *t, const struct node *n,
		  void *obj)
{
	decode_defaults(d, t, obj);
	decode_given(d, t, n, obj);
}

/* form.c - see form.h; pure. */
#include "manifest/form.h"

#include "lib/hash.h"
#include "manifest/canon.h"
#include "manifest/kind.h"

#include <string.h>

static void short_hash(char out[17], const char *bytes, size_t len)
{
	char hex[HASH_HEX];

	hash_sha256_hex(bytes, len, hex);
	memcpy(out, hex, 16);
	out[16] = '\0';
}

int form_finish(struct object *o, struct arena *arena, struct buf *tmp,
		struct err *err)
{
	struct pod_template *t = NULL;
	struct canon c;
	size_t offset;
	int r;

	if (kind_template_offset(o->kind, &offset))
		t = (struct pod_template *)(void *)((char *)o + offset);
	buf_reset(tmp);
	canon_init(&c, tmp);
	if (t && o->kind == MANIFEST_POD) {
		canon_table(&c, &kind_pod_template_table, t);
		r = buf_check(tmp, err);
		if (r < 0)
			return r;
		short_hash(t->hash, tmp->data, tmp->len);
		buf_reset(tmp);
		canon_init(&c, tmp);
	}
	c.kind = kind_get(o->kind)->name;
	c.mark = &kind_pod_template_table;
	canon_table(&c, kind_get(o->kind)->table, o);
	r = buf_check(tmp, err);
	if (r < 0)
		return r;
	if (c.mark_end > c.mark_start && t)
		short_hash(t->hash, tmp->data + c.mark_start,
			   c.mark_end - c.mark_start);
	o->canonical = arena_strndup(arena, tmp->data, tmp->len);
	o->canonical_len = tmp->len;
	short_hash(o->hash, tmp->data, tmp->len);
	return 0;
}

int form_first_error(const struct diags *d, struct err *err)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].severity == DIAG_ERROR)
			return err_set(
				err, ERR_INPUT, "%s %s: %s", d->items[i].code,
				d->items[i].pointer ? d->items[i].pointer : "",
				d->items[i].message);
	return err_set(err, ERR_INPUT, "canonical object refused");
}

int form_decode(struct jsonread *r, char *text, size_t len, const char *path,
		struct arena *arena, struct arena *scratch, struct object *out,
		struct err *err)
{
	const struct node *root = NULL;
	struct diags diags;
	struct decode d = {.arena = arena, .diags = &diags, .path = path};
	int rc;

	diags_init(&diags, scratch, 8);
	rc = jsonread_parse(r, text, len, scratch, &root, err);
	if (rc < 0)
		return rc;
	if (!kind_decode(&d, root, out))
		return form_first_error(&diags, err);
	return 0;
}

static const char *text_of(const char *s)
{
	return s ? s : "";
}

int form_order(const void *pa, const void *pb)
{
	const struct object *a = pa, *b = pb;
	int r;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	r = strcmp(text_of(a->meta.namespace), text_of(b->meta.namespace));
	return r != 0 ? r
		      : strcmp(text_of(a->meta.name), text_of(b->meta.name));
}

/*
 * diags.c - the list of diagnostics of one run: kept up to a maximum, sorted by
 * place, printed one a line.  Pure.  Messages quote hostile text, so every
 * quoted part is escaped here once more than needed rather than once less.
 */
#include "manifest/manifest.h"

#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define DIAGS_MESSAGE_BYTES 1024

void diags_init(struct diags *d, struct arena *arena, size_t max)
{
	*d = (struct diags){.arena = arena, .max = max};
}

static bool diags_grow(struct diags *d)
{
	size_t cap = d->cap ? d->cap * 2 : 16;
	struct diag *items;

	if (d->n < d->cap)
		return true;
	if (d->n >= d->max)
		return false;
	items = arena_calloc(d->arena, cap, sizeof(*items));
	if (d->n > 0)
		memcpy(items, d->items, d->n * sizeof(*items));
	d->items = items;
	d->cap = cap;
	return true;
}

void diags_add(struct diags *d, const char *code, enum diag_severity sev,
	       struct manifest_pos pos, const char *pointer, const char *fix,
	       const char *fmt, ...)
{
	char text[DIAGS_MESSAGE_BYTES];
	va_list ap;

	if (sev == DIAG_ERROR)
		d->n_errors++;
	if (d->n >= d->max || !diags_grow(d)) {
		d->dropped++;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->items[d->n++] = (struct diag){
		.code = code,
		.severity = sev,
		.pos = pos,
		.pointer = arena_strdup(d->arena, pointer),
		.message = arena_strdup(d->arena, text),
		.fix = arena_strdup(d->arena, fix),
	};
}

static int by_number(unsigned int a, unsigned int b)
{
	return a < b ? -1 : a > b;
}

static int by_place(const void *pa, const void *pb)
{
	const struct diag *a = pa, *b = pb;
	int r = strcmp(a->pos.path ? a->pos.path : "",
		       b->pos.path ? b->pos.path : "");

	if (r == 0)
		r = by_number(a->pos.line, b->pos.line);
	if (r == 0)
		r = by_number(a->pos.column, b->pos.column);
	if (r == 0)
		r = strcmp(a->code, b->code);
	return r != 0 ? r : strcmp(a->message, b->message);
}

void diags_sort(struct diags *d)
{
	if (d->n > 1)
		qsort(d->items, d->n, sizeof(*d->items), by_place);
}

/* Words of ours in which what is hostile was escaped by who wrote them. */
static void put_words(struct buf *out, const char *words)
{
	text_inert(out, words, strlen(words), true);
}

static void print_one(const struct diag *g, struct buf *out)
{
	static const char *const severity[] = {"error", "warning", "note"};

	if (g->pos.path) {
		text_inert(out, g->pos.path, strlen(g->pos.path), false);
		if (g->pos.line > 0)
			buf_printf(out, ":%u:%u", g->pos.line, g->pos.column);
		buf_puts(out, ": ");
	}
	buf_printf(out, "%s ", severity[g->severity]);
	put_words(out, g->code);
	buf_puts(out, ": ");
	if (g->pointer && g->pointer[0]) {
		put_words(out, g->pointer);
		buf_puts(out, ": ");
	}
	put_words(out, g->message);
	if (g->fix) {
		buf_puts(out, " (fix: ");
		put_words(out, g->fix);
		buf_puts(out, ")");
	}
	buf_putc(out, '\n');
}

void diags_print_text(const struct diags *d, struct buf *out)
{
	for (size_t i = 0; i < d->n; i++)
		print_one(&d->items[i], out);
	if (d->dropped > 0)
		buf_printf(out, "%zu more diagnostics not shown\n", d->dropped);
}

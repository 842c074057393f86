/*
 * report_markdown.c - a report as a comment or a step summary.  Pure.
 *
 * Every word that is not ours stands in a code span or in a fenced block:
 * there, and only there, services look for no link, image, mention, issue
 * number, HTML or entity.  Backquotes are escaped, so neither can be left.
 * What does not fit is counted; errors come before the plan.
 */
#include "reconciler/report/format.h"

#include "reconciler/report/safe.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)
#define TEXT_BYTES ((size_t)256 << 20)
#define RESERVE_BYTES 512 /* the fence and the words about what was cut */
#define ID_SHOWN 12
#define NAMES_SHOWN 8

struct page {
	const struct report *r;
	struct arena *arena;
	struct buf *out;
	struct buf item; /* the line under way, for take() */
	size_t limit;
	size_t cut_findings, cut_requirements, cut_lines;
};

/* `text` as a code span; nothing for an empty one. */
static void put_code(struct buf *out, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_putc(out, '`');
#ifndef GUARD_OFF_REPORT_MARKDOWN
	for (const char *s = text; *s != '\0'; s++)
		if (*s == '`')
			buf_puts(out, "\\x60");
		else
			buf_putc(out, *s);
#else
	buf_puts(out, text);
#endif
	buf_putc(out, '`');
}

static void put_words(struct page *p, const char *before, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_puts(&p->item, before);
	put_code(&p->item, safe_words(p->arena, text));
}

static void put_names(struct page *p, const char *before,
		      const char *const *names, size_t n)
{
	for (size_t i = 0; i < n && i < NAMES_SHOWN; i++)
		put_words(p, i == 0 ? before : ", ", names[i]);
	if (n > NAMES_SHOWN)
		buf_printf(&p->item, " and %zu more", n - NAMES_SHOWN);
}

/* The item goes onto the page if it ends before `end`. */
static bool take(struct page *p, size_t end, size_t *cut)
{
	bool fits = !p->item.failed &&
		    p->out->len + p->item.len + RESERVE_BYTES <= end;

	if (fits)
		buf_put(p->out, p->item.data, p->item.len);
	else
		(*cut)++;
	buf_reset(&p->item);
	return fits;
}

static void put_requirement(struct page *p, const struct report_requirement *q)
{
	size_t more = q->threshold > q->n_have ? q->threshold - q->n_have : 0;

	buf_puts(&p->item, q->met ? "- met" : "- **missing**");
	if (!q->met)
		put_words(p, " ", q->code);
	put_words(p, " ", q->rule);
	put_names(p, ": ", q->paths, q->n_paths);
	if (q->paths_total > q->n_paths)
		buf_printf(&p->item, " and %zu more files",
			   q->paths_total - q->n_paths);
	if (q->threshold > 0)
		buf_printf(&p->item, "; %zu of %u", q->n_have, q->threshold);
	put_names(p, " signed: ", q->have, q->n_have);
	if (!q->met) {
		if (report_says_more(q))
			put_words(p, "\n  - why: ", q->message);
		if (more > 0)
			buf_printf(&p->item, "\n  - %zu more must sign", more);
		put_names(p, more > 0 ? " of " : "\n  - could sign: ", q->could,
			  q->n_could);
		put_words(p, "\n  - do: ", q->fix);
	}
	buf_putc(&p->item, '\n');
	(void)take(p, p->limit, &p->cut_requirements);
}

static void put_requirements(struct page *p, bool met)
{
	for (size_t i = 0; i < p->r->n_requirements; i++)
		if (p->r->requirements[i].met == met)
			put_requirement(p, &p->r->requirements[i]);
}

static void put_facts(struct page *p)
{
	for (size_t i = 0; i < p->r->n_facts; i++) {
		put_words(p, "- ", p->r->facts[i]);
		buf_putc(&p->item, '\n');
		(void)take(p, p->limit, &p->cut_requirements);
	}
}

static void put_finding(struct page *p, const struct report_finding *f)
{
	static const char *const names[] = {"**error**", "warning", "note"};

	buf_printf(&p->item, "- %s ", names[f->severity]);
	put_code(&p->item, safe_words(p->arena, f->code));
	if (f->path != NULL && f->line > 0)
		put_words(p, " ",
			  arena_printf(p->arena, "%s:%u:%u",
				       safe_name(p->arena, f->path), f->line,
				       f->column));
	else if (f->path != NULL)
		put_words(p, " ", safe_name(p->arena, f->path));
	put_words(p, " ", f->pointer);
	put_words(p, " ", f->message);
	put_words(p, "\n  - fix: ", f->fix);
	buf_putc(&p->item, '\n');
}

/* Requirements stand in a list of their own above. */
static bool is_listed(const struct page *p, const struct report_finding *f)
{
	for (size_t i = 0; i < p->r->n_requirements; i++)
		if (f->code == p->r->requirements[i].code)
			return true;
	return false;
}

/* At most three quarters of the page, so that something of the plan is seen. */
static void put_findings(struct page *p)
{
	const struct report_finding *items = NULL;
	size_t end = p->limit / 4 * 3;
	bool any = false;
	size_t n = 0;

	report_findings(p->r, p->arena, &items, &n);
	for (size_t i = 0; i < n; i++) {
		if (is_listed(p, &items[i]))
			continue;
		if (!any)
			buf_puts(p->out, "\n#### Findings\n\n");
		any = true;
		put_finding(p, &items[i]);
		(void)take(p, end, &p->cut_findings);
	}
}

static void put_cell(struct page *p, const char *what, const char *text)
{
	buf_printf(p->out, "| %s | %s |\n", what, text);
}

/* How many errors policy has, or everything else that is no trust. */
static const char *count(struct page *p, bool policy)
{
	const struct diags *d = p->r->diags;
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->items[i].severity == DIAG_ERROR &&
		     (d->items[i].code[0] == 'P') == policy;
	return n == 0 ? "good"
		      : arena_printf(p->arena, "%zu error%s", n,
				     n == 1 ? "" : "s");
}

static const char *short_id(struct page *p, const char *id)
{
	return safe_name(p->arena,
			 arena_strndup(p->arena, id, safe_fit(id, ID_SHOWN)));
}

/* Words of ours alone: a table has no code spans that bars could not leave. */
static void put_head(struct page *p)
{
	const struct report *r = p->r;

	buf_puts(p->out, "### reconcile\n\n");
	if (r->head_id != NULL) {
		put_code(p->out, short_id(p, r->head_id));
		if (r->base_id != NULL) {
			buf_puts(p->out, " compared with ");
			put_code(p->out, short_id(p, r->base_id));
		}
		buf_puts(p->out, "\n\n");
	}
	buf_puts(p->out, "| | |\n|---|---|\n");
	put_cell(p, "Trust", report_trust(r, p->arena));
	put_cell(p, "Manifests", count(p, false));
	put_cell(p, "Policy", count(p, true));
	put_cell(p, "Plan", report_changes(r, p->arena));
}

/* The plan's text, in which the renderer leaves no backquote. */
static int put_plan(struct page *p, const struct plan_style *style,
		    struct err *err)
{
	const struct report *r = p->r;
	struct buf text;
	size_t at = 0;
	int ret;

	if (r->plan == NULL || (r->plan->n == 0 && !r->plan->waiting))
		return 0;
	buf_init(&text, TEXT_BYTES);
	ret = plan_render_text(r->plan, r->want, r->world, NULL, style, &text,
			       err);
	if (ret == 0)
		buf_puts(p->out, "\n#### Plan\n\n```text\n");
	while (ret == 0 && at < text.len) {
		size_t n = strcspn(text.data + at, "\n") + 1;

		buf_put(&p->item, text.data + at, n);
		if (p->cut_lines > 0 || !take(p, p->limit, &p->cut_lines)) {
			p->cut_lines += p->item.len > 0;
			buf_reset(&p->item);
		}
		at += n;
	}
	if (ret == 0)
		buf_puts(p->out, "```\n");
	buf_release(&text);
	return ret;
}

static void put_cut(struct page *p)
{
	if (p->cut_findings + p->cut_requirements + p->cut_lines == 0)
		return;
	buf_printf(p->out,
		   "\nCut to fit here: %zu findings, %zu requirements and "
		   "%zu lines of the plan are not shown. The report in text "
		   "or JSON has them.\n",
		   p->cut_findings, p->cut_requirements, p->cut_lines);
}

int report_markdown(const struct report *r, const struct format_ask *ask,
		    struct buf *out, struct err *err)
{
	struct page p = {.r = r, .out = out};
	struct plan_style style = {.width = ask->style.width};
	int ret;

	p.arena = arena_new(ARENA_BYTES);
	p.limit =
		out->len + (ask->limit > 0 ? ask->limit : FORMAT_COMMENT_BYTES);
	buf_init(&p.item, TEXT_BYTES);
	put_head(&p);
	if (r->n_requirements + r->n_facts > 0)
		buf_puts(out, "\n#### Trust\n\n");
	put_facts(&p);
	put_requirements(&p, false);
	put_requirements(&p, true);
	put_findings(&p);
	ret = put_plan(&p, &style, err);
	put_cut(&p);
	buf_release(&p.item);
	arena_free(p.arena);
	return ret < 0 ? ret : buf_check(out, err);
}

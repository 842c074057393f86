/*
 * plan_render_text.c - a plan for people.  Pure; all text of commits and hosts
 * goes through planout_safe(), no line begins with it, values of Secrets are
 * not even looked at (A99).
 *
 * Order: namespace, object, wave; not that of execution, which the wave says.
 */
#include "reconciler/plan/plan.h"

#include "reconciler/plan/planout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_DEFAULT 80
#define LINE_BYTES 8192
#define COMMIT_SHOWN 12

struct text {
	const struct plan *p;
	const struct snapshot *want;
	const struct world *w;
	const struct plan_style *style;
	struct buf *out;
};

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int by_group(const struct plan_change *a, const struct plan_change *b)
{
	int r = compare_text(a->namespace, b->namespace);

	if (r == 0)
		r = a->kind < b->kind ? -1 : a->kind > b->kind;
	return r != 0 ? r : compare_text(a->name, b->name);
}

/* Within a group the plan's own order stays: positions in p->changes. */
static int by_group_stable(const void *pa, const void *pb)
{
	const struct plan_change *a = *(const struct plan_change *const *)pa;
	const struct plan_change *b = *(const struct plan_change *const *)pb;
	int r = by_group(a, b);

	return r != 0 ? r : a < b ? -1 : a > b;
}

static bool is_object(const struct plan_change *c)
{
	return c->action == PLAN_CREATE || c->action == PLAN_UPDATE ||
	       c->action == PLAN_DELETE;
}

static void put_sign(const struct text *t, int action)
{
	static const struct {
		char sign;
		const char *color;
	} signs[] = {
		[PLAN_CREATE] = {'+', "\033[32m"},
		[PLAN_UPDATE] = {'~', "\033[33m"},
		[PLAN_DELETE] = {'-', "\033[31m"},
		[PLAN_START] = {'+', "\033[32m"},
		[PLAN_STOP] = {'-', "\033[31m"},
	};

	if (t->style && t->style->color)
		buf_printf(t->out, "%s%c\033[0m", signs[action].color,
			   signs[action].sign);
	else
		buf_putc(t->out, signs[action].sign);
}

static void put_place(const struct text *t, const struct plan_change *c)
{
	if (c->pos.path) {
		buf_puts(t->out, "  ");
		planout_safe(t->out, c->pos.path);
		buf_printf(t->out, ":%u", c->pos.line);
	}
	if (c->signer && c->signer[0] != '\0') {
		buf_puts(t->out, "  signed by ");
		planout_safe(t->out, c->signer);
	}
}

static void put_images(const struct text *t, const struct container *items,
		       size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		const char *digest = planout_digest(items[i].image, t->w);

		buf_printf(t->out, "      %s ", word);
		planout_safe(t->out, items[i].name);
		buf_puts(t->out, ": ");
		planout_safe(t->out, items[i].image);
		if (!digest)
			buf_puts(t->out, " (digest not resolved yet)");
		else if (!items[i].image || !strchr(items[i].image, '@')) {
			buf_puts(t->out, " = ");
			planout_safe(t->out, digest);
		}
		buf_putc(t->out, '\n');
	}
}

/* The line of the object itself, then its images if pods of it start. */
static void put_object(const struct text *t, const struct plan_change *c,
		       bool starts)
{
	const struct object *o = planout_object(t->want, c);
	const struct pod_template *tmpl = o ? manifest_template(o) : NULL;

	buf_puts(t->out, "  ");
	if (is_object(c))
		put_sign(t, c->action);
	else
		buf_putc(t->out, ' ');
	buf_printf(t->out, " %s ", manifest_kind_name(c->kind));
	planout_safe(t->out, c->name);
	if (is_object(c))
		buf_printf(t->out, "  %s", planout_cause(c->cause));
	else
		buf_puts(t->out, o ? "  unchanged" : "  not in the commit");
	put_place(t, c);
	buf_putc(t->out, '\n');
	if (!tmpl || (!starts && !is_object(c)))
		return;
	put_images(t, tmpl->spec.init_containers, tmpl->spec.n_init_containers,
		   "init image");
	put_images(t, tmpl->spec.containers, tmpl->spec.n_containers, "image");
}

static void put_pod(const struct text *t, const struct plan_change *c)
{
	unsigned int width =
		t->style && t->style->width ? t->style->width : WIDTH_DEFAULT;
	struct buf line;
	struct buf reason;

	buf_init(&line, LINE_BYTES);
	buf_init(&reason, LINE_BYTES);
	buf_puts(&line, " pod ");
	planout_safe(&line, c->pod);
	if (c->host) {
		buf_puts(&line, " on ");
		planout_safe(&line, c->host);
	}
	buf_printf(&line, "  %s  wave %u", planout_cause(c->cause), c->wave);
	planout_safe(&reason, c->reason);
	buf_puts(t->out, "      ");
	put_sign(t, c->action);
	buf_put(t->out, line.data, line.len);
	if (reason.len > 0) {
		bool fits = 7 + line.len + 2 + reason.len <= width;

		buf_puts(t->out, fits ? "  " : "\n            ");
		buf_put(t->out, reason.data, reason.len);
	}
	buf_putc(t->out, '\n');
	buf_release(&line);
	buf_release(&reason);
}

/* All changes of one object, from items[i] on; returns where it ends. */
static size_t put_group(const struct text *t,
			const struct plan_change *const *items, size_t i,
			size_t n)
{
	const struct plan_change *head = items[i];
	bool starts = false;
	size_t end = i;

	for (; end < n && by_group(items[end], items[i]) == 0; end++) {
		starts |= items[end]->action == PLAN_START;
		if (is_object(items[end]))
			head = items[end];
	}
	put_object(t, head, starts);
	for (; i < end; i++)
		if (!is_object(items[i]))
			put_pod(t, items[i]);
	return end;
}

static void put_changes(const struct text *t,
			const struct plan_change *const *items, size_t n)
{
	for (size_t i = 0; i < n;) {
		const char *ns = items[i]->namespace;
		const char *before = i > 0 ? items[i - 1]->namespace : NULL;

		if (i == 0 || compare_text(ns, before) != 0) {
			buf_puts(t->out, i ? "\n" : "");
			if (ns) {
				buf_puts(t->out, "namespace ");
				planout_safe(t->out, ns);
			} else {
				buf_puts(t->out, "cluster");
			}
			buf_putc(t->out, '\n');
		}
		i = put_group(t, items, i, n);
	}
	if (n > 0)
		buf_putc(t->out, '\n');
}

static void put_id(struct buf *out, const char *commit)
{
	char id[COMMIT_SHOWN + 1];

	(void)snprintf(id, sizeof(id), "%.*s", COMMIT_SHOWN, commit);
	planout_safe(out, id);
}

static void put_head(const struct text *t)
{
	const char *applied = t->w ? t->w->applied_commit : NULL;

	if (!t->want || !t->want->commit)
		return;
	buf_puts(t->out, "commit ");
	put_id(t->out, t->want->commit);
	if (t->want->signer && t->want->signer[0] != '\0') {
		buf_puts(t->out, " signed by ");
		planout_safe(t->out, t->want->signer);
	} else {
		buf_puts(t->out, ", signatures not checked");
	}
	if (applied) {
		buf_puts(t->out, ", in force ");
		put_id(t->out, applied);
	}
	buf_puts(t->out, "\n\n");
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void put_summary(const struct text *t)
{
	const struct plan *p = t->p;

	if (p->n_deleting_objects_percent > 0)
		buf_printf(t->out, "Deletes %zu %% of the applied objects.\n",
			   p->n_deleting_objects_percent);
	if (p->n == 0) {
		buf_puts(t->out, "No changes.");
		if (p->waiting)
			buf_puts(t->out, " Waiting for pods to become ready.");
	} else {
		size_t n_objects = p->n_objects_create + p->n_objects_update +
				   p->n_objects_delete;

		buf_puts(t->out, "Plan: ");
		if (n_objects > 0)
			buf_printf(t->out,
				   "%zu object%s to create, %zu to update, "
				   "%zu to delete, ",
				   p->n_objects_create,
				   plural(p->n_objects_create),
				   p->n_objects_update, p->n_objects_delete);
		buf_printf(t->out, "%zu pod%s to start, %zu to stop",
			   p->n_pods_start, plural(p->n_pods_start),
			   p->n_pods_stop);
		if (p->n_drift > 0)
			buf_printf(t->out, " (%zu drift)", p->n_drift);
		if (p->waves > 1)
			buf_printf(t->out, ", in %u waves", p->waves);
		buf_putc(t->out, '.');
	}
	if (p->stuck)
		buf_puts(t->out, " Stuck: see the errors above.");
	buf_putc(t->out, '\n');
}

int plan_render_text(const struct plan *p, const struct snapshot *want,
		     const struct world *w, const struct diags *diags,
		     const struct plan_style *style, struct buf *out,
		     struct err *err)
{
	struct text t = {p, want, w, style, out};
	const struct plan_change **items;

	items = calloc(p->n + 1, sizeof(const struct plan_change *));
	if (!items)
		return err_set(err, ERR_NOMEM, "plan of %zu changes", p->n);
	for (size_t i = 0; i < p->n; i++)
		items[i] = &p->changes[i];
	if (p->n > 1)
		qsort(items, p->n, sizeof(const struct plan_change *),
		      by_group_stable);
	put_head(&t);
	put_changes(&t, items, p->n);
	if (diags && diags->n > 0) {
		diags_print_text(diags, out);
		buf_putc(out, '\n');
	}
	put_summary(&t);
	free(items);
	return buf_check(out, err);
}

/*
 * report.c - findings of a report, in the order in which a reader wants them.
 * Pure; every text is hostile.
 */
#include "reconciler/report/report.h"

#include "lib/hash.h"
#include "reconciler/report/safe.h"

#include <stdlib.h>
#include <string.h>

#define TRUST_PATH ".reconcile/trust.yaml"
#define COMMIT_SHOWN 12

struct list {
	const struct report *r;
	struct arena *arena;
	struct report_finding *items;
	size_t n;
};

static const char *words(const struct list *l, const char *text)
{
	return text != NULL && text[0] != '\0' ? safe_words(l->arena, text)
					       : NULL;
}

static void add(struct list *l, struct report_finding f)
{
	if (f.message == NULL)
		f.message = "";
	l->items[l->n++] = f;
}

static void add_requirement(struct list *l, const struct report_requirement *q)
{
	if (q->met)
		return;
	add(l, (struct report_finding){
		       .severity = DIAG_ERROR,
		       .code = q->code,
		       .path = q->n_paths > 0 ? q->paths[0] : TRUST_PATH,
		       .message = words(l, q->message),
		       .fix = words(l, q->fix),
	       });
}

bool report_bad(const struct report *r, const struct report_commit *c)
{
	if (strcmp(c->code, "OK") == 0)
		return false;
	for (size_t i = 0; i < r->diags->n; i++)
		if (strcmp(r->diags->items[i].code, c->code) == 0 &&
		    strstr(r->diags->items[i].message, c->commit) != NULL)
			return false;
	return true;
}

static void add_commit(struct list *l, const struct report_commit *c)
{
	const char *id = arena_strndup(l->arena, c->commit,
				       safe_fit(c->commit, COMMIT_SHOWN));

	if (!report_bad(l->r, c))
		return;
	add(l,
	    (struct report_finding){
		    .severity = DIAG_ERROR,
		    .code = c->code,
		    .path = TRUST_PATH,
		    .message = arena_printf(l->arena, "commit %s%s%s%s: %s",
					    safe_name(l->arena, id),
					    c->subject[0] != '\0' ? " (" : "",
					    safe_words(l->arena, c->subject),
					    c->subject[0] != '\0' ? ")" : "",
					    safe_words(l->arena, c->reason)),
	    });
}

/* Does a requirement say it already? */
static bool is_told(const struct report *r, const struct diag *d)
{
	for (size_t i = 0; i < r->n_requirements; i++)
		if (!r->requirements[i].met &&
		    strcmp(r->requirements[i].code, d->code) == 0 &&
		    strcmp(r->requirements[i].message, d->message) == 0)
			return true;
	return false;
}

void report_content(const struct report *r, struct arena *arena,
		    struct diags *out)
{
	*out = *r->diags;
	out->items = arena_calloc(arena, r->diags->n, sizeof(*out->items));
	out->n = out->n_errors = 0;
	for (size_t i = 0; i < r->diags->n; i++) {
		const struct diag *d = &r->diags->items[i];

		if (is_told(r, d))
			continue;
		out->items[out->n++] = *d;
		out->n_errors += d->severity == DIAG_ERROR;
	}
}

static void add_diags(struct list *l, const struct diags *d)
{
	for (size_t i = 0; d != NULL && i < d->n; i++)
		add(l, (struct report_finding){
			       .severity = d->items[i].severity,
			       .code = d->items[i].code,
			       .path = d->items[i].pos.path,
			       .line = d->items[i].pos.line,
			       .column = d->items[i].pos.column,
			       .pointer = words(l, d->items[i].pointer),
			       .message = words(l, d->items[i].message),
			       .fix = words(l, d->items[i].fix),
		       });
	if (d != NULL && d->dropped > 0)
		add(l,
		    (struct report_finding){
			    .severity = DIAG_WARNING,
			    .code = "T000",
			    .message = arena_printf(l->arena,
						    "%zu more findings are not "
						    "known in detail",
						    d->dropped),
		    });
}

/* Trust first: nothing else matters while the wrong people ask for it. */
static int rank(const struct report_finding *f)
{
	return (int)f->severity * 2 + (f->code[0] != 'T');
}

static int by_weight(const void *pa, const void *pb)
{
	const struct report_finding *a = pa, *b = pb;
	int r = rank(a) - rank(b);

	if (r == 0)
		r = strcmp(a->path ? a->path : "", b->path ? b->path : "");
	if (r == 0)
		r = (a->line > b->line) - (a->line < b->line);
	if (r == 0)
		r = (a->column > b->column) - (a->column < b->column);
	if (r == 0)
		r = strcmp(a->code, b->code);
	return r != 0 ? r : strcmp(a->message, b->message);
}

static size_t size_of(const struct diags *d)
{
	return d == NULL ? 0 : d->n + 1;
}

void report_findings(const struct report *r, struct arena *arena,
		     const struct report_finding **out, size_t *out_n)
{
	struct list l = {.r = r, .arena = arena};
	struct diags content;

	l.items =
		arena_calloc(arena,
			     r->n_requirements + r->n_commits +
				     size_of(r->diags) + size_of(r->plan_diags),
			     sizeof(*l.items));
	for (size_t i = 0; i < r->n_requirements; i++)
		add_requirement(&l, &r->requirements[i]);
	for (size_t i = 0; i < r->n_commits; i++)
		add_commit(&l, &r->commits[i]);
	report_content(r, arena, &content);
	add_diags(&l, &content);
	add_diags(&l, r->plan_diags);
	if (l.n > 1)
		qsort(l.items, l.n, sizeof(*l.items), by_weight);
	*out = l.items;
	*out_n = l.n;
}

size_t report_missing(const struct report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_requirements; i++)
		n += !r->requirements[i].met;
	for (size_t i = 0; i < r->n_commits; i++)
		n += strcmp(r->commits[i].code, "OK") != 0;
	return n;
}

const char *report_trust(const struct report *r, struct arena *arena)
{
	size_t met = 0;
	size_t bad = 0;

	for (size_t i = 0; i < r->n_requirements; i++)
		met += r->requirements[i].met;
	for (size_t i = 0; i < r->n_commits; i++)
		bad += strcmp(r->commits[i].code, "OK") != 0;
	if (!r->judged)
		return "not judged";
	if (bad == 0 && met == r->n_requirements && !r->refused_trust)
		return "trusted";
	if (bad == 0 && met == r->n_requirements)
		return "not trusted";
	if (bad == 0)
		return arena_printf(arena, "%zu of %zu requirements met", met,
				    r->n_requirements);
	return arena_printf(arena,
			    "%zu of %zu requirements met, %zu commit%s not "
			    "trusted",
			    met, r->n_requirements, bad, bad == 1 ? "" : "s");
}

const char *report_changes(const struct report *r, struct arena *arena)
{
	const struct plan *p = r->plan;

	if (p == NULL)
		return "none could be made";
	if (p->n == 0)
		return p->waiting ? "nothing now, pods are becoming ready"
				  : "no changes";
	return arena_printf(arena,
			    "%zu to create, %zu to update, %zu to delete; %zu "
			    "pods to start, %zu to stop",
			    p->n_objects_create, p->n_objects_update,
			    p->n_objects_delete, p->n_pods_start,
			    p->n_pods_stop);
}

static bool same(const struct report_finding *a, const struct report_finding *b)
{
	return strcmp(a->code, b->code) == 0 &&
	       strcmp(a->message, b->message) == 0 &&
	       strcmp(a->path ? a->path : "", b->path ? b->path : "") == 0 &&
	       strcmp(a->pointer ? a->pointer : "",
		      b->pointer ? b->pointer : "") == 0;
}

const char *report_fingerprint(const struct report_finding *items, size_t i,
			       struct arena *arena)
{
	const struct report_finding *f = &items[i];
	char hex[HASH_HEX];
	unsigned int again = 0;
	const char *text;

	for (size_t k = 0; k < i; k++)
		again += same(&items[k], f);
	text = arena_printf(arena, "%s\n%s\n%s\n%s\n%u", f->code,
			    f->path ? f->path : "",
			    f->pointer ? f->pointer : "", f->message, again);
	hash_sha256_hex(text, strlen(text), hex);
	return arena_strdup(arena, hex);
}

bool report_says_more(const struct report_requirement *q)
{
	return strcmp(q->code, "T190") != 0;
}

/*
 * report_junit.c - a report as JUnit XML: a suite each for trust, manifests,
 * policy and the plan.  Pure.
 */
#include "reconciler/report/format.h"

#include "reconciler/report/safe.h"

#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)
#define CASES_MAX 5000

enum suite { SUITE_TRUST, SUITE_MANIFESTS, SUITE_POLICY, SUITE_PLAN, SUITES };
static const char *const suite_names[SUITES] = {"trust", "manifests", "policy",
						"plan"};

struct junit {
	const struct report *r;
	struct arena *arena;
	struct buf *out;
	const struct report_finding *items;
	size_t n;
	size_t cut;
};

/* In an attribute or in content, of text that safe.h has made inert: it has no
 * character that XML cannot hold. */
static void put_xml(struct buf *out, const char *text)
{
	for (const char *s = text; *s != '\0'; s++) {
#ifndef GUARD_OFF_REPORT_XML
		if (*s == '&')
			buf_puts(out, "&amp;");
		else if (*s == '<')
			buf_puts(out, "&lt;");
		else if (*s == '>')
			buf_puts(out, "&gt;");
		else if (*s == '"')
			buf_puts(out, "&quot;");
		else
#endif
			buf_putc(out, *s);
	}
}

static void put_attribute(struct junit *j, const char *name, const char *text)
{
	buf_printf(j->out, " %s=\"", name);
	put_xml(j->out, text);
	buf_putc(j->out, '"');
}

static enum suite suite_of(const struct report_finding *f)
{
	switch (f->code[0]) {
	case 'T':
		return SUITE_TRUST;
	case 'P':
		return SUITE_POLICY;
	case 'R':
		return SUITE_PLAN;
	default:
		return SUITE_MANIFESTS;
	}
}

/* An error is a case that failed; anything less a case that passed with words
 * in its output. */
static void put_finding(struct junit *j, const struct report_finding *f)
{
	const char *place = f->path == NULL ? "" : safe_name(j->arena, f->path);
	const char *code = safe_words(j->arena, f->code);

	buf_puts(j->out, "<testcase");
	put_attribute(j, "classname", suite_names[suite_of(f)]);
	put_attribute(j, "name",
		      f->line > 0
			      ? arena_printf(j->arena, "%s %s:%u:%u", code,
					     place, f->line, f->column)
			      : arena_printf(j->arena, "%s %s", code, place));
	if (f->path != NULL)
		put_attribute(j, "file", place);
	buf_puts(j->out,
		 f->severity == DIAG_ERROR ? "><failure" : "><system-out>");
	if (f->severity == DIAG_ERROR) {
		put_attribute(j, "type", code);
		put_attribute(j, "message", f->message);
		buf_putc(j->out, '>');
	}
	put_xml(j->out, f->message);
	if (f->fix != NULL) {
		buf_puts(j->out, "\nfix: ");
		put_xml(j->out, f->fix);
	}
	buf_puts(j->out, f->severity == DIAG_ERROR
				 ? "</failure></testcase>\n"
				 : "</system-out></testcase>\n");
}

static void put_met(struct junit *j, enum suite s, const char *name)
{
	buf_puts(j->out, "<testcase");
	put_attribute(j, "classname", suite_names[s]);
	put_attribute(j, "name", name);
	buf_puts(j->out, "/>\n");
}

/* Requirements that are met; a suite of which nothing is said is one case. */
static size_t put_good(struct junit *j, enum suite s, size_t found)
{
	size_t n = 0;

	for (size_t i = 0; s == SUITE_TRUST && i < j->r->n_requirements; i++) {
		const struct report_requirement *q = &j->r->requirements[i];

		if (!q->met)
			continue;
		put_met(j, s,
			arena_printf(j->arena, "%s %s",
				     safe_words(j->arena, q->rule),
				     q->n_paths > 0
					     ? safe_words(j->arena, q->paths[0])
					     : ""));
		n++;
	}
	if (n + found > 0)
		return n;
	put_met(j, s,
		s == SUITE_TRUST && !j->r->judged ? "not judged"
						  : "nothing found");
	return 1;
}

static void put_suite(struct junit *j, enum suite s)
{
	struct buf cases;
	struct buf *whole = j->out;
	size_t failures = 0;
	size_t n = 0;

	buf_init(&cases, whole->max);
	j->out = &cases;
	for (size_t i = 0; i < j->n; i++) {
		if (suite_of(&j->items[i]) != s)
			continue;
		if (i >= CASES_MAX) {
			j->cut++;
			continue;
		}
		put_finding(j, &j->items[i]);
		failures += j->items[i].severity == DIAG_ERROR;
		n++;
	}
	n += put_good(j, s, n);
	j->out = whole;
	buf_printf(whole,
		   "<testsuite name=\"%s\" tests=\"%zu\" failures=\"%zu\" "
		   "errors=\"0\" skipped=\"0\">\n",
		   suite_names[s], n, failures);
	buf_put(whole, cases.data, cases.len);
	if (cases.failed)
		whole->failed = true;
	buf_puts(whole, "</testsuite>\n");
	buf_release(&cases);
}

int report_junit(const struct report *r, const struct format_ask *ask,
		 struct buf *out, struct err *err)
{
	struct junit j = {.r = r, .out = out};

	(void)ask;
	j.arena = arena_new(ARENA_BYTES);
	report_findings(r, j.arena, &j.items, &j.n);
	buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<testsuites name=\"reconcile\">\n");
	for (int s = 0; s < SUITES; s++)
		put_suite(&j, (enum suite)s);
	if (j.cut > 0)
		buf_printf(out,
			   "<testsuite name=\"cut\" tests=\"1\" failures=\"0\" "
			   "errors=\"0\" skipped=\"1\">\n<testcase "
			   "classname=\"cut\" name=\"%zu of %zu findings do "
			   "not fit here\"><skipped/></testcase>\n"
			   "</testsuite>\n",
			   j.cut, j.n);
	buf_puts(out, "</testsuites>\n");
	arena_free(j.arena);
	return buf_check(out, err);
}

/*
 * report_text.c - a report for people at a terminal or in a log.  Pure; text of
 * commits goes through safe.h, so no line begins with it unescaped.
 */
#include "reconciler/report/format.h"

#include "reconciler/report/safe.h"

#include <stdio.h>
#include <string.h>

#define ID_SHOWN 12
#define NAMES_SHOWN 16
#define ARENA_BYTES ((size_t)256 << 20)

static void put_names(struct buf *out, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n && i < NAMES_SHOWN; i++) {
		buf_puts(out, i > 0 ? ", " : "");
		safe_put_words(out, names[i]);
	}
	if (n > NAMES_SHOWN)
		buf_printf(out, " and %zu more", n - NAMES_SHOWN);
}

static void put_row(struct buf *out, const char *what, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_puts(out, "      ");
	safe_put_words(out, what);
	buf_puts(out, ": ");
	safe_put_words(out, text);
	buf_putc(out, '\n');
}

static void put_people(struct buf *out, const char *what,
		       const char *const *names, size_t n)
{
	if (n == 0)
		return;
	buf_printf(out, "      %s: ", what);
	put_names(out, names, n);
	buf_putc(out, '\n');
}

static void put_requirement(struct buf *out, const struct report_requirement *q)
{
	buf_puts(out, q->met ? "  met      " : "  missing  ");
	safe_put_words(out, q->rule);
	if (q->threshold > 0)
		buf_printf(out, ": %zu of %u", q->n_have, q->threshold);
	buf_puts(out, " for ");
	put_names(out, q->paths, q->n_paths);
	if (q->paths_total > q->n_paths)
		buf_printf(out, " and %zu more", q->paths_total - q->n_paths);
	if (!q->met) {
		buf_puts(out, " (");
		safe_put_words(out, q->code);
		buf_putc(out, ')');
	}
	buf_putc(out, '\n');
	put_people(out, "signed", q->have, q->n_have);
	if (q->met)
		return;
	put_people(out, "could sign", q->could, q->n_could);
	if (report_says_more(q))
		put_row(out, "why", q->message);
	put_row(out, "do", q->fix);
}

static void put_commit(struct buf *out, const struct report_commit *c)
{
	char id[ID_SHOWN + 1];

	(void)snprintf(id, sizeof(id), "%.*s",
		       (int)safe_fit(c->commit, ID_SHOWN), c->commit);
	buf_puts(out, "  commit ");
	safe_put_name(out, id);
	if (c->subject[0] != '\0') {
		buf_puts(out, " \"");
		safe_put_words(out, c->subject);
		buf_puts(out, "\"");
	}
	buf_putc(out, '\n');
	put_row(out, c->code, c->reason);
}

static void put_trust(const struct report *r, struct arena *arena,
		      struct buf *out)
{
	buf_printf(out, "trust: %s", report_trust(r, arena));
	if (r->trust_version > 0)
		buf_printf(out, ", by version %llu of the trust policy",
			   (unsigned long long)r->trust_version);
	buf_putc(out, '\n');
	for (size_t i = 0; i < r->n_facts; i++) {
		buf_puts(out, "  ");
		safe_put_words(out, r->facts[i]);
		buf_putc(out, '\n');
	}
	for (size_t i = 0; i < r->n_requirements; i++)
		put_requirement(out, &r->requirements[i]);
	for (size_t i = 0; i < r->n_commits; i++)
		if (report_bad(r, &r->commits[i]))
			put_commit(out, &r->commits[i]);
	buf_putc(out, '\n');
}

static void put_diags(const struct report *r, struct arena *arena,
		      struct buf *out)
{
	struct diags d;

	report_content(r, arena, &d);
	diags_print_text(&d, out);
	if (d.n_errors > 0)
		buf_printf(out, "%zu error%s.\n", d.n_errors,
			   d.n_errors == 1 ? "" : "s");
	if (d.n > 0)
		buf_putc(out, '\n');
}

void report_text_refusal(const struct report *r, struct buf *out)
{
	struct arena *arena = arena_new(ARENA_BYTES);

	put_trust(r, arena, out);
	put_diags(r, arena, out);
	arena_free(arena);
}

/* Of a refused head the plan is what is in force already. */
static void put_in_force(const struct report *r, struct buf *out)
{
	bool refused =
		r->refused_trust || r->refused_manifest || r->refused_policy;

	if (!refused || r->head_id == NULL || r->want->commit == NULL ||
	    strcmp(r->head_id, r->want->commit) == 0)
		return;
	buf_puts(out, "It is refused; what follows is the plan of the commit "
		      "that stays in force.\n\n");
}

int report_text(const struct report *r, const struct format_ask *ask,
		struct buf *out, struct err *err)
{
	int ret = 0;

	report_text_refusal(r, out);
	if (r->plan != NULL)
		put_in_force(r, out);
	if (r->plan != NULL)
		ret = plan_render_text(r->plan, r->want, r->world,
				       r->plan_diags, &ask->style, out, err);
	else
		buf_printf(out, "No plan: %s.\n", r->no_plan);
	return ret < 0 ? ret : buf_check(out, err);
}

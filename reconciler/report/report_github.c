/*
 * report_github.c - annotations of GitHub Actions: workflow commands, a line
 * each, for standard output.  Pure.
 *
 * A step shows 10 annotations of each level and 4 KiB of each message; the
 * rest is counted in a notice, which is itself one of the 10.  Values are
 * percent-encoded, so none of them ends its command or begins another (A100).
 */
#include "reconciler/report/format.h"

#include "reconciler/report/safe.h"

#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)
#define EACH_MAX 10
#define MESSAGE_BYTES 4096

/* property: a value among several, in which ':' and ',' have a meaning too */
static void put_value(struct buf *out, const char *text, bool property)
{
	for (const char *s = text; *s != '\0'; s++) {
		bool special = *s == '%' || *s == '\r' || *s == '\n' ||
			       (property && (*s == ':' || *s == ','));

#ifdef GUARD_OFF_REPORT_GITHUB
		special = false;
#endif
		if (special)
			buf_printf(out, "%%%02X", (unsigned char)*s);
		else
			buf_putc(out, *s);
	}
}

static void put_property(struct buf *out, const char *before, const char *name,
			 const char *value)
{
	buf_printf(out, "%s%s=", before, name);
	put_value(out, value, true);
}

static void put_annotation(struct buf *out, struct arena *arena,
			   const struct report_finding *f)
{
	static const char *const levels[] = {"error", "warning", "notice"};
	const char *before = " ";
	char *text = arena_printf(
		arena, "%s%s%s%s%s", f->pointer != NULL ? f->pointer : "",
		f->pointer != NULL ? ": " : "", f->message,
		f->fix != NULL ? "\nfix: " : "", f->fix != NULL ? f->fix : "");

	buf_printf(out, "::%s", levels[f->severity]);
	if (f->path != NULL) {
		put_property(out, before, "file", safe_name(arena, f->path));
		before = ",";
	}
	if (f->path != NULL && f->line > 0)
		buf_printf(out, ",line=%u,col=%u", f->line,
			   f->column > 0 ? f->column : 1);
	put_property(out, before, "title",
		     arena_printf(arena, "reconcile %s",
				  safe_words(arena, f->code)));
	buf_puts(out, "::");
	text[safe_fit(text, MESSAGE_BYTES - 1)] = '\0';
	put_value(out, text, false);
	buf_putc(out, '\n');
}

int report_github(const struct report *r, const struct format_ask *ask,
		  struct buf *out, struct err *err)
{
	size_t room[] = {EACH_MAX, EACH_MAX, EACH_MAX - 1};
	struct arena *arena = arena_new(ARENA_BYTES);
	const struct report_finding *items = NULL;
	size_t cut = 0;
	size_t n = 0;

	(void)ask;
	report_findings(r, arena, &items, &n);
	for (size_t i = 0; i < n; i++) {
		if (room[items[i].severity] == 0) {
			cut++;
			continue;
		}
		room[items[i].severity]--;
		put_annotation(out, arena, &items[i]);
	}
	buf_printf(out, "::notice title=reconcile::trust: %s; plan: %s",
		   report_trust(r, arena), report_changes(r, arena));
	if (cut > 0)
		buf_printf(out,
			   "; %zu of %zu findings do not fit here, the summary "
			   "of the run has them",
			   cut, n);
	buf_putc(out, '\n');
	arena_free(arena);
	return buf_check(out, err);
}

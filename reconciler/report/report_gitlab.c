/*
 * report_gitlab.c - a code quality report of GitLab: a JSON array of findings.
 * Pure.  A finding of no file is shown at the trust policy.
 */
#include "reconciler/report/format.h"

#include "lib/jsonw.h"
#include "reconciler/report/safe.h"

#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)
#define FINDINGS_MAX 5000
#define NO_PATH ".reconcile/trust.yaml"

static const char *severity_of(const struct report_finding *f)
{
	static const char *const names[] = {"major", "minor", "info"};

	return f->severity == DIAG_ERROR && f->code[0] == 'T'
		       ? "critical"
		       : names[f->severity];
}

static void put_issue(struct jsonw *w, struct arena *arena,
		      const struct report_finding *f, const char *print)
{
	const char *pointer = f->pointer != NULL ? f->pointer : "";

	jsonw_obj(w);
	jsonw_kstr(w, "description",
		   arena_printf(arena, "%s%s%s%s%s%s", pointer,
				f->pointer != NULL ? ": " : "", f->message,
				f->fix != NULL ? " (fix: " : "",
				f->fix != NULL ? f->fix : "",
				f->fix != NULL ? ")" : ""));
	jsonw_kstr(w, "check_name", safe_words(arena, f->code));
	jsonw_kstr(w, "fingerprint", print);
	jsonw_kstr(w, "severity", severity_of(f));
	jsonw_key(w, "location");
	jsonw_obj(w);
	jsonw_kstr(w, "path",
		   f->path != NULL ? safe_name(arena, f->path) : NO_PATH);
	jsonw_key(w, "lines");
	jsonw_obj(w);
	jsonw_kint(w, "begin", f->line > 0 ? f->line : 1);
	jsonw_obj_end(w);
	jsonw_obj_end(w);
	jsonw_obj_end(w);
}

int report_gitlab(const struct report *r, const struct format_ask *ask,
		  struct buf *out, struct err *err)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	const struct report_finding *items = NULL;
	struct jsonw w;
	size_t n = 0;

	(void)ask;
	report_findings(r, arena, &items, &n);
	jsonw_init(&w, out);
	jsonw_arr(&w);
	for (size_t i = 0; i < n && i < FINDINGS_MAX; i++)
		put_issue(&w, arena, &items[i],
			  report_fingerprint(items, i, arena));
	if (n > FINDINGS_MAX) {
		struct report_finding rest = {
			.severity = DIAG_NOTE,
			.code = "T000",
			.message = arena_printf(arena,
						"%zu of %zu findings do not "
						"fit here",
						n - FINDINGS_MAX, n),
		};

		put_issue(&w, arena, &rest,
			  report_fingerprint(&rest, 0, arena));
	}
	jsonw_arr_end(&w);
	buf_putc(out, '\n');
	arena_free(arena);
	return buf_check(out, err);
}

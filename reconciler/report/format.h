/*
 * format.h - the formats of a report: one renderer each, a table of them.
 *
 * Each respects the limits of the service that reads it, keeps the worst
 * findings when there are too many, and says how many are missing.  Pure:
 * equal reports give equal bytes.
 */
#ifndef RECONCILER_REPORT_FORMAT_H
#define RECONCILER_REPORT_FORMAT_H

#include "lib/buf.h"
#include "lib/err.h"
#include "reconciler/report/report.h"

/* What a renderer may know beside the report. */
struct format_ask {
	struct plan_style style;
	size_t limit; /* bytes of the whole; 0: the format's own */
};

/* bytes that a comment of GitHub may have, and a step summary */
#define FORMAT_COMMENT_BYTES ((size_t)65536)
#define FORMAT_SUMMARY_BYTES ((size_t)1 << 20)

struct format {
	const char *name;
	const char *doc;
	int (*render)(const struct report *r, const struct format_ask *ask,
		      struct buf *out, struct err *err);
};

/* All, the default first. */
const struct format *format_list(size_t *out_n);
/* ERR_INPUT with the list and did-you-mean. */
int format_find(const char *name, const struct format **out, struct err *err);

/* Trust and diagnostics alone, as text. */
void report_text_refusal(const struct report *r, struct buf *out);
int report_text(const struct report *r, const struct format_ask *ask,
		struct buf *out, struct err *err);
int report_json(const struct report *r, const struct format_ask *ask,
		struct buf *out, struct err *err);
int report_markdown(const struct report *r, const struct format_ask *ask,
		    struct buf *out, struct err *err);
int report_github(const struct report *r, const struct format_ask *ask,
		  struct buf *out, struct err *err);
int report_gitlab(const struct report *r, const struct format_ask *ask,
		  struct buf *out, struct err *err);
int report_sarif(const struct report *r, const struct format_ask *ask,
		 struct buf *out, struct err *err);
int report_junit(const struct report *r, const struct format_ask *ask,
		 struct buf *out, struct err *err);

#endif

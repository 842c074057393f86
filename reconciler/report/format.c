/* format.c - the table of formats.  Pure. */
#include "reconciler/report/format.h"

#include "lib/text.h"

#include <string.h>

static const struct format formats[] = {
	{"text", "for people", report_text},
	{"json", "reconcile.report/v1, docs/schema/report-v1.json",
	 report_json},
	{"markdown", "a comment of at most 65,536 bytes", report_markdown},
	{"github", "annotations of GitHub Actions and the step summary",
	 report_github},
	{"gitlab", "a code quality report of GitLab", report_gitlab},
	{"sarif", "SARIF 2.1.0, for code scanning", report_sarif},
	{"junit", "JUnit XML", report_junit},
};
#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

const struct format *format_list(size_t *out_n)
{
	*out_n = N_FORMATS;
	return formats;
}

int format_find(const char *name, const struct format **out, struct err *err)
{
	const char *names[N_FORMATS];
	const char *near;
	char safe[64];

	for (size_t i = 0; i < N_FORMATS; i++) {
		names[i] = formats[i].name;
		if (strcmp(names[i], name) == 0) {
			*out = &formats[i];
			return 0;
		}
	}
	near = text_nearest(name, names, N_FORMATS);
	(void)text_safe(safe, sizeof(safe), name, strlen(name));
	if (near != NULL)
		return err_set(err, ERR_INPUT,
			       "no format \"%s\"; did you mean %s?", safe,
			       near);
	return err_set(err, ERR_INPUT,
		       "no format \"%s\"; want text, json, markdown, github, "
		       "gitlab, sarif or junit",
		       safe);
}

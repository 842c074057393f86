/*
 * verdict.c - the table of T codes.  Pure; runs in reconcile-verify and in
 * whoever prints an explanation.
 */
#include "policy/trust/verdict.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct row {
	enum tcode code;
	const char *name, *text, *fix;
};

#define ROW(name, number, text, fix) {TCODE_##name, "T" #number, text, fix},
static const struct row rows[] = {{TCODE_OK, "OK", "trusted", ""},
				  TCODE_LIST(ROW)};
#undef ROW

static const struct row *find(enum tcode code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

int verdict_fail(struct verdict *v, enum tcode code, const char *fmt, ...)
{
	va_list ap;

	if (v == NULL)
		return ERR_TRUST;
	v->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
	va_end(ap);
	return ERR_TRUST;
}

int verdict_wrap(struct verdict *v, const char *fmt, ...)
{
	char old[sizeof(v->reason)];
	va_list ap;
	int n;

	if (v == NULL)
		return ERR_TRUST;
	memcpy(old, v->reason, sizeof(old));
	va_start(ap, fmt);
	n = vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(v->reason))
		(void)snprintf(v->reason + n, sizeof(v->reason) - (size_t)n,
			       ": %s", old);
	return ERR_TRUST;
}

const char *verdict_name(enum tcode code)
{
	const struct row *r = find(code);

	return r != NULL ? r->name : "T000";
}

const char *verdict_text(enum tcode code)
{
	const struct row *r = find(code);

	return r != NULL ? r->text : "";
}

const char *verdict_fix(enum tcode code)
{
	const struct row *r = find(code);

	return r != NULL ? r->fix : "";
}

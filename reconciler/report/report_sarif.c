/*
 * report_sarif.c - a report as SARIF 2.1.0 (OASIS, errata 01).  Pure.
 *
 * Of the results of a run GitHub shows 5,000, and takes a file of 10 MB when it
 * is compressed; so many results are written at most, and not more than 10 MB
 * before any compression.  What is missing stands in a notification of the
 * invocation.  A result of no file is shown at the trust policy, because code
 * scanning shows none without a place.
 */
#include "reconciler/report/format.h"

#include "lib/jsonw.h"
#include "reconciler/report/rule.h"
#include "reconciler/report/safe.h"

#include <ctype.h>
#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)
#define RESULTS_MAX 5000
#define FILE_BYTES ((size_t)10 * 1000 * 1000)
#define TAIL_BYTES 1024 /* behind the last result */
#define NO_PATH ".reconcile/trust.yaml"
#define SCHEMA                                                                 \
	"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"  \
	"sarif-schema-2.1.0.json"

struct sarif {
	struct jsonw w;
	struct arena *arena;
	const struct report_finding *items;
	size_t n, shown;
	const char **codes; /* of the rules, in order of their first result */
	size_t n_codes;
};

static const char *level_of(enum diag_severity s)
{
	static const char *const names[] = {"error", "warning", "note"};

	return names[s];
}

/* RFC 3986: what is not unreserved or '/' is percent-encoded. */
static const char *uri_of(struct sarif *s, const char *path)
{
	struct buf b;
	const char *out;

	buf_init(&b, 3 * strlen(path) + 1);
	for (const char *c = path; *c != '\0'; c++)
		if (isalnum((unsigned char)*c) || strchr("-._~/", *c) != NULL)
			buf_putc(&b, *c);
		else
			buf_printf(&b, "%%%02X", (unsigned char)*c);
	out = arena_strdup(s->arena, b.data == NULL ? "" : b.data);
	buf_release(&b);
	return out;
}

static void put_text(struct sarif *s, const char *key, const char *text)
{
	jsonw_key(&s->w, key);
	jsonw_obj(&s->w);
	jsonw_kstr(&s->w, "text", text);
	jsonw_obj_end(&s->w);
}

static size_t rule_index(struct sarif *s, const char *code)
{
	size_t i = 0;

	while (i < s->n_codes && strcmp(s->codes[i], code) != 0)
		i++;
	if (i == s->n_codes)
		s->codes[s->n_codes++] = code;
	return i;
}

static void put_rule(struct sarif *s, const char *code)
{
	struct rule rule = {0};
	bool known = rule_find(code, s->arena, &rule) == 0;

	jsonw_obj(&s->w);
	jsonw_kstr(&s->w, "id", safe_words(s->arena, code));
	if (known && rule.id != NULL)
		jsonw_kstr(&s->w, "name", rule.id);
	put_text(s, "shortDescription", known ? rule.title : "unknown code");
	if (known && rule.help[0] != '\0')
		put_text(s, "fullDescription", rule.help);
	put_text(s, "help",
		 known ? rule_text(&rule, s->arena) : "no text for this code");
	jsonw_obj_end(&s->w);
}

static void put_place(struct sarif *s, const struct report_finding *f)
{
	jsonw_key(&s->w, "locations");
	jsonw_arr(&s->w);
	jsonw_obj(&s->w);
	jsonw_key(&s->w, "physicalLocation");
	jsonw_obj(&s->w);
	jsonw_key(&s->w, "artifactLocation");
	jsonw_obj(&s->w);
	jsonw_kstr(&s->w, "uri",
		   uri_of(s, f->path != NULL ? f->path : NO_PATH));
	jsonw_kstr(&s->w, "uriBaseId", "%SRCROOT%");
	jsonw_obj_end(&s->w);
	jsonw_key(&s->w, "region");
	jsonw_obj(&s->w);
	jsonw_kint(&s->w, "startLine", f->line > 0 ? f->line : 1);
	if (f->line > 0 && f->column > 0)
		jsonw_kint(&s->w, "startColumn", f->column);
	jsonw_obj_end(&s->w);
	jsonw_obj_end(&s->w);
	jsonw_obj_end(&s->w);
	jsonw_arr_end(&s->w);
}

static void put_result(struct sarif *s, size_t i)
{
	const struct report_finding *f = &s->items[i];

	jsonw_obj(&s->w);
	jsonw_kstr(&s->w, "ruleId", safe_words(s->arena, f->code));
	jsonw_kint(&s->w, "ruleIndex", (int64_t)rule_index(s, f->code));
	jsonw_kstr(&s->w, "level", level_of(f->severity));
	put_text(s, "message",
		 arena_printf(s->arena, "%s%s%s%s%s",
			      f->pointer != NULL ? f->pointer : "",
			      f->pointer != NULL ? ": " : "", f->message,
			      f->fix != NULL ? " Fix: " : "",
			      f->fix != NULL ? f->fix : ""));
	put_place(s, f);
	jsonw_key(&s->w, "partialFingerprints");
	jsonw_obj(&s->w);
	jsonw_kstr(&s->w, "reconcile/v1",
		   report_fingerprint(s->items, i, s->arena));
	jsonw_obj_end(&s->w);
	jsonw_obj_end(&s->w);
}

/* Results first: the rules are those that they name. */
static void put_results(struct sarif *s)
{
	size_t end = s->w.out->len + FILE_BYTES;

	jsonw_key(&s->w, "results");
	jsonw_arr(&s->w);
	while (s->shown < s->n && s->shown < RESULTS_MAX &&
	       /* what a result and its rule may have at most, roughly */
	       s->w.out->len + (s->n_codes + 1) * 8192 + TAIL_BYTES < end)
		put_result(s, s->shown++);
	jsonw_arr_end(&s->w);
}

static void put_invocation(struct sarif *s)
{
	jsonw_key(&s->w, "invocations");
	jsonw_arr(&s->w);
	jsonw_obj(&s->w);
	jsonw_kbool(&s->w, "executionSuccessful", true);
	if (s->shown < s->n) {
		jsonw_key(&s->w, "toolExecutionNotifications");
		jsonw_arr(&s->w);
		jsonw_obj(&s->w);
		jsonw_kstr(&s->w, "level", "warning");
		put_text(s, "message",
			 arena_printf(s->arena,
				      "%zu of %zu findings do not fit here",
				      s->n - s->shown, s->n));
		jsonw_obj_end(&s->w);
		jsonw_arr_end(&s->w);
	}
	jsonw_obj_end(&s->w);
	jsonw_arr_end(&s->w);
}

static void put_tool(struct sarif *s)
{
	jsonw_key(&s->w, "tool");
	jsonw_obj(&s->w);
	jsonw_key(&s->w, "driver");
	jsonw_obj(&s->w);
	jsonw_kstr(&s->w, "name", "reconcile");
	jsonw_kstr(&s->w, "semanticVersion", RECONCILE_VERSION);
	jsonw_key(&s->w, "rules");
	jsonw_arr(&s->w);
	for (size_t i = 0; i < s->n_codes; i++)
		put_rule(s, s->codes[i]);
	jsonw_arr_end(&s->w);
	jsonw_obj_end(&s->w);
	jsonw_obj_end(&s->w);
}

int report_sarif(const struct report *r, const struct format_ask *ask,
		 struct buf *out, struct err *err)
{
	struct sarif s = {.arena = arena_new(ARENA_BYTES)};

	(void)ask;
	report_findings(r, s.arena, &s.items, &s.n);
	s.codes = arena_calloc(s.arena, s.n + 1, sizeof(const char *));
	jsonw_init(&s.w, out);
	jsonw_obj(&s.w);
	jsonw_kstr(&s.w, "$schema", SCHEMA);
	jsonw_kstr(&s.w, "version", "2.1.0");
	jsonw_key(&s.w, "runs");
	jsonw_arr(&s.w);
	jsonw_obj(&s.w);
	put_results(&s);
	put_tool(&s);
	put_invocation(&s);
	jsonw_kstr(&s.w, "columnKind", "unicodeCodePoints");
	jsonw_obj_end(&s.w);
	jsonw_arr_end(&s.w);
	jsonw_obj_end(&s.w);
	buf_putc(out, '\n');
	arena_free(s.arena);
	return buf_check(out, err);
}

/*
 * explain.c - `reconcile explain` and reconcile-manifest(5) from the tables, so
 * that neither can say something else than the decoder does.  Pure.
 */
#include "manifest/explain.h"

#include "lib/text.h"
#include "manifest/codes.h"
#include "manifest/kind.h"

#include <string.h>

#define WORD_BYTES 80
#define DEPTH_MAX 16

/* --- one field ------------------------------------------------------------ */

static void put_values(struct buf *out, const char *title,
		       const char *const *values)
{
	if (!values)
		return;
	buf_printf(out, "%-10s ", title);
	for (size_t i = 0; values[i]; i++)
		buf_printf(out, "%s%s", i ? ", " : "",
			   values[i][0] ? values[i] : "\"\"");
	buf_putc(out, '\n');
}

static bool has_range(const struct field *f)
{
	return f->type == FIELD_INT || f->type == FIELD_INTS ||
	       (f->type == FIELD_INT_OR_STR && f->max != 0);
}

static void put_field(struct buf *out, const char *path, const struct field *f)
{
	const char *want = f->check ? f->check("\x01") : NULL;

	buf_printf(out, "%s\n", path);
	if (f->class <= FIELD_INERT)
		buf_printf(out, "%-10s %s\n", "type", field_type_name(f));
	buf_printf(out, "%-10s %s\n", "class",
		   field_class_name((enum field_class)f->class));
	if (f->flags & FIELD_IS_REQUIRED)
		buf_printf(out, "%-10s yes\n", "required");
	if (f->fallback)
		buf_printf(out, "%-10s %s\n", "default",
			   f->fallback[0] ? f->fallback : "\"\"");
	put_values(out, "values", f->values);
	if (f->later)
		put_values(out, "later", f->later);
	if (has_range(f))
		buf_printf(out, "%-10s %lld to %lld\n", "range",
			   (long long)f->min,
			   (long long)(f->max ? f->max : 2147483647));
	if (want)
		buf_printf(out, "%-10s %s\n", "check", want);
	if (f->deviation)
		buf_printf(out, "%-10s %s\n", "deviation", f->deviation);
	if (f->since)
		buf_printf(out, "%-10s %s\n", "release", f->since);
	if (f->hint)
		buf_printf(out, "%-10s %s\n",
			   f->class <= FIELD_INERT ? "otherwise" : "instead",
			   f->hint);
	if (f->doc)
		buf_printf(out, "\n%s\n", f->doc);
}

static void put_fields(struct buf *out, const struct table *t)
{
	buf_puts(out, "\nfields\n");
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->fields[i];

		buf_printf(
			out, "  %-30s %s\n", f->name,
			f->class > FIELD_INERT
				? field_class_name((enum field_class)f->class)
				: field_type_name(f));
	}
}

/* --- look-up -------------------------------------------------------------- */

/* Next word of "a.b[].c" into word; NULL at the end. */
static const char *next_word(const char *s, char word[WORD_BYTES])
{
	size_t n = strcspn(s, ".[");
	size_t len = n < WORD_BYTES ? n : WORD_BYTES - 1;

	memcpy(word, s, len);
	word[len] = '\0';
	s += n;
	if (strncmp(s, "[]", 2) == 0)
		s += 2;
	if (*s == '.')
		return s + 1;
	return *s ? "" : NULL;
}

static int say_no_kind(const char *word, struct err *err)
{
	const char *names[MANIFEST_KIND_COUNT], *near;
	char safe[WORD_BYTES];

	for (int i = 0; i < MANIFEST_KIND_COUNT; i++)
		names[i] = kind_get((enum manifest_kind)i)->name;
	near = text_nearest(word, names, MANIFEST_KIND_COUNT);
	text_safe(safe, sizeof(safe), word, strlen(word));
	if (near)
		return err_set(err, ERR_INPUT,
			       "unknown kind '%s'; did you mean %s?", safe,
			       near);
	return err_set(err, ERR_INPUT, "unknown kind '%s'", safe);
}

static int say_no_field(const struct table *t, const char *word,
			struct err *err)
{
	const char *near = field_nearest(t, word);
	char safe[WORD_BYTES];

	text_safe(safe, sizeof(safe), word, strlen(word));
	if (near)
		return err_set(err, ERR_INPUT,
			       "%s has no field '%s'; did you mean '%s'?",
			       t->name, safe, near);
	return err_set(err, ERR_INPUT, "%s has no field '%s'", t->name, safe);
}

static void put_kinds(struct buf *out)
{
	buf_puts(out, "kinds\n");
	for (int i = 0; i < MANIFEST_KIND_COUNT; i++) {
		const struct kind_row *row = kind_get((enum manifest_kind)i);

		buf_printf(out, "  %-14s %-20s %s\n", row->name,
			   row->api_version, row->doc);
	}
}

int explain_path(const char *path, struct buf *out, struct err *err)
{
	char word[WORD_BYTES];
	const struct field *f = NULL;
	const struct table *t;
	const struct kind_row *row;
	const char *rest = next_word(path, word);
	enum manifest_kind kind;

	if (!*path) {
		put_kinds(out);
		return buf_check(out, err);
	}
	if (kind_find(word, &kind) < 0)
		return say_no_kind(word, err);
	row = kind_get(kind);
	t = row->table;
	while (rest && *rest) {
		rest = next_word(rest, word);
		f = t ? field_find(t, word) : NULL;
		if (!f && t)
			return say_no_field(t, word, err);
		if (!f)
			return err_set(err, ERR_INPUT,
				       "'%s' has no fields of its own", word);
		t = f->table;
	}
	if (!f)
		buf_printf(out, "%s\n%-10s %s\n\n%s\n", row->name, "version",
			   row->api_version, row->doc);
	else
		put_field(out, path, f);
	if (t)
		put_fields(out, t);
	return buf_check(out, err);
}

int explain_code(const char *code, struct buf *out, struct err *err)
{
	char safe[WORD_BYTES];
	enum code c;

	if (codes_find(code, &c) < 0)
		return err_set(
			err, ERR_NOTFOUND, "unknown code '%s'",
			text_safe(safe, sizeof(safe), code, strlen(code)));
	buf_printf(out, "%s: %s\n", codes_id(c), codes_title(c));
	if (codes_help(c)[0])
		buf_printf(out, "\n%s\n", codes_help(c));
	return buf_check(out, err);
}

/* --- the man page --------------------------------------------------------- */

/* Text of a table in mdoc: each sentence on its own line, and no line begins
 * with what would be a request. */
static void man_text(FILE *out, const char *text)
{
	bool first = true;

	for (const char *s = text; *s; s++) {
		if (first && (*s == '.' || *s == '\''))
			fputs("\\&", out);
		first = false;
		if (*s == '\\') {
			fputs("\\e", out);
		} else if (*s == '-') {
			fputs("\\-", out);
		} else if (*s == '.' && s[1] == ' ') {
			fputs(".\n", out);
			first = true;
			s++;
		} else {
			fputc(*s, out);
		}
	}
}

static void man_field(FILE *out, const char *path, const struct field *f)
{
	fprintf(out, ".It %s\n", path);
	if (f->class > FIELD_INERT) {
		man_text(out, field_class_name((enum field_class)f->class));
		if (f->since)
			fprintf(out, " (release %s)", f->since);
		if (f->hint) {
			fputs(": ", out);
			man_text(out, f->hint);
		}
		fputs(".\n", out);
		return;
	}
	man_text(out, field_type_name(f));
	if (f->flags & FIELD_IS_REQUIRED)
		fputs(", required", out);
	if (f->fallback)
		fprintf(out, ", default %s",
			f->fallback[0] ? f->fallback : "empty");
	if (f->class != FIELD_IMPLEMENTED)
		fprintf(out, ", %s",
			field_class_name((enum field_class)f->class));
	fputs(".\n", out);
	if (f->values) {
		fputs("One of", out);
		for (size_t i = 0; f->values[i]; i++)
			fprintf(out, "%s %s", i ? "," : "",
				f->values[i][0] ? f->values[i] : "empty");
		fputs(".\n", out);
	}
	if (f->doc) {
		man_text(out, f->doc);
		fputc('\n', out);
	}
	if (f->deviation) {
		fputs("Deviation ", out);
		man_text(out, f->deviation);
		fputs(".\n", out);
	}
}

/* Tables that many paths reach are printed once, under their own name. */
static const struct table *const shared[] = {
	&kind_meta_table,	   &kind_meta_cluster_table,
	&kind_meta_selector_table, &kind_pod_template_table,
	&kind_pod_spec_table,	   &kind_container_table,
	&kind_probe_table,	   &kind_volume_table,
	&kind_trust_key_table,
};
#define N_SHARED (sizeof(shared) / sizeof(shared[0]))

static bool is_shared(const struct table *t)
{
	for (size_t i = 0; i < N_SHARED; i++)
		if (shared[i] == t)
			return true;
	return false;
}

static void man_table(FILE *out, const char *prefix, const struct table *t,
		      int depth)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->fields[i];
		char path[256];

		if (f->class == FIELD_DROPPED)
			continue;
		(void)snprintf(path, sizeof(path), "%s%s%s", prefix, f->name,
			       f->type == FIELD_OBJS ? "[]" : "");
		man_field(out, path, f);
		if (!f->table || f->class > FIELD_INERT)
			continue;
		if (is_shared(f->table)) {
			fprintf(out, "See\n.Sx %s .\n", f->table->name);
			continue;
		}
		(void)snprintf(path, sizeof(path), "%s%s%s.", prefix, f->name,
			       f->type == FIELD_OBJS ? "[]" : "");
		if (depth < DEPTH_MAX)
			man_table(out, path, f->table, depth + 1);
	}
}

static void man_list(FILE *out, const struct table *t)
{
	fputs(".Bl -tag -width Ds\n", out);
	man_table(out, "", t, 0);
	fputs(".El\n", out);
}

static void man_codes(FILE *out)
{
	fputs(".Sh DIAGNOSTICS\n"
	      "Codes are stable.\n.Bl -tag -width M000\n",
	      out);
	for (int i = 0; i < CODE_COUNT; i++) {
		fprintf(out, ".It %s\n", codes_id((enum code)i));
		man_text(out, codes_title((enum code)i));
		fputs(".\n", out);
		if (codes_help((enum code)i)[0]) {
			man_text(out, codes_help((enum code)i));
			fputc('\n', out);
		}
	}
	fputs(".El\n", out);
}

static const char head[] =
	".Dd November 22, 2026\n.Dt RECONCILE-MANIFEST 5\n.Os\n"
	".Sh NAME\n.Nm reconcile-manifest\n"
	".Nd the Kubernetes manifests that reconcile reads\n"
	".Sh DESCRIPTION\n"
	"Manifests are YAML or JSON files in a signed git repository.\n"
	"Every field is implemented, gated by policy, inert by definition,\n"
	"or an error that says what to write instead; nothing is ignored\n"
	"in silence.\n"
	"All faults of a commit are reported at once, and a commit is\n"
	"accepted or refused as a whole.\n"
	"This page is made from the tables that the decoder uses.\n"
	".Sh YAML\n"
	"Files are UTF\\-8 with LF or CR LF, at most 4 MiB, 1,000 documents,\n"
	"32 levels and 20,000 values a document.\n"
	"Duplicate keys, keys that are not strings, tags, merge keys and\n"
	"control, bidirectional or invisible characters are errors.\n"
	"Aliases are expanded, to at most 2,000 values a document.\n"
	"The type of a field decides how a bare word is read: a string field\n"
	"given true, 1.20, yes, 0123 or ~ is an error that proposes quotes,\n"
	"and an integer field does not take a string.\n"
	"Octal numbers are accepted for file modes only.\n"
	"A null means that the field is not given.\n";

void explain_mdoc(FILE *out)
{
	fputs(head, out);
	fputs(".Sh KINDS\n", out);
	for (int i = 0; i < MANIFEST_KIND_COUNT; i++) {
		const struct kind_row *row = kind_get((enum manifest_kind)i);

		fprintf(out, ".Ss %s (%s)\n", row->name, row->api_version);
		man_text(out, row->doc);
		fputc('\n', out);
		if (i == MANIFEST_TRUSTPOLICY)
			fputs("See\n.Xr reconcile-trust 5 .\n", out);
		else
			man_list(out, row->table);
	}
	fputs(".Sh COMMON OBJECTS\n", out);
	for (size_t i = 0; i < N_SHARED; i++) {
		if (shared[i] == &kind_meta_cluster_table ||
		    shared[i] == &kind_trust_key_table)
			continue;
		fprintf(out, ".Ss %s\n", shared[i]->name);
		man_list(out, shared[i]);
	}
	man_codes(out);
	fputs(".Sh SEE ALSO\n"
	      ".Xr reconcile 1 ,\n"
	      ".Xr reconcile-trust 5 ,\n"
	      ".Xr reconcile-verify 8\n",
	      out);
}

void explain_mdoc_trust(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
	man_table(out, "spec.", field_find(&kind_trust_table, "spec")->table,
		  0);
	fputs(".El\n", out);
	fprintf(out, ".Ss %s\n", kind_trust_key_table.name);
	man_list(out, &kind_trust_key_table);
}

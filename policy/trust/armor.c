/*
 * armor.c - see armor.h.
 */
#include "policy/trust/armor.h"
#include "lib/encode.h"

#include <string.h>

struct form {
	const char *begin, *end;
	size_t columns; /* of every line of base64 but the last */
};

static const struct form forms[ARMOR_KINDS] = {
	[ARMOR_SSH] = {"-----BEGIN SSH SIGNATURE-----",
		       "-----END SSH SIGNATURE-----", 70},
	[ARMOR_CMS] = {"-----BEGIN SIGNED MESSAGE-----",
		       "-----END SIGNED MESSAGE-----", 64},
	[ARMOR_OPENPGP] = {"-----BEGIN PGP SIGNATURE-----",
			   "-----END PGP SIGNATURE-----", 64},
};

/* Takes the next line off rest. */
static bool next_line(struct commit_span *rest, struct commit_span *out)
{
	const char *eol;

	if (rest->len == 0)
		return false;
	eol = memchr(rest->at, '\n', rest->len);
	*out = *rest;
	if (eol != NULL)
		out->len = (size_t)(eol - rest->at);
	rest->at += out->len + (eol != NULL);
	rest->len -= out->len + (eol != NULL);
	return true;
}

static bool line_is(const struct commit_span *line, const char *text)
{
	return line->len == strlen(text) &&
	       memcmp(line->at, text, line->len) == 0;
}

int armor_unfold(const struct commit_span *header, struct buf *out,
		 struct verdict *v)
{
	struct commit_span rest = *header;
	struct commit_span line;

	if (header->len > ARMOR_BYTES_MAX)
		return verdict_fail(v, TCODE_ARMOR,
				    "want at most %d bytes of signature, have "
				    "%zu",
				    ARMOR_BYTES_MAX, header->len);
	for (bool first = true; next_line(&rest, &line); first = false) {
		if (!first && (line.len == 0 || line.at[0] != ' '))
			return verdict_fail(v, TCODE_ARMOR,
					    "a line of the header does not "
					    "begin with a space");
		if (!first)
			buf_putc(out, '\n');
		buf_put(out, line.at + !first, line.len - !first);
	}
	return out->failed ? verdict_fail(v, TCODE_ARMOR, "out of memory") : 0;
}

int armor_kind(const struct commit_span *lines, enum armor_kind *out,
	       struct verdict *v)
{
	struct commit_span rest = *lines;
	struct commit_span line = {0};

	(void)next_line(&rest, &line);
	for (size_t i = 0; i < ARMOR_KINDS; i++)
		if (line_is(&line, forms[i].begin)) {
			*out = (enum armor_kind)i;
			return 0;
		}
	return verdict_fail(v, TCODE_NOT_SSH, "want \"%s\" as the first line",
			    forms[ARMOR_SSH].begin);
}

#ifndef GUARD_OFF_ARMOR
/* The base64 lines up to END: all but the last of exactly so many columns. */
static bool collect(const struct form *form, struct commit_span *rest,
		    struct buf *text)
{
	const char *end = rest->at + rest->len;
	struct commit_span line;
	size_t last = form->columns;

	while (next_line(rest, &line)) {
		if (line_is(&line, form->end))
			return line.at + line.len == end && text->len > 0;
		if (last != form->columns || line.len == 0 ||
		    line.len > form->columns)
			return false;
		last = line.len;
		buf_put(text, line.at, line.len);
	}
	return false;
}
#else
/* What a loose reader does: any width, white space, text after END. */
static bool collect(const struct form *form, struct commit_span *rest,
		    struct buf *text)
{
	struct commit_span line;

	while (next_line(rest, &line)) {
		if (line_is(&line, form->end))
			return true;
		for (size_t i = 0; i < line.len; i++)
			if (line.at[i] != ' ')
				buf_putc(text, line.at[i]);
	}
	return false;
}
#endif

int armor_read(const struct commit_span *lines, enum armor_kind kind,
	       struct buf *out, struct verdict *v)
{
	const struct form *form = &forms[kind];
	struct commit_span rest = *lines;
	struct commit_span line = {0};
	struct buf b64;
	bool good = false;

	if (!next_line(&rest, &line) || !line_is(&line, form->begin))
		return verdict_fail(v, TCODE_NOT_SSH,
				    "want \"%s\" as the first line",
				    form->begin);
	buf_init(&b64, ARMOR_BYTES_MAX);
	good = collect(form, &rest, &b64) && !b64.failed &&
	       encode_unbase64(out, b64.data, b64.len);
	buf_release(&b64);
	if (!good)
		return verdict_fail(v, TCODE_ARMOR,
				    "want base64 in lines of %zu, then \"%s\" "
				    "and nothing else",
				    form->columns, form->end);
	return 0;
}

/*
 * armor.c - see armor.h.
 */
#include "policy/trust/armor.h"
#include "lib/encode.h"

#include <string.h>

#define CRC24_BEGIN 0xb704ceu
#define CRC24_POLYNOMIAL 0x1864cfbu

struct form {
	const char *begin, *end;
	size_t columns; /* of every line of base64 but the last */
	bool pgp;	/* an empty line before, a checksum behind (RFC 4880) */
	bool headers;	/* "Comment: ..." may stand before the empty line */
};

static const struct form forms[ARMOR_KINDS] = {
	[ARMOR_SSH] = {"-----BEGIN SSH SIGNATURE-----",
		       "-----END SSH SIGNATURE-----", 70, false, false},
	[ARMOR_CMS] = {"-----BEGIN SIGNED MESSAGE-----",
		       "-----END SIGNED MESSAGE-----", 64, false, false},
	[ARMOR_OPENPGP] = {"-----BEGIN PGP SIGNATURE-----",
			   "-----END PGP SIGNATURE-----", 64, true, false},
};

static const struct form certificate = {"-----BEGIN PGP PUBLIC KEY BLOCK-----",
					"-----END PGP PUBLIC KEY BLOCK-----",
					64, true, true};

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
/* The base64 lines up to END, or to the checksum: all but the last of exactly
 * so many columns. */
static bool collect(const struct form *form, struct commit_span *rest,
		    struct buf *text)
{
	struct commit_span line;
	size_t last = form->columns;

	while (next_line(rest, &line)) {
		if (line_is(&line, form->end))
			return text->len > 0;
		if (last != form->columns || line.len == 0 ||
		    line.len > form->columns)
			return false;
		last = line.len;
		buf_put(text, line.at, line.len);
		if (form->pgp && rest->len > 0 && rest->at[0] == '=')
			return true;
	}
	return false;
}

/* GitHub ends its OpenPGP signatures with an empty line. */
static bool ends(const struct form *form, const struct commit_span *rest,
		 bool newline)
{
	return rest->len == 0 && (!newline || form->pgp);
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
		if (form->pgp && rest->len > 0 && rest->at[0] == '=')
			return true;
	}
	return false;
}

static bool ends(const struct form *form, const struct commit_span *rest,
		 bool newline)
{
	(void)form;
	(void)rest;
	(void)newline;
	return true;
}
#endif

static uint32_t crc24(const char *bytes, size_t len)
{
	uint32_t crc = CRC24_BEGIN;

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint32_t)(uint8_t)bytes[i] << 16;
		for (int bit = 0; bit < 8; bit++) {
			crc <<= 1;
			if (crc & 0x1000000)
				crc ^= CRC24_POLYNOMIAL;
		}
	}
	return crc & 0xffffff;
}

/* "=abcd", of these bytes, and END. */
static bool check_sum(const struct form *form, struct commit_span *rest,
		      const char *bytes, size_t len)
{
	struct commit_span line = {0};
	uint32_t crc = crc24(bytes, len);
	uint8_t want[3] = {(uint8_t)(crc >> 16), (uint8_t)(crc >> 8),
			   (uint8_t)crc};
	struct buf text;
	bool good;

	buf_init(&text, 8);
	encode_base64(&text, want, sizeof(want));
	good = next_line(rest, &line) && line.len == 5 && line.at[0] == '=' &&
	       !text.failed && memcmp(line.at + 1, text.data, 4) == 0;
	buf_release(&text);
	return good && next_line(rest, &line) && line_is(&line, form->end);
}

/* Up to the empty line of OpenPGP. */
static bool skip_headers(const struct form *form, struct commit_span *rest)
{
	struct commit_span line;

	while (form->pgp && next_line(rest, &line))
		if (line.len == 0)
			return true;
		else if (!form->headers ||
			 memchr(line.at, ':', line.len) == NULL)
			return false;
	return !form->pgp;
}

static int read_form(const struct form *form, const struct commit_span *lines,
		     struct buf *out, struct verdict *v)
{
	struct commit_span rest = *lines;
	struct commit_span line = {0};
	bool newline = lines->len > 0 && lines->at[lines->len - 1] == '\n';
	size_t before = out->len;
	struct buf b64;
	bool good = false;

	if (!next_line(&rest, &line) || !line_is(&line, form->begin))
		return verdict_fail(v, TCODE_NOT_SSH,
				    "want \"%s\" as the first line",
				    form->begin);
	buf_init(&b64, ARMOR_BYTES_MAX);
	good = skip_headers(form, &rest) && collect(form, &rest, &b64) &&
	       !b64.failed && encode_unbase64(out, b64.data, b64.len) &&
	       (!form->pgp || check_sum(form, &rest, out->data + before,
					out->len - before)) &&
	       ends(form, &rest, newline);
	buf_release(&b64);
	if (!good)
		return verdict_fail(
			v, TCODE_ARMOR,
			"want %sbase64 in lines of %zu, %sthen "
			"\"%s\" and nothing else",
			form->pgp ? "an empty line, " : "", form->columns,
			form->pgp ? "its checksum, " : "", form->end);
	return 0;
}

int armor_read(const struct commit_span *lines, enum armor_kind kind,
	       struct buf *out, struct verdict *v)
{
	return read_form(&forms[kind], lines, out, v);
}

int armor_read_certificate(const struct commit_span *lines, struct buf *out,
			   struct verdict *v)
{
	return read_form(&certificate, lines, out, v);
}

/*
 * text.c - untrusted text.  Pure; every input here is hostile.
 */
#include "lib/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 64

/* Length of the valid UTF-8 sequence at p (Unicode table 3-7), 0 if invalid. */
static size_t utf8_step(const unsigned char *p, size_t len, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c;
	size_t n;

	if (p[0] < 0x80) {
		*out = p[0];
		return 1;
	}
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n > len)
		return 0;
	c = p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return n;
}

size_t text_step(const char *bytes, size_t len, uint32_t *out)
{
	return utf8_step((const unsigned char *)bytes, len, out);
}

/* Code points that change what a reader sees without being seen. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{0x00, 0x1f},	     /* C0 */
	{0x5c, 0x5c},	     /* backslash, or escapes could be forged */
	{0x7f, 0x9f},	     /* DEL, C1 */
	{0xad, 0xad},	     /* soft hyphen */
	{0x034f, 0x034f},    /* grapheme joiner */
	{0x0600, 0x0605},    /* Arabic signs that format */
	{0x061c, 0x061c},    /* Arabic letter mark */
	{0x06dd, 0x06dd},    /* end of ayah */
	{0x070f, 0x070f},    /* Syriac abbreviation */
	{0x0890, 0x0891},    /* Arabic pound and piastre */
	{0x08e2, 0x08e2},    /* disputed end of ayah */
	{0x115f, 0x1160},    /* Hangul fillers */
	{0x17b4, 0x17b5},    /* Khmer inherent vowels */
	{0x180b, 0x180f},    /* Mongolian selectors, vowel separator */
	{0x200b, 0x200f},    /* zero width, directional marks */
	{0x2028, 0x202e},    /* line separators, bidi embeddings */
	{0x2060, 0x206f},    /* joiners, isolates */
	{0x3164, 0x3164},    /* Hangul filler */
	{0xfdd0, 0xfdef},    /* noncharacters */
	{0xfe00, 0xfe0f},    /* variation selectors */
	{0xfeff, 0xfeff},    /* byte order mark */
	{0xffa0, 0xffa0},    /* halfwidth Hangul filler */
	{0xfff0, 0xfffb},    /* interlinear annotation */
	{0x110bd, 0x110bd},  /* Kaithi number sign */
	{0x110cd, 0x110cd},  /* Kaithi number sign above */
	{0x13430, 0x1343f},  /* Egyptian hieroglyph format */
	{0x1bca0, 0x1bca3},  /* shorthand format */
	{0x1d173, 0x1d17a},  /* musical format */
	{0xe0000, 0xe0fff},  /* tags, variation selectors */
	{0xf0000, 0x10ffff}, /* private use planes */
};

bool text_is_hidden(uint32_t c)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return (c & 0xfffe) == 0xfffe; /* noncharacters, in no XML */
}

void text_escape(struct buf *out, const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t i = 0;

	while (i < len) {
		uint32_t c = 0;
		size_t n = utf8_step(p + i, len - i, &c);

		if (n == 0)
			buf_printf(out, "\\x%02x", p[i]);
		else if (!text_is_hidden(c))
			buf_put(out, p + i, n);
		else if (n == 1)
			buf_printf(out, "\\x%02x", p[i]);
		else
			buf_printf(out, "\\u{%x}", c);
		i += n ? n : 1;
	}
}

/* "::" where the text begins at first, "##" anywhere: the second character. */
static bool is_command(const char *text, size_t first, size_t i)
{
	return i > 0 && text[i] == text[i - 1] &&
	       ((text[i] == ':' && i == first + 1) || text[i] == '#');
}

void text_inert(struct buf *out, const char *text, size_t len, bool escaped)
{
	size_t from = 0, first = 0;

	while (first < len && text[first] == ' ')
		first++;
#ifndef GUARD_OFF_TEXT_INERT
	for (size_t i = 0; i < len; i++) {
		if (!is_command(text, first, i) &&
		    !(escaped && text[i] == '\\'))
			continue;
		text_escape(out, text + from, i - from);
		if (text[i] == '\\')
			buf_putc(out, '\\');
		else
			buf_printf(out, "\\x%02x", (unsigned char)text[i]);
		from = i + 1;
	}
	text_escape(out, text + from, len - from);
#else
	(void)is_command, (void)escaped, (void)from;
	buf_put(out, text, len);
#endif
}

/* One character of text_safe(): its escaped form, at most 12 bytes. */
static size_t safe_piece(char piece[16], const unsigned char *p, size_t len,
			 size_t *out_step)
{
	uint32_t c = 0;
	size_t n = utf8_step(p, len, &c);

	*out_step = n ? n : 1;
	if (n > 0 && !text_is_hidden(c)) {
		memcpy(piece, p, n);
		return n;
	}
	if (n <= 1)
		return (size_t)snprintf(piece, 16, "\\x%02x", p[0]);
	return (size_t)snprintf(piece, 16, "\\u{%x}", c);
}

const char *text_safe(char *dst, size_t dst_len, const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t used = 0, fits = 0, i = 0;

	if (dst_len == 0)
		return "";
	while (i < len) {
		char piece[16];
		size_t step;
		size_t n = safe_piece(piece, p + i, len - i, &step);

		if (used + n + 1 > dst_len) {
			/* cut back to where the dots still fit */
			used = fits;
			for (size_t k = 0; k < 3 && used + 1 < dst_len; k++)
				dst[used++] = '.';
			break;
		}
		memcpy(dst + used, piece, n);
		used += n;
		if (used + 4 <= dst_len)
			fits = used;
		i += step;
	}
	dst[used] = '\0';
	return dst;
}

bool text_is_utf8(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	uint32_t c;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_step(p + i, len - i, &c);
		if (n == 0 || c == 0)
			return false;
	}
	return true;
}

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment: edits and swaps of neighbours, three rows. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *prev = rows[1], *cur = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		prev[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *old = before;

		cur[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			char x = fold(a[i - 1]), y = fold(b[j - 1]);

			cur[j] = least3(prev[j] + 1, cur[j - 1] + 1,
					prev[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == fold(b[j - 2]) &&
			    y == fold(a[i - 2]) && before[j - 2] + 1 < cur[j])
				cur[j] = before[j - 2] + 1;
		}
		before = prev;
		prev = cur;
		cur = old;
	}
	return prev[b_len];
}

const char *text_nearest(const char *word, const char *const *names, size_t n)
{
	size_t len = strlen(word);
	size_t best = (len / 3 > 1 ? len / 3 : 1) + 1;
	const char *found = NULL;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(names[i]);
		size_t d;

		if (other > WORD_MAX)
			continue;
		d = distance(word, len, names[i], other);
		if (d < best) {
			best = d;
			found = names[i];
		}
	}
	return found;
}

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_label(const char *s, size_t len)
{
	if (len == 0 || len > 63)
		return false;
	if (!is_label_char(s[0]) || !is_label_char(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_label_char(s[i]) && s[i] != '-')
			return false;
	return true;
}

bool text_is_dns_label(const char *s)
{
	return is_label(s, strnlen(s, 64));
}

bool text_is_dns_subdomain(const char *s)
{
	size_t len = strnlen(s, 254);

	if (len == 0 || len > 253)
		return false;
	for (;;) {
		size_t n = strcspn(s, ".");

		if (!is_label(s, n))
			return false;
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
}

bool text_is_hex(const char *s, size_t n_hex)
{
	for (size_t i = 0; i < n_hex; i++)
		if (!((s[i] >= '0' && s[i] <= '9') ||
		      (s[i] >= 'a' && s[i] <= 'f')))
			return false;
	return s[n_hex] == '\0';
}

/*
 * scan.c - the character gate in front of libyaml.  Pure; input is hostile.
 * libyaml would read UTF-16, take NEL as a line break and let escapes make
 * control characters; none of that may reach a name or a terminal.
 */
#include "manifest/scan.h"

#include <stdint.h>
#include <string.h>

static const struct {
	uint32_t first, last;
} refused[] = {
	{0x00, 0x08},	  {0x0b, 0x0c},	      {0x0e, 0x1f},
	{0x7f, 0x9f},	  {0xad, 0xad},	      {0x61c, 0x61c},
	{0x180e, 0x180e}, {0x200b, 0x200f},   {0x2028, 0x202e},
	{0x2060, 0x206f}, {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
	{0xfffe, 0xffff}, {0xe0000, 0xe007f},
};

static bool char_ok(uint32_t c)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (c >= refused[i].first && c <= refused[i].last)
			return false;
	return true;
}

/* Length of the sequence at s, 0 if it is not valid UTF-8. */
static size_t decode(const unsigned char *s, size_t len, uint32_t *out)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n;
	uint32_t c;

	if (s[0] < 0x80) {
		*out = s[0];
		return 1;
	}
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n > len)
		return 0;
	c = s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*out = c;
	return n;
}

/* Index of the first byte that is not printable ASCII or LF. */
static size_t plain_run(const unsigned char *s, size_t i, size_t len)
{
	while (i < len && ((s[i] >= 0x20 && s[i] < 0x7f) || s[i] == '\n'))
		i++;
	return i;
}

static void place(const unsigned char *s, size_t at, struct scan_at *out)
{
	size_t start = 0;

	out->line = 1;
	out->column = 1;
	for (size_t i = 0; i < at; i++)
		if (s[i] == '\n') {
			out->line++;
			start = i + 1;
		}
	for (size_t i = start; i < at; i++)
		if ((s[i] & 0xc0) != 0x80)
			out->column++;
}

enum scan_result scan_bytes(const char *bytes, size_t len, struct scan_at *at)
{
	const unsigned char *s = (const unsigned char *)bytes;
	enum scan_result r = SCAN_OK;
	size_t i = 0;

	while ((i = plain_run(s, i, len)) < len) {
		uint32_t c = 0;
		size_t n = decode(s + i, len - i, &c);

		if (n == 0)
			r = SCAN_NOT_UTF8;
#ifndef GUARD_OFF_SCAN_CHARS
		else if (!char_ok(c))
			r = SCAN_BAD_CHAR;
		else if (c == '\r' && (i + 1 >= len || s[i + 1] != '\n'))
			r = SCAN_BAD_BREAK;
#endif
		if (r != SCAN_OK) {
			place(s, i, at);
			at->codepoint = c;
			return r;
		}
		i += n;
	}
	return SCAN_OK;
}

bool scan_value_ok(const char *bytes, size_t len)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t i = 0;

	while ((i = plain_run(s, i, len)) < len) {
		uint32_t c = 0;
		size_t n = decode(s + i, len - i, &c);

		if (n == 0 || !char_ok(c))
			return false;
		i += n;
	}
	return true;
}

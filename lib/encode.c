/* encode.c - hex and base64 (RFC 4648 section 4), canonical forms only. */
#include "lib/encode.h"

static const char hex_digits[] = "0123456789abcdef";
static const char b64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void encode_hex(char *dst, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++) {
		dst[2 * i] = hex_digits[p[i] >> 4];
		dst[2 * i + 1] = hex_digits[p[i] & 15];
	}
	dst[2 * len] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool encode_unhex(void *dst, const char *hex, size_t hex_len)
{
	unsigned char *p = dst;

	if (hex_len % 2 != 0)
		return false;
	for (size_t i = 0; i < hex_len; i++)
		if (hex_value(hex[i]) < 0)
			return false;
	for (size_t i = 0; i < hex_len / 2; i++)
		p[i] = (unsigned char)(hex_value(hex[2 * i]) << 4 |
				       hex_value(hex[2 * i + 1]));
	return true;
}

void encode_base64(struct buf *out, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)p[i] << 16;
		char four[4];

		if (have > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (have > 2)
			v |= p[i + 2];
		four[0] = b64_digits[v >> 18];
		four[1] = b64_digits[v >> 12 & 63];
		four[2] = have > 1 ? b64_digits[v >> 6 & 63] : '=';
		four[3] = have > 2 ? b64_digits[v & 63] : '=';
		buf_put(out, four, sizeof(four));
	}
}

static int b64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Decodes one group of four; returns the bytes it holds, 0 if not canonical. */
static size_t b64_group(const char *text, bool last, unsigned char out[3])
{
	size_t chars = 4;
	uint32_t v = 0;

	if (last && text[3] == '=')
		chars = text[2] == '=' ? 2 : 3;
	for (size_t i = 0; i < 4; i++) {
		int d = i < chars ? b64_value(text[i]) : 0;

		if (d < 0)
			return 0;
		v = v << 6 | (uint32_t)d;
	}
	/* unused bits are zero, or two texts would mean the same bytes */
	if ((chars == 2 && (v & 0xffff)) || (chars == 3 && (v & 0xff)))
		return 0;
	out[0] = (unsigned char)(v >> 16);
	out[1] = (unsigned char)(v >> 8);
	out[2] = (unsigned char)v;
	return chars - 1;
}

bool encode_unbase64(struct buf *out, const char *text, size_t len)
{
	size_t start = out->len;
	unsigned char three[3];

	if (len % 4 != 0)
		return false;
	for (size_t i = 0; i < len; i += 4) {
		size_t n = b64_group(text + i, i + 4 == len, three);

		if (n > 0)
			buf_put(out, three, n);
		if (n > 0 && !out->failed)
			continue;
		out->len = start;
		if (out->data)
			out->data[start] = '\0';
		return false;
	}
	return true;
}

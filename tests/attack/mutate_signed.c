/*
 * mutate_signed.c - see mutate.h: signatures that another program made.
 */
#include "tests/attack/mutate.h"

#include "lib/encode.h"

#include <string.h>

#define COLUMNS 64
#define CRC24_START 0xb704ceu
#define CRC24_POLY 0x1864cfbu

/* Where the header stands: its text is [from, to), each line "gpgsig " or " ".
 */
static bool find_header(const struct buf *object, size_t *from, size_t *to)
{
	const char *end = object->data + object->len;
	const char *at = memmem(object->data, object->len, "\ngpgsig ", 8);

	if (at == NULL)
		return false;
	*from = (size_t)(at + 1 - object->data);
	do {
		at = memchr(at + 1, '\n', (size_t)(end - at - 1));
		if (at == NULL)
			return false;
	} while (at + 1 < end && at[1] == ' ');
	*to = (size_t)(at + 1 - object->data);
	return true;
}

static void unfold(const struct buf *object, size_t from, size_t to,
		   struct buf *out)
{
	const char *at = object->data + from + strlen("gpgsig");
	const char *end = object->data + to;

	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));

		buf_put(out, at + 1, (size_t)(nl - at));
		at = nl + 1;
	}
}

static void fold(const struct buf *armor, struct buf *out)
{
	const char *at = armor->data;
	const char *end = armor->data + armor->len;

	buf_puts(out, "gpgsig");
	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl != NULL ? nl + 1 : end) - at);

		buf_putc(out, ' ');
		buf_put(out, at, n);
		at += n;
	}
}

static uint32_t crc24(const struct buf *b)
{
	uint32_t crc = CRC24_START;

	for (size_t i = 0; i < b->len; i++) {
		crc ^= (uint32_t)(uint8_t)b->data[i] << 16;
		for (int bit = 0; bit < 8; bit++) {
			crc <<= 1;
			if ((crc & 0x1000000u) != 0)
				crc ^= CRC24_POLY;
		}
	}
	return crc & 0xffffffu;
}

/* The bytes between BEGIN and END (or the checksum); *out_from, *out_to: the
 * lines of base64 and the checksum. */
static bool read_blob(const struct buf *armor, size_t *out_from, size_t *out_to,
		      struct buf *blob)
{
	const char *end = armor->data + armor->len;
	const char *at = memchr(armor->data, '\n', armor->len);
	struct buf text;
	bool good;

	if (at == NULL)
		return false;
	at++;
	if (at < end && *at == '\n')
		at++;
	*out_from = (size_t)(at - armor->data);
	buf_init(&text, 1u << 20);
	while (at < end && *at != '-' && *at != '=') {
		const char *nl = memchr(at, '\n', (size_t)(end - at));

		if (nl == NULL)
			break;
		buf_put(&text, at, (size_t)(nl - at));
		at = nl + 1;
	}
	while (at < end && *at != '-')
		at++;
	*out_to = (size_t)(at - armor->data);
	good = text.len > 0 && encode_unbase64(blob, text.data, text.len);
	buf_release(&text);
	return good;
}

static void write_blob(struct buf *armor, size_t from, size_t to,
		       const struct buf *blob)
{
	bool pgp = memmem(armor->data, armor->len, "PGP", 3) != NULL;
	uint32_t crc = crc24(blob);
	uint8_t sum[3] = {(uint8_t)(crc >> 16), (uint8_t)(crc >> 8),
			  (uint8_t)crc};
	struct buf text, lines;

	buf_init(&text, 1u << 20);
	buf_init(&lines, 1u << 20);
	encode_base64(&text, blob->data, blob->len);
	for (size_t i = 0; i < text.len; i += COLUMNS)
		buf_printf(&lines, "%.64s\n", text.data + i);
	if (pgp) {
		buf_reset(&text);
		encode_base64(&text, sum, sizeof(sum));
		buf_printf(&lines, "=%s\n", text.data);
	}
	mutate_splice(armor, from, to - from, lines.data, lines.len);
	buf_release(&text);
	buf_release(&lines);
}

static void change_blob(struct buf *armor, struct mutate_rng *r, char *how)
{
	static const char odd[] = {0, 1, (char)0x80, (char)0xff, 0x30};
	size_t from = 0, to = 0, at, n;
	struct buf blob;

	buf_init(&blob, 1u << 20);
	if (!read_blob(armor, &from, &to, &blob)) {
		buf_release(&blob);
		return;
	}
	at = mutate_next(r, blob.len);
	n = 1 + mutate_next(r, 8);
	n = n < blob.len - at ? n : blob.len - at;
	switch (mutate_next(r, 6)) {
	case 0:
		mutate_splice(&blob, at, n, "", 0);
		break;
	case 1:
		mutate_splice(&blob, at, 0, &odd[mutate_next(r, sizeof(odd))],
			      1);
		break;
	case 2: /* all of it twice: two packets, two values */
		mutate_splice(&blob, blob.len, 0, blob.data, blob.len);
		break;
	case 3: /* something behind it */
		mutate_splice(&blob, blob.len, 0, odd, 1 + mutate_next(r, 4));
		break;
	default:
		blob.data[at] ^= (char)(1u << mutate_next(r, 8));
		break;
	}
	write_blob(armor, from, to, &blob);
	buf_release(&blob);
	mutate_note(how, "blob");
}

void mutate_signed(struct buf *object, struct mutate_rng *r, char *how)
{
	size_t from = 0, to = 0;
	struct buf armor, header;

	if (mutate_next(r, 4) == 0 || !find_header(object, &from, &to)) {
		mutate_bytes(object, r, how);
		return;
	}
	buf_init(&armor, 1u << 20);
	buf_init(&header, 1u << 20);
	unfold(object, from, to, &armor);
	if (mutate_next(r, 2) == 0)
		mutate_armor(&armor, r, how);
	else
		change_blob(&armor, r, how);
	if (armor.len == 0 || armor.data[armor.len - 1] != '\n')
		buf_putc(&armor, '\n');
	fold(&armor, &header);
	mutate_splice(object, from, to - from, header.data, header.len);
	buf_release(&armor);
	buf_release(&header);
}

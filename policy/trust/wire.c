/*
 * wire.c - see wire.h.
 */
#include "policy/trust/wire.h"

#include <string.h>

static bool take(struct wire *w, size_t n, const uint8_t **out)
{
	if (w->left < n)
		return false;
	*out = w->at;
	w->at += n;
	w->left -= n;
	return true;
}

bool wire_u8(struct wire *w, uint8_t *out)
{
	const uint8_t *p;

	if (!take(w, 1, &p))
		return false;
	*out = p[0];
	return true;
}

bool wire_u32(struct wire *w, uint32_t *out)
{
	const uint8_t *p;

	if (!take(w, 4, &p))
		return false;
	*out = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
	return true;
}

bool wire_u64(struct wire *w, uint64_t *out)
{
	uint32_t high;
	uint32_t low;

	if (w->left < 8 || !wire_u32(w, &high) || !wire_u32(w, &low))
		return false;
	*out = (uint64_t)high << 32 | low;
	return true;
}

bool wire_string(struct wire *w, struct wire_span *out)
{
	struct wire copy = *w;
	const uint8_t *p;
	uint32_t len;

	if (!wire_u32(&copy, &len) || !take(&copy, len, &p))
		return false;
	*out = (struct wire_span){.bytes = p, .len = len};
	*w = copy;
	return true;
}

bool wire_mpint(struct wire *w, struct wire_span *out)
{
	struct wire copy = *w;
	struct wire_span s;

	if (!wire_string(&copy, &s) || s.len == 0 || s.bytes[0] >= 0x80)
		return false;
	if (s.bytes[0] == 0) {
		if (s.len < 2 || s.bytes[1] < 0x80)
			return false; /* zero, or a byte too many */
		s.bytes++;
		s.len--;
	}
	*out = s;
	*w = copy;
	return true;
}

struct wire wire_of(const struct wire_span *s)
{
	return (struct wire){.at = s->bytes, .left = s->len};
}

bool wire_is(const struct wire_span *s, const char *text)
{
	return s->len == strlen(text) && memcmp(s->bytes, text, s->len) == 0;
}

bool wire_equal(const struct wire_span *a, const struct wire_span *b)
{
	return a->len == b->len &&
	       (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

void wire_put_string(struct buf *out, const void *bytes, size_t len)
{
	uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16),
			   (uint8_t)(len >> 8), (uint8_t)len};

	buf_put(out, head, sizeof(head));
	buf_put(out, bytes, len);
}

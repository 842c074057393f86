/* safe.c - see safe.h.  Pure; every byte is hostile. */
#include "reconciler/report/safe.h"

#include "lib/text.h"

#include <string.h>

#define TEXT_BYTES ((size_t)256 << 10)

void safe_put_name(struct buf *out, const char *text)
{
	if (text != NULL)
		text_inert(out, text, strlen(text), false);
}

void safe_put_words(struct buf *out, const char *text)
{
	if (text != NULL)
		text_inert(out, text, strlen(text), true);
}

static const char *keep(struct arena *arena, const char *text,
			void (*put)(struct buf *out, const char *text))
{
	struct buf b;
	const char *out;

	buf_init(&b, TEXT_BYTES);
	put(&b, text);
	out = arena_strdup(arena, b.data == NULL ? "" : b.data);
	buf_release(&b);
	return out;
}

const char *safe_name(struct arena *arena, const char *text)
{
	return keep(arena, text, safe_put_name);
}

const char *safe_words(struct arena *arena, const char *text)
{
	return keep(arena, text, safe_put_words);
}

size_t safe_fit(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

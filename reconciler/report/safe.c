/* safe.c - see safe.h.  Pure; every byte is hostile. */
#include "reconciler/report/safe.h"

#include "lib/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TEXT_BYTES ((size_t)256 << 10)

/* "::command" and "##[command]": the second of a pair is escaped, so neither
 * can stand anywhere, at the beginning of a line or not. */
static bool is_command(const char *text, size_t i)
{
	return i > 0 && text[i] == text[i - 1] &&
	       (text[i] == ':' || text[i] == '#');
}

static void put(struct buf *out, const char *text, bool backslash_stays)
{
	size_t len = text == NULL ? 0 : strlen(text);

#ifdef GUARD_OFF_REPORT_SAFE
	buf_put(out, text, len);
	(void)is_command, (void)backslash_stays;
	return;
#endif
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c = 0;

		n = text_step(text + i, len - i, &c);
		if (n == 0) {
			text_escape(out, text + i, 1);
			n = 1;
		} else if (is_command(text, i)) {
			buf_printf(out, "\\x%02x", (unsigned int)c);
		} else if (c == '\\' && backslash_stays) {
			buf_putc(out, '\\');
		} else {
			text_escape(out, text + i, n);
		}
	}
}

void safe_put(struct buf *out, const char *text)
{
	put(out, text, false);
}

static const char *kept(struct arena *arena, const char *text, bool words)
{
	struct buf b;
	const char *out;

	buf_init(&b, TEXT_BYTES);
	put(&b, text, words);
	out = arena_strdup(arena, b.data == NULL ? "" : b.data);
	buf_release(&b);
	return out;
}

const char *safe_name(struct arena *arena, const char *text)
{
	return kept(arena, text, false);
}

const char *safe_words(struct arena *arena, const char *text)
{
	return kept(arena, text, true);
}

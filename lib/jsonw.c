/*
 * jsonw.c - writing canonical JSON: keys in the caller's order, no white space,
 * escapes of RFC 8785.  Text may be hostile: what is not UTF-8 is replaced.
 */
#include "lib/jsonw.h"
#include "lib/text.h"

#include <assert.h>
#include <string.h>

void jsonw_init(struct jsonw *w, struct buf *out)
{
	*w = (struct jsonw){.out = out};
}

/* Before each value: a comma where one is due. */
static void begin_value(struct jsonw *w)
{
	if (w->key) {
		w->key = false;
		return;
	}
	if (w->more[w->depth])
		buf_putc(w->out, ',');
	w->more[w->depth] = true;
}

static void open_level(struct jsonw *w, char c)
{
	begin_value(w);
	assert((size_t)w->depth + 1 < sizeof(w->more));
	w->depth++;
	w->more[w->depth] = false;
	buf_putc(w->out, c);
}

static void close_level(struct jsonw *w, char c)
{
	assert(w->depth > 0 && !w->key);
	w->depth--;
	buf_putc(w->out, c);
}

void jsonw_obj(struct jsonw *w)
{
	open_level(w, '{');
}

void jsonw_obj_end(struct jsonw *w)
{
	close_level(w, '}');
}

void jsonw_arr(struct jsonw *w)
{
	open_level(w, '[');
}

void jsonw_arr_end(struct jsonw *w)
{
	close_level(w, ']');
}

/* RFC 8785 section 3.2.2.2: the short escapes, else \u00xx in lower case. */
static void put_escape(struct buf *out, unsigned char c)
{
	static const char short_of[32] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',
		['\f'] = 'f', ['\r'] = 'r',
	};

	if (c == '"' || c == '\\')
		buf_printf(out, "\\%c", c);
	else if (short_of[c] != '\0')
		buf_printf(out, "\\%c", short_of[c]);
	else
		buf_printf(out, "\\u%04x", c);
}

/* A code point beyond ASCII as one or two \u escapes. */
static void put_code(struct buf *out, uint32_t c)
{
	if (c < 0x10000)
		buf_printf(out, "\\u%04x", c);
	else
		buf_printf(out, "\\u%04x\\u%04x",
			   0xd800 + ((c - 0x10000) >> 10),
			   0xdc00 + ((c - 0x10000) & 0x3ff));
}

/* A character that must not stand as it is; n is 0 if it is not UTF-8. */
static void put_special(struct buf *out, size_t n, uint32_t c)
{
	if (n == 0)
		buf_puts(out, "\xef\xbf\xbd"); /* replacement character */
	else if (c < 0x80 && c != 0x7f)
		put_escape(out, (unsigned char)c);
	else
		put_code(out, c);
}

static void put_string(struct buf *out, const char *text, size_t len,
		       bool inert)
{
	size_t from = 0, i = 0;

	buf_putc(out, '"');
	while (i < len) {
		unsigned char first = (unsigned char)text[i];
		uint32_t c = first;
		size_t n = 1, done = i;

		if (first >= 0x20 && first < 0x7f && first != '"' &&
		    first != '\\') {
			i++;
			continue;
		}
		if (first >= 0x80)
			n = text_step(text + i, len - i, &c);
		i += n ? n : 1;
		if (n > 0 && c >= 0x7f && !(inert && text_is_hidden(c)))
			continue;
		buf_put(out, text + from, done - from);
		put_special(out, n, c);
		from = i;
	}
	buf_put(out, text + from, len - from);
	buf_putc(out, '"');
}

void jsonw_key(struct jsonw *w, const char *key)
{
	assert(w->depth > 0 && !w->key);
	begin_value(w);
	put_string(w->out, key, strlen(key), w->inert);
	buf_putc(w->out, ':');
	w->key = true;
}

void jsonw_str(struct jsonw *w, const char *text)
{
	if (!text) {
		jsonw_null(w);
		return;
	}
	jsonw_strn(w, text, strlen(text));
}

void jsonw_strn(struct jsonw *w, const char *text, size_t len)
{
	begin_value(w);
	put_string(w->out, text, len, w->inert);
}

void jsonw_int(struct jsonw *w, int64_t v)
{
	begin_value(w);
	buf_printf(w->out, "%lld", (long long)v);
}

void jsonw_bool(struct jsonw *w, bool v)
{
	begin_value(w);
	buf_puts(w->out, v ? "true" : "false");
}

void jsonw_null(struct jsonw *w)
{
	begin_value(w);
	buf_puts(w->out, "null");
}

void jsonw_raw(struct jsonw *w, const char *json, size_t len)
{
	begin_value(w);
	buf_put(w->out, json, len);
}

void jsonw_kstr(struct jsonw *w, const char *key, const char *text)
{
	jsonw_key(w, key);
	jsonw_str(w, text);
}

void jsonw_kint(struct jsonw *w, const char *key, int64_t v)
{
	jsonw_key(w, key);
	jsonw_int(w, v);
}

void jsonw_kbool(struct jsonw *w, const char *key, bool v)
{
	jsonw_key(w, key);
	jsonw_bool(w, v);
}

/*
 * jsonw.c - writing canonical JSON: keys in the caller's order, no white space,
 * escapes of RFC 8785.  Text may be hostile: what is not UTF-8 is replaced.
 */
#include "lib/json.h"
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

/* Length of the first UTF-8 character of text if it is valid, else 0. */
static size_t valid_step(const char *text, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++)
		if (text_is_utf8(text, n))
			return n;
	return 0;
}

static void put_string(struct buf *out, const char *text, size_t len)
{
	bool valid = text_is_utf8(text, len);
	size_t from = 0, i = 0;

	buf_putc(out, '"');
	while (i < len) {
		unsigned char c = (unsigned char)text[i];
		size_t n = 1;

		if (c >= 0x20 && c != '"' && c != '\\') {
			if (valid || c < 0x80 ||
			    (n = valid_step(text + i, len - i)) > 0) {
				i += n;
				continue;
			}
			/* not UTF-8: the replacement character */
			buf_put(out, text + from, i - from);
			buf_puts(out, "\xef\xbf\xbd");
		} else {
			buf_put(out, text + from, i - from);
			put_escape(out, c);
		}
		from = ++i;
	}
	buf_put(out, text + from, len - from);
	buf_putc(out, '"');
}

void jsonw_key(struct jsonw *w, const char *key)
{
	assert(w->depth > 0 && !w->key);
	begin_value(w);
	put_string(w->out, key, strlen(key));
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
	put_string(w->out, text, len);
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

/* jsonp.c - see jsonp.h. */
#include "lib/jsonp.h"

#include "lib/text.h"

#include <string.h>

void jsonp_init(struct jsonp *p, const char *bytes, size_t len, int max_depth,
		struct arena *arena, struct err *err)
{
	*p = (struct jsonp){.begin = bytes,
			    .at = bytes,
			    .end = bytes + len,
			    .arena = arena,
			    .err = err,
			    .max_depth = max_depth};
}

int jsonp_fail(struct jsonp *p, int code, const char *what)
{
	const char *c, *line = p->begin;
	size_t lines = 1;

	if (p->failed != 0)
		return p->failed;
	for (c = p->begin; c < p->at; c++)
		if (*c == '\n') {
			lines++;
			line = c + 1;
		}
	p->failed = err_set(p->err, code, "%zu:%zu: %s", lines,
			    (size_t)(p->at - line) + 1, what);
	return p->failed;
}

static int jsonp_bad(struct jsonp *p, const char *what)
{
	return jsonp_fail(p, ERR_INPUT, what);
}

static void jsonp_space(struct jsonp *p)
{
	while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' ||
				  *p->at == '\t' || *p->at == '\r'))
		p->at++;
}

enum jsonp_type jsonp_peek(struct jsonp *p)
{
	jsonp_space(p);
	if (p->failed != 0 || p->at == p->end)
		return JSONP_BAD;
	switch (*p->at) {
	case '{':
		return JSONP_OBJECT;
	case '[':
		return JSONP_ARRAY;
	case '"':
		return JSONP_STRING;
	case 't':
		return JSONP_TRUE;
	case 'f':
		return JSONP_FALSE;
	case 'n':
		return JSONP_NULL;
	default:
		return *p->at == '-' || (*p->at >= '0' && *p->at <= '9')
			       ? JSONP_NUMBER
			       : JSONP_BAD;
	}
}

int jsonp_enter(struct jsonp *p, enum jsonp_type type)
{
	if (jsonp_peek(p) != type)
		return jsonp_bad(p, type == JSONP_OBJECT ? "want an object"
							 : "want a list");
	if (++p->depth > p->max_depth)
		return jsonp_fail(p, ERR_LIMIT, "nested too deeply");
	p->lists &= ~(UINT64_C(1) << p->depth);
	p->lists |= (uint64_t)(type == JSONP_ARRAY) << p->depth;
	p->fresh = true;
	p->at++;
	return 0;
}

int jsonp_next(struct jsonp *p, bool *out)
{
	bool list = (p->lists >> p->depth & 1) != 0, first = p->fresh;

	if (p->failed != 0)
		return p->failed;
	p->fresh = false;
	jsonp_space(p);
	if (p->at == p->end)
		return jsonp_bad(p, "unexpected end");
	if (*p->at == (list ? ']' : '}')) {
		p->at++;
		p->depth--;
		*out = false;
		return 0;
	}
	if (!first) {
		if (*p->at != ',')
			return jsonp_bad(p, "want \",\" or the end of the "
					    "object or list");
		p->at++;
	}
	*out = true;
	return 0;
}

static int jsonp_hex(struct jsonp *p, uint32_t *out)
{
	uint32_t v = 0;
	int i;

	if (p->end - p->at < 4)
		return jsonp_bad(p, "want four hex digits");
	for (i = 0; i < 4; i++, p->at++) {
		char c = *p->at;

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v = v << 4 | (uint32_t)((c | 32) - 'a' + 10);
		else
			return jsonp_bad(p, "want four hex digits");
	}
	*out = v;
	return 0;
}

static char *jsonp_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* Behind "\u"; a surrogate wants its other half. */
static int jsonp_unicode(struct jsonp *p, char **to)
{
	uint32_t c = 0, low = 0;
	int r = jsonp_hex(p, &c);

	if (r == 0 && c == 0)
		return jsonp_bad(p, "want a string without NUL");
	if (r == 0 && c >= 0xd800 && c < 0xdc00) {
		if (p->end - p->at < 2 || p->at[0] != '\\' || p->at[1] != 'u')
			return jsonp_bad(p, "half a surrogate pair");
		p->at += 2;
		r = jsonp_hex(p, &low);
		if (r == 0 && (low < 0xdc00 || low > 0xdfff))
			return jsonp_bad(p, "half a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (r == 0 && c >= 0xdc00 && c < 0xe000) {
		return jsonp_bad(p, "half a surrogate pair");
	}
	if (r == 0)
		*to = jsonp_utf8(*to, c);
	return r;
}

static int jsonp_escape(struct jsonp *p, char **to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (p->at == p->end)
		return jsonp_bad(p, "unexpected end");
	if (*p->at == 'u') {
		p->at++;
		return jsonp_unicode(p, to);
	}
	at = *p->at != '\0' ? strchr(from, *p->at) : NULL;
	if (at == NULL)
		return jsonp_bad(p, "unknown escape");
	*(*to)++ = into[at - from];
	p->at++;
	return 0;
}

/* Over the string; its end, without the quote, in *out_end. */
static int jsonp_span(struct jsonp *p, const char **out_end, bool *out_plain)
{
	const char *c;

	*out_plain = true;
	for (c = p->at; c < p->end && *c != '"'; c++) {
		if (*c == '\\') {
			*out_plain = false;
			c++;
		}
	}
	if (c >= p->end)
		return jsonp_bad(p, "a string without end");
	*out_end = c;
	return 0;
}

static int jsonp_chars(struct jsonp *p, const char *end, char **to)
{
	uint32_t code;
	size_t n;
	int r = 0;

	while (p->at < end && r == 0) {
		unsigned char c = (unsigned char)*p->at;

		if (c == '\\') {
			p->at++;
			r = jsonp_escape(p, to);
			continue;
		}
		if (c < 0x20)
			return jsonp_bad(p, "a control character in a string");
		n = c < 0x80 ? 1
			     : text_step(p->at, (size_t)(end - p->at), &code);
		if (n == 0)
			return jsonp_bad(p, "not UTF-8");
		memcpy(*to, p->at, n);
		*to += n;
		p->at += n;
	}
	return r;
}

int jsonp_string(struct jsonp *p, char **out)
{
	const char *end = NULL;
	bool plain = true;
	char *text, *to;
	int r;

	if (jsonp_peek(p) != JSONP_STRING)
		return jsonp_bad(p, "want a string");
	p->at++;
	r = jsonp_span(p, &end, &plain);
	if (r < 0)
		return r;
	/* no escape makes a string longer than its text */
	text = arena_alloc(p->arena, (size_t)(end - p->at) + 1);
	to = text;
	r = jsonp_chars(p, end, &to);
	if (r < 0)
		return r;
	*to = '\0';
	p->at = end + 1;
	*out = text;
	return 0;
}

int jsonp_key(struct jsonp *p, char **out)
{
	int r = jsonp_string(p, out);

	if (r < 0)
		return r;
	jsonp_space(p);
	if (p->at == p->end || *p->at != ':')
		return jsonp_bad(p, "want \":\"");
	p->at++;
	return 0;
}

static size_t jsonp_digits(struct jsonp *p)
{
	const char *from = p->at;

	while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
		p->at++;
	return (size_t)(p->at - from);
}

/* Over a number; *out_whole if it has neither fraction nor exponent. */
static int jsonp_number(struct jsonp *p, bool *out_whole)
{
	bool zero;

	if (*p->at == '-')
		p->at++;
	zero = p->at < p->end && *p->at == '0';
	*out_whole = true;
	if (zero ? jsonp_digits(p) != 1 : jsonp_digits(p) == 0)
		return jsonp_bad(p, "not a number");
	if (p->at < p->end && *p->at == '.') {
		p->at++;
		*out_whole = false;
		if (jsonp_digits(p) == 0)
			return jsonp_bad(p, "not a number");
	}
	if (p->at < p->end && (*p->at | 32) == 'e') {
		p->at++;
		*out_whole = false;
		if (p->at < p->end && (*p->at == '+' || *p->at == '-'))
			p->at++;
		if (jsonp_digits(p) == 0)
			return jsonp_bad(p, "not a number");
	}
	return 0;
}

int jsonp_integer(struct jsonp *p, struct jsonp_int *out)
{
	struct jsonp_int v = {0};
	const char *c;
	bool whole = false;
	int r;

	if (jsonp_peek(p) != JSONP_NUMBER)
		return jsonp_bad(p, "want an integer");
	c = p->at;
	r = jsonp_number(p, &whole);
	if (r < 0)
		return r;
	if (!whole)
		return jsonp_bad(p, "want an integer");
	v.negative = *c == '-';
	for (c += v.negative; c < p->at; c++) {
		uint64_t digit = (uint64_t)(*c - '0');

		if (v.size > (UINT64_MAX - digit) / 10)
			return jsonp_bad(p, "integer out of range");
		v.size = v.size * 10 + digit;
	}
	if (v.negative && v.size > UINT64_C(1) << 63)
		return jsonp_bad(p, "integer out of range");
	*out = v;
	return 0;
}

static int jsonp_word(struct jsonp *p, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0)
		return jsonp_bad(p, "unknown word");
	p->at += len;
	return 0;
}

int jsonp_bool(struct jsonp *p, bool *out)
{
	enum jsonp_type t = jsonp_peek(p);
	int r;

	if (t != JSONP_TRUE && t != JSONP_FALSE)
		return jsonp_bad(p, "want true or false");
	r = jsonp_word(p, t == JSONP_TRUE ? "true" : "false");
	if (r == 0)
		*out = t == JSONP_TRUE;
	return r;
}

static int jsonp_skip_all(struct jsonp *p, enum jsonp_type type)
{
	bool more = false;
	char *key;
	int r = jsonp_enter(p, type);

	while (r == 0 && (r = jsonp_next(p, &more)) == 0 && more) {
		if (type == JSONP_OBJECT)
			r = jsonp_key(p, &key);
		if (r == 0)
			r = jsonp_skip(p);
	}
	return r;
}

int jsonp_skip(struct jsonp *p)
{
	enum jsonp_type type = jsonp_peek(p);
	bool whole;
	char *text;

	switch (type) {
	case JSONP_OBJECT:
	case JSONP_ARRAY:
		return jsonp_skip_all(p, type);
	case JSONP_STRING:
		return jsonp_string(p, &text);
	case JSONP_NUMBER:
		return jsonp_number(p, &whole);
	case JSONP_TRUE:
		return jsonp_word(p, "true");
	case JSONP_FALSE:
		return jsonp_word(p, "false");
	case JSONP_NULL:
		return jsonp_word(p, "null");
	case JSONP_BAD:
		break;
	}
	return jsonp_bad(p, "want a value");
}

int jsonp_end(struct jsonp *p)
{
	jsonp_space(p);
	if (p->failed == 0 && p->at != p->end)
		return jsonp_bad(p, "something behind the value");
	return p->failed;
}

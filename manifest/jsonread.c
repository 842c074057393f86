/*
 * jsonread.c - see jsonread.h.  Input comes from a sibling, so a fault means a
 * broken or taken-over sibling: it is refused at the first one.
 */
#include "manifest/jsonread.h"

#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

struct jsonread {
	char *at, *end;
	const char *begin;
	struct arena *scratch;
	const struct node **pending; /* heap */
	size_t n_pending, cap;
	struct err *err;
};

struct jsonread *jsonread_new(void)
{
	struct jsonread *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	return r;
}

void jsonread_free(struct jsonread *r)
{
	if (!r)
		return;
	free(r->pending);
	free(r);
}

static int bad(struct jsonread *r, const char *want)
{
	return err_set(r->err, ERR_INPUT,
		       "canonical JSON: want %s at offset %zu", want,
		       (size_t)(r->at - r->begin));
}

static void push(struct jsonread *r, const struct node *n)
{
	if (r->n_pending == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 256;
		void *p = reallocarray(r->pending, cap, sizeof(*r->pending));

		if (!p)
			abort();
		r->pending = p;
		r->cap = cap;
	}
	r->pending[r->n_pending++] = n;
}

static struct node *add(struct jsonread *r, enum node_type type)
{
	struct node *n = arena_alloc(r->scratch, sizeof(*n));

	n->type = (uint8_t)type;
	n->size = 1;
	n->height = 1;
	push(r, n);
	return n;
}

static int hex4(struct jsonread *r, const char *s, unsigned int *out)
{
	unsigned int v = 0;

	for (int i = 0; i < 4; i++) {
		char c = s + i < r->end ? s[i] : '\0';

		if (c >= '0' && c <= '9')
			v = v * 16 + (unsigned int)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + (unsigned int)(c - 'a') + 10;
		else
			return bad(r, "four lower-case hex digits");
	}
	/* the writer escapes C0 only, everything else stands as it is */
	if (v == 0 || v >= 0x20)
		return bad(r, "an escaped control character");
	*out = v;
	return 0;
}

/* r->at is behind the backslash; writes one byte to dst. */
static int unescape(struct jsonread *r, char *dst)
{
	static const char from[] = "\"\\bfnrt", to[] = "\"\\\b\f\n\r\t";
	char c = r->at < r->end ? *r->at : '\0';
	const char *p = c ? strchr(from, c) : NULL;
	unsigned int v;
	int rc;

	r->at++;
	if (p) {
		*dst = to[p - from];
		return 0;
	}
	if (c != 'u')
		return bad(r, "an escape");
	rc = hex4(r, r->at, &v);
	if (rc < 0)
		return rc;
	r->at += 4;
	*dst = (char)v;
	return 0;
}

static int read_string(struct jsonread *r)
{
	char *start = ++r->at, *dst = start;
	unsigned char high = 0;
	struct node *n;
	int rc;

	while (r->at < r->end && *r->at != '"') {
		unsigned char c = (unsigned char)*r->at;

		if (c < 0x20)
			return bad(r, "no control character");
		high |= c;
		r->at++;
		if (c != '\\') {
			if (dst != r->at - 1)
				*dst = (char)c;
			dst++;
			continue;
		}
		rc = unescape(r, dst++);
		if (rc < 0)
			return rc;
	}
	if (r->at >= r->end)
		return bad(r, "the end of the string");
	r->at++;
	*dst = '\0';
	n = add(r, NODE_SCALAR);
	n->text = start;
	n->n = (uint32_t)(dst - start);
	if ((high & 0x80) && !text_is_utf8(start, n->n))
		return bad(r, "UTF-8");
	return 0;
}

static int read_number(struct jsonread *r)
{
	char *start = r->at;
	struct node *n;

	if (*r->at == '-')
		r->at++;
	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	if (r->at == start || r->at[-1] == '-' || r->at - start > 20)
		return bad(r, "an integer");
	n = add(r, NODE_SCALAR);
	n->plain = true;
	n->n = (uint32_t)(r->at - start);
	n->text = arena_strndup(r->scratch, start, n->n);
	return 0;
}

static int read_word(struct jsonread *r)
{
	static const char *const words[] = {"true", "false"};

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(words[i]);
		struct node *n;

		if ((size_t)(r->end - r->at) < len ||
		    memcmp(r->at, words[i], len) != 0)
			continue;
		r->at += len;
		n = add(r, NODE_SCALAR);
		n->plain = true;
		n->n = (uint32_t)len;
		n->text = words[i];
		return 0;
	}
	return bad(r, "a value");
}

static int read_value(struct jsonread *r, int depth);

static int read_pair(struct jsonread *r, int depth, const struct node **last)
{
	const struct node *key;
	int rc;

	if (r->at >= r->end || *r->at != '"')
		return bad(r, "a key");
	rc = read_string(r);
	if (rc < 0)
		return rc;
	key = r->pending[r->n_pending - 1];
	if (*last && strcmp((*last)->text, key->text) >= 0)
		return bad(r, "keys in ascending order");
	*last = key;
	if (r->at >= r->end || *r->at != ':')
		return bad(r, "':'");
	r->at++;
	return read_value(r, depth);
}

/* Children since start become n's. */
static void close_node(struct jsonread *r, struct node *n, size_t start)
{
	size_t count = r->n_pending - start;
	const struct node *const *parts = &r->pending[start];

	if (n->type == NODE_SEQ) {
		n->items = arena_memdup(r->scratch, parts,
					count * sizeof(struct node *));
		n->n = (uint32_t)count;
	} else {
		struct node_pair *p =
			arena_calloc(r->scratch, count / 2, sizeof(*p));

		for (size_t i = 0; i + 1 < count; i += 2)
			p[i / 2] = (struct node_pair){parts[i], parts[i + 1]};
		n->pairs = p;
		n->n = (uint32_t)(count / 2);
	}
	r->n_pending = start;
}

static int read_container(struct jsonread *r, int depth, enum node_type type)
{
	char close = type == NODE_MAP ? '}' : ']';
	struct node *n = add(r, type);
	const struct node *last = NULL;
	size_t start = r->n_pending;
	int rc;

	if (depth >= JSONREAD_DEPTH_MAX)
		return bad(r, "fewer levels");
	r->at++;
	if (r->at < r->end && *r->at == close) {
		r->at++;
		return 0;
	}
	for (;;) {
		rc = type == NODE_MAP ? read_pair(r, depth + 1, &last)
				      : read_value(r, depth + 1);
		if (rc < 0)
			return rc;
		if (r->at < r->end && *r->at == close)
			break;
		if (r->at >= r->end || *r->at != ',')
			return bad(r, "',' or the end of the list or object");
		r->at++;
	}
	r->at++;
	close_node(r, n, start);
	return 0;
}

static int read_value(struct jsonread *r, int depth)
{
	char c = r->at < r->end ? *r->at : '\0';

	if (c == '{')
		return read_container(r, depth, NODE_MAP);
	if (c == '[')
		return read_container(r, depth, NODE_SEQ);
	if (c == '"')
		return read_string(r);
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(r);
	return read_word(r);
}

int jsonread_parse(struct jsonread *r, char *text, size_t len,
		   struct arena *scratch, const struct node **out,
		   struct err *err)
{
	int rc;

	r->at = text;
	r->begin = text;
	r->end = text + len;
	r->scratch = scratch;
	r->n_pending = 0;
	r->err = err;
	rc = read_value(r, 0);
	if (rc < 0)
		return rc;
	if (r->at != r->end)
		return bad(r, "nothing more");
	*out = r->pending[0];
	return 0;
}

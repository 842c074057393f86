/*
 * mutate_object.c - see mutate.h.
 */
#include "tests/attack/mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
/* of nothing: what has the id of a tree is no parent for git */
#define PARENT "1b825dc642cb6eb9a060e54bf8d69288fbee4901"
#define TEXT(s)                                                                \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct text {
	const char *bytes;
	size_t len;
};

uint64_t mutate_next(struct mutate_rng *r, uint64_t below)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % below;
}

void mutate_need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "trust_mutate: %s\n", what);
	exit(2);
}

void mutate_note(char *how, const char *what)
{
	size_t n = strlen(how);

	snprintf(how + n, MUTATE_HOW_BYTES - n, "%s%s", n > 0 ? "," : "", what);
}

void mutate_splice(struct buf *b, size_t at, size_t n, const void *bytes,
		   size_t len)
{
	struct buf out;

	buf_init(&out, MUTATE_BYTES_MAX);
	buf_put(&out, b->data, at);
	buf_put(&out, bytes, len);
	buf_put(&out, b->data + at + n, b->len - at - n);
	mutate_need(!out.failed, "memory");
	buf_release(b);
	*b = out;
}

static void insert(struct buf *b, size_t at, const struct text *t)
{
	mutate_splice(b, at, 0, t->bytes, t->len);
}

/* Start of the n-th line of the headers, and its length with the newline. */
static size_t headers_end(const struct buf *b)
{
	const char *end = memmem(b->data, b->len, "\n\n", 2);

	return end != NULL ? (size_t)(end - b->data) + 1 : b->len;
}

static size_t line_at(const struct buf *b, size_t n, size_t *out_len)
{
	size_t end = headers_end(b);
	size_t at = 0;

	for (;;) {
		const char *nl = memchr(b->data + at, '\n', b->len - at);
		size_t next = nl != NULL ? (size_t)(nl - b->data) + 1 : b->len;

		if (n == 0 || next >= end) {
			*out_len = next - at;
			return at;
		}
		at = next;
		n--;
	}
}

static size_t line_of(const struct buf *b, const char *key, size_t *out_len)
{
	for (size_t n = 0; n < 80; n++) {
		size_t at = line_at(b, n, out_len);

		if (*out_len > strlen(key) &&
		    memcmp(b->data + at, key, strlen(key)) == 0)
			return at;
	}
	return line_at(b, 0, out_len);
}

/* --- what is changed before it is signed -------------------------------------
 */

static void header_double(struct buf *b, struct mutate_rng *r)
{
	size_t len, at = line_at(b, mutate_next(r, 5), &len);
	char line[8192];

	len = len < sizeof(line) ? len : sizeof(line);
	memcpy(line, b->data + at, len);
	mutate_splice(b, line_at(b, mutate_next(r, 5), &(size_t){0}), 0, line,
		      len);
}

static void header_drop(struct buf *b, struct mutate_rng *r)
{
	size_t len, at = line_at(b, mutate_next(r, 5), &len);

	mutate_splice(b, at, len, "", 0);
}

static void header_add(struct buf *b, struct mutate_rng *r)
{
	static const struct text lines[] = {
		TEXT("gpgsig-evil x\n"),
		TEXT("gpgsigx y\n"),
		TEXT("gpgsig-sha256 z\n more\n"),
		TEXT("gpgsig\n"),
		TEXT("gpgsig \n"),
		TEXT("x-unknown y\n"),
		TEXT("change-id zyx\n"),
		TEXT("HG:rename a:b\n"),
		TEXT("encoding UTF-8\n"),
		TEXT("encoding utf-8\n"),
		TEXT("encoding ISO-8859-1\n"),
		TEXT("encoding \n"),
		TEXT("mergetag object " HEX "\n type commit\n tag v1\n tagger "
		     "A <a@b> 1 +0000\n \n text\n -----BEGIN SSH "
		     "SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\n"),
		TEXT("mergetag x\n"),
		TEXT("parent " PARENT "\n"),
		TEXT("tree " HEX "\n"),
		TEXT("author A <a@b> 1 +0000\n"),
		TEXT("committer A <a@b> 1 +0000\n"),
		TEXT("\n"),
		TEXT(" continued\n"),
		TEXT("\tx\n"),
		TEXT("noblank\n"),
		TEXT("-----BEGIN SSH SIGNATURE-----\n"),
	};

	insert(b, line_at(b, mutate_next(r, 6), &(size_t){0}),
	       &lines[mutate_next(r, COUNT(lines))]);
}

static void header_late(struct buf *b, struct mutate_rng *r)
{
	size_t len, at = line_at(b, mutate_next(r, 5), &len);
	char line[8192];

	len = len < sizeof(line) ? len : sizeof(line);
	memcpy(line, b->data + at, len);
	mutate_splice(b, at, len, "", 0);
	mutate_splice(b, headers_end(b), 0, line, len);
}

static void byte_odd(struct buf *b, struct mutate_rng *r)
{
	static const struct text odd[] = {
		TEXT("\0"),   TEXT("\r"), TEXT("\xff"), TEXT("\xc3\xa9"),
		TEXT("\xe9"), TEXT("\t"), TEXT("\x1b"), TEXT("\xef\xbb\xbf")};

	insert(b, mutate_next(r, b->len + 1), &odd[mutate_next(r, COUNT(odd))]);
}

/* From "> " to the end of the line of author or committer. */
static void date(struct buf *b, struct mutate_rng *r)
{
	static const struct text dates[] = {
		TEXT("0 +0000"),
		TEXT("-1 +0000"),
		TEXT("1 +0000"),
		TEXT("01700000000 +0000"),
		TEXT("1400000000 +0000"),
		TEXT("99999999999 +0000"),
		TEXT("253402300799 +0000"),
		TEXT("253402300800 +0000"),
		TEXT("18446744073709551616 +0000"),
		TEXT("4102444800 +0000"),
		TEXT("1700000000"),
		TEXT("1700000000 "),
		TEXT("1700000000 +00000"),
		TEXT("1700000000 0000"),
		TEXT("1700000000 +1400"),
		TEXT("1700000000 +1401"),
		TEXT("1700000000 -9999"),
		TEXT("1700000000 +0060"),
		TEXT("1700000000 UTC"),
		TEXT("1700000000  +0000"),
		TEXT("1700000000 +0000 x"),
		TEXT(" 1700000000 +0000"),
		TEXT("+1700000000 +0000"),
		TEXT(""),
		TEXT("x"),
	};
	const struct text *t = &dates[mutate_next(r, COUNT(dates))];
	size_t len;
	size_t at = line_of(b, mutate_next(r, 4) == 0 ? "author" : "committer",
			    &len);
	const char *gt = memrchr(b->data + at, '>', len);
	size_t from = gt != NULL ? (size_t)(gt - b->data) + 2 : at;

	if (from < at + len)
		mutate_splice(b, from, at + len - 1 - from, t->bytes, t->len);
}

static void ident(struct buf *b, struct mutate_rng *r)
{
	static const struct text idents[] = {
		TEXT("A a@b"),		TEXT("A <a@b"),	     TEXT("A a@b>"),
		TEXT("<a@b>"),		TEXT(" <a@b>"),	     TEXT("A <>"),
		TEXT("A <<a@b>>"),	TEXT("A <a> <b>"),   TEXT("A<a@b>"),
		TEXT("A <a@b> x"),	TEXT("A\x01 <a@b>"), TEXT("A  <a@b>"),
		TEXT("A <a\x7f@b>"),	TEXT("A <a b>"),     TEXT(""),
		TEXT("\xc3\xa9 <a@b>"), TEXT("\xe9 <a@b>"),  TEXT("A\t <a@b>"),
	};
	const struct text *t = &idents[mutate_next(r, COUNT(idents))];
	const char *key = mutate_next(r, 2) == 0 ? "author " : "committer ";
	size_t len, at = line_of(b, key, &len);
	const char *gt = memrchr(b->data + at, '>', len);
	size_t from = at + strlen(key);
	size_t to = gt != NULL ? (size_t)(gt - b->data) + 1 : from;

	if (from <= to && to <= at + len)
		mutate_splice(b, from, to - from, t->bytes, t->len);
}

static void object_id(struct buf *b, struct mutate_rng *r)
{
	static const struct text ids[] = {
		TEXT("4B825DC642CB6EB9A060E54BF8D69288FBEE4904"),
		TEXT("4b825dc642cb6eb9a060e54bf8d69288fbee490"),
		TEXT("4b825dc642cb6eb9a060e54bf8d69288fbee49040"),
		TEXT(PARENT " "),
		TEXT(" " PARENT),
		TEXT(PARENT PARENT),
		TEXT("0000000000000000000000000000000000000000"),
		TEXT("4b825dc642cb6eb9a060e54bf8d69288fbee490g"),
		TEXT(""),
	};
	const struct text *t = &ids[mutate_next(r, COUNT(ids))];
	const char *key = mutate_next(r, 2) == 0 ? "tree " : "parent ";
	size_t len, at = line_of(b, key, &len);
	size_t skip = strlen(key);

	if (len > skip)
		mutate_splice(b, at + skip, len - 1 - skip, t->bytes, t->len);
}

static void message(struct buf *b, struct mutate_rng *r)
{
	static const struct text messages[] = {
		TEXT(""),
		TEXT("\n"),
		TEXT("\n\n\ntext\n"),
		TEXT("no newline"),
		TEXT("crlf\r\nmessage\r\n"),
		TEXT("tree " HEX "\n\n"),
		TEXT("gpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END "
		     "SSH SIGNATURE-----\n"),
		TEXT("-----BEGIN PGP SIGNATURE-----\n"),
		TEXT("-----END SSH SIGNATURE-----\n"),
		TEXT("\xff\xfe\n"),
		TEXT("a\0b\n"),
	};
	const struct text *t = &messages[mutate_next(r, COUNT(messages))];
	size_t at = headers_end(b);

	at = at < b->len ? at + 1 : at;
	mutate_splice(b, at, b->len - at, t->bytes, t->len);
}

static void parents(struct buf *b, struct mutate_rng *r)
{
	static const struct text one = TEXT("parent " PARENT "\n");
	size_t len;
	size_t at = line_at(b, 1, &len);

	for (size_t n = mutate_next(r, 3) == 0 ? 70 : 2; n > 0; n--)
		insert(b, at, &one);
}

static void no_blank(struct buf *b, struct mutate_rng *r)
{
	size_t at = headers_end(b);

	(void)r;
	if (at < b->len)
		mutate_splice(b, at, 1, "", 0);
}

static void large(struct buf *b, struct mutate_rng *r)
{
	static char much[1100000];

	if (mutate_next(r, 8) != 0) {
		byte_odd(b, r);
		return;
	}
	memset(much, 'x', sizeof(much));
	mutate_splice(b, b->len, 0, much, sizeof(much));
}

static const struct {
	const char *name;
	void (*change)(struct buf *b, struct mutate_rng *r);
} changes[] = {
	{"double", header_double},
	{"drop", header_drop},
	{"add", header_add},
	{"add", header_add},
	{"late", header_late},
	{"byte", byte_odd},
	{"date", date},
	{"date", date},
	{"ident", ident},
	{"id", object_id},
	{"message", message},
	{"message", message},
	{"parents", parents},
	{"no-blank", no_blank},
	{"large", large},
};

void mutate_payload(struct buf *b, struct mutate_rng *r, int64_t now, bool odd,
		    char *how)
{
	/* some from when keys that have ended were good */
	static const int64_t before[] = {1579000000, 1700000000};

	if (mutate_next(r, 6) == 0)
		now = before[mutate_next(r, 2)];
	buf_printf(b, "tree " HEX "\n");
	for (uint64_t n = mutate_next(r, 3); n > 0; n--)
		buf_printf(b, "parent " PARENT "\n");
	buf_printf(b,
		   "author A <a@example.org> %lld +0100\n"
		   "committer C <c@example.org> %lld -0230\n\n"
		   "number %llu\n",
		   (long long)now - 5, (long long)now - 3,
		   (unsigned long long)mutate_next(r, 1000000));
	for (uint64_t n = odd ? 1 + mutate_next(r, 4) / 3 : 0; n > 0; n--) {
		size_t i = mutate_next(r, COUNT(changes));

		mutate_note(how, changes[i].name);
		changes[i].change(b, r);
	}
}

/* --- what is changed afterwards ----------------------------------------------
 */

void mutate_armor(struct buf *b, struct mutate_rng *r, char *how)
{
	static const struct text odd[] = {
		TEXT("\n"),
		TEXT(" "),
		TEXT("\r"),
		TEXT("\t"),
		TEXT("=\n"),
		TEXT("Version: 1\n"),
		TEXT("text\n"),
		TEXT("-----END SSH SIGNATURE-----\n"),
		TEXT("-----BEGIN SSH SIGNATURE-----\n"),
		TEXT("-----BEGIN PGP SIGNATURE-----\n")};
	static const struct text newline = TEXT("\n");
	static const struct text nothing = TEXT("");
	const struct text *t = &odd[mutate_next(r, COUNT(odd))];
	size_t at = mutate_next(r, b->len + 1);
	char *equals;

	switch (mutate_next(r, 6)) {
	case 0: /* anywhere */
		break;
	case 1: /* at the start of a line */
		while (at > 0 && b->data[at - 1] != '\n')
			at--;
		break;
	case 2:
		at = b->len;
		break;
	case 3: /* a line is broken or joined */
		t = &newline;
		while (at < b->len && b->data[at] != '\n')
			at++;
		if (at < b->len && mutate_next(r, 2) == 0) {
			mutate_splice(b, at, 1, "", 0);
			t = &nothing;
		}
		break;
	case 4: /* bits that base64 does not use */
		equals = memrchr(b->data, '=', b->len);
		if (equals != NULL && equals[-1] != '=')
			equals[-1]++;
		t = &nothing;
		break;
	default:
		at = 0;
		break;
	}
	insert(b, at, t);
	mutate_note(how, "armor");
}

static void fold(const struct buf *armor, const char *key, struct buf *out)
{
	const char *at = armor->data;
	const char *end = armor->data + armor->len;

	buf_puts(out, key);
	while (at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl != NULL ? nl : end) - at);

		buf_putc(out, ' ');
		buf_put(out, at, n);
		buf_putc(out, '\n');
		at += n + 1;
	}
}

void mutate_join(const struct buf *payload, const struct buf *armor,
		 struct mutate_rng *r, bool odd, struct buf *out, char *how)
{
	static const char *const keys[] = {"gpgsig",   "gpgsig-sha256",
					   "gpgsigx",  "Gpgsig",
					   "mergetag", "gpgsig "};
	size_t at = headers_end(payload);
	const char *key = "gpgsig";
	struct buf header;
	size_t len;

	buf_init(&header, 1u << 20);
	if (odd && mutate_next(r, 3) == 0)
		key = keys[mutate_next(r, COUNT(keys))];
	fold(armor, key, &header);
	if (odd && mutate_next(r, 3) == 0)
		at = line_at(payload, mutate_next(r, 6), &len);
	if (odd && mutate_next(r, 4) == 0)
		at = payload->len;
	if (odd)
		mutate_note(how, "place");
	buf_put(out, payload->data, at);
	buf_put(out, header.data, header.len);
	if (odd && mutate_next(r, 4) == 0) { /* twice, or a second half */
		len = mutate_next(r, 2) == 0 ? 0 : mutate_next(r, header.len);
		buf_put(out, header.data + len, header.len - len);
		mutate_note(how, "twice");
	}
	buf_put(out, payload->data + at, payload->len - at);
	buf_release(&header);
}

void mutate_bytes(struct buf *b, struct mutate_rng *r, char *how)
{
	size_t at = mutate_next(r, b->len + 1);
	size_t n = 1 + mutate_next(r, 60);

	n = n < b->len - at ? n : b->len - at;
	switch (mutate_next(r, 5)) {
	case 0:
		if (at < b->len)
			b->data[at] ^= (char)(1u << mutate_next(r, 8));
		break;
	case 1:
		mutate_splice(b, at, n, "", 0);
		break;
	case 2: {
		char piece[64];

		memcpy(piece, b->data + at, n);
		mutate_splice(b, at, 0, piece, n);
		break;
	}
	case 3:
		header_add(b, r);
		break;
	default:
		byte_odd(b, r);
		break;
	}
	mutate_note(how, "bytes");
}

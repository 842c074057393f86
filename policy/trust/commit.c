/*
 * commit.c - see commit.h.  Runs in reconcile-verify, sandboxed; the bytes
 * come from a git server or, on a host, from a manager that may be hostile.
 *
 * Invariants: (1) out is filled only on success; (2) payload[0] + signature
 * header + payload[1] are exactly the bytes of the object.
 */
#include "policy/trust/commit.h"
#include "lib/encode.h"
#include "lib/num.h"
#include "lib/text.h"

#include <string.h>

#define WHEN_MAX INT64_C(253402300799) /* end of the year 9999 */

bool commit_id_parse(const char *hex, size_t len, struct commit_id *out)
{
	return len == (size_t)2 * COMMIT_ID_BYTES &&
	       encode_unhex(out->bytes, hex, len);
}

const char *commit_id_hex(const struct commit_id *id, char out[COMMIT_ID_HEX])
{
	encode_hex(out, id->bytes, COMMIT_ID_BYTES);
	return out;
}

const char *commit_subject(const struct commit *c, char out[COMMIT_SUBJECT])
{
	const char *eol = memchr(c->message.at, '\n', c->message.len);

	return text_safe(out, COMMIT_SUBJECT, c->message.at,
			 eol != NULL ? (size_t)(eol - c->message.at)
				     : c->message.len);
}

bool commit_id_equal(const struct commit_id *a, const struct commit_id *b)
{
	return memcmp(a->bytes, b->bytes, COMMIT_ID_BYTES) == 0;
}

bool commit_span_is(const struct commit_span *s, const char *text)
{
	return s->len == strlen(text) && memcmp(s->at, text, s->len) == 0;
}

int commit_next_header(struct commit_reader *r, struct commit_header *out,
		       bool *out_more)
{
	const char *eol = memchr(r->at, '\n', (size_t)(r->end - r->at));
	const char *space;

	if (eol == NULL)
		return verdict_fail(r->v, TCODE_GRAMMAR,
				    "want an empty line after the headers");
	*out_more = eol != r->at;
	if (!*out_more)
		return 0;
	space = memchr(r->at, ' ', (size_t)(eol - r->at));
	if (space == NULL || space == r->at)
		return verdict_fail(r->v, TCODE_GRAMMAR,
				    "want \"key value\" in each header line");
	out->start = r->at;
	out->key = (struct commit_span){r->at, (size_t)(space - r->at)};
	while (eol + 1 < r->end && eol[1] == ' ') {
		eol = memchr(eol + 1, '\n', (size_t)(r->end - eol - 1));
		if (eol == NULL)
			return verdict_fail(r->v, TCODE_GRAMMAR,
					    "a header line has no end");
	}
	out->value = (struct commit_span){space + 1, (size_t)(eol - space - 1)};
	out->next = eol + 1;
	return 0;
}

int commit_read_id(struct commit_reader *r, const struct commit_header *h,
		   struct commit_id *out)
{
	if (!commit_id_parse(h->value.at, h->value.len, out))
		return verdict_fail(r->v, TCODE_GRAMMAR,
				    "want 40 hex digits after \"%.*s\"",
				    (int)h->key.len, h->key.at);
	return 0;
}

static bool zone_ok(const char *z, size_t len)
{
	uint64_t n = 0;

	if (len != 5 || (z[0] != '+' && z[0] != '-'))
		return false;
	for (size_t i = 1; i < 5; i++) {
		if (z[i] < '0' || z[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(z[i] - '0');
	}
	return n <= 1400 && n % 100 < 60;
}

static bool words_ok(const struct commit_span *s)
{
	for (size_t i = 0; i < s->len; i++) {
		unsigned char c = (unsigned char)s->at[i];

		if (c < 0x20 || c == 0x7f || c == '<' || c == '>')
			return false;
	}
	return true;
}

int commit_read_ident(struct commit_reader *r, const struct commit_header *h,
		      struct commit_ident *out)
{
	const char *end = h->value.at + h->value.len;
	const char *lt = memchr(h->value.at, '<', h->value.len);
	const char *gt =
		lt != NULL ? memchr(lt, '>', (size_t)(end - lt)) : NULL;
	const char *space = NULL;
	uint64_t when = 0;

	if (gt == NULL || gt + 2 >= end || gt[1] != ' ' ||
	    lt < h->value.at + 2 || lt[-1] != ' ')
		return verdict_fail(r->v, TCODE_GRAMMAR,
				    "want \"Name <email> time zone\" in %.*s",
				    (int)h->key.len, h->key.at);
	out->name = (struct commit_span){h->value.at,
					 (size_t)(lt - 1 - h->value.at)};
	out->email = (struct commit_span){lt + 1, (size_t)(gt - lt - 1)};
	if (!words_ok(&out->name) || !words_ok(&out->email))
		return verdict_fail(r->v, TCODE_GRAMMAR,
				    "control or bracket in the name of %.*s",
				    (int)h->key.len, h->key.at);
	space = memchr(gt + 2, ' ', (size_t)(end - gt - 2));
	if (space == NULL ||
	    !num_parse_u64(gt + 2, (size_t)(space - gt - 2), WHEN_MAX, &when) ||
	    !zone_ok(space + 1, (size_t)(end - space - 1)))
		return verdict_fail(r->v, TCODE_DATE,
				    "want a date from 1970 to 9999 and a zone "
				    "in %.*s",
				    (int)h->key.len, h->key.at);
	out->when = (int64_t)when;
	return 0;
}

/* The fixed part: tree, parent*, author, committer. */
static int read_fixed(struct commit_reader *r, struct commit *c)
{
	static const char *const order[] = {"tree", "parent", "author",
					    "committer"};
	struct commit_header h = {0};
	size_t step = 0;
	int rc = 0;

	while (step < 4) {
		bool more = false;

		rc = commit_next_header(r, &h, &more);
		if (rc < 0)
			return rc;
		if (step == 1 && (!more || !commit_span_is(&h.key, "parent")))
			step = 2;
		if (!more || !commit_span_is(&h.key, order[step]))
			return verdict_fail(r->v, TCODE_GRAMMAR,
					    "want header \"%s\" here",
					    order[step]);
		if (step == 0) {
			rc = commit_read_id(r, &h, &c->tree);
			step = 1;
		} else if (step == 1) {
			if (c->n_parents == COMMIT_PARENTS_MAX)
				return verdict_fail(r->v, TCODE_GRAMMAR,
						    "more than %d parents",
						    COMMIT_PARENTS_MAX);
			rc = commit_read_id(r, &h, &c->parents[c->n_parents++]);
		} else {
			rc = commit_read_ident(
				r, &h, step == 2 ? &c->author : &c->committer);
			step++;
		}
		if (rc < 0)
			return rc;
		r->at = h.next;
	}
	return 0;
}

/* One header of the free part; *seen_encoding and c->signature only once. */
static int read_extra(struct commit_reader *r, const char *bytes,
		      const struct commit_header *h, bool *seen_encoding,
		      struct commit *c)
{
	char key[80];

	if (commit_span_is(&h->key, "encoding")) {
		if (*seen_encoding || (!commit_span_is(&h->value, "UTF-8") &&
				       !commit_span_is(&h->value, "utf-8")))
			return verdict_fail(r->v, TCODE_ENCODING,
					    "want encoding UTF-8, once");
		*seen_encoding = true;
		return 0;
	}
	if (commit_span_is(&h->key, "mergetag"))
		return 0;
#ifndef GUARD_OFF_COMMIT_HEADERS
	if (h->key.len >= 6 && memcmp(h->key.at, "gpgsig", 6) == 0 &&
	    (h->key.len != 6 || c->signature.len != 0))
		return verdict_fail(
			r->v, TCODE_AMBIGUOUS,
			"want one gpgsig header, have also "
			"\"%s\"",
			text_safe(key, sizeof(key), h->key.at, h->key.len));
	if (!commit_span_is(&h->key, "gpgsig"))
		return verdict_fail(
			r->v, TCODE_GRAMMAR, "header \"%s\" is not known",
			text_safe(key, sizeof(key), h->key.at, h->key.len));
#else
	(void)key;
	if (!commit_span_is(&h->key, "gpgsig") || c->signature.len != 0)
		return 0;
#endif
	if (h->value.len == 0)
		return verdict_fail(r->v, TCODE_UNSIGNED,
				    "the gpgsig header is empty");
	c->signature = h->value;
	c->payload[0] = (struct commit_span){bytes, (size_t)(h->start - bytes)};
	c->payload[1].at = h->next;
	return 0;
}

int commit_check_bytes(const char *bytes, size_t len, struct verdict *v)
{
	const char *end = NULL;

	if (len > COMMIT_BYTES_MAX)
		return verdict_fail(v, TCODE_TOO_LARGE,
				    "want at most %u bytes, have %zu",
				    COMMIT_BYTES_MAX, len);
#ifndef GUARD_OFF_COMMIT_NUL
	if (memchr(bytes, '\0', len) != NULL)
		return verdict_fail(v, TCODE_GRAMMAR,
				    "a NUL byte at offset %zu",
				    strnlen(bytes, len));
#endif
	end = memmem(bytes, len, "\n\n", 2);
	if (end != NULL && memchr(bytes, '\r', (size_t)(end - bytes)) != NULL)
		return verdict_fail(v, TCODE_GRAMMAR,
				    "a carriage return in the headers");
#ifndef GUARD_OFF_COMMIT_NUL
	if (!text_is_utf8(bytes, len))
		return verdict_fail(v, TCODE_ENCODING,
				    "the object is not valid UTF-8");
#endif
	return 0;
}

int commit_parse(const char *bytes, size_t len, struct commit *out,
		 struct verdict *v)
{
	struct commit_reader r = {.at = bytes, .end = bytes + len, .v = v};
	struct commit c = {0};
	bool seen_encoding = false;
	bool more = true;
	int rc;

	rc = commit_check_bytes(bytes, len, v);
	if (rc < 0)
		return rc;
	rc = read_fixed(&r, &c);
	if (rc < 0)
		return rc;
	for (;;) {
		struct commit_header h = {0};

		rc = commit_next_header(&r, &h, &more);
		if (rc < 0)
			return rc;
		if (!more)
			break;
		rc = read_extra(&r, bytes, &h, &seen_encoding, &c);
		if (rc < 0)
			return rc;
		r.at = h.next;
	}
	c.message = (struct commit_span){r.at + 1, (size_t)(r.end - r.at - 1)};
	if (c.signature.len == 0)
		c.payload[0] = (struct commit_span){bytes, len};
	else
		c.payload[1].len = (size_t)(r.end - c.payload[1].at);
	*out = c;
	return 0;
}

bool commit_parents(const char *bytes, size_t len, struct commit_id *out,
		    size_t max, size_t *out_n)
{
	const size_t tree_line = 5 + 40 + 1;
	const size_t parent_line = 7 + 40 + 1;
	size_t at = tree_line;
	size_t n = 0;

	if (len < tree_line || memcmp(bytes, "tree ", 5) != 0)
		return false;
	while (n < max && len - at >= parent_line &&
	       memcmp(bytes + at, "parent ", 7) == 0 &&
	       commit_id_parse(bytes + at + 7, 40, &out[n])) {
		at += parent_line;
		n++;
	}
	*out_n = n;
	return true;
}

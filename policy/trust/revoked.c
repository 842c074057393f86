/*
 * revoked.c - see revoked.h.
 *
 * Entries are sorted by kind and bytes, so that a question about one of many
 * keys does not read them all; serials are ranges and are read in a row.
 */
#include "policy/trust/revoked.h"
#include "lib/encode.h"
#include "lib/num.h"
#include "lib/text.h"
#include "policy/trust/krl.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

void revoked_init(struct revoked *r, struct arena *arena)
{
	*r = (struct revoked){.arena = arena};
}

static struct wire_span keep(struct revoked *r, const struct wire_span *s)
{
	return (struct wire_span){arena_memdup(r->arena, s->bytes, s->len),
				  s->len};
}

/* Serials come one by one: neighbours become a range. */
static bool extends(const struct revoked *r, const struct revoked_entry *e)
{
	struct revoked_entry *last = r->n > 0 ? &r->items[r->n - 1] : NULL;

	if (last == NULL || last->kind != REVOKED_SERIAL ||
	    e->kind != REVOKED_SERIAL || last->to == UINT64_MAX ||
	    e->from != last->to + 1 ||
	    !wire_equal(&last->authority, &e->authority))
		return false;
	last->to = e->to;
	return true;
}

bool revoked_put(struct revoked *r, const struct revoked_entry *e)
{
	struct revoked_entry *more = NULL;
	struct revoked_entry *to = NULL;

	if (extends(r, e))
		return true;
	if (r->n == REVOKED_ENTRIES_MAX)
		return false;
	if (r->n == r->cap) {
		size_t cap = r->cap == 0 ? 64 : r->cap * 2;

		more = arena_calloc(r->arena, cap, sizeof(*more));
		if (r->n > 0)
			memcpy(more, r->items, r->n * sizeof(*more));
		r->items = more;
		r->cap = cap;
	}
	to = &r->items[r->n];
	*to = *e;
	to->what = keep(r, &e->what);
	/* the authority of a whole section is one copy */
	to->authority = r->n > 0 && wire_equal(&to[-1].authority, &e->authority)
				? to[-1].authority
				: keep(r, &e->authority);
	r->n++;
	return true;
}

static bool put_bytes(struct revoked *r, enum revoked_kind kind,
		      const void *bytes, size_t len)
{
	struct revoked_entry e = {.kind = kind, .what = {bytes, len}};

	return revoked_put(r, &e);
}

static bool starts(const char *line, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && memcmp(line, with, n) == 0;
}

/* "SHA256:" and 43 letters of base64 without the padding */
static bool read_fingerprint(const char *text, size_t len,
			     uint8_t out[HASH_BYTES])
{
	struct buf digest;
	bool good = false;
	char padded[45];

	if (len != PUBKEY_FINGERPRINT - 1 || !starts(text, len, "SHA256:"))
		return false;
	memcpy(padded, text + 7, 43);
	padded[43] = '=';
	buf_init(&digest, 64);
	good = encode_unbase64(&digest, padded, 44) && digest.len == HASH_BYTES;
	if (good)
		memcpy(out, digest.data, HASH_BYTES);
	buf_release(&digest);
	return good;
}

static bool add_serials(struct revoked *r, const char *at, size_t len)
{
	struct revoked_entry e = {.kind = REVOKED_SERIAL};
	const char *dash = memchr(at, '-', len);
	size_t first = dash != NULL ? (size_t)(dash - at) : len;

	if (!num_parse_u64(at, first, UINT64_MAX, &e.from))
		return false;
	e.to = e.from;
	return (dash == NULL ||
		(num_parse_u64(dash + 1, len - first - 1, UINT64_MAX, &e.to) &&
		 e.to >= e.from)) &&
	       revoked_put(r, &e);
}

static bool add_payload(struct revoked *r, const char *hex, size_t len)
{
	uint8_t digest[HASH_BYTES];

	return len == HASH_HEX - 1 && encode_unhex(digest, hex, len) &&
	       put_bytes(r, REVOKED_PAYLOAD, digest, sizeof(digest));
}

static bool is_openpgp(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(line[i] >= '0' && line[i] <= '9') &&
		    !(line[i] >= 'A' && line[i] <= 'F'))
			return false;
	return len == 40 || len == 64;
}

static bool add_key(struct revoked *r, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	const char *end = line + len;
	const char *b64 = space != NULL ? space + 1 : NULL;
	uint8_t digest[HASH_BYTES];
	struct wire_span blob;
	struct wire_span name;
	struct buf bytes;
	struct wire w;
	bool good = false;

	if (b64 == NULL)
		return false;
	space = memchr(b64, ' ', (size_t)(end - b64));
	buf_init(&bytes, PUBKEY_BLOB_MAX);
	if (encode_unbase64(&bytes, b64,
			    (size_t)((space != NULL ? space : end) - b64))) {
		blob = (struct wire_span){(const uint8_t *)bytes.data,
					  bytes.len};
		w = wire_of(&blob);
		/* A key too weak to be allowed may still be listed here; a
		 * certificate is no key, and its digest would match nothing. */
		good = wire_string(&w, &name) && !sshcert_is(&blob) &&
		       name.len == (size_t)(b64 - 1 - line) &&
		       memcmp(name.bytes, line, name.len) == 0;
		hash_sha256(bytes.data, bytes.len, digest);
		good = good &&
		       put_bytes(r, REVOKED_KEY, digest, sizeof(digest));
	}
	buf_release(&bytes);
	return good;
}

bool revoked_add_line(struct revoked *r, const char *line, size_t len)
{
	uint8_t digest[HASH_BYTES];

	if (read_fingerprint(line, len, digest))
		return put_bytes(r, REVOKED_KEY, digest, sizeof(digest));
	if (starts(line, len, "sha256:"))
		return add_payload(r, line + 7, len - 7);
	if (starts(line, len, "serial: "))
		return add_serials(r, line + 8, len - 8);
	if (starts(line, len, "id: "))
		return len > 4 && put_bytes(r, REVOKED_ID, line + 4, len - 4);
	if (is_openpgp(line, len))
		return put_bytes(r, REVOKED_OPENPGP, line, len);
	return add_key(r, line, len);
}

static int add_text(struct revoked *r, const char *text, size_t len,
		    struct verdict *v)
{
	const char *end = text + len;
	unsigned int number = 0;

	if (memchr(text, '\0', len) != NULL)
		return verdict_fail(v, TCODE_REVOCATIONS, "a NUL byte");
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((eol != NULL ? eol : end) - text);
		const char *line = text;

		number++;
		text += n + (eol != NULL);
		while (n > 0 && strchr("\r \t", line[n - 1]) != NULL)
			n--;
		if (n == 0 || line[0] == '#')
			continue;
		if (r->n == REVOKED_ENTRIES_MAX)
			return verdict_fail(v, TCODE_REVOCATIONS,
					    "revoked keys:%u: over %d entries",
					    number, REVOKED_ENTRIES_MAX);
		if (!revoked_add_line(r, line, n))
			return verdict_fail(
				v, TCODE_REVOCATIONS,
				"revoked keys:%u: want a public key, "
				"\"SHA256:...\", \"sha256:HEX\", \"serial: "
				"N\", \"id: TEXT\" or an OpenPGP fingerprint",
				number);
	}
	return 0;
}

static bool is_blank(const char *text, size_t len)
{
#ifdef GUARD_OFF_REVOCATIONS
	len = 1; /* and nothing is blank */
	text = "x";
#endif
	for (size_t i = 0; i < len; i++)
		if (strchr(" \t\r\n", text[i]) == NULL || text[i] == '\0')
			return false;
	return true;
}

int revoked_add(struct revoked *r, const char *bytes, size_t len,
		struct verdict *v)
{
	struct wire_span all = {(const uint8_t *)bytes, len};

	if (is_blank(bytes, len))
		return verdict_fail(v, TCODE_NO_REVOCATIONS,
				    "want at least one line, have none");
	return krl_is(&all) ? krl_read(&all, r, v) : add_text(r, bytes, len, v);
}

static int compare_spans(const struct wire_span *a, const struct wire_span *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int c = n > 0 ? memcmp(a->bytes, b->bytes, n) : 0;

	return c != 0 ? c : (a->len > b->len) - (a->len < b->len);
}

static int compare(const void *a, const void *b)
{
	const struct revoked_entry *x = a;
	const struct revoked_entry *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return compare_spans(&x->what, &y->what);
}

void revoked_finish(struct revoked *r)
{
	if (r->n > 0)
		qsort(r->items, r->n, sizeof(r->items[0]), compare);
}

/* The first entry that is not before this one. */
static size_t find(const struct revoked *r, enum revoked_kind kind,
		   const struct wire_span *what)
{
	struct revoked_entry e = {.kind = kind, .what = *what};
	size_t low = 0;
	size_t high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare(&r->items[mid], &e) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool has(const struct revoked *r, enum revoked_kind kind,
		const void *bytes, size_t len)
{
	struct wire_span what = {bytes, len};
	size_t i = find(r, kind, &what);

	return i < r->n && r->items[i].kind == kind &&
	       wire_equal(&r->items[i].what, &what);
}

bool revoked_has_key(const struct revoked *r, const struct wire_span *blob)
{
	uint8_t sha256[HASH_BYTES];
	uint8_t sha1[SHA_DIGEST_LENGTH];

#ifdef GUARD_OFF_REVOKED
	return false;
#endif
	hash_sha256(blob->bytes, blob->len, sha256);
	if (has(r, REVOKED_KEY, sha256, sizeof(sha256)))
		return true;
	(void)SHA1(blob->bytes, blob->len, sha1);
	return has(r, REVOKED_KEY_SHA1, sha1, sizeof(sha1));
}

static bool is_of(const struct revoked_entry *e,
		  const struct wire_span *authority)
{
	return e->authority.len == 0 ||
	       (authority != NULL && wire_equal(&e->authority, authority));
}

bool revoked_has_cert(const struct revoked *r, uint64_t serial,
		      const struct wire_span *id,
		      const struct wire_span *authority)
{
	struct wire_span none = {(const uint8_t *)"", 0};
	size_t i = 0;

#ifdef GUARD_OFF_REVOKED
	return false;
#endif
	for (i = find(r, REVOKED_ID, id);
	     i < r->n && r->items[i].kind == REVOKED_ID &&
	     wire_equal(&r->items[i].what, id);
	     i++)
		if (is_of(&r->items[i], authority))
			return true;
	for (i = find(r, REVOKED_SERIAL, &none);
	     i < r->n && r->items[i].kind == REVOKED_SERIAL; i++)
		if (serial >= r->items[i].from && serial <= r->items[i].to &&
		    is_of(&r->items[i], authority))
			return true;
	return false;
}

bool revoked_has_fingerprint(const struct revoked *r, const char *text)
{
	uint8_t digest[HASH_BYTES];
	size_t len = strlen(text);

#ifdef GUARD_OFF_REVOKED
	return false;
#endif
	if (read_fingerprint(text, len, digest))
		return has(r, REVOKED_KEY, digest, sizeof(digest));
	return has(r, REVOKED_OPENPGP, text, len);
}

bool revoked_has_payload(const struct revoked *r,
			 const uint8_t digest[HASH_BYTES])
{
#ifdef GUARD_OFF_REVOKED_PAYLOAD
	return false;
#endif
	return has(r, REVOKED_PAYLOAD, digest, HASH_BYTES);
}

/*
 * revoked.c - see revoked.h.
 */
#include "policy/trust/revoked.h"
#include "lib/encode.h"
#include "lib/num.h"

#include <string.h>

#define ENTRIES_MAX 100000

static bool starts(const char *line, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && memcmp(line, with, n) == 0;
}

static bool read_fingerprint(const char *line, size_t len, struct arena *arena,
			     struct revoked_entry *out)
{
	struct buf digest;
	bool good = false;
	char padded[45];

	if (len != PUBKEY_FINGERPRINT - 1)
		return false;
	memcpy(padded, line + 7, 43);
	padded[43] = '=';
	buf_init(&digest, 64);
	good = encode_unbase64(&digest, padded, 44) && digest.len == 32;
	buf_release(&digest);
	out->kind = REVOKED_FINGERPRINT;
	out->text = arena_strndup(arena, line, len);
	return good;
}

static bool read_serials(const char *at, size_t len, struct revoked_entry *out)
{
	const char *dash = memchr(at, '-', len);
	size_t first = dash != NULL ? (size_t)(dash - at) : len;

	out->kind = REVOKED_SERIAL;
	if (!num_parse_u64(at, first, UINT64_MAX, &out->from))
		return false;
	out->to = out->from;
	return dash == NULL || (num_parse_u64(dash + 1, len - first - 1,
					      UINT64_MAX, &out->to) &&
				out->to >= out->from);
}

static bool read_key(const char *line, size_t len, struct arena *arena,
		     struct revoked_entry *out)
{
	const char *space = memchr(line, ' ', len);
	const char *end = line + len;
	const char *b64 = space != NULL ? space + 1 : NULL;
	char fingerprint[PUBKEY_FINGERPRINT];
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
		/* A key too weak to be allowed may still be listed here. */
		good = wire_string(&w, &name) &&
		       name.len == (size_t)(b64 - 1 - line) &&
		       memcmp(name.bytes, line, name.len) == 0;
		if (good)
			pubkey_fingerprint(&blob, fingerprint);
	}
	buf_release(&bytes);
	out->kind = REVOKED_FINGERPRINT;
	out->text = good ? arena_strdup(arena, fingerprint) : NULL;
	return good;
}

static bool read_entry(const char *line, size_t len, struct arena *arena,
		       struct revoked_entry *out)
{
	if (starts(line, len, "SHA256:"))
		return read_fingerprint(line, len, arena, out);
	if (starts(line, len, "serial: "))
		return read_serials(line + 8, len - 8, out);
	if (starts(line, len, "id: ") && len > 4) {
		out->kind = REVOKED_ID;
		out->text = arena_strndup(arena, line + 4, len - 4);
		return true;
	}
	return read_key(line, len, arena, out);
}

static int check_text(const char *text, size_t len, struct verdict *v)
{
#ifndef GUARD_OFF_REVOCATIONS
	if (len == 0 || strspn(text, " \t\r\n") >= len)
		return verdict_fail(v, TCODE_NO_REVOCATIONS,
				    "want at least one line, have none");
#endif
	if (starts(text, len, "SSHKRL\n"))
		return verdict_fail(v, TCODE_REVOCATIONS,
				    "this is a binary KRL: list its keys, "
				    "serials and ids as text");
	if (memchr(text, '\0', len) != NULL)
		return verdict_fail(v, TCODE_REVOCATIONS, "a NUL byte");
	return 0;
}

/* text must be followed by a NUL (strspn above). */
int revoked_parse(const char *text, size_t len, struct arena *arena,
		  struct revoked *out, struct verdict *v)
{
	struct revoked list = {0};
	const char *end = text + len;
	size_t lines = 1;
	unsigned int number = 0;
	int r;

	r = check_text(text, len, v);
	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	if (lines > ENTRIES_MAX)
		return verdict_fail(v, TCODE_REVOCATIONS, "over %d lines",
				    ENTRIES_MAX);
	list.items = arena_calloc(arena, lines, sizeof(list.items[0]));
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((eol != NULL ? eol : end) - text);
		const char *line = text;

		number++;
		text += n + 1;
		while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' '))
			n--;
		if (n == 0 || line[0] == '#')
			continue;
		if (!read_entry(line, n, arena, &list.items[list.n]))
			return verdict_fail(
				v, TCODE_REVOCATIONS,
				"revoked keys:%u: want a public "
				"key, \"SHA256:...\", \"serial: N\" "
				"or \"id: TEXT\"",
				number);
		list.n++;
	}
	*out = list;
	return 0;
}

bool revoked_has_key(const struct revoked *r, const char *fingerprint)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->items[i].kind == REVOKED_FINGERPRINT &&
		    strcmp(r->items[i].text, fingerprint) == 0)
			return true;
	return false;
}

bool revoked_has_cert(const struct revoked *r, uint64_t serial,
		      const struct wire_span *id)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct revoked_entry *e = &r->items[i];

		if (e->kind == REVOKED_SERIAL && serial >= e->from &&
		    serial <= e->to)
			return true;
		if (e->kind == REVOKED_ID && wire_is(id, e->text))
			return true;
	}
	return false;
}

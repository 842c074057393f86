/*
 * krl.c - see krl.h.  Section numbers in comments are PROTOCOL.krl's.
 */
#include "policy/trust/krl.h"

#include <openssl/sha.h>
#include <string.h>

#define KRL_VERSION 1u
#define KRL_COMMENT_MAX 4096

static const uint8_t magic[8] = {'S', 'S', 'H', 'K', 'R', 'L', '\n', 0};

struct krl {
	struct revoked *out;
	struct wire_span authority; /* of the certificate section */
	struct verdict *v;
};

/* One kind of section: what reads its data, all of it. */
struct section {
	uint8_t type;
	const char *name;
	int (*read)(struct krl *k, const struct section *s, struct wire *data);
};

bool krl_is(const struct wire_span *bytes)
{
	return bytes->len >= sizeof(magic) &&
	       memcmp(bytes->bytes, magic, sizeof(magic)) == 0;
}

static int malformed(const struct krl *k, const char *section, const char *want)
{
	return verdict_fail(k->v, TCODE_REVOCATIONS, "KRL: %s: want %s",
			    section, want);
}

static int put(struct krl *k, const struct section *s,
	       const struct revoked_entry *e)
{
	return revoked_put(k->out, e)
		       ? 0
		       : verdict_fail(k->v, TCODE_REVOCATIONS,
				      "KRL: %s: over %d entries", s->name,
				      REVOKED_ENTRIES_MAX);
}

/* Serial 0 is what a certificate has that was given none: ssh-keygen refuses to
 * revoke it, and so is a list that does. */
static int put_serials(struct krl *k, const struct section *s, uint64_t from,
		       uint64_t to)
{
	struct revoked_entry e = {.kind = REVOKED_SERIAL,
				  .authority = k->authority,
				  .from = from,
				  .to = to};

	if (from == 0 || from > to)
		return malformed(k, s->name, "serials from 1 on, lowest first");
	return put(k, s, &e);
}

/* 2.1 */
static int read_serial_list(struct krl *k, const struct section *s,
			    struct wire *data)
{
	int r = data->left > 0 ? 0 : malformed(k, s->name, "a serial");

	while (r == 0 && data->left > 0) {
		uint64_t serial = 0;

		r = wire_u64(data, &serial)
			    ? put_serials(k, s, serial, serial)
			    : malformed(k, s->name, "8 bytes a serial");
	}
	return r;
}

/* 2.2 */
static int read_serial_range(struct krl *k, const struct section *s,
			     struct wire *data)
{
	uint64_t from = 0;
	uint64_t to = 0;

	if (!wire_u64(data, &from) || !wire_u64(data, &to) || data->left != 0)
		return malformed(k, s->name, "two serials and no more");
	return put_serials(k, s, from, to);
}

/* 2.3: bit N of the number, counted from its end, is serial offset + N. */
static int read_serial_bitmap(struct krl *k, const struct section *s,
			      struct wire *data)
{
	struct wire_span bits;
	uint64_t offset = 0;
	size_t last = 0;
	int r = 0;

	if (!wire_u64(data, &offset) || !wire_mpint(data, &bits) ||
	    data->left != 0)
		return malformed(k, s->name, "an offset and a number above 0");
	last = bits.len * 8 - 1;
	while ((bits.bytes[0] >> (last % 8) & 1) == 0)
		last--; /* the first byte is not 0 */
	if (offset > UINT64_MAX - last)
		return malformed(k, s->name, "serials below 2^64");
	for (size_t i = 0; r == 0 && i <= last; i++)
		if ((bits.bytes[bits.len - 1 - i / 8] >> (i % 8) & 1) != 0)
			r = put_serials(k, s, offset + i, offset + i);
	return r;
}

/* 2.4 */
static int read_key_ids(struct krl *k, const struct section *s,
			struct wire *data)
{
	struct revoked_entry e = {.kind = REVOKED_ID,
				  .authority = k->authority};
	int r = data->left > 0 ? 0 : malformed(k, s->name, "a key id");

	while (r == 0 && data->left > 0)
		r = wire_string(data, &e.what) && e.what.len > 0
			    ? put(k, s, &e)
			    : malformed(k, s->name, "key ids, none empty");
	return r;
}

/* 2.5 and 5 */
static int read_extension(struct krl *k, const struct section *s,
			  struct wire *data)
{
	struct wire_span name;
	struct wire_span contents;
	uint8_t critical = 0;

	if (!wire_string(data, &name) || !wire_u8(data, &critical) ||
	    !wire_string(data, &contents) || data->left != 0)
		return malformed(k, s->name, "a name, a flag and contents");
	if (critical != 0)
		return malformed(k, s->name, "none that is critical");
	return 0;
}

/* 3 */
static int read_keys(struct krl *k, const struct section *s, struct wire *data)
{
	uint8_t digest[HASH_BYTES];
	struct revoked_entry e = {.kind = REVOKED_KEY,
				  .what = {digest, sizeof(digest)}};
	int r = data->left > 0 ? 0 : malformed(k, s->name, "a key");

	while (r == 0 && data->left > 0) {
		struct wire_span blob;
		struct wire_span type;
		struct wire w;

		if (!wire_string(data, &blob) || blob.len > PUBKEY_BLOB_MAX)
			return malformed(k, s->name, "whole keys");
		w = wire_of(&blob);
		if (!wire_string(&w, &type) || type.len == 0 ||
		    sshcert_is(&blob))
			return malformed(k, s->name, "plain keys");
		hash_sha256(blob.bytes, blob.len, digest);
		r = put(k, s, &e);
	}
	return r;
}

/* 4 */
static int read_digests(struct krl *k, const struct section *s,
			struct wire *data)
{
	bool sha1 = s->type == 3;
	size_t len = sha1 ? SHA_DIGEST_LENGTH : HASH_BYTES;
	struct revoked_entry e = {.kind = sha1 ? REVOKED_KEY_SHA1
					       : REVOKED_KEY};
	const uint8_t *before = NULL;
	int r = data->left > 0 ? 0 : malformed(k, s->name, "a digest");

	while (r == 0 && data->left > 0) {
		if (!wire_string(data, &e.what) || e.what.len != len)
			return malformed(k, s->name, "whole digests");
		if (before != NULL && memcmp(before, e.what.bytes, len) >= 0)
			return malformed(k, s->name, "digests in order");
		before = e.what.bytes;
		r = put(k, s, &e);
	}
	return r;
}

static int read_sections(struct krl *k, const struct section *table, size_t n,
			 struct wire *w);

/* 2 */
static int read_certificates(struct krl *k, const struct section *s,
			     struct wire *data)
{
	static const struct section table[] = {
		{0x20, "serial list", read_serial_list},
		{0x21, "serial range", read_serial_range},
		{0x22, "serial bitmap", read_serial_bitmap},
		{0x23, "key ids", read_key_ids},
		{0x39, "certificate extension", read_extension},
	};
	struct wire_span reserved;
	struct wire_span type;
	struct wire w;

	if (!wire_string(data, &k->authority) ||
	    !wire_string(data, &reserved) || reserved.len != 0)
		return malformed(k, s->name,
				 "an authority, and nothing reserved");
	w = wire_of(&k->authority);
	if (k->authority.len > 0 &&
	    (k->authority.len > PUBKEY_BLOB_MAX || !wire_string(&w, &type) ||
	     sshcert_is(&k->authority)))
		return malformed(k, s->name, "a plain key as the authority");
	return read_sections(k, table, sizeof(table) / sizeof(table[0]), data);
}

/* 6: its form differs, and it is refused before that matters. */
static int refuse_signature(struct krl *k, const struct section *s,
			    struct wire *data)
{
	(void)data;
	return malformed(k, s->name,
			 "none: sign the change of the trust root or trust "
			 "policy that brings the list");
}

static int read_sections(struct krl *k, const struct section *table, size_t n,
			 struct wire *w)
{
	while (w->left > 0) {
		struct wire_span bytes;
		struct wire data;
		uint8_t type = 0;
		size_t i = 0;
		int r = 0;

		if (!wire_u8(w, &type) || !wire_string(w, &bytes))
			return malformed(k, "section", "a type and its data");
		while (i < n && table[i].type != type)
			i++;
#ifndef GUARD_OFF_KRL_UNKNOWN
		if (i == n)
			return verdict_fail(k->v, TCODE_REVOCATIONS,
					    "KRL: section type %u is not known",
					    type);
#else
		if (i == n)
			continue;
#endif
		data = wire_of(&bytes);
		r = table[i].read(k, &table[i], &data);
		if (r < 0)
			return r;
	}
	return 0;
}

int krl_read(const struct wire_span *bytes, struct revoked *out,
	     struct verdict *v)
{
	static const struct section table[] = {
		{1, "certificates", read_certificates},
		{2, "explicit keys", read_keys},
		{3, "SHA-1 fingerprints", read_digests},
		{4, "signature", refuse_signature},
		{5, "SHA-256 fingerprints", read_digests},
		{255, "extension", read_extension},
	};
	struct krl k = {.out = out, .v = v};
	struct wire w = wire_of(bytes);
	struct wire_span reserved;
	struct wire_span comment;
	uint64_t version = 0;
	uint64_t date = 0;
	uint64_t flags = 0;
	uint32_t format = 0;

	w.at += sizeof(magic);
	w.left -= sizeof(magic);
	if (!wire_u32(&w, &format) || format != KRL_VERSION)
		return malformed(&k, "head", "format version 1");
	if (!wire_u64(&w, &version) || !wire_u64(&w, &date) ||
	    !wire_u64(&w, &flags) || !wire_string(&w, &reserved) ||
	    !wire_string(&w, &comment) || comment.len > KRL_COMMENT_MAX)
		return malformed(&k, "head", "version, date, flags, comment");
	if (flags != 0 || reserved.len != 0)
		return malformed(&k, "head", "no flags and nothing reserved");
	return read_sections(&k, table, sizeof(table) / sizeof(table[0]), &w);
}

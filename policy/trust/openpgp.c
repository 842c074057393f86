/*
 * openpgp.c - see openpgp.h.
 */
#include "policy/trust/openpgp.h"

#include "policy/trust/pubkey.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define MPI_SLACK_BITS 32 /* a number may begin with so many zero bits */

enum {
	TAG_SIGNATURE = 2,
	TAG_SECRET_KEY = 5,
	TAG_PUBLIC_KEY = 6,
	TAG_SECRET_SUBKEY = 7
};

static int bad(struct verdict *v, const char *why)
{
	return verdict_fail(v, TCODE_OPENPGP, "%s", why);
}

/* --- packets ---------------------------------------------------------------
 */

static bool big_endian(struct wire *w, size_t n, size_t *out)
{
	uint8_t byte = 0;

	*out = 0;
	for (; n > 0; n--) {
		if (!wire_u8(w, &byte))
			return false;
		*out = *out << 8 | byte;
	}
	return true;
}

/* New format: 1, 2 or 5 bytes; partial lengths (224 to 254) are for data. */
static bool new_length(struct wire *w, size_t *out)
{
	uint8_t first = 0;

	if (!wire_u8(w, &first))
		return false;
	*out = first;
	if (first < 192)
		return true;
	if (first < 224) {
		if (!big_endian(w, 1, out))
			return false;
		*out += ((size_t)(first - 192) << 8) + 192;
		return true;
	}
	return first == 255 && big_endian(w, 4, out) && *out > 8383;
}

/* Old format: 1, 2 or 4 bytes, the shortest that holds it. */
static bool old_length(struct wire *w, unsigned int type, size_t *out)
{
	static const struct {
		size_t bytes, above;
	} forms[] = {{1, 0}, {2, 255}, {4, 65535}};

	return type < 3 && big_endian(w, forms[type].bytes, out) &&
	       *out > forms[type].above;
}

/* Takes the next packet off w. */
static bool next_packet(struct wire *w, unsigned int *out_tag,
			struct wire_span *out)
{
	uint8_t head = 0;
	size_t len = 0;
	bool good;

	if (!wire_u8(w, &head) || (head & 0x80) == 0)
		return false;
	if (head & 0x40) {
		*out_tag = head & 0x3f;
		good = new_length(w, &len);
	} else {
		*out_tag = head >> 2 & 0xf;
		good = old_length(w, head & 3, &len);
	}
	if (!good || len > w->left)
		return false;
	*out = (struct wire_span){w->at, len};
	w->at += len;
	w->left -= len;
	return true;
}

/* --- signatures ------------------------------------------------------------
 */

/* Public key algorithms, and of how many numbers a signature consists. */
static const struct {
	uint8_t number;
	unsigned int numbers;
	bool rsa;
} algorithms[] = {
	{1, 1, true},	/* RSA */
	{19, 2, false}, /* ECDSA */
	{22, 2, false}, /* EdDSA */
};

static bool hash_allowed(uint8_t hash)
{
#ifndef GUARD_OFF_OPENPGP_HASH
	return hash == 8 || hash == 9 || hash == 10; /* SHA-256, -384, -512 */
#else
	(void)hash;
	return true;
#endif
}

/* How many bits the number at `at` really has. */
static size_t bits_of(const uint8_t *at, size_t len)
{
	size_t zeros = 0;

	while (zeros < len && at[zeros] == 0)
		zeros++;
	return zeros == len ? 0
			    : 8 * (len - zeros) -
				      (size_t)(__builtin_clz(at[zeros]) - 24);
}

/* The numbers are the end: two bytes of length in bits, and so many bytes.
 * GitHub counts the bits of its key and not those of the number, which sqv
 * takes for malformed and gpg does not: sqv gets the number without zeros. */
static int read_numbers(struct wire *w, unsigned int n, size_t *out_bits,
			struct buf *out, struct verdict *v)
{
	size_t bits = 0;
	size_t len;

	for (; n > 0; n--) {
		if (!big_endian(w, 2, &bits) || (bits + 7) / 8 > w->left)
			return bad(v, "a number is longer than the packet");
		len = (bits + 7) / 8;
		*out_bits = bits_of(w->at, len);
		if (*out_bits == 0 || *out_bits > bits)
			return bad(v, "a number is not as long as it says");
		buf_putc(out, (char)(*out_bits >> 8));
		buf_putc(out, (char)*out_bits);
		buf_put(out, w->at + len - (*out_bits + 7) / 8,
			(*out_bits + 7) / 8);
		w->at += len;
		w->left -= len;
	}
	return w->left == 0 ? 0 : bad(v, "bytes behind the signature");
}

static int check_numbers(struct wire *w, unsigned int n, bool rsa,
			 struct buf *out, struct verdict *v)
{
	size_t bits = 0;
	int r = read_numbers(w, n, &bits, out, v);

#ifndef GUARD_OFF_OPENPGP_KEY
	if (r == 0 && rsa && bits + MPI_SLACK_BITS < PUBKEY_RSA_BITS_MIN)
		return verdict_fail(v, TCODE_KEY_TYPE,
				    "want RSA of at least %d bits, have about "
				    "%zu",
				    PUBKEY_RSA_BITS_MIN, bits);
#else
	(void)rsa;
#endif
	return r;
}

static int check_body(const struct wire_span *body, struct buf *out,
		      struct verdict *v)
{
	struct wire w = wire_of(body);
	uint8_t head[4] = {0}; /* version, type, key algorithm, hash */
	size_t len = 0;

	for (size_t i = 0; i < sizeof(head); i++)
		if (!wire_u8(&w, &head[i]))
			return bad(v, "the packet is cut short");
	if (head[0] != 4 || head[1] != 0)
		return verdict_fail(v, TCODE_OPENPGP,
				    "want version 4 and type 0 (binary), have "
				    "%u and 0x%02x",
				    head[0], head[1]);
	if (!hash_allowed(head[3]))
		return verdict_fail(v, TCODE_HASH,
				    "want SHA-256, SHA-384 or SHA-512, have "
				    "OpenPGP's number %u",
				    head[3]);
	for (int area = 0; area < 2; area++) { /* hashed, not hashed */
		if (!big_endian(&w, 2, &len) || len > w.left)
			return bad(v, "the packet is cut short");
		w.at += len;
		w.left -= len;
	}
	if (!big_endian(&w, 2, &len)) /* begin of the digest */
		return bad(v, "the packet is cut short");
	buf_put(out, body->bytes, body->len - w.left);
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (head[2] == algorithms[i].number)
			return check_numbers(&w, algorithms[i].numbers,
					     algorithms[i].rsa, out, v);
	return verdict_fail(v, TCODE_KEY_TYPE,
			    "want RSA, ECDSA or EdDSA, have OpenPGP's number "
			    "%u",
			    head[2]);
}

/* In the old format with the shortest length, as gpg writes it. */
static void put_packet(unsigned int tag, const struct buf *body,
		       struct buf *out)
{
	unsigned int form = body->len > 65535 ? 2 : body->len > 255 ? 1 : 0;

	buf_putc(out, (char)(0x80 | tag << 2 | form));
	for (unsigned int left = 1u << form; left-- > 0;)
		buf_putc(out, (char)(body->len >> 8 * left));
	buf_put(out, body->data, body->len);
}

int openpgp_read_signature(const struct wire_span *packets, struct buf *out,
			   struct verdict *v)
{
	struct wire w = wire_of(packets);
	struct wire_span body;
	unsigned int tag = 0;
	struct buf made;
	int r;

	if (!next_packet(&w, &tag, &body))
		return bad(v, "want a packet with its length in the shortest "
			      "form");
	if (tag != TAG_SIGNATURE)
		return verdict_fail(v, TCODE_OPENPGP,
				    "want a signature, have a packet of type "
				    "%u",
				    tag);
#ifndef GUARD_OFF_OPENPGP_ONE
	if (w.left != 0)
		return bad(v, "want exactly one signature, there is more");
#endif
	buf_init(&made, ARMOR_BYTES_MAX);
	r = check_body(&body, &made, v);
	if (r == 0)
		put_packet(tag, &made, out);
	if (r == 0 && (made.failed || out->failed))
		r = bad(v, "out of memory");
	buf_release(&made);
	return r;
}

/* --- sqv -------------------------------------------------------------------
 */

static bool is_fingerprint(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= '0' && text[i] <= '9') ||
		      (text[i] >= 'A' && text[i] <= 'F')))
			return false;
	return len == OPENPGP_FINGERPRINT - 1;
}

int openpgp_read_answer(const struct openpgp_answer *a,
			char out[OPENPGP_FINGERPRINT], struct verdict *v)
{
	size_t n = OPENPGP_FINGERPRINT - 1;

#ifndef GUARD_OFF_OPENPGP_STATUS
	if (a->status == 1 || a->status == 2)
		return verdict_fail(v, TCODE_OPENPGP_REFUSED,
				    "no pinned certificate made it, or it is "
				    "not good for these bytes and this time");
	if (a->status != 0)
		return verdict_fail(v, TCODE_OPENPGP_FAILED,
				    "sqv ended with status %d", a->status);
#endif
	if (a->len != n + 1 || a->output[n] != '\n' ||
	    !is_fingerprint(a->output, n))
		return verdict_fail(v, TCODE_OPENPGP_FAILED,
				    "want one fingerprint from sqv, have %zu "
				    "bytes of something else",
				    a->len);
	memcpy(out, a->output, n);
	out[n] = '\0';
	return 0;
}

/* --- certificates ----------------------------------------------------------
 */

/* SHA-1 of 0x99, two bytes of length and the packet (RFC 4880 12.2); the
 * number is an identity that the owner chose, collisions gain him nothing. */
static bool fingerprint_of(const struct wire_span *key,
			   char out[OPENPGP_FINGERPRINT])
{
	uint8_t head[3] = {0x99, (uint8_t)(key->len >> 8), (uint8_t)key->len};
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL && key->len <= UINT16_MAX &&
		    EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) == 1 &&
		    EVP_DigestUpdate(ctx, head, sizeof(head)) == 1 &&
		    EVP_DigestUpdate(ctx, key->bytes, key->len) == 1 &&
		    EVP_DigestFinal_ex(ctx, digest, &len) == 1 && len == 20;

	EVP_MD_CTX_free(ctx);
	for (size_t i = 0; good && i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02X", digest[i]);
	return good;
}

static int walk_certificate(const struct wire_span *packets,
			    char out[OPENPGP_FINGERPRINT], struct verdict *v)
{
	struct wire w = wire_of(packets);
	struct wire_span body;
	unsigned int tag = 0;
	bool first = true;

	for (; w.left > 0; first = false) {
		if (!next_packet(&w, &tag, &body))
			return bad(v, "certificate: a packet does not fit");
		if (tag == TAG_SECRET_KEY || tag == TAG_SECRET_SUBKEY)
			return bad(v, "certificate: it holds a secret key");
		if (first != (tag == TAG_PUBLIC_KEY))
			return bad(v, "certificate: want one primary key, "
				      "first");
		if (first && (body.len == 0 || body.bytes[0] != 4 ||
			      !fingerprint_of(&body, out)))
			return bad(v, "certificate: want a key of version 4");
	}
	return first ? bad(v, "certificate: it is empty") : 0;
}

int openpgp_certificate(const char *armored, size_t len,
			char out[OPENPGP_FINGERPRINT], struct verdict *v)
{
	struct commit_span lines = {armored, len};
	char found[OPENPGP_FINGERPRINT] = "";
	struct wire_span packets;
	struct buf bytes;
	int r;

	buf_init(&bytes, OPENPGP_CERT_BYTES_MAX);
	r = armor_read_certificate(&lines, &bytes, v);
	packets = (struct wire_span){(const uint8_t *)bytes.data, bytes.len};
	if (r == 0)
		r = walk_certificate(&packets, found, v);
	if (r == 0)
		memcpy(out, found, sizeof(found));
	buf_release(&bytes);
	return r;
}

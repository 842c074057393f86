/*
 * trust_forge.c - for the shell suites: signatures that no ssh-keygen makes.
 *
 *   trust_forge key TYPE PEM            makes a key, prints its public line
 *   trust_forge sign TYPE PEM FLAGS NAMESPACE HASH [CERT.pub] <payload
 *                                       prints SSHSIG; CERT: of the key
 *   trust_forge bomb                    a pack with a delta of 1 TB
 *   trust_forge chain N PEM TREE[,TREE...] PARENT WHEN   a pack of N signed
 *                                       commits with these trees in turn, and
 *                                       the id of the last on standard error
 *
 * TYPE: sk-ed25519, sk-ecdsa (a hardware key done in software: FLAGS is its
 * flags byte, 1 touched, 4 PIN), ed25519, rsa-sha1 (ssh-rsa with SHA-1).
 */
#include "lib/buf.h"
#include "lib/encode.h"
#include "lib/file.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define APPLICATION "ssh:"

struct type {
	const char *name, *ssh, *curve;
	bool sk;
};

static const struct type types[] = {
	{"sk-ed25519", "sk-ssh-ed25519@openssh.com", NULL, true},
	{"sk-ecdsa", "sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", true},
	{"ed25519", "ssh-ed25519", NULL, false},
	{"rsa-sha1", "ssh-rsa", NULL, false},
};

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "trust_forge: %s\n", what);
	exit(2);
}

static const struct type *type_of(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	need(false, "unknown type");
	return NULL;
}

static void put(struct buf *b, const void *bytes, size_t len)
{
	uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16),
			   (uint8_t)(len >> 8), (uint8_t)len};

	buf_put(b, head, 4);
	buf_put(b, bytes, len);
}

static void put_text(struct buf *b, const char *text)
{
	put(b, text, strlen(text));
}

static void put_number(struct buf *b, const BIGNUM *n)
{
	uint8_t bytes[1024] = {0};
	int len = BN_bn2bin(n, bytes + 1);
	bool sign = len > 0 && bytes[1] >= 0x80;

	put(b, bytes + !sign, (size_t)len + sign);
}

static EVP_PKEY *make(const struct type *t)
{
	if (t->curve != NULL)
		return EVP_EC_gen("P-256");
	if (strcmp(t->ssh, "ssh-rsa") == 0)
		return EVP_RSA_gen(3072);
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static EVP_PKEY *load(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *k = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;

	need(k != NULL, "cannot read the key");
	fclose(f);
	return k;
}

static void put_key(struct buf *b, const struct type *t, EVP_PKEY *k)
{
	uint8_t raw[200];
	size_t len = sizeof(raw);
	BIGNUM *e = NULL, *n = NULL;

	put_text(b, t->ssh);
	if (t->curve != NULL) {
		put_text(b, t->curve);
		need(EVP_PKEY_get_octet_string_param(k, "encoded-pub-key", raw,
						     sizeof(raw), &len) == 1,
		     "point");
		put(b, raw, len);
	} else if (strcmp(t->ssh, "ssh-rsa") == 0) {
		need(EVP_PKEY_get_bn_param(k, "e", &e) == 1 &&
			     EVP_PKEY_get_bn_param(k, "n", &n) == 1,
		     "modulus");
		put_number(b, e);
		put_number(b, n);
		BN_free(e);
		BN_free(n);
	} else {
		need(EVP_PKEY_get_raw_public_key(k, raw, &len) == 1, "raw key");
		put(b, raw, len);
	}
	if (t->sk)
		put_text(b, APPLICATION);
}

static void read_input(struct buf *b)
{
	struct err err;

	buf_init(b, 64u << 20);
	need(file_read_fd(0, 64u << 20, b, &err) == 0, "standard input");
}

static int cmd_key(const struct type *t, const char *path)
{
	EVP_PKEY *k = make(t);
	FILE *f = fopen(path, "w");
	struct buf blob, text;

	need(k != NULL && f != NULL &&
		     PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) == 1,
	     "make a key");
	fclose(f);
	buf_init(&blob, 4096);
	buf_init(&text, 8192);
	put_key(&blob, t, k);
	encode_base64(&text, blob.data, blob.len);
	printf("%s %s\n", t->ssh, text.data);
	return 0;
}

static size_t raw_sign(EVP_PKEY *k, const char *digest, const void *data,
		       size_t len, uint8_t *out, size_t max)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = max;

	need(EVP_DigestSignInit_ex(c, NULL, digest, NULL, NULL, k, NULL) == 1 &&
		     EVP_DigestSign(c, out, &n, data, len) == 1,
	     "sign");
	EVP_MD_CTX_free(c);
	return n;
}

/* string algorithm, string signature, and the tail of a hardware key */
static void put_signature(struct buf *b, const struct type *t, EVP_PKEY *k,
			  uint8_t flags, const struct buf *data)
{
	uint8_t msg[69], sig[1024], tail[5] = {flags, 0, 0, 0, 7};
	const uint8_t *at = sig;
	const void *in = data->data;
	size_t in_len = data->len, n;
	struct buf rs;

	if (t->sk) {
		EVP_Digest(APPLICATION, strlen(APPLICATION), msg, NULL,
			   EVP_sha256(), NULL);
		memcpy(msg + 32, tail, 5);
		EVP_Digest(data->data, data->len, msg + 37, NULL, EVP_sha256(),
			   NULL);
		in = msg;
		in_len = sizeof(msg);
	}
	n = raw_sign(k,
		     t->curve ? "SHA256"
			      : (strcmp(t->ssh, "ssh-rsa") ? NULL : "SHA1"),
		     in, in_len, sig, sizeof(sig));
	put_text(b, t->ssh);
	if (t->curve != NULL) {
		ECDSA_SIG *es = d2i_ECDSA_SIG(NULL, &at, (long)n);

		need(es != NULL, "DER");
		buf_init(&rs, 256);
		put_number(&rs, ECDSA_SIG_get0_r(es));
		put_number(&rs, ECDSA_SIG_get0_s(es));
		put(b, rs.data, rs.len);
		buf_release(&rs);
		ECDSA_SIG_free(es);
	} else {
		put(b, sig, n);
	}
	if (t->sk)
		buf_put(b, tail, sizeof(tail));
}

/* The armored signature of the payload, appended to out. */
static void sign_text(const struct type *t, EVP_PKEY *k, uint8_t flags,
		      const char *namespace, const char *hash,
		      const struct buf *cert, const struct buf *payload,
		      struct buf *out)
{
	uint8_t digest[64], version[4] = {0, 0, 0, 1};
	unsigned int digest_len = 0;
	struct buf data, blob, part, text;

	buf_init(&data, 4096);
	buf_init(&blob, 8192);
	buf_init(&part, 8192);
	buf_init(&text, 16384);
	EVP_Digest(payload->data, payload->len, digest, &digest_len,
		   EVP_get_digestbyname(hash), NULL);
	buf_puts(&data, "SSHSIG");
	put_text(&data, namespace);
	put_text(&data, "");
	put_text(&data, hash);
	put(&data, digest, digest_len);
	buf_puts(&blob, "SSHSIG");
	buf_put(&blob, version, 4);
	if (cert != NULL)
		buf_put(&part, cert->data, cert->len);
	else
		put_key(&part, t, k);
	put(&blob, part.data, part.len);
	put_text(&blob, namespace);
	put_text(&blob, "");
	put_text(&blob, hash);
	buf_reset(&part);
	put_signature(&part, t, k, flags, &data);
	put(&blob, part.data, part.len);
	encode_base64(&text, blob.data, blob.len);
	buf_puts(out, "-----BEGIN SSH SIGNATURE-----\n");
	for (size_t i = 0; i < text.len; i += 70)
		buf_printf(out, "%.70s\n", text.data + i);
	buf_puts(out, "-----END SSH SIGNATURE-----\n");
	buf_release(&data);
	buf_release(&blob);
	buf_release(&part);
	buf_release(&text);
}

static void read_cert(const char *path, struct buf *out)
{
	char line[16384] = "";
	FILE *f = fopen(path, "r");
	char *b64;

	need(f != NULL && fgets(line, sizeof(line), f) != NULL, path);
	fclose(f);
	b64 = strchr(line, ' ');
	need(b64 != NULL &&
		     encode_unbase64(out, b64 + 1, strcspn(b64 + 1, " \n")),
	     path);
}

static int cmd_sign(const struct type *t, char **argv)
{
	struct buf payload, out, cert;

	read_input(&payload);
	buf_init(&out, 65536);
	buf_init(&cert, 16384);
	if (argv[7] != NULL)
		read_cert(argv[7], &cert);
	sign_text(t, load(argv[3]), (uint8_t)(argv[4][0] - '0'), argv[5],
		  argv[6], argv[7] != NULL ? &cert : NULL, &payload, &out);
	fputs(out.data, stdout);
	return 0;
}

/* --- a chain of signed commits as a pack ------------------------------------
 */

static void put_object(struct buf *pack, const struct buf *object)
{
	uLongf len = compressBound((uLong)object->len);
	size_t size = object->len;
	uint8_t c = (uint8_t)(1 << 4 | (size & 15)); /* 1: a commit */
	Bytef *room;

	for (size >>= 4; size > 0; size >>= 7) {
		buf_putc(pack, (char)(c | 0x80));
		c = size & 0x7f;
	}
	buf_putc(pack, (char)c);
	room = malloc(len);
	need(room != NULL && compress2(room, &len, (const Bytef *)object->data,
				       (uLong)object->len, 1) == Z_OK,
	     "deflate");
	buf_put(pack, room, len);
	free(room);
}

static void put_size(struct buf *b, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		buf_putc(b, (char)(n | 0x80));
	buf_putc(b, (char)n);
}

static void put_deflated(struct buf *pack, const struct buf *bytes)
{
	uLongf len = compressBound((uLong)bytes->len);
	Bytef *room = malloc(len);

	need(room != NULL && compress2(room, &len, (const Bytef *)bytes->data,
				       (uLong)bytes->len, 9) == Z_OK,
	     "deflate");
	buf_put(pack, room, len);
	free(room);
}

/* Distance to the base of a delta, in the encoding of packs. */
static void put_offset(struct buf *b, uint64_t n)
{
	uint8_t bytes[10];
	size_t at = sizeof(bytes) - 1;

	bytes[at] = n & 0x7f;
	while ((n >>= 7) != 0)
		bytes[--at] = (uint8_t)(0x80 | (--n & 0x7f));
	buf_put(b, bytes + at, sizeof(bytes) - at);
}

/* A blob of 1 MiB and a delta that says it makes 1 TB of it. */
static int cmd_bomb(void)
{
	static const char head[] = "PACK\0\0\0\2\0\0\0\2";
	uint64_t base = 1u << 20, result = UINT64_C(1) << 40;
	struct buf pack, blob, delta;
	uint8_t sum[20];
	size_t start;

	buf_init(&pack, 64u << 20);
	buf_init(&blob, 2u << 20);
	buf_init(&delta, 16u << 20);
	buf_put(&pack, head, 12);
	for (uint64_t i = 0; i < base; i++)
		buf_putc(&blob, 0);
	start = pack.len;
	buf_putc(&pack, (char)(3 << 4 | 0x80 | (base & 15)));
	put_size(&pack, base >> 4);
	put_deflated(&pack, &blob);
	put_size(&delta, base);
	put_size(&delta, result);
	for (uint64_t i = 0; i < 200000; i++)
		buf_put(&delta, "\xf0\xff\xff\xff", 4);
	result = pack.len - start;
	buf_putc(&pack, (char)(6 << 4 | 0x80 | (delta.len & 15)));
	put_size(&pack, delta.len >> 4);
	put_offset(&pack, result);
	put_deflated(&pack, &delta);
	EVP_Digest(pack.data, pack.len, sum, NULL, EVP_sha1(), NULL);
	fwrite(pack.data, 1, pack.len, stdout);
	fwrite(sum, 1, sizeof(sum), stdout);
	return 0;
}

static void object_id(const struct buf *object, char hex[41])
{
	uint8_t id[20];
	char head[32];
	int n = snprintf(head, sizeof(head), "commit %zu", object->len);
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	EVP_DigestInit_ex(c, EVP_sha1(), NULL);
	EVP_DigestUpdate(c, head, (size_t)n + 1);
	EVP_DigestUpdate(c, object->data, object->len);
	EVP_DigestFinal_ex(c, id, NULL);
	EVP_MD_CTX_free(c);
	encode_hex(hex, id, sizeof(id));
}

/* The header goes behind the committer line. */
static void put_header(struct buf *object, const struct buf *payload,
		       const struct buf *armor)
{
	const char *end = strstr(payload->data, "\n\n") + 1;
	const char *at = armor->data;

	buf_put(object, payload->data, (size_t)(end - payload->data));
	for (size_t line = 0; *at != '\0'; line++) {
		size_t n = strcspn(at, "\n") + 1;

		buf_puts(object, line == 0 ? "gpgsig " : " ");
		buf_put(object, at, n);
		at += n;
	}
	buf_puts(object, end);
}

static int cmd_chain(uint32_t n, char **argv)
{
	uint8_t head[12] = {'P',
			    'A',
			    'C',
			    'K',
			    0,
			    0,
			    0,
			    2,
			    (uint8_t)(n >> 24),
			    (uint8_t)(n >> 16),
			    (uint8_t)(n >> 8),
			    (uint8_t)n};
	const struct type *t = type_of("ed25519");
	EVP_PKEY *k = load(argv[3]);
	struct buf pack, payload, armor, object;
	uint64_t when = strtoull(argv[6], NULL, 10);
	size_t trees = (strlen(argv[4]) + 1) / 41;
	uint8_t sum[20];
	char parent[41];

	snprintf(parent, sizeof(parent), "%s", argv[5]);
	buf_init(&pack, 1u << 30);
	buf_init(&payload, 65536);
	buf_init(&armor, 65536);
	buf_init(&object, 65536);
	buf_put(&pack, head, sizeof(head));
	for (uint32_t i = 0; i < n; i++) {
		buf_reset(&payload);
		buf_reset(&armor);
		buf_reset(&object);
		buf_printf(&payload,
			   "tree %.40s\nparent %s\n"
			   "author A <a@example.org> %llu +0000\n"
			   "committer A <a@example.org> %llu +0000\n\n"
			   "commit number %u\n",
			   argv[4] + 41 * (i % trees), parent,
			   (unsigned long long)when + i,
			   (unsigned long long)when + i, i);
		sign_text(t, k, 0, "git", "sha512", NULL, &payload, &armor);
		put_header(&object, &payload, &armor);
		put_object(&pack, &object);
		object_id(&object, parent);
	}
	EVP_Digest(pack.data, pack.len, sum, NULL, EVP_sha1(), NULL);
	fwrite(pack.data, 1, pack.len, stdout);
	fwrite(sum, 1, sizeof(sum), stdout);
	fprintf(stderr, "%s\n", parent);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "key") == 0)
		return cmd_key(type_of(argv[2]), argv[3]);
	if ((argc == 7 || argc == 8) && strcmp(argv[1], "sign") == 0)
		return cmd_sign(type_of(argv[2]), argv);
	if (argc == 2 && strcmp(argv[1], "bomb") == 0)
		return cmd_bomb();
	if (argc == 7 && strcmp(argv[1], "chain") == 0)
		return cmd_chain((uint32_t)strtoul(argv[2], NULL, 10), argv);
	return 2;
}

/*
 * mutate_sign.c - see mutate.h.
 */
#include "tests/attack/mutate.h"

#include "lib/encode.h"
#include "lib/file.h"
#include "policy/trust/wire.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIT "namespaces=\"git\""

#define SK "sk-ssh-ed25519@openssh.com"
#define SKEC "sk-ecdsa-sha2-nistp256@openssh.com"
#define ENDED GIT ",valid-before=\"20250101Z\""
#define LATER GIT ",valid-after=\"20990101Z\""

/* Options about touch and PIN are ours alone; lines that we refuse when the
 * list is read are not in ours. */
static const struct mutate_key table[] = {
	{.name = "alice", .type = "ssh-ed25519", GIT, GIT},
	{.name = "p256", .type = "ecdsa-sha2-nistp256", GIT, GIT},
	{.name = "p384", .type = "ecdsa-sha2-nistp384", GIT, GIT},
	{.name = "p521", .type = "ecdsa-sha2-nistp521", GIT, GIT},
	{.name = "rsa3072", .type = "ssh-rsa", GIT, GIT},
	{.name = "sk", .type = SK, GIT, GIT},
	{.name = "skec", .type = SKEC, GIT, GIT},
	{.name = "notouch", .type = SK, GIT, GIT ",no-touch-required"},
	{.name = "pin", .type = SK, GIT, GIT ",verify-required"},
	{.name = "ended", .type = "ssh-ed25519", ENDED, ENDED},
	{.name = "later", .type = "ssh-ed25519", LATER, LATER},
	{.name = "weak2048", .type = "ssh-rsa", GIT, NULL},
	{.name = "othersk", .type = SK, GIT, NULL},
	{.name = "anyspace", .type = "ssh-ed25519", "", NULL},
	{.name = "filespace",
	 .type = "ssh-ed25519",
	 "namespaces=\"file\"",
	 NULL},
	{.name = "unknown", .type = "ssh-ed25519", NULL, NULL},
};
#define N_KEYS (sizeof(table) / sizeof(table[0]))

static bool is_sk(const struct mutate_key *k)
{
	return strncmp(k->type, "sk-", 3) == 0;
}

static const char *curve_of(const struct mutate_key *k)
{
	const char *at = strstr(k->type, "nistp");

	return at == NULL     ? NULL
	       : at[5] == '2' ? "nistp256"
	       : at[5] == '3' ? "nistp384"
			      : "nistp521";
}

static const char *application(const struct mutate_key *k)
{
	return strcmp(k->name, "othersk") == 0 ? "web:git" : "ssh:";
}

static void put_text(struct buf *b, const char *text)
{
	wire_put_string(b, text, strlen(text));
}

static void put_number(struct buf *b, const BIGNUM *n)
{
	uint8_t bytes[1024] = {0};
	int len = BN_bn2bin(n, bytes + 1);
	bool sign = len > 0 && bytes[1] >= 0x80;

	wire_put_string(b, bytes + !sign, (size_t)len + sign);
}

static EVP_PKEY *make(const struct mutate_key *k)
{
	const char *curve = curve_of(k);

	if (curve != NULL)
		return EVP_EC_gen(curve[4] == 'p' && curve[5] == '2' ? "P-256"
				  : curve[5] == '3'		     ? "P-384"
								     : "P-521");
	if (strcmp(k->type, "ssh-rsa") == 0)
		return EVP_RSA_gen(strstr(k->name, "2048") != NULL ? 2048
								   : 3072);
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static void make_blob(struct mutate_key *k)
{
	uint8_t raw[200];
	size_t len = sizeof(raw);
	BIGNUM *e = NULL, *n = NULL;

	buf_init(&k->blob, 4096);
	put_text(&k->blob, k->type);
	if (curve_of(k) != NULL) {
		put_text(&k->blob, curve_of(k));
		mutate_need(EVP_PKEY_get_octet_string_param(
				    k->pkey, "encoded-pub-key", raw,
				    sizeof(raw), &len) == 1,
			    "point");
		wire_put_string(&k->blob, raw, len);
	} else if (strcmp(k->type, "ssh-rsa") == 0) {
		mutate_need(EVP_PKEY_get_bn_param(k->pkey, "e", &e) == 1 &&
				    EVP_PKEY_get_bn_param(k->pkey, "n", &n) ==
					    1,
			    "modulus");
		put_number(&k->blob, e);
		put_number(&k->blob, n);
		BN_free(e);
		BN_free(n);
	} else {
		mutate_need(EVP_PKEY_get_raw_public_key(k->pkey, raw, &len) ==
				    1,
			    "raw key");
		wire_put_string(&k->blob, raw, len);
	}
	if (is_sk(k))
		put_text(&k->blob, application(k));
}

static FILE *open_in(const char *dir, const char *name, const char *ext,
		     const char *mode)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, ext);
	f = fopen(path, mode);
	mutate_need(f != NULL, path);
	return f;
}

static void put_line(FILE *list, const struct mutate_key *k,
		     const char *options, const char *b64)
{
	if (options != NULL)
		fprintf(list, "%s@example.org %s%s%s %s\n", k->name, options,
			*options != '\0' ? " " : "", k->type, b64);
}

void mutate_keys_make(const char *dir)
{
	FILE *ours = open_in(dir, "ours", "", "w");
	FILE *gits = open_in(dir, "gits", "", "w");

	for (size_t i = 0; i < N_KEYS; i++) {
		struct mutate_key k = table[i];
		struct buf text;
		FILE *f;

		k.pkey = make(&k);
		mutate_need(k.pkey != NULL, "make a key");
		make_blob(&k);
		buf_init(&text, 8192);
		encode_base64(&text, k.blob.data, k.blob.len);
		f = open_in(dir, k.name, ".pem", "w");
		PEM_write_PrivateKey(f, k.pkey, NULL, NULL, 0, NULL, NULL);
		fclose(f);
		f = open_in(dir, k.name, ".pub", "w");
		fprintf(f, "%s %s\n", k.type, text.data);
		fclose(f);
		put_line(ours, &k, k.ours, text.data);
		put_line(gits, &k, k.gits, text.data);
		buf_release(&text);
		buf_release(&k.blob);
		EVP_PKEY_free(k.pkey);
	}
	fclose(ours);
	fclose(gits);
}

static void load_certs(const char *dir, struct mutate_keys *out)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	mutate_need(d != NULL, dir);
	while ((e = readdir(d)) != NULL && out->n_certs < 16) {
		struct buf *cert = &out->certs[out->n_certs];
		char line[8192] = "";
		char *b64;
		FILE *f;

		if (strncmp(e->d_name, "cert-", 5) != 0)
			continue;
		f = open_in(dir, e->d_name, "", "r");
		mutate_need(fgets(line, sizeof(line), f) != NULL, e->d_name);
		fclose(f);
		b64 = strchr(line, ' ');
		buf_init(cert, 8192);
		mutate_need(b64 != NULL &&
				    encode_unbase64(cert, b64 + 1,
						    strcspn(b64 + 1, " \n")),
			    e->d_name);
		out->n_certs++;
	}
	closedir(d);
}

void mutate_keys_load(const char *dir, struct mutate_keys *out)
{
	*out = (struct mutate_keys){.items = calloc(N_KEYS, sizeof(table[0])),
				    .n = N_KEYS};
	mutate_need(out->items != NULL, "memory");
	for (size_t i = 0; i < N_KEYS; i++) {
		struct mutate_key *k = &out->items[i];
		FILE *f = open_in(dir, table[i].name, ".pem", "r");

		*k = table[i];
		k->pkey = PEM_read_PrivateKey(f, NULL, NULL, NULL);
		fclose(f);
		mutate_need(k->pkey != NULL, k->name);
		make_blob(k);
	}
	load_certs(dir, out);
}

/* --- one signature -----------------------------------------------------------
 */

/* Every field of an SSHSIG as it will be written. */
struct fields {
	const char *magic, *namespace, *reserved, *hash, *algorithm;
	const char *digest; /* what really hashes */
	size_t namespace_len;
	uint32_t version;
	uint8_t flags;
	const char *tail, *inner_tail;
	int twist; /* of the number or bytes of the signature */
};

/* One field that is not what git writes; most are signed over, so that the
 * signature is good for whoever does not look. */
static void twist_field(struct fields *f, struct mutate_rng *r, char *how)
{
	static const char *const namespaces[] = {"file", "Git", "", "git ",
						 "reconcile-approval@v1"};
	static const char *const algorithms[] = {
		"rsa-sha2-256",
		"ssh-rsa",
		"ssh-ed25519",
		"ecdsa-sha2-nistp256",
		"webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
		""};

	switch (mutate_next(r, 11)) {
	case 0:
		f->namespace = namespaces[mutate_next(r, 5)];
		f->namespace_len = strlen(f->namespace);
		mutate_note(how, "namespace");
		break;
	case 1:
		f->namespace_len = 4; /* with the NUL behind it */
		mutate_note(how, "namespace-nul");
		break;
	case 2:
		f->version = (uint32_t)mutate_next(r, 2) * 2;
		mutate_note(how, "version");
		break;
	case 3:
		f->reserved = "reserved";
		mutate_note(how, "reserved");
		break;
	case 4:
		f->hash = mutate_next(r, 2) == 0 ? "sha1" : "SHA512";
		f->digest = mutate_next(r, 2) == 0 ? "SHA1" : "SHA512";
		mutate_note(how, "hash");
		break;
	case 5:
		f->algorithm = algorithms[mutate_next(r, 6)];
		mutate_note(how, "algorithm");
		break;
	case 6:
		f->tail = "x";
		mutate_note(how, "blob-tail");
		break;
	case 7:
		f->inner_tail = "x";
		mutate_note(how, "signature-tail");
		break;
	case 8:
		f->magic = "SSHSIH";
		mutate_note(how, "magic");
		break;
	default:
		f->twist = 1 + (int)mutate_next(r, 4);
		mutate_note(how, f->twist == 1	 ? "other-number"
				 : f->twist == 2 ? "bit"
				 : f->twist == 3 ? "shorter"
						 : "leading-zero");
		break;
	}
}

static size_t raw_sign(EVP_PKEY *k, const char *digest, const void *data,
		       size_t len, uint8_t *out, size_t max)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = max;

	mutate_need(EVP_DigestSignInit_ex(c, NULL, digest, NULL, NULL, k,
					  NULL) == 1 &&
			    EVP_DigestSign(c, out, &n, data, len) == 1,
		    "sign");
	EVP_MD_CTX_free(c);
	return n;
}

/* r and s, or r and the other s that verifies too. */
static void put_ecdsa(struct buf *b, const struct mutate_key *k,
		      const uint8_t *der, size_t len, int twist)
{
	const uint8_t *at = der;
	ECDSA_SIG *es = d2i_ECDSA_SIG(NULL, &at, (long)len);
	BIGNUM *order = NULL;
	BIGNUM *s = BN_new();
	struct buf rs;

	mutate_need(es != NULL && EVP_PKEY_get_bn_param(
					  k->pkey, OSSL_PKEY_PARAM_EC_ORDER,
					  &order) == 1,
		    "DER");
	BN_copy(s, ECDSA_SIG_get0_s(es));
	if (twist == 1)
		BN_sub(s, order, ECDSA_SIG_get0_s(es));
	buf_init(&rs, 512);
	put_number(&rs, ECDSA_SIG_get0_r(es));
	put_number(&rs, s);
	if (twist == 4) /* r with a byte too many */
		mutate_splice(&rs, 4, 0, "\0", 1), rs.data[3]++;
	if (twist == 3)
		rs.len--;
	wire_put_string(b, rs.data, rs.len);
	buf_release(&rs);
	BN_free(order);
	BN_free(s);
	ECDSA_SIG_free(es);
}

/* s + order of the curve: the same number for whoever does not check it. */
static void add_order(uint8_t *s)
{
	static const uint8_t order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
		0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		0,    0,    0,	  0,	0,    0,    0,	  0,
		0,    0,    0,	  0,	0,    0,    0,	  0x10};
	unsigned int carry = 0;

	for (size_t i = 0; i < 32; i++) {
		carry += s[i] + order[i];
		s[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

static void put_signature(struct buf *b, const struct mutate_key *k,
			  const struct fields *f, const struct buf *data)
{
	uint8_t msg[69], sig[1024], tail[5] = {f->flags, 0, 0, 0, 7};
	const void *in = data->data;
	const char *digest = NULL;
	size_t in_len = data->len, n;

	if (is_sk(k)) {
		const char *app = application(k);

		EVP_Digest(app, strlen(app), msg, NULL, EVP_sha256(), NULL);
		memcpy(msg + 32, tail, 5);
		EVP_Digest(data->data, data->len, msg + 37, NULL, EVP_sha256(),
			   NULL);
		in = msg;
		in_len = sizeof(msg);
	}
	if (curve_of(k) != NULL)
		digest = strstr(k->type, "384")	  ? "SHA384"
			 : strstr(k->type, "521") ? "SHA512"
						  : "SHA256";
	else if (strcmp(k->type, "ssh-rsa") == 0)
		digest = strcmp(f->algorithm, "rsa-sha2-256") == 0 ? "SHA256"
			 : strcmp(f->algorithm, "ssh-rsa") == 0	   ? "SHA1"
								   : "SHA512";
	n = raw_sign(k->pkey, digest, in, in_len, sig, sizeof(sig));
	put_text(b, f->algorithm);
	if (f->twist == 2)
		sig[n / 2] ^= 4;
	if (curve_of(k) != NULL) {
		put_ecdsa(b, k, sig, n, f->twist == 2 ? 0 : f->twist);
	} else {
		if (f->twist == 1 && n == 64)
			add_order(sig + 32);
		wire_put_string(b, sig, n - (f->twist == 3));
	}
	if (is_sk(k))
		buf_put(b, tail, sizeof(tail));
	buf_puts(b, f->inner_tail);
}

static void armor(const struct buf *blob, struct buf *out)
{
	struct buf text;

	buf_init(&text, 65536);
	encode_base64(&text, blob->data, blob->len);
	buf_puts(out, "-----BEGIN SSH SIGNATURE-----\n");
	for (size_t i = 0; i < text.len; i += 70)
		buf_printf(out, "%.70s\n", text.data + i);
	buf_puts(out, "-----END SSH SIGNATURE-----\n");
	buf_release(&text);
}

static const struct mutate_key *pick(const struct mutate_keys *keys,
				     struct mutate_rng *r, char *how)
{
	/* half of them by the first key, so that other changes are seen */
	const struct mutate_key *k =
		&keys->items[mutate_next(r, 2) == 0 ? 0
						    : mutate_next(r, keys->n)];

	mutate_note(how, k->name);
	return k;
}

void mutate_sign(const struct mutate_keys *keys, const struct buf *payload,
		 struct mutate_rng *r, bool odd, struct buf *out, char *how)
{
	static const uint8_t flags[] = {0, 1, 1, 4, 5};
	const struct mutate_key *k = pick(keys, r, how);
	const struct buf *key = &k->blob;
	struct fields f = {.magic = "SSHSIG",
			   .namespace = "git",
			   .namespace_len = 3,
			   .reserved = "",
			   .algorithm = k->type,
			   .version = 1,
			   .tail = "",
			   .inner_tail = "",
			   .flags = flags[mutate_next(r, 5)]};
	uint8_t digest[64], version[4] = {0};
	unsigned int digest_len = 0;
	struct buf data, blob, part;

	f.hash = mutate_next(r, 4) == 0 ? "sha256" : "sha512";
	f.digest = strcmp(f.hash, "sha256") == 0 ? "SHA256" : "SHA512";
	if (strcmp(k->type, "ssh-rsa") == 0)
		f.algorithm = "rsa-sha2-512";
	if (odd)
		twist_field(&f, r, how);
	if (k == keys->items && keys->n_certs > 0 && mutate_next(r, 6) == 0) {
		key = &keys->certs[mutate_next(r, keys->n_certs)];
		mutate_note(how, "cert");
	}
	version[3] = (uint8_t)f.version;
	buf_init(&data, 4096);
	buf_init(&blob, 16384);
	buf_init(&part, 8192);
	EVP_Digest(payload->data, payload->len, digest, &digest_len,
		   EVP_get_digestbyname(f.digest), NULL);
	buf_puts(&data, "SSHSIG");
	wire_put_string(&data, f.namespace, f.namespace_len);
	put_text(&data, f.reserved);
	put_text(&data, f.hash);
	wire_put_string(&data, digest, digest_len);
	buf_puts(&blob, f.magic);
	buf_put(&blob, version, 4);
	wire_put_string(&blob, key->data, key->len);
	wire_put_string(&blob, f.namespace, f.namespace_len);
	put_text(&blob, f.reserved);
	put_text(&blob, f.hash);
	put_signature(&part, k, &f, &data);
	wire_put_string(&blob, part.data, part.len);
	buf_puts(&blob, f.tail);
	armor(&blob, out);
	buf_release(&data);
	buf_release(&blob);
	buf_release(&part);
}

/*
 * hash.c - SHA-256 through EVP.  The algorithm is fetched once per struct; no
 * OpenSSL configuration file is read (it could name a provider to load).
 */
#include "lib/hash.h"
#include "lib/encode.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct hash {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

static void restart(struct hash *h)
{
	if (EVP_DigestInit_ex(h->ctx, h->md, NULL) != 1)
		abort();
}

struct hash *hash_new(void)
{
	struct hash *h = calloc(1, sizeof(*h));

	if (!h || OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		abort();
	h->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	h->ctx = EVP_MD_CTX_new();
	if (!h->md || !h->ctx)
		abort();
	restart(h);
	return h;
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	free(h);
}

void hash_add(struct hash *h, const void *bytes, size_t len)
{
	if (EVP_DigestUpdate(h->ctx, bytes, len) != 1)
		abort();
}

void hash_end(struct hash *h, uint8_t out[HASH_BYTES])
{
	unsigned int n = 0;

	if (EVP_DigestFinal_ex(h->ctx, out, &n) != 1 || n != HASH_BYTES)
		abort();
	restart(h);
}

void hash_sha256(const void *bytes, size_t len, uint8_t out[HASH_BYTES])
{
	struct hash *h = hash_new();

	hash_add(h, bytes, len);
	hash_end(h, out);
	hash_free(h);
}

void hash_sha256_hex(const void *bytes, size_t len, char out[HASH_HEX])
{
	uint8_t digest[HASH_BYTES];

	hash_sha256(bytes, len, digest);
	encode_hex(out, digest, sizeof(digest));
}

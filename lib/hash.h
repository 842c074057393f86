/* hash.h - SHA-256 (FIPS 180-4) through OpenSSL's EVP. */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BYTES 32
#define HASH_HEX 65 /* with NUL */

struct hash; /* a running digest; heap */

struct hash *hash_new(void); /* aborts if OpenSSL has no SHA-256 */
void hash_free(struct hash *h);
void hash_add(struct hash *h, const void *bytes, size_t len);
void hash_end(struct hash *h, uint8_t out[HASH_BYTES]); /* resets h */
void hash_sha256(const void *bytes, size_t len, uint8_t out[HASH_BYTES]);
void hash_sha256_hex(const void *bytes, size_t len, char out[HASH_HEX]);

#endif

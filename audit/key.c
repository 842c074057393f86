/*
 * key.c - Ed25519 through OpenSSL.  The private half is read by the writer (its
 * log's key) and by a witness; nothing else opens the file.
 */
#include "audit/key.h"
#include "lib/encode.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM_MAX ((size_t)4096)
#define ID_HEX 8

struct audit_key {
	EVP_PKEY *pkey;
};

static int no_config(struct err *err)
{
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return err_set(err, ERR_SYS, "OpenSSL does not start");
	return 0;
}

static int write_new(const char *path, const char *bytes, size_t len,
		     struct err *err)
{
	int fd, r;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_CONFLICT, "%s: there is a key already",
			       path);
	if (fd < 0)
		return err_sys(err, errno, "create %s", path);
	r = file_write_fd(fd, bytes, len, err);
	if (r == 0 && fsync(fd) < 0)
		r = err_sys(err, errno, "fsync %s", path);
	(void)close(fd);
	if (r < 0)
		(void)unlink(path);
	return r;
}

int audit_key_generate(const char *path, struct err *err)
{
	EVP_PKEY *pkey = NULL;
	BIO *bio = NULL;
	char *pem = NULL;
	long len;
	int r;

	r = no_config(err);
	if (r < 0)
		return r;
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	bio = BIO_new(BIO_s_secmem());
	if (!pkey || !bio ||
	    PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL,
					  NULL) != 1) {
		r = err_set(err, ERR_SYS, "cannot make an Ed25519 key");
		goto out;
	}
	len = BIO_get_mem_data(bio, &pem);
	if (len <= 0)
		r = err_set(err, ERR_SYS, "cannot make an Ed25519 key");
	else
		r = write_new(path, pem, (size_t)len, err);
	if (pem && len > 0)
		OPENSSL_cleanse(pem, (size_t)len);
out:
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return r;
}

static int parse_pem(const struct buf *pem, struct audit_key **out,
		     struct err *err)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	struct audit_key *key = calloc(1, sizeof(*key));
	EVP_PKEY *pkey = NULL;
	char none[] = ""; /* never ask for a passphrase */
	int r = 0;

	if (!bio || !key) {
		r = err_set(err, ERR_NOMEM, "out of memory");
		goto out;
	}
	pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, none);
	if (!pkey || EVP_PKEY_is_a(pkey, "ED25519") != 1) {
		r = err_set(err, ERR_TRUST,
			    "audit key: want a PEM file with an Ed25519 key");
		goto out;
	}
	key->pkey = pkey;
	pkey = NULL;
	*out = key;
	key = NULL;
out:
	EVP_PKEY_free(pkey);
	free(key);
	BIO_free(bio);
	return r;
}

int audit_key_load_fd(int fd, struct audit_key **out, struct err *err)
{
	struct stat st;
	struct buf pem;
	int r;

	r = no_config(err);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "stat of the audit key");
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
		return err_set(err, ERR_TRUST,
			       "audit key: want a file of mode 0600, have %04o",
			       (unsigned int)(st.st_mode & 07777));
	buf_init(&pem, PEM_MAX);
	r = file_read_fd(fd, PEM_MAX, &pem, err);
	if (r == 0)
		r = parse_pem(&pem, out, err);
	if (pem.data)
		OPENSSL_cleanse(pem.data, pem.cap);
	buf_release(&pem);
	return r;
}

int audit_key_load(const char *path, struct audit_key **out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "open audit key %s", path);
	r = audit_key_load_fd(fd, out, err);
	(void)close(fd);
	return r;
}

void audit_key_free(struct audit_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

static bool is_name(const char *name, size_t len)
{
	uint32_t c;

	if (len == 0 || len > AUDIT_NAME_MAX)
		return false;
	for (size_t i = 0, n; i < len; i += n) {
		n = text_step(name + i, len - i, &c);
		if (n == 0 || c == '+' || c == ' ' || c == 0xa0 ||
		    text_is_hidden(c))
			return false;
	}
	return true;
}

/* C2SP signed-note: first 4 bytes of SHA-256(name, newline, type, key). */
static void set_id(struct audit_vkey *vkey)
{
	uint8_t type = (uint8_t)vkey->type, digest[HASH_BYTES];
	struct hash *h = hash_new();

	hash_add(h, vkey->name, strlen(vkey->name));
	hash_add(h, "\n", 1);
	hash_add(h, &type, 1);
	hash_add(h, vkey->pub, AUDIT_KEY_BYTES);
	hash_end(h, digest);
	hash_free(h);
	memcpy(vkey->id, digest, sizeof(vkey->id));
}

int audit_key_public(const struct audit_key *key, enum audit_key_type type,
		     const char *name, struct audit_vkey *out, struct err *err)
{
	struct audit_vkey v = {.type = type};
	size_t len = sizeof(v.pub);

	if (!is_name(name, strnlen(name, AUDIT_NAME_MAX + 1)))
		return err_set(err, ERR_INPUT,
			       "audit key name: want 1 to %d characters, none "
			       "of them a space, '+' or unprintable",
			       AUDIT_NAME_MAX);
	memcpy(v.name, name, strlen(name));
	if (EVP_PKEY_get_raw_public_key(key->pkey, v.pub, &len) != 1 ||
	    len != AUDIT_KEY_BYTES)
		return err_set(err, ERR_SYS, "audit key has no public half");
	set_id(&v);
	*out = v;
	return 0;
}

int audit_key_sign(const struct audit_key *key, const void *bytes, size_t len,
		   uint8_t out[AUDIT_SIG_BYTES], struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = AUDIT_SIG_BYTES;
	int r = 0;

	if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) != 1 ||
	    EVP_DigestSign(ctx, out, &n, bytes, len) != 1 ||
	    n != AUDIT_SIG_BYTES)
		r = err_set(err, ERR_SYS, "cannot sign");
	EVP_MD_CTX_free(ctx);
	return r;
}

int audit_key_verify(const struct audit_vkey *vkey, const void *bytes,
		     size_t len, const uint8_t sig[AUDIT_SIG_BYTES],
		     struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *pkey;
	int r = no_config(err);

	pkey = r < 0 ? NULL
		     : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
						   vkey->pub, AUDIT_KEY_BYTES);
	if (r == 0 &&
	    (!ctx || !pkey ||
	     EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) != 1 ||
	     EVP_DigestVerify(ctx, sig, AUDIT_SIG_BYTES, bytes, len) != 1))
		r = err_set(err, ERR_TRUST, "signature of %s is not good",
			    vkey->name);
	EVP_PKEY_free(pkey);
	EVP_MD_CTX_free(ctx);
	return r;
}

void audit_key_format(const struct audit_vkey *vkey, char out[AUDIT_VKEY_BYTES])
{
	uint8_t raw[1 + AUDIT_KEY_BYTES];
	char hex[ID_HEX + 1];
	struct buf b;

	raw[0] = (uint8_t)vkey->type;
	memcpy(raw + 1, vkey->pub, AUDIT_KEY_BYTES);
	encode_hex(hex, vkey->id, sizeof(vkey->id));
	buf_init(&b, AUDIT_VKEY_BYTES - 1);
	buf_printf(&b, "%s+%s+", vkey->name, hex);
	encode_base64(&b, raw, sizeof(raw));
	if (b.data && !b.failed)
		memcpy(out, b.data, b.len + 1);
	else
		out[0] = '\0';
	buf_release(&b);
}

static int parse_vkey(const char *text, struct buf *raw, struct audit_vkey *out,
		      struct err *err)
{
	const char *hash = strchr(text, '+');
	const char *key = hash ? strchr(hash + 1, '+') : NULL;
	struct audit_vkey v = {0};
	uint8_t id[4];

	if (!key || key - hash != ID_HEX + 1 ||
	    !is_name(text, (size_t)(hash - text)) ||
	    !encode_unhex(id, hash + 1, ID_HEX) ||
	    !encode_unbase64(raw, key + 1, strlen(key + 1)) ||
	    raw->len != 1 + AUDIT_KEY_BYTES)
		return err_set(err, ERR_INPUT,
			       "verifier key: want NAME+HASH+BASE64");
	if (raw->data[0] != AUDIT_KEY_LOG && raw->data[0] != AUDIT_KEY_WITNESS)
		return err_set(err, ERR_INPUT,
			       "verifier key: want type 1 or 4, have %d",
			       raw->data[0]);
	memcpy(v.name, text, (size_t)(hash - text));
	v.type = (enum audit_key_type)raw->data[0];
	memcpy(v.pub, raw->data + 1, AUDIT_KEY_BYTES);
	set_id(&v);
	if (memcmp(v.id, id, sizeof(id)) != 0)
		return err_set(err, ERR_INPUT,
			       "verifier key: its hash does not match");
	*out = v;
	return 0;
}

int audit_key_parse(const char *text, struct audit_vkey *out, struct err *err)
{
	struct buf raw;
	int r;

	if (strnlen(text, AUDIT_VKEY_BYTES) >= AUDIT_VKEY_BYTES)
		return err_set(err, ERR_INPUT, "verifier key: too long");
	buf_init(&raw, 64);
	r = parse_vkey(text, &raw, out, err);
	buf_release(&raw);
	return r;
}

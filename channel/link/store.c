/* store.c - files of the host's end of the channel.  See store.h. */
#include "channel/link/store.h"

#include "channel/shape.h"
#include "lib/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { PEM_MAX_BYTES = 16384, JOIN_MAX_BYTES = 2 << 20 };

static int read_cert(int dirfd, const char *name, X509 **out, struct err *err)
{
	struct buf pem;
	BIO *bio = NULL;
	int r;

	buf_init(&pem, PEM_MAX_BYTES);
	r = file_read(dirfd, name, PEM_MAX_BYTES, &pem, err);
	if (r == 0) {
		bio = BIO_new_mem_buf(pem.data ? pem.data : "", (int)pem.len);
		*out = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
		if (!*out)
			r = identity_ssl_error(err, ERR_INPUT, name);
	}
	BIO_free(bio);
	buf_release(&pem);
	return r;
}

static int read_key(int dirfd, const char *name, EVP_PKEY **out,
		    struct err *err)
{
	struct buf pem;
	int r;

	buf_init(&pem, IDENTITY_KEY_PEM_MAX);
	r = file_read(dirfd, name, IDENTITY_KEY_PEM_MAX, &pem, err);
	if (r == 0)
		r = identity_key_read(pem.data ? pem.data : "", pem.len, out,
				      err);
	if (r < 0)
		r = err_wrap(err, "%s", name);
	identity_wipe(&pem);
	return r;
}

static int new_key(int dirfd, const char *name, EVP_PKEY **out, struct err *err)
{
	EVP_PKEY *key = NULL;
	struct buf pem;
	int r;

	buf_init(&pem, IDENTITY_KEY_PEM_MAX);
	r = identity_key_new(&key, err);
	if (r == 0)
		r = identity_key_write(key, &pem, err);
	if (r == 0)
		r = file_replace(dirfd, name, 0600, pem.data, pem.len, err);
	identity_wipe(&pem);
	if (r == 0)
		*out = key;
	else
		EVP_PKEY_free(key);
	return r;
}

static bool fits(X509 *leaf, EVP_PKEY *key)
{
	bool yes = X509_check_private_key(leaf, key) == 1;

	ERR_clear_error();
	return yes;
}

static int use_next_key(int dirfd, struct err *err)
{
	if (renameat(dirfd, "host.key.next", dirfd, "host.key") < 0)
		return err_sys(err, errno, "rename host.key.next");
	return fsync(dirfd) < 0 ? err_sys(err, errno, "fsync") : 0;
}

/* The key that belongs to the certificate; see the head of store.h. */
static int find_key(int dirfd, struct store *s, struct err *err)
{
	struct err none = {0};
	int r;

	r = read_key(dirfd, "host.key", &s->key, err);
	if (r == 0 && fits(s->leaf, s->key))
		return 0;
	EVP_PKEY_free(s->key);
	s->key = NULL;
	if (read_key(dirfd, "host.key.next", &s->key, &none) == 0 &&
	    fits(s->leaf, s->key))
		return use_next_key(dirfd, err);
	if (r < 0)
		return r;
	return err_set(err, ERR_INPUT, "host.key does not fit host.pem");
}

static int read_manager(int dirfd, struct address *out, struct err *err)
{
	struct buf text;
	int r;

	buf_init(&text, ADDRESS_TEXT_MAX);
	r = file_read(dirfd, "manager", ADDRESS_TEXT_MAX, &text, err);
	if (r == 0) {
		while (text.len > 0 && text.data[text.len - 1] == '\n')
			text.data[--text.len] = '\0';
		r = address_parse(text.data ? text.data : "", out, err);
		if (r < 0)
			r = err_wrap(err, "manager");
	}
	buf_release(&text);
	return r;
}

int store_load(int dirfd, struct store *out, struct err *err)
{
	struct store s = {.key = NULL};
	int r;

	r = read_cert(dirfd, "host.pem", &s.leaf, err);
	if (r == 0)
		r = read_cert(dirfd, "ca.pem", &s.ca, err);
	if (r == 0)
		r = find_key(dirfd, &s, err);
	if (r == 0)
		r = read_manager(dirfd, &s.manager, err);
	if (r == 0)
		r = identity_read(s.leaf, IDENTITY_HOST, &s.id, err);
	if (r == 0)
		*out = s;
	else
		store_release(&s);
	return r;
}

void store_release(struct store *s)
{
	EVP_PKEY_free(s->key);
	X509_free(s->leaf);
	X509_free(s->ca);
	*s = (struct store){.key = NULL};
}

int store_join_key(int dirfd, EVP_PKEY **out, struct err *err)
{
	struct stat st;

	if (fstatat(dirfd, "host.key", &st, AT_SYMLINK_NOFOLLOW) == 0)
		return read_key(dirfd, "host.key", out, err);
	return new_key(dirfd, "host.key", out, err);
}

static int write_cert(int dirfd, const char *name, X509 *cert, struct err *err)
{
	struct buf pem;
	int r;

	buf_init(&pem, PEM_MAX_BYTES);
	r = identity_cert_pem(cert, &pem, err);
	if (r == 0)
		r = file_replace(dirfd, name, 0600, pem.data, pem.len, err);
	buf_release(&pem);
	return r;
}

int store_join_write(int dirfd, const Channel__JoinReply *reply, X509 *leaf,
		     X509 *ca, const char *manager, struct err *err)
{
	struct buf packed;
	int r;

	buf_init(&packed, JOIN_MAX_BYTES);
	r = shape_pack(&reply->base, &packed, err);
	if (r == 0)
		r = file_replace(dirfd, "join.pb", 0600, packed.data,
				 packed.len, err);
	if (r == 0)
		r = file_replace(dirfd, "trust-root.pb", 0600,
				 reply->trust_root.data, reply->trust_root.len,
				 err);
	if (r == 0)
		r = file_replace(dirfd, "manager", 0600, manager,
				 strlen(manager), err);
	if (r == 0)
		r = write_cert(dirfd, "ca.pem", ca, err);
	if (r == 0)
		r = write_cert(dirfd, "host.pem", leaf, err);
	buf_release(&packed);
	return r;
}

int store_next_key(int dirfd, EVP_PKEY **out, struct err *err)
{
	return new_key(dirfd, "host.key.next", out, err);
}

int store_renew(int dirfd, X509 *leaf, struct err *err)
{
	int r = write_cert(dirfd, "host.pem", leaf, err);

	return r == 0 ? use_next_key(dirfd, err) : r;
}

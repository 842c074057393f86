/*
 * image_store.c - see image.h for the layout.  Runs in the agent as root, on
 * names that it made itself: digests are checked before they become one.
 *
 * Invariant: a name without "tmp." in front is complete and was fsynced before
 * it appeared; what has "tmp." and is not locked is left over and removed.
 */
#include "engine/image/image_store.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/proc.h"
#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_BYTES_MAX (16u << 20)
#define LAYERS_MAX 100000
#define TEMP_TRIES 16

typedef int visit_fn(const struct image_store *s, int dir, const char *name,
		     void *ctx, struct err *err);

static int for_each(const struct image_store *s, int dir, visit_fn *fn,
		    void *ctx, struct err *err)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!d) {
		r = err_sys(err, errno, "image store: list a folder");
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while (r == 0 && (e = readdir(d)) != NULL)
		r = fn(s, dir, e->d_name, ctx, err);
	(void)closedir(d);
	return r;
}

/* Removes a temporary file or folder that no one has locked. */
static int clean_one(const struct image_store *s, int dir, const char *name,
		     void *ctx, struct err *err)
{
	int fd;
	int r = 0;

	(void)s;
	(void)ctx;
	if (strncmp(name, "tmp.", 4) != 0)
		return 0;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		r = file_remove_tree(dir, name, err);
	(void)close(fd);
	return r;
}

/* The store remembers the ids that its layers' owners were shifted by. */
static int check_owner(const struct image_store *s, int root, struct err *err)
{
	char want[64];
	struct buf have;
	int n = snprintf(want, sizeof(want), "uid_base=%u gid_base=%u\n",
			 (unsigned int)s->uid_base, (unsigned int)s->gid_base);
	int r;

	buf_init(&have, 256);
	r = file_read(root, "owner", 255, &have, err);
	if (r == ERR_NOTFOUND)
		r = file_replace(root, "owner", 0600, want, (size_t)n, err);
	else if (r == 0 && strcmp(have.data ? have.data : "", want) != 0)
		r = err_set(err, ERR_CONFLICT,
			    "image store %s: made with other ids: want %.*s, "
			    "have %.*s",
			    s->path, n - 1, want,
			    have.len ? (int)have.len - 1 : 0,
			    have.data ? have.data : "");
	buf_release(&have);
	return r;
}

static int open_folders(struct image_store *s, struct err *err)
{
	const struct {
		const char *name;
		int *fd;
	} folders[] = {
		{"blobs", &s->blobs},
		{"layers", &s->layers},
		{"images", &s->images},
		{"locks", &s->locks},
	};
	int root = -1;
	size_t i;
	int r;

	r = file_mkdirs(AT_FDCWD, s->path, 0700, &root, err);
	if (r == 0 && fchmod(root, 0700) < 0)
		r = err_sys(err, errno, "chmod %s", s->path);
	for (i = 0; r == 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
		r = file_mkdirs(root, folders[i].name, 0700, folders[i].fd,
				err);
	if (r == 0)
		r = check_owner(s, root, err);
	if (r == 0)
		r = for_each(s, s->blobs, clean_one, NULL, err);
	if (r == 0)
		r = for_each(s, s->layers, clean_one, NULL, err);
	if (root >= 0)
		(void)close(root);
	return r;
}

int image_store_new(const struct image_store_config *config,
		    struct image_store **out, struct err *err)
{
	struct image_store *s = calloc(1, sizeof(*s));
	char libexec[PATH_MAX] = "";
	int r = 0;

	if (!s)
		return err_set(err, ERR_NOMEM, "out of memory");
	s->blobs = s->layers = s->images = s->locks = -1;
	s->uid_base = config->uid_base;
	s->gid_base = config->gid_base;
	if (!config->libexec)
		r = proc_libexec(libexec, sizeof(libexec), err);
	s->libexec = strdup(config->libexec ? config->libexec : libexec);
	s->path = strdup(config->path);
	if (!s->path || !s->libexec)
		r = err_set(err, ERR_NOMEM, "out of memory");
	else if (s->path[0] != '/')
		r = err_set(err, ERR_INPUT,
			    "image store: want an absolute path, have %s",
			    s->path);
	else if (s->uid_base < IMAGE_ID_COUNT || s->gid_base < IMAGE_ID_COUNT)
		r = err_set(err, ERR_INPUT,
			    "image store: want uid_base and gid_base of at "
			    "least %u, have %u and %u",
			    IMAGE_ID_COUNT, (unsigned int)s->uid_base,
			    (unsigned int)s->gid_base);
	if (r == 0)
		r = open_folders(s, err);
	if (r < 0) {
		image_store_free(s);
		return r;
	}
	*out = s;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void image_store_free(struct image_store *s)
{
	if (!s)
		return;
	close_fd(s->blobs);
	close_fd(s->layers);
	close_fd(s->images);
	close_fd(s->locks);
	free(s->path);
	free(s->libexec);
	free(s);
}

bool image_store_has_layer(const struct image_store *s, const char *diff_id)
{
	struct stat st;

	return fstatat(s->layers, digest_hex(diff_id), &st,
		       AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

struct listing {
	struct arena *arena;
	char **items;
	size_t n;
};

static int list_one(const struct image_store *s, int dir, const char *name,
		    void *ctx, struct err *err)
{
	struct listing *l = ctx;

	(void)s;
	(void)dir;
	(void)err;
	if (l->n < LAYERS_MAX && text_is_hex(name, 64))
		l->items[l->n++] = arena_printf(l->arena, "sha256:%s", name);
	return 0;
}

int image_store_list_layers(const struct image_store *s, struct arena *arena,
			    char ***out, size_t *out_n, struct err *err)
{
	struct listing l = {.arena = arena};
	int r;

	l.items = arena_calloc(arena, LAYERS_MAX, sizeof(char *));
	r = for_each(s, s->layers, list_one, &l, err);
	if (r < 0)
		return r;
	*out = l.items;
	*out_n = l.n;
	return 0;
}

/* Makes and locks the folder; false when a store that was opened in between
 * took it for a left-over. */
static bool make_locked(struct image_store *s, struct image_layer_temp *t)
{
	struct stat st;

	(void)snprintf(t->name, sizeof(t->name), "tmp.%d.%llu", (int)getpid(),
		       (unsigned long long)s->next++);
	if (mkdirat(s->layers, t->name, 0700) < 0) {
		t->name[0] = '\0';
		return false;
	}
	t->lock = openat(s->layers, t->name,
			 O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (t->lock >= 0 && flock(t->lock, LOCK_EX | LOCK_NB) == 0 &&
	    fstat(t->lock, &st) == 0 && st.st_nlink > 0)
		return true;
	close_fd(t->lock);
	t->lock = -1;
	return false;
}

int image_store_temp_init(struct image_store *s, struct image_layer_temp *t,
			  struct err *err)
{
	int tries = 0;

	*t = (struct image_layer_temp){.lock = -1, .fs = -1};
	while (!make_locked(s, t)) {
		if (++tries == TEMP_TRIES)
			return err_sys(err, errno,
				       "image store: make a folder");
	}
	if (mkdirat(t->lock, "fs", 0755) < 0)
		return err_sys(err, errno, "image store: make a folder");
	t->fs = openat(t->lock, "fs",
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (t->fs < 0 || fchown(t->fs, s->uid_base, s->gid_base) < 0 ||
	    fchmod(t->fs, 0755) < 0)
		return err_sys(err, errno, "image store: make a folder");
	return 0;
}

int image_store_temp_commit(struct image_store *s, struct image_layer_temp *t,
			    const char *diff_id, struct err *err)
{
	if (renameat(s->layers, t->name, s->layers, digest_hex(diff_id)) < 0) {
		if (errno != EEXIST && errno != ENOTEMPTY)
			return err_sys(err, errno, "image store: rename layer");
		return 0;
	}
	t->name[0] = '\0';
	if (fsync(s->layers) < 0)
		return err_sys(err, errno, "image store: fsync");
	return 0;
}

void image_store_temp_release(struct image_store *s, struct image_layer_temp *t)
{
	if (t->name[0])
		(void)file_remove_tree(s->layers, t->name, NULL);
	close_fd(t->fs);
	close_fd(t->lock);
	*t = (struct image_layer_temp){.lock = -1, .fs = -1};
}

int image_store_open_blob(const struct image_store *s, const char *digest,
			  uint64_t size, int *out_fd, struct err *err)
{
	struct stat st;
	int fd = openat(s->blobs, digest_hex(digest),
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	/* another image with this layer failed meanwhile and took it along */
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_AGAIN, "image store: blob %s is gone",
			       digest);
	if (fd < 0)
		return err_sys(err, errno, "image store: blob %s", digest);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != size) {
		(void)close(fd);
		return err_set(err, ERR_CONFLICT,
			       "image store: blob %s: want %llu bytes", digest,
			       (unsigned long long)size);
	}
	*out_fd = fd;
	return 0;
}

void image_store_drop_blob(const struct image_store *s, const char *digest)
{
	(void)unlinkat(s->blobs, digest_hex(digest), 0);
}

static void record_name(const char *digest, char out[80])
{
	(void)snprintf(out, 80, "%s.pb", digest_hex(digest));
}

int image_store_load(const struct image_store *s, const char *digest,
		     Image__PullDone **out, struct err *err)
{
	Image__PullDone *d = NULL;
	struct buf b;
	char name[80];
	size_t i;
	int r;

	record_name(digest, name);
	buf_init(&b, RECORD_BYTES_MAX);
	r = file_read(s->images, name, RECORD_BYTES_MAX, &b, err);
	if (r == 0) {
		d = image__pull_done__unpack(NULL, b.len,
					     (const uint8_t *)b.data);
		if (!d || strcmp(d->reference_digest, digest) != 0)
			r = err_set(err, ERR_NOTFOUND,
				    "image record %s: damaged", digest);
	}
	for (i = 0; r == 0 && i < d->n_layers; i++) {
		if (!digest_is_valid(d->layers[i]->diff_id) ||
		    !image_store_has_layer(s, d->layers[i]->diff_id))
			r = err_set(err, ERR_NOTFOUND,
				    "image record %s: a layer is missing",
				    digest);
	}
	buf_release(&b);
	if (r < 0) {
		image__pull_done__free_unpacked(d, NULL);
		return r;
	}
	*out = d;
	return 0;
}

int image_store_save(const struct image_store *s, const Image__PullDone *d,
		     struct err *err)
{
	size_t n = image__pull_done__get_packed_size(d);
	uint8_t *bytes = malloc(n ? n : 1);
	char name[80];
	int r;

	if (!bytes)
		return err_set(err, ERR_NOMEM, "out of memory");
	record_name(d->reference_digest, name);
	(void)image__pull_done__pack(d, bytes);
	r = file_replace(s->images, name, 0600, bytes, n, err);
	free(bytes);
	return r;
}

int image_store_lock(const struct image_store *s, const struct image_ref *ref,
		     int *out_fd, struct err *err)
{
	char text[IMAGE_REF_BYTES], hex[HASH_HEX];

	image_ref_format(ref, text);
	hash_sha256_hex(text, strlen(text), hex);
	return file_lock(s->locks, hex, out_fd, err);
}

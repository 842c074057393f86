/*
 * image_store.h - the folders of image.h, for the files of this folder.
 */
#ifndef ENGINE_IMAGE_IMAGE_STORE_H
#define ENGINE_IMAGE_IMAGE_STORE_H

#include "engine/image/image.h"
#include "engine/image/image.pb-c.h"

struct image_store {
	char *path; /* absolute */
	char *libexec;
	uid_t uid_base;
	gid_t gid_base;
	int blobs, layers, images, locks; /* folders */
	uint64_t next; /* number of the next temporary folder */
};

/* A layer being filled: layers/tmp.N/fs, locked while it is in use. */
struct image_layer_temp {
	char name[64]; /* below layers; "" when none */
	int lock;      /* the folder itself */
	int fs;
};

bool image_store_has_layer(const struct image_store *s, const char *diff_id);
/* Diff ids that are unpacked; n strings in the arena. */
int image_store_list_layers(const struct image_store *s, struct arena *arena,
			    char ***out, size_t *out_n, struct err *err);
int image_store_temp_init(struct image_store *s, struct image_layer_temp *t,
			  struct err *err);
/* Gives the folder its name; one that another process made first is as good. */
int image_store_temp_commit(struct image_store *s, struct image_layer_temp *t,
			    const char *diff_id, struct err *err);
void image_store_temp_release(struct image_store *s,
			      struct image_layer_temp *t);
int image_store_open_blob(const struct image_store *s, const char *digest,
			  uint64_t size, int *out_fd, struct err *err);
void image_store_drop_blob(const struct image_store *s, const char *digest);
/* The record of an image all of whose layers are there; ERR_NOTFOUND
 * otherwise.  *out owned: image__pull_done__free_unpacked(). */
int image_store_load(const struct image_store *s, const char *digest,
		     Image__PullDone **out, struct err *err);
int image_store_save(const struct image_store *s, const Image__PullDone *d,
		     struct err *err);
/* Exclusive lock of a reference; ERR_AGAIN when it is held. */
int image_store_lock(const struct image_store *s, const struct image_ref *ref,
		     int *out_fd, struct err *err);

#endif

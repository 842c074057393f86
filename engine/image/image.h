/*
 * image.h - the image store of a host: from a reference to folders that an
 * overlay can be mounted from.
 *
 * Layout below the store's path, all of it root's and 0700 (row E44):
 *   blobs/<hex>          a compressed layer, from pull until it is unpacked
 *   layers/<hex>/fs      one layer, named after its diff id; owners are
 *                        uid_base + uid; whiteouts are character devices 0:0,
 *                        opaque folders have user.overlay.opaque=y (mount the
 *                        overlay with userxattr)
 *   images/<hex>.pb      PullDone of image.proto, named after the digest that
 *                        the reference named
 *   locks/<hex>          one lock a reference
 *   owner                uid_base and gid_base that the layers were made with
 *
 * Work is done by reconcile-pull and reconcile-unpack; the caller's process
 * (root) parses none of it, and never blocks when it uses a job:
 *
 *   image_job_new() ; then image_job_step() once, and again whenever
 *   image_job_fd() is readable, until it says done or fails ;
 *   image_job_take() ; image_job_free()
 *
 * Concurrent jobs for one image, in any number of processes, are safe: one
 * works, the others wait for it and find the result.
 */
#ifndef ENGINE_IMAGE_IMAGE_H
#define ENGINE_IMAGE_IMAGE_H

#include "engine/image/digest.h"
#include "engine/image/ref.h"
#include "lib/arena.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct image_store;

struct image_store_config {
	const char *path;    /* made if missing */
	const char *libexec; /* folder of the siblings; NULL: proc_libexec() */
	uid_t uid_base;	     /* host id of uid 0 in a layer */
	gid_t gid_base;
};

#define IMAGE_ID_COUNT 65536u /* ids 0..65535 of a layer are mapped */

/* Also removes what an interrupted pull or unpack left.  ERR_CONFLICT when the
 * store was made with other ids.  *out owned. */
int image_store_new(const struct image_store_config *config,
		    struct image_store **out, struct err *err);
void image_store_free(struct image_store *s);

struct image_request {
	const char *reference;	     /* any form that image_ref_parse() takes */
	const void *ca_pem;	     /* authorities of the registry */
	size_t ca_len;		     /* 0: the system's */
	bool insecure_http;	     /* plain HTTP */
	const char *username;	     /* secret; NULL or "": none */
	const char *password;	     /* secret */
	bool resolve_only;	     /* ask for the digest, fetch nothing */
	uint64_t max_layer_bytes;    /* compressed; 0: 8 GiB */
	uint64_t max_image_bytes;    /* compressed; 0: 16 GiB */
	uint64_t max_unpacked_bytes; /* one layer; 0: 32 GiB */
	uint64_t max_entries;	     /* one layer; 0: 1,000,000 */
	uint32_t max_ratio;	     /* unpacked : packed; 0: 200 */
	uint32_t stall_seconds;	     /* no byte for so long; 0: 30 */
	uint32_t total_seconds;	     /* one transfer or unpack; 0: 900 */
};

struct image_strings {
	const char *const *items;
	size_t n;
};

/* What the image's configuration says; nothing of it is trusted: paths are to
 * be resolved inside the container, user by the container's own files. */
struct image_config {
	struct image_strings entrypoint, cmd;
	struct image_strings env;	    /* NAME=value */
	struct image_strings volumes;	    /* absolute, no ".." */
	struct image_strings exposed_ports; /* "80/tcp" */
	const char *user;		    /* "" if unset */
	const char *working_dir;
	const char *stop_signal;
};

struct image_info {
	struct arena *arena;		     /* owns what is below */
	char reference_digest[DIGEST_BYTES]; /* what the reference names */
	char manifest_digest[DIGEST_BYTES];  /* "" after resolve_only */
	char config_digest[DIGEST_BYTES];
	struct image_strings lower_dirs; /* absolute, topmost first, each
					  * once: "lowerdir=a:b:c" */
	struct image_config config;
};

void image_info_release(struct image_info *info);

struct image_job;

/* The strings of request are copied.  *out owned.  ERR_INPUT. */
int image_job_new(struct image_store *store,
		  const struct image_request *request, struct image_job **out,
		  struct err *err);
/* Ends its child and removes what is half done.  NULL allowed. */
void image_job_free(struct image_job *job);
/* Constant for the life of the job; wait for POLLIN. */
int image_job_fd(const struct image_job *job);
/* Never waits for the network or a disk of data.  *out_done true: take the
 * result.  A failure is final: ERR_AGAIN registry not reachable or slow,
 * ERR_TRUST a digest or certificate that does not match, ERR_DENIED
 * credential, ERR_NOTFOUND, ERR_INPUT hostile or unsupported image, ERR_LIMIT.
 */
int image_job_step(struct image_job *job, bool *out_done, struct err *err);
/* After done, once: hands the result over (image_info_release()). */
void image_job_take(struct image_job *job, struct image_info *out);

/* The blocking forms. */
int image_ensure(struct image_store *store, const struct image_request *request,
		 struct image_info *out, struct err *err);
int image_resolve(struct image_store *store,
		  const struct image_request *request,
		  char out_digest[DIGEST_BYTES], struct err *err);

#endif

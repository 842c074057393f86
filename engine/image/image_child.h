/*
 * image_child.h - the two siblings that work for the store: starting them,
 * their first frames, and the user namespace of reconcile-unpack.
 */
#ifndef ENGINE_IMAGE_IMAGE_CHILD_H
#define ENGINE_IMAGE_IMAGE_CHILD_H

#include "engine/image/image_store.h"
#include "lib/buf.h"
#include "lib/msg.h"
#include "lib/proc.h"

#define IMAGE_CHILD_FRAME_MAX (16u << 20)

struct image_child {
	struct proc proc; /* pid 0: none */
	int sock;	  /* frames; -1: none */
	struct buf in;	  /* what has come and is not a whole frame yet */
};

void image_child_init(struct image_child *c);
/* Kills it; no effect when there is none. */
void image_child_release(struct image_child *c);
/* Starts reconcile-pull and sends the request (secrets in it are wiped from
 * what was packed). */
int image_child_pull(struct image_child *c, const struct image_store *s,
		     const Image__PullRequest *request, struct err *err);
/* Starts reconcile-unpack on a blob and an empty folder; it answers with
 * FRAME_UNPACK_MAPPED's request for maps first. */
int image_child_unpack(struct image_child *c, const struct image_store *s,
		       int blob, int fs, struct err *err);
/* Takes what has come, without waiting; then image_child_frame() gives the
 * whole frames of it, one a call, until *out_have is false.  A child that was
 * taken over can so neither make the agent wait nor hand it descriptors.
 * ERR_NOTFOUND: the child has closed its end; ERR_PROTO: a bad header. */
int image_child_receive(struct image_child *c, struct err *err);
int image_child_frame(struct image_child *c, struct msg *m, bool *out_have,
		      struct err *err);
/* Writes the id maps of its user namespace and sends the request. */
int image_child_map(struct image_child *c, const struct image_store *s,
		    const Image__UnpackRequest *request, struct err *err);

#endif

/*
 * pull.h - from a reference to blobs in the store and a typed description.
 */
#ifndef ENGINE_IMAGE_PULL_PULL_H
#define ENGINE_IMAGE_PULL_PULL_H

#include "engine/image/image.pb-c.h"
#include "lib/err.h"

/* Does what the request says and sends PullResolved, PullProgress and PullDone
 * on sock; on failure nothing of this run's is left in blobs and the caller
 * sends Failed. */
int pull_run(const Image__PullRequest *request, int blobs, int sock,
	     struct err *err);

#endif

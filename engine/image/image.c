/*
 * image.c - the blocking forms over a job, and the result's life.
 */
#include "engine/image/image.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

void image_info_release(struct image_info *info)
{
	arena_free(info->arena);
	*info = (struct image_info){0};
}

int image_ensure(struct image_store *store, const struct image_request *request,
		 struct image_info *out, struct err *err)
{
	struct image_job *job = NULL;
	bool done = false;
	int r;

	r = image_job_new(store, request, &job, err);
	if (r < 0)
		return r;
	r = image_job_step(job, &done, err);
	while (r == 0 && !done) {
		struct pollfd p = {.fd = image_job_fd(job), .events = POLLIN};

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			r = err_sys(err, errno, "poll");
		else
			r = image_job_step(job, &done, err);
	}
	if (r == 0)
		image_job_take(job, out);
	image_job_free(job);
	return r;
}

int image_resolve(struct image_store *store,
		  const struct image_request *request,
		  char out_digest[DIGEST_BYTES], struct err *err)
{
	struct image_request ask = *request;
	struct image_info info = {0};
	int r;

	ask.resolve_only = true;
	r = image_ensure(store, &ask, &info, err);
	if (r < 0)
		return r;
	memcpy(out_digest, info.reference_digest, DIGEST_BYTES);
	image_info_release(&info);
	return 0;
}

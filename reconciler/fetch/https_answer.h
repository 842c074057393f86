/* https_answer.h - the head of what a git server answers over https. */
#ifndef RECONCILER_FETCH_HTTPS_ANSWER_H
#define RECONCILER_FETCH_HTTPS_ANSWER_H

#include "lib/err.h"

#include <stddef.h>

#define HTTPS_HEAD_BYTES 65536u

struct https_answer { /* begins zeroed */
	size_t bytes;
	char content_type[128], location[1536]; /* "" if none, or too long */
};

/* Takes a line of the head.  ERR_LIMIT. */
int https_answer_header(struct https_answer *a, const char *line, size_t n,
			struct err *err);
/* Is it what was asked for?  want: the only content type that is read.
 * ERR_INPUT (a redirect), ERR_DENIED, ERR_NOTFOUND, ERR_AGAIN, ERR_PROTO. */
int https_answer_check(const struct https_answer *a, long status,
		       const char *want, struct err *err);

#endif

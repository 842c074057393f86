/*
 * imagename.h - an image reference taken apart, strictly (the grammar of the
 * distribution specification; what does not match it is refused, not guessed).
 *
 * Pure.  Runs in reconcile-verify on the manager and on every host; the image
 * text is hostile.
 */
#ifndef POLICY_ADMISSION_IMAGENAME_H
#define POLICY_ADMISSION_IMAGENAME_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

#define IMAGENAME_MAX 255

struct imagename {
	char repository[IMAGENAME_MAX + 16]; /* "docker.io/library/nginx" */
	size_t registry_len; /* of the part before the first '/' */
	const char *tag;     /* borrowed from the image; NULL */
	size_t tag_len;
	const char *digest; /* "sha256:<64 hex>", borrowed; NULL */
};

/* ERR_INPUT with the reason when image is no reference. */
int imagename_parse(const char *image, struct imagename *out, struct err *err);
/* Is the repository the entry itself or below it, component by component?
 * entry: host[:port] or host[:port]/prefix. */
bool imagename_below(const struct imagename *name, const char *entry);

#endif

/*
 * ref.h - image references: grammar of distribution/reference, strict,
 * with the usual completion ("nginx" is docker.io/library/nginx:latest).
 * Pure; depends on lib/ alone.
 *
 *   reference := [domain "/"] path [":" tag] ["@" digest]
 *   domain    := name or IPv4 or "localhost" or "[" IPv6 "]", with [":" port];
 *                the first component is a domain when it has a '.', a ':' or
 *                is "localhost" (as every client does)
 *   path      := component ("/" component)*
 *   component := [a-z0-9]+ (sep [a-z0-9]+)*, sep := "." | "_" | "__" | "-"+
 *   tag       := [A-Za-z0-9_][A-Za-z0-9._-]{0,127}
 *   digest    := see digest.h
 */
#ifndef ENGINE_IMAGE_REF_H
#define ENGINE_IMAGE_REF_H

#include "engine/image/digest.h"
#include "lib/err.h"

#include <stddef.h>

#define IMAGE_REF_HOST_BYTES 264 /* 253 + ":65535" + NUL, rounded */
#define IMAGE_REF_PATH_BYTES 256 /* domain/path is at most 255 long */
#define IMAGE_REF_TAG_BYTES 129
#define IMAGE_REF_BYTES 740 /* a whole reference in normal form, with NUL */

struct image_ref {
	char host[IMAGE_REF_HOST_BYTES]; /* "docker.io", "a.b:5000" */
	char path[IMAGE_REF_PATH_BYTES]; /* "library/nginx" */
	char tag[IMAGE_REF_TAG_BYTES];	 /* "" when only a digest */
	char digest[DIGEST_BYTES];	 /* "" when only a tag */
};

/* Parses and completes: no domain -> docker.io, docker.io with one component
 * -> library/, neither tag nor digest -> tag "latest"; index.docker.io is
 * docker.io.  ERR_INPUT says what is wrong; out is untouched on failure. */
int image_ref_parse(const char *text, struct image_ref *out, struct err *err);
/* Normal form; image_ref_parse() of it gives the same struct.  Returns out. */
const char *image_ref_format(const struct image_ref *ref,
			     char out[IMAGE_REF_BYTES]);
/* host[:port] to connect to: docker.io's registry has another name.  Borrowed
 * from ref or constant. */
const char *image_ref_endpoint(const struct image_ref *ref);

#endif

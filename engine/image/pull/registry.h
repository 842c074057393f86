/*
 * registry.h - a repository of one registry (OCI distribution-spec 1.1, Docker
 * registry v2): authentication on demand, redirects, and who gets the
 * credential.
 */
#ifndef ENGINE_IMAGE_PULL_REGISTRY_H
#define ENGINE_IMAGE_PULL_REGISTRY_H

#include "engine/image/ref.h"
#include "engine/image/pull/http.h"
#include "lib/err.h"

#include <stddef.h>

struct registry_credential {
	const char *username; /* secret; n_* 0: none */
	size_t username_len;
	const char *password;
	size_t password_len;
};

struct registry;

/* ref, credential and config's bytes are borrowed for the life of it. */
int registry_new(const struct image_ref *ref, const struct http_config *config,
		 const struct registry_credential *credential,
		 struct registry **out, struct err *err);
void registry_free(struct registry *r); /* wipes what it learned */
/* GET of <kind>/<name> in the repository, kind "manifests" or "blobs".
 * 0 only for status 200.  ERR_NOTFOUND (404), ERR_DENIED (401, 403),
 * ERR_AGAIN (429, 5xx and network), else as http_get(). */
int registry_get(struct registry *r, const char *kind, const char *name,
		 const char *const *accept, const struct http_sink *sink,
		 struct http_answer *out, struct err *err);

#endif

/*
 * files.h - which files of a commit are manifests, read by object id.
 *
 * Below policy.manifestsPath every *.yaml, *.yml and *.json is a manifest,
 * except names that begin with a dot and kustomization files.  Below it only
 * folders and plain files are accepted: a link or submodule is an error, never
 * followed or skipped (A38..A40, A43, A45).  Limits are below.
 */
#ifndef POLICY_VERIFY_FILES_H
#define POLICY_VERIFY_FILES_H

#include "manifest/manifest.h"
#include "policy/verify/store.h"

#define FILES_DEPTH_MAX 32
#define FILES_ENTRIES_MAX 100000
#define FILES_MANIFESTS_MAX 20000
#define FILES_BLOB_MAX ((size_t)4 << 20)
#define FILES_BYTES_MAX ((size_t)64 << 20)
#define FILES_POLICY_PATH ".reconcile/policy.yaml"

struct files {
	struct manifest_input *items; /* in the arena */
	size_t n;
};

/* Reads the manifests; what is wrong becomes T diagnostics.  A negative result
 * only where the store fails (verdict) . */
int files_collect(struct store *store, const struct commit_id *tree,
		  const char *manifests_path, const char *signer,
		  struct arena *arena, struct diags *diags, struct files *out,
		  struct verdict *v);
/* One file by its path from the root.  *out_found false when there is no such
 * plain file.  *out in the arena. */
int files_read(struct store *store, const struct commit_id *tree,
	       const char *path, struct arena *arena, bool *out_found,
	       struct manifest_input *out, struct verdict *v);

/* Would files_collect() take the file, by its path alone? */
bool files_is_manifest(const char *manifests_path, const char *path);
/* A blob that stands at path.  *out in the arena. */
int files_blob(struct store *store, const struct commit_id *id,
	       const char *path, struct arena *arena,
	       struct manifest_input *out, struct verdict *v);

#endif

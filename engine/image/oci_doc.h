/*
 * oci_doc.h - image indexes and manifests (OCI image-spec 1.1, Docker schema 2)
 * as plain data, read strictly: duplicates refused, depth and size capped,
 * digest grammar, media types by table, `urls` never used, and a document that
 * could be both an index and a manifest refused (CVE-2021-41190, row E46).
 * Pure.
 */
#ifndef ENGINE_IMAGE_OCI_DOC_H
#define ENGINE_IMAGE_OCI_DOC_H

#include "engine/image/digest.h"
#include "engine/image/oci_type.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define OCI_DOC_BYTES_MAX (4u << 20)
#define OCI_DOC_DEPTH_MAX 32
#define OCI_DOC_LAYERS_MAX 127
#define OCI_DOC_ENTRIES_MAX 1024

struct oci_descriptor {
	const struct oci_type *type;
	char digest[DIGEST_BYTES];
	uint64_t size; /* bytes */
};

struct oci_doc;

/* content_type: the HTTP header without parameters, NULL or "" if unknown.
 * *out owned: oci_doc_free().  ERR_INPUT, ERR_LIMIT. */
int oci_doc_new(const char *bytes, size_t len, const char *content_type,
		struct oci_doc **out, struct err *err);
void oci_doc_free(struct oci_doc *d);
/* OCI_ROLE_INDEX or OCI_ROLE_MANIFEST */
enum oci_role oci_doc_role(const struct oci_doc *d);
/* The manifest of an index for os/architecture: the first without a variant,
 * else the first.  ERR_NOTFOUND names the platforms that there are. */
int oci_doc_pick(const struct oci_doc *d, const char *os, const char *arch,
		 struct oci_descriptor *out, struct err *err);
/* Of a manifest.  layers holds OCI_DOC_LAYERS_MAX, lowest first. */
int oci_doc_manifest(const struct oci_doc *d, struct oci_descriptor *out_config,
		     struct oci_descriptor *out_layers, size_t *out_n,
		     struct err *err);

#endif

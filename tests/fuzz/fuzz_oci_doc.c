/*
 * fuzz_oci_doc - image indexes and manifests.  First byte: the content type
 * that the registry claims.  What is accepted has digests of the grammar only,
 * and is an index or a manifest, never both.
 */
#include "engine/image/oci_doc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(const struct oci_doc *d)
{
	static struct oci_descriptor layers[OCI_DOC_LAYERS_MAX];
	struct oci_descriptor one;
	struct err err;
	size_t n = 0;
	bool index, manifest;

	index = oci_doc_pick(d, "linux", "amd64", &one, &err) == 0;
	if (index && !digest_is_valid(one.digest))
		abort();
	manifest = oci_doc_manifest(d, &one, layers, &n, &err) == 0;
	if (manifest &&
	    (n > OCI_DOC_LAYERS_MAX || !digest_is_valid(one.digest)))
		abort();
	for (size_t i = 0; manifest && i < n; i++)
		if (!digest_is_valid(layers[i].digest) ||
		    layers[i].type->role != OCI_ROLE_LAYER)
			abort();
	if (index && manifest)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct oci_type *row;
	struct oci_doc *d = NULL;
	struct err err;

	if (size < 1)
		return 0;
	row = data[0] < '0' ? NULL : oci_type_row(data[0] - (size_t)'0');
	if (oci_doc_new((const char *)data + 1, size - 1,
			row ? row->name : NULL, &d, &err) == 0) {
		take(d);
		oci_doc_free(d);
	}
	return 0;
}

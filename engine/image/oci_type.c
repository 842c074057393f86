/* oci_type.c - see oci_type.h.  The names come from the registry: hostile. */
#include "engine/image/oci_type.h"

#include "lib/text.h"

#include <string.h>

#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

static const struct oci_type types[] = {
	{OCI "index.v1+json", OCI_ROLE_INDEX, 0, NULL},
	{DOCKER "distribution.manifest.list.v2+json", OCI_ROLE_INDEX, 0, NULL},
	{OCI "manifest.v1+json", OCI_ROLE_MANIFEST, 0, NULL},
	{DOCKER "distribution.manifest.v2+json", OCI_ROLE_MANIFEST, 0, NULL},
	{OCI "config.v1+json", OCI_ROLE_CONFIG, 0, NULL},
	{DOCKER "container.image.v1+json", OCI_ROLE_CONFIG, 0, NULL},
	{OCI "layer.v1.tar", OCI_ROLE_LAYER, OCI_COMPRESSION_NONE, NULL},
	{OCI "layer.v1.tar+gzip", OCI_ROLE_LAYER, OCI_COMPRESSION_GZIP, NULL},
	{OCI "layer.v1.tar+zstd", OCI_ROLE_LAYER, OCI_COMPRESSION_ZSTD, NULL},
	{DOCKER "image.rootfs.diff.tar", OCI_ROLE_LAYER, OCI_COMPRESSION_NONE,
	 NULL},
	{DOCKER "image.rootfs.diff.tar.gzip", OCI_ROLE_LAYER,
	 OCI_COMPRESSION_GZIP, NULL},
	{DOCKER "image.rootfs.diff.tar.zstd", OCI_ROLE_LAYER,
	 OCI_COMPRESSION_ZSTD, NULL},
	{DOCKER "distribution.manifest.v1+json", OCI_ROLE_REFUSED, 0,
	 "schema 1 binds no content digests; push the image again"},
	{DOCKER "distribution.manifest.v1+prettyjws", OCI_ROLE_REFUSED, 0,
	 "schema 1 binds no content digests; push the image again"},
	{DOCKER "image.rootfs.foreign.diff.tar.gzip", OCI_ROLE_REFUSED, 0,
	 "foreign layers live at URLs that are never fetched"},
	{OCI "layer.nondistributable.v1.tar", OCI_ROLE_REFUSED, 0,
	 "non-distributable layers live at URLs that are never fetched"},
	{OCI "layer.nondistributable.v1.tar+gzip", OCI_ROLE_REFUSED, 0,
	 "non-distributable layers live at URLs that are never fetched"},
	{OCI "layer.nondistributable.v1.tar+zstd", OCI_ROLE_REFUSED, 0,
	 "non-distributable layers live at URLs that are never fetched"},
	{OCI "layer.v1.tar+encrypted", OCI_ROLE_REFUSED, 0,
	 "encrypted layers are not supported"},
	{OCI "layer.v1.tar+gzip+encrypted", OCI_ROLE_REFUSED, 0,
	 "encrypted layers are not supported"},
	{OCI "layer.v1.tar+zstd+encrypted", OCI_ROLE_REFUSED, 0,
	 "encrypted layers are not supported"},
};

#define N_TYPES (sizeof(types) / sizeof(types[0]))

static const char *const role_names[] = {
	[OCI_ROLE_INDEX] = "an image index",
	[OCI_ROLE_MANIFEST] = "an image manifest",
	[OCI_ROLE_CONFIG] = "an image configuration",
	[OCI_ROLE_LAYER] = "a file system layer",
	[OCI_ROLE_REFUSED] = "",
};

const struct oci_type *oci_type_row(size_t i)
{
	return i < N_TYPES ? &types[i] : NULL;
}

const struct oci_type *oci_type_find(const char *name)
{
	size_t i;

	for (i = 0; name && i < N_TYPES; i++) {
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	}
	return NULL;
}

int oci_type_want(const char *name, enum oci_role role, const char *what,
		  const struct oci_type **out, struct err *err)
{
	const struct oci_type *t = oci_type_find(name);
	char shown[160];

	if (!name)
		return err_set(err, ERR_INPUT, "%s: media type is missing",
			       what);
	text_safe(shown, sizeof(shown), name, strlen(name));
	if (!t || (t->role != role && t->role != OCI_ROLE_REFUSED))
		return err_set(err, ERR_INPUT,
			       "%s: want the media type of %s, have \"%s\"",
			       what, role_names[role], shown);
	if (t->role == OCI_ROLE_REFUSED)
		return err_set(err, ERR_INPUT, "%s: \"%s\": %s", what, shown,
			       t->why);
	*out = t;
	return 0;
}

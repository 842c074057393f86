/*
 * oci_type.h - media types that are understood (OCI image-spec 1.1
 * media-types.md, Docker image manifest v2 schema 2), each with its role; and
 * those that are refused by name with a reason.  Pure.
 */
#ifndef ENGINE_IMAGE_OCI_TYPE_H
#define ENGINE_IMAGE_OCI_TYPE_H

#include "lib/err.h"

#include <stddef.h>

enum oci_role {
	OCI_ROLE_INDEX,
	OCI_ROLE_MANIFEST,
	OCI_ROLE_CONFIG,
	OCI_ROLE_LAYER,
	OCI_ROLE_REFUSED,
};

enum oci_compression {
	OCI_COMPRESSION_NONE,
	OCI_COMPRESSION_GZIP,
	OCI_COMPRESSION_ZSTD,
};

struct oci_type {
	const char *name;
	enum oci_role role;
	enum oci_compression compression; /* layers only */
	const char *why;		  /* refused ones only */
};

/* NULL when the type is unknown.  Borrowed, constant. */
const struct oci_type *oci_type_find(const char *name);
/* As oci_type_find() but only with this role; what names the place.
 * ERR_INPUT names the type and, if known, why it is refused. */
int oci_type_want(const char *name, enum oci_role role, const char *what,
		  const struct oci_type **out, struct err *err);
/* Row i of the table, NULL behind the end (tests and documentation). */
const struct oci_type *oci_type_row(size_t i);

#endif

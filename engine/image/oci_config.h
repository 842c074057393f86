/*
 * oci_config.h - image configurations (OCI image-spec 1.1 config.md, the same
 * in Docker's schema 2) as typed data.  Only what starting a container needs
 * is taken; labels, history and annotations mean nothing here (row E10).  Pure.
 */
#ifndef ENGINE_IMAGE_OCI_CONFIG_H
#define ENGINE_IMAGE_OCI_CONFIG_H

#include "lib/arena.h"
#include "lib/err.h"

#include <stddef.h>

#define OCI_CONFIG_BYTES_MAX (4u << 20)
#define OCI_CONFIG_ITEMS_MAX 4096

struct oci_strings {
	char **items; /* in the arena */
	size_t n;
};

struct oci_config {
	struct oci_strings entrypoint, cmd;
	struct oci_strings env;		  /* NAME=value */
	struct oci_strings volumes;	  /* absolute, no "..", sorted */
	struct oci_strings exposed_ports; /* "80/tcp", sorted */
	struct oci_strings diff_ids;	  /* digests, lowest first */
	const char *user;		  /* "" if unset */
	const char *working_dir;
	const char *stop_signal;
};

/* os and arch are wanted (config.md: both required).  Everything in out lives
 * in arena.  ERR_INPUT, ERR_LIMIT; ERR_NOTFOUND for another platform. */
int oci_config_parse(const char *bytes, size_t len, const char *os,
		     const char *arch, struct arena *arena,
		     struct oci_config *out, struct err *err);

#endif

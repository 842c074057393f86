/*
 * idmap.h - writing id maps, and user namespaces that exist only to carry a
 * map for idmapped mounts.  Runs in the engine with the host's privileges;
 * maps come from the decoded config.
 */
#ifndef ENGINE_NAMESPACE_IDMAP_H
#define ENGINE_NAMESPACE_IDMAP_H

#include "engine/spec/spec.h"
#include "lib/err.h"

#include <sys/types.h>

#define IDMAP_LINES_MAX 340 /* the kernel's limit for one map */

struct idmap {
	const struct spec_idmap *uid, *gid; /* borrowed */
	size_t n_uid, n_gid;
};

/* Writes both maps of process pid. */
int idmap_write(pid_t pid, const struct idmap *map, struct err *err);
/* Makes a user namespace with this map; *out_fd owned. */
int idmap_namespace(const struct idmap *map, int *out_fd, struct err *err);
/* Reads the map of an existing user namespace, opened from path, into the
 * arena. */
int idmap_read(int userns_fd, const char *path, struct arena *arena,
	       struct idmap *out, struct err *err);
/* Reads the map of process pid's user namespace into the arena. */
int idmap_read_pid(pid_t pid, struct arena *arena, struct idmap *out,
		   struct err *err);
/* Host id of container id 0 (or any other), -1 if it has none. */
int64_t idmap_host(const struct spec_idmap *v, size_t n, uint32_t id);

#endif

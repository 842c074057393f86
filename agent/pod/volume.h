/*
 * volume.h - the volumes of one pod on disk.
 *
 * Below the pod's run folder:
 *   vol/NAME/                emptyDir (Memory: a tmpfs of sizeLimit)
 *   vol/NAME/..data -> ..N   configMap and secret: N is a new folder for each
 *   vol/NAME/KEY -> ..data/KEY   content; the link is replaced by rename, so
 *                            a reader sees the old set or the new one (E20)
 *   sub/CONTAINER.I          what a subPath resolves to, bound by descriptor
 * Runs in reconcile-agent as root.  Content of an emptyDir is hostile: it is
 * resolved beneath the volume without links (threats E15, K02).
 */
#ifndef AGENT_POD_VOLUME_H
#define AGENT_POD_VOLUME_H

#include "agent/pod/pod.h"
#include "lib/arena.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct volume_env {
	int run_fd;	     /* the pod's run folder */
	const char *run_dir; /* its path */
	int disk_fd;	     /* the pod's state folder: emptyDir on disk */
	const char *disk_dir;
	uid_t id_base;	  /* host id of the pod's root; 0: host users */
	int64_t fs_group; /* inside; MANIFEST_UNSET */
	const struct objects *objects;		  /* ConfigMaps and Secrets */
	const struct strings *host_path_prefixes; /* of the policy */
};

/* Makes all volumes; what exists stays. */
int volume_make(const struct pod *p, const struct volume_env *env,
		struct err *err);
/* Brings configMap and secret volumes to the content of env->objects. */
int volume_update(const struct pod *p, const struct volume_env *env,
		  struct err *err);
/* Path to mount for mount i of a container: the volume, or a subPath bound to
 * an own place.  In the arena. */
int volume_source(const struct pod *p, const struct volume_env *env,
		  const struct pod_container *c, size_t i, struct arena *arena,
		  const char **out, struct err *err);
/* Unmounts everything below the run folder; the folders are the caller's. */
int volume_unmount(const char *run_dir, struct err *err);

#endif

/*
 * scope.h - a container as a scope of systemd: its name, where its group is,
 * and its resources as properties.  Pure; what is sent is told by
 * engine/systemd/systemd.h.
 */
#ifndef ENGINE_CGROUP_SCOPE_H
#define ENGINE_CGROUP_SCOPE_H

#include "engine/cgroup/cgroup.h"
#include "engine/spec/spec.h"
#include "lib/buf.h"
#include "lib/err.h"

#define SCOPE_NAME_BYTES 256

struct scope {
	char unit[SCOPE_NAME_BYTES];  /* "libpod-ID.scope" */
	char slice[SCOPE_NAME_BYTES]; /* "machine.slice" */
	char path[CGROUP_PATH_BYTES]; /* below the manager's own group */
};

/* cgroups_path: "SLICE:PREFIX:NAME", or empty.  slice: where that names none.
 * ERR_INPUT for what is no name of a unit. */
int scope_init(const char *cgroups_path, const char *id, const char *slice,
	       struct scope *out, struct err *err);
/* systemd keeps a quota as whole percents of a processor; both have to say
 * the same, so that what systemd writes again later changes nothing. */
void scope_round(struct spec_cpu *cpu);
/* Lines "PROPERTY VALUE".  devices too if with_devices.  ERR_INPUT. */
int scope_properties(const struct spec_resources *res, bool v2,
		     bool with_devices, struct buf *out, struct err *err);

#endif

/*
 * spaces.h - the engine's steps of run.h that are about the container's
 * namespaces.  Runs on the host with the caller's privileges.
 */
#ifndef ENGINE_RUN_SPACES_H
#define ENGINE_RUN_SPACES_H

#include "engine/run/run.h"

/* Those that are joined, and the id maps to come. */
int spaces_open(struct run *r, struct err *err);
/* After the clone, by the first process's pid. */
int spaces_maps(struct run *r, struct err *err);
int spaces_binds(struct run *r, struct err *err);
int spaces_netdevs(struct run *r, struct err *err);

#endif

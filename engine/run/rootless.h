/*
 * rootless.h - the engine in the hands of an ordinary user, or of the root of a
 * user namespace: what it does without, and what the container's side does in
 * its place.  See engine/README.md, "Rootless".
 */
#ifndef ENGINE_RUN_ROOTLESS_H
#define ENGINE_RUN_ROOTLESS_H

#include "engine/run/run.h"

/* Neither the root of the host nor, as --rootless says, to be taken for it.
 * word: auto (NULL too), true or false.  ERR_INPUT. */
int rootless_find(const char *word, bool *out, struct err *err);
/* Where an ordinary user's containers are remembered, in out.  NULL: there is
 * no such place. */
const char *rootless_root(char *out, size_t max);
/* Leaves the hierarchies alone in which the group cannot be made. */
void rootless_cgroups(struct cgroup *c);
/* Are there limits in the config? */
bool rootless_wants_limits(const struct spec_resources *res);
/* ERR_INPUT for what only the host's root can do. */
int rootless_check(const struct run *r, struct err *err);
/* True where this process may not clone mounts. */
bool rootless_is_shut_out(void);
/* Container's side: what prepare.h does elsewhere in the engine. */
int rootless_sources(struct run *r, struct err *err);

#endif

/*
 * engine.h - the engine's one public header: the defaults that our own pods
 * get.  Foreign clients of the runtime bring their own.
 *
 * Pure: constants and text.  The agent puts them into a config.json; the
 * engine itself only obeys that file.  threats E36, E37, E51, E57 to E61.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "lib/arena.h"
#include "lib/buf.h"

#include <stddef.h>

/* The object for linux.seccomp, as JSON without white space.  Native
 * architecture only; what is not allowed gets EPERM, clone3 and (by the
 * engine, see filter.h) numbers above all that are named get ENOSYS, so that
 * newer libraries fall back. */
void engine_seccomp_default_json(struct buf *out);

/* NULL terminated lists; borrowed, static. */
const char *const *engine_masked_paths(void); /* linux.maskedPaths */
/* The same, in the arena, with what each of cpus processors tells of its heat
 * and so of the work of neighbours (E36). */
const char *const *engine_masked_here(struct arena *arena, unsigned int cpus);
const char *const *engine_readonly_paths(void); /* linux.readonlyPaths */
/* process.capabilities: what a pod may ask to keep without more ado. */
const char *const *engine_capabilities(void);

#endif

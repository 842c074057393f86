/*
 * caps.h - capability sets of a process (capabilities(7)).  All five are set
 * to exactly what the config says; a set that is not named is empty (E53).
 */
#ifndef ENGINE_CONFINE_CAPS_H
#define ENGINE_CONFINE_CAPS_H

#include "engine/spec/spec.h"
#include "lib/err.h"

struct caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

/* c NULL: all empty.  ERR_INPUT for an unknown name. */
int caps_read(const struct spec_caps *c, struct caps *out, struct err *err);
/* "CAP_KILL" to its bit in out.  ERR_INPUT. */
int caps_bit(const char *name, uint64_t *out, struct err *err);
/* "CAP_CHOWN" for 0; NULL past the end. */
const char *caps_name(size_t i);
/* Leaves what the caller has itself, and of the ambient ones those that are
 * permitted and inheritable too: the specification wants a container to start
 * with what can be given.  *out_lost: those that cannot. */
int caps_grant(struct caps *c, uint64_t *out_lost, struct err *err);
/* " CAP_KILL CAP_CHOWN" in the arena. */
const char *caps_list(uint64_t set, struct arena *arena);
/* Before the user ids change: shrinks the bounding set. */
int caps_drop_bounding(const struct caps *c, struct err *err);
/* After: sets the other four.  Capabilities that the engine itself lacks
 * cannot be given: ERR_SYS, unless the kernel does not know them at all. */
int caps_apply(const struct caps *c, struct err *err);

#endif

/*
 * caps.h - capability sets of a process (capabilities(7)).  All five are set
 * to what the config says; a set that is not named is empty (E53).  What cannot
 * be given is left out and told, as the specification wants it; nothing is ever
 * added.
 */
#ifndef ENGINE_CONFINE_CAPS_H
#define ENGINE_CONFINE_CAPS_H

#include "engine/spec/spec.h"
#include "lib/err.h"
#include "lib/warn.h"

struct caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

#define CAPS_ALL UINT64_MAX

/* c NULL: all empty.  have: what the process that applies them has. */
void caps_read(const struct spec_caps *c, uint64_t have, const struct warn *w,
	       struct caps *out);
/* "CAP_CHOWN" for 0; NULL past the end. */
const char *caps_name(size_t i);
/* Before the user ids change: shrinks the bounding set. */
int caps_drop_bounding(const struct caps *c, struct err *err);
/* After: sets the other four. */
int caps_apply(const struct caps *c, struct err *err);

#endif

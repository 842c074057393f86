/* sysctl.h - linux.sysctl: only what belongs to a namespace of ours (E28). */
#ifndef ENGINE_RUN_SYSCTL_H
#define ENGINE_RUN_SYSCTL_H

#include "engine/spec/spec.h"
#include "lib/err.h"

/* Pure: may name be set for this config?  ERR_INPUT, ERR_DENIED. */
int sysctl_check(const struct spec *s, const char *name, struct err *err);
/* In the container, before /proc/sys becomes read-only: through a procfs of
 * its own that nothing can have been mounted over (E19). */
int sysctl_write(const struct spec *s, struct err *err);

#endif

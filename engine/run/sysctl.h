/* sysctl.h - linux.sysctl: only what belongs to a namespace of ours (E28). */
#ifndef ENGINE_RUN_SYSCTL_H
#define ENGINE_RUN_SYSCTL_H

#include "engine/spec/spec.h"
#include "lib/err.h"

/* May name ("net.ipv4.x" or "net/ipv4/x") be set for this config?  On the host,
 * before anything is made: a namespace that is joined by path may be our own.
 * ERR_INPUT, ERR_DENIED. */
int sysctl_check(const struct spec *s, const char *name, struct err *err);
int sysctl_check_all(const struct spec *s, struct err *err);
/* In the container, before /proc/sys becomes read-only: through a procfs of
 * its own that nothing can have been mounted over (E19). */
int sysctl_write(const struct spec *s, struct err *err);

#endif

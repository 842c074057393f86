/*
 * bus.h - the calls of org.freedesktop.systemd1.Manager that the cgroup driver
 * needs, over sd-bus.  Where a cgroup or a property list is text, systemd.h
 * says how it looks.
 */
#ifndef ENGINE_SYSTEMD_BUS_H
#define ENGINE_SYSTEMD_BUS_H

#include "engine/systemd/systemd.h"
#include "lib/err.h"

struct bus;

/* Connects to the system's manager; user: to the one with this
 * XDG_RUNTIME_DIR.  ERR_NOTFOUND if none is there. */
int bus_new(const char *user, struct bus **out, struct err *err);
void bus_free(struct bus *b);
/* A transient scope with this process in it; waits for it.  ERR_CONFLICT if
 * there is one of this name. */
int bus_start(struct bus *b, const char *unit, const char *slice,
	      const char *description, const char *properties,
	      char cgroup[SYSTEMD_PATH_BYTES], struct err *err);
int bus_set(struct bus *b, const char *unit, const char *properties,
	    struct err *err);
/* Stops it, or forgets that it has failed; none is fine. */
int bus_stop(struct bus *b, const char *unit, struct err *err);
/* The manager's own group, "" for the system's. */
int bus_where(struct bus *b, char cgroup[SYSTEMD_PATH_BYTES], struct err *err);

#endif

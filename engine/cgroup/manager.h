/*
 * manager.h - the systemd driver: scopes, asked of systemd by a program of its
 * own, which is executed only where this driver is asked for.
 *
 * Runs in the engine, on the host.  Everything that a scope has no property
 * for, and what it has one for too, is written to the files of the group as
 * by the other driver: what systemd writes there later is the same.
 */
#ifndef ENGINE_CGROUP_MANAGER_H
#define ENGINE_CGROUP_MANAGER_H

#include "engine/cgroup/cgroup.h"
#include "engine/cgroup/scope.h"
#include "lib/proc.h"

struct manager {
	const char *self;   /* borrowed: argv[0]; NULL: /proc/self/exe tells */
	bool user;	    /* the caller's own manager, not the system's */
	char runtime[256];  /* with user: its XDG_RUNTIME_DIR */
	struct proc keeper; /* pid 0: none; holds the place in a new scope */
	int sock;
};

/* self: see above.  ERR_NOTFOUND if no systemd runs here. */
int manager_init(struct manager *m, const char *self, struct err *err);
/* Name and path of the container's scope; path from the root of the
 * hierarchies. */
int manager_scope(const struct manager *m, const char *cgroups_path,
		  const char *id, struct scope *out, struct err *err);
/* Makes it, with the resources as properties, and with a process of ours in
 * it until manager_leave(). */
int manager_start(struct manager *m, const struct scope *scope, const char *id,
		  const struct cgroup *c, const struct spec_resources *res,
		  struct err *err);
void manager_leave(struct manager *m);
int manager_update(const struct manager *m, const char *unit,
		   const struct cgroup *c, const struct spec_resources *res,
		   struct err *err);
/* Stops it and forgets it; none is fine. */
int manager_stop(const struct manager *m, const char *unit, struct err *err);

#endif

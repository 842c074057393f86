/*
 * cgroup.h - the container's control groups: one directory of the same path
 * below the root of every hierarchy (v1, hybrid, v2).
 *
 * Runs in the engine, on the host, as root.  The path comes from the config
 * (the caller's) and is checked: no "..", no empty part (E31).  Every file is
 * reached by a descriptor of its directory.  Invariants: (1) a limit that was
 * asked for and cannot be written is an error; (2) creation refuses a group
 * that has processes; (3) removal removes only what is at the path, below it,
 * and those parents that creation made.
 */
#ifndef ENGINE_CGROUP_CGROUP_H
#define ENGINE_CGROUP_CGROUP_H

#include "engine/spec/spec.h"
#include "lib/err.h"

#include <sys/types.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_DEFAULT "reconcile" /* groups without an absolute path */
#define CGROUP_HIERARCHIES 16
#define CGROUP_NAME_BYTES 64
#define CGROUP_PATH_BYTES 1024

struct cgroup_hierarchy {
	char name[CGROUP_NAME_BYTES]; /* directory: "cpu,cpuacct", "unified" */
	int root;		      /* owned */
	int dir;		      /* owned; -1: not opened */
	bool v2;
};

struct cgroup {
	struct cgroup_hierarchy h[CGROUP_HIERARCHIES];
	size_t n;
	bool v2_only;
	bool reused;		      /* was there before, empty */
	char path[CGROUP_PATH_BYTES]; /* relative, no leading slash */
	int marks; /* borrowed directory where parents that we made are
		    * marked, -1: parents are left alone */
};

/* Finds the hierarchies below root.  fake: a tree of plain directories, for
 * tests.  path below the root of each, with or without a slash before it. */
int cgroup_init(struct cgroup *c, const char *root, bool fake, const char *path,
		struct err *err);
void cgroup_release(struct cgroup *c);
/* E31: names joined by '/', none of them "." or ".."; without leading,
 * trailing or doubled slash in out.  ERR_INPUT. */
int cgroup_normal(const char *path, char *out, size_t max, struct err *err);
/* The directory path below root, owned; -1 with errno. */
int cgroup_dir(int root, const char *path);
/* Opens the directories of an existing group; a hierarchy that lacks it is
 * left at -1. */
int cgroup_open(struct cgroup *c, struct err *err);
/* Those alone that tell of its processes: state, kill and delete want no
 * more. */
int cgroup_open_few(struct cgroup *c, struct err *err);
/* ERR_CONFLICT if a group at the path has processes or is frozen.  No side
 * effect. */
int cgroup_look(struct cgroup *c, struct err *err);
/* Descriptor for CLONE_INTO_CGROUP, -1 if there is no cgroup2. */
int cgroup_v2_dir(const struct cgroup *c);

int cgmake_create(struct cgroup *c, struct err *err);
/* Removes it everywhere; missing is fine.  Retries while it is busy. */
int cgmake_remove(struct cgroup *c, struct err *err);
/* Asks the v2 hierarchy to hand down controllers, "+a +b", as far as the
 * group.  What it refuses shows when a limit is written. */
void cgmake_hand_down(const struct cgroup *c, const char *words);

/* Writes limits, all but devices. */
int cglimit_write(struct cgroup *c, const struct spec_resources *res,
		  struct err *err);
/* What devices may be used; update: instead of what was allowed so far. */
int cglimit_devices(struct cgroup *c, const struct spec_resources *res,
		    bool update, struct err *err);
/* Before an update: what is one thing together, and res names only a part of
 * it, is filled up with what the group has.  ERR_CONFLICT:
 * memory.checkBeforeUpdate says no. */
int cglimit_complete(struct cgroup *c, struct spec_resources *res,
		     struct err *err);
/* Changes those that res names in a group that is in use; devices too if it
 * names some. */
int cglimit_update(struct cgroup *c, const struct spec_resources *res,
		   struct err *err);

/* Called by the process that is to go in, alone in its thread group: into the
 * v1 hierarchies.  Who moves himself, by "tasks" and "0", spares the kernel the
 * lock that every fork of the machine waits for, and a grace period of RCU. */
int cgproc_enter(const struct cgroup *c, struct err *err);
/* Into the v2 one, unless it was born there (CLONE_INTO_CGROUP, skip_dir). */
int cgproc_attach(const struct cgroup *c, pid_t pid, int skip_dir,
		  struct err *err);
/* A process of ours, into all of them. */
int cgproc_attach_all(const struct cgroup *c, pid_t pid, struct err *err);
/* As cgproc_attach() for one more process of a container that runs.  Where its
 * group takes none any more, because the container has handed controllers down
 * to groups of its own: into the group of init, which is below. */
int cgproc_join(const struct cgroup *c, pid_t pid, pid_t init, struct err *err);
/* exec's child: into existing groups below, n times "[CONTROLLER,...:]PATH".
 * ERR_INPUT for a controller that is nowhere. */
int cgsub_enter(const struct cgroup *c, const char *const *where, size_t n,
		struct err *err);
int cgproc_freeze(const struct cgroup *c, bool frozen, struct err *err);
bool cgproc_is_frozen(const struct cgroup *c);
/* The same for a path where nothing is opened yet; -1: it is not where it
 * usually is. */
int cgproc_peek_frozen(const char *root, const char *path);
/* True if the group dir or one below it has a process. */
bool cgproc_any(int dir);
/* Kills all processes in it and below, and waits until they are gone. */
int cgproc_kill(const struct cgroup *c, struct err *err);
/* Signals each of them once (kill --all). */
int cgproc_signal(const struct cgroup *c, int sig, struct err *err);
/* Appends the pids in it and below to out (at most max). */
int cgproc_pids(const struct cgroup *c, pid_t *out, size_t max, size_t *out_n,
		struct err *err);

#endif

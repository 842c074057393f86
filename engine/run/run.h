/*
 * run.h - making a container: one struct for the run, one const table of
 * steps.
 *
 *   engine (host)                         first process (container)
 *   decode, claim, record
 *   cgroups, sources, start socket
 *   clone ------------------------------> waits
 *   record it, id maps, cgroups, idmaps
 *   GO ---------------------------------> ids, namespaces, root, mounts, dev
 *   filter: kept one or compiled
 *   <------------------------------ HOOKS (only if the config has some)
 *   prestart, createRuntime; NEXT ------> createContainer
 *                                         pivot, masks, sysctl
 *   <------------------------------ READY
 *   READY(filter); pid file; KEEP ------> waits on start.sock
 *   ends                                  START: limits, ids, capabilities,
 *                                         filter, execve
 *
 * Whatever fails, the steps done so far are undone backwards; killed at any
 * point, the engine leaves state.json, from which `delete --force` undoes the
 * same.  The first process ends when it loses the engine before KEEP.
 */
#ifndef ENGINE_RUN_RUN_H
#define ENGINE_RUN_RUN_H

#include "engine/cgroup/manager.h"
#include "engine/confine/caps.h"
#include "engine/confine/filter.h"
#include "engine/namespace/ns.h"
#include "engine/rootfs/rootfs.h"
#include "engine/state/state.h"
#include "lib/buf.h"
#include "lib/warn.h"

#define RUN_ARENA_BYTES (64u << 20)

struct run_options { /* borrowed from the command line */
	const char *id, *bundle, *root, *pid_file, *console_socket, *overlay;
	const char *pidfd_socket;
	const char *config; /* relative to the bundle; NULL: config.json */
	char *const *argv;  /* our own, to be executed again */
	unsigned int preserve_fds;
	unsigned int listen_fds; /* of systemd: the first of the preserved */
	/* told each step of the engine's side, NULL: nobody asks */
	void (*note)(void *ctx, const char *what, const char *name);
	void *note_ctx;
	struct warn warn;
	bool keep_keyring; /* the caller's session keyring is the container's */
	bool systemd;	   /* the group is a scope of systemd */
	bool direct;	   /* `run`: no start.sock, START comes over the link */
	bool foreground;   /* without console_socket the terminal is ours */
	bool rootless;	   /* see rootless.h */
	bool no_pivot;
};

struct run {
	struct run_options opt;
	struct arena *arena; /* owned */
	struct buf config;   /* bytes of config.json */
	struct spec spec;
	struct state state;
	struct idmap map; /* ids of the container, n_uid 0: the host's */
	struct ns_plan ns;
	struct scope scope; /* with opt.systemd */
	struct manager manager;
	struct cgroup cgroup;
	struct rootfs rootfs;
	struct caps caps;
	struct filter filter;
	void *shared;	     /* mapping: the filter for the child */
	const char *program; /* what is executed, with env; in the arena */
	char **env;
	int root_fd, dir_fd, bundle_fd, start_fd, console_fd;
	int label_fd; /* host's /proc, then the child's attr/exec, see lsm.h */
	int tty_fd;   /* where a terminal of the foreground comes from */
	int link[2];  /* engine's end, child's end */
	int conn;     /* child: who waits for the program to begin; borrowed */
	int log_fd;
	struct ns_child child;
	bool covered;	  /* self_cover() has nothing left to do */
	bool inside;	  /* sources are for the container's side to take */
	bool hooks_early; /* any of the three before the pivot */
	bool hooked;	  /* one of them may have run */
	bool in_cwd;	  /* child: the container's root could go there */
};

enum run_side { RUN_ENGINE, RUN_CHILD, RUN_START, RUN_SIDES };

struct run_step {
	const char *name;
	enum run_side side;
	const char *needs; /* capability or right, "-" for none */
	int (*act)(struct run *r, struct err *err);
	void (*undo)(struct run *r); /* NULL: dies with the process, or ours */
	const char *why;	     /* why it stands here */
};

/* The engine's READY tells of the filter: instructions and, above, flags. */
#define RUN_FILTER_SHIFT 16
#define RUN_FILTER_INSNS 0xffffu

#define RUN_SHARED_BYTES ((size_t)FILTER_MAX_INSNS * FILTER_INSN_BYTES)

void run_init(struct run *r, const struct run_options *opt);
/* Closes what only the making needed: a removal that follows may have few
 * descriptors.  run_release() does it too. */
void run_made(struct run *r);
void run_release(struct run *r);

/* The table; NULL past the end. */
const struct run_step *run_step(size_t i);
/* All steps of one side in order; on failure those done are undone, last
 * first. */
int run_side(struct run *r, enum run_side side, struct err *err);

#endif

/*
 * exec.h - one more process in a running container: joins its namespaces by
 * its pidfd, its cgroups, and passes the same last steps (final.h).
 */
#ifndef ENGINE_RUN_EXEC_H
#define ENGINE_RUN_EXEC_H

#include "engine/run/life.h"
#include "engine/run/run.h"

struct exec_list { /* values of an option that may be repeated */
	const char *const *v;
	size_t n;
};

struct exec_options {		  /* borrowed */
	const char *process_file; /* --process */
	const char *cwd, *user, *apparmor, *label;
	struct exec_list args, env, caps, gids;
	struct exec_list cgroups; /* [CONTROLLER,...:]PATH below its own */
	bool tty, no_new_privs, ignore_paused, detach;
	const char *pid_file, *console_socket, *pidfd_socket;
	unsigned int preserve_fds;
	struct warn warn;
};

/* "UID" or "UID:GID", decimal, at most 4294967294; nothing is looked up
 * (E26).  ERR_INPUT. */
int exec_user(const char *text, struct spec_user *out, struct err *err);
/* self_cover() for this container; argv: our own.  The first thing to be done,
 * as it may begin the program again. */
int exec_cover(const struct life *l, char *const *argv, struct err *err);
/* Runs it; in the foreground *out_status is its exit status. */
int exec_run(struct life *l, const struct exec_options *opt, int *out_status,
	     struct err *err);

#endif

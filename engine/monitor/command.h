/*
 * command.h - the engine's command line, run by the monitor as its child.
 */
#ifndef ENGINE_MONITOR_COMMAND_H
#define ENGINE_MONITOR_COMMAND_H

#include <stdint.h>
#include <sys/types.h>

/* What a monitor was started with; all borrowed from argv. */
struct command_env {
	const char *engine, *root, *run_dir, *uid;
	int run_fd; /* the folder run_dir */
};

/* Starts `engine run --detach` (op MONITOR_RUN) or `engine delete --force`
 * for container `name`; out and err become 1 and 2 of the engine and of the
 * container (-1: /dev/null).  Returns the engine's pid or -1 with errno. */
pid_t command_start(const struct command_env *env, uint32_t op, uint32_t flags,
		    const char *name, int out, int err);
/* The pid that the engine wrote for container `name`, 0 if none. */
pid_t command_pid(const struct command_env *env, const char *name);
/* Removes the pid file before a start. */
void command_forget(const struct command_env *env, const char *name);
/* Did the kernel kill for memory in the container's cgroup. */
int command_oom(const struct command_env *env, const char *name);

#endif

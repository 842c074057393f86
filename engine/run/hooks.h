/*
 * hooks.h - the hooks of a config (runtime-spec, "POSIX-platform Hooks"):
 * each gets the state as JSON on its standard input, exactly the environment
 * that the config names, and no other descriptor.
 */
#ifndef ENGINE_RUN_HOOKS_H
#define ENGINE_RUN_HOOKS_H

#include "engine/run/run.h"

/* Runs list in order, in the directory dir (NULL: where we are).  The first
 * that fails (or exceeds its timeout) is an error with the first of what it
 * said.  Not so with warn (poststop): that is told it, and the rest runs. */
int hooks_run(const struct spec_hook_list *list, const char *name,
	      const char *dir, const struct buf *state, const struct warn *warn,
	      struct err *err);
/* The state document of the specification, for hooks and `state`. */
int hooks_state(const struct state *s, enum state_status status,
		const struct decode_strv *annotations, struct buf *out,
		struct err *err);

#endif

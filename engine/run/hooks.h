/*
 * hooks.h - the hooks of a config (runtime-spec, "POSIX-platform Hooks"):
 * each gets the state as JSON on its standard input, the environment that the
 * config names, and no other descriptor.
 */
#ifndef ENGINE_RUN_HOOKS_H
#define ENGINE_RUN_HOOKS_H

#include "engine/run/run.h"

struct hooks_how {	  /* all borrowed */
	const char *dir;  /* to be in; NULL: where we are */
	char *const *env; /* of a hook that names none; NULL: our own */
	const struct warn *warn;
	int (*confine)(void *ctx, struct err *err); /* in its process, last */
	void *ctx;
};

/* Runs list in order.  The first that fails (or exceeds its timeout) is an
 * error with the first of what it said.  Not so with warn (poststop): that is
 * told it, and the rest runs. */
int hooks_run(const struct spec_hook_list *list, const char *name,
	      const struct hooks_how *how, const struct buf *state,
	      struct err *err);
/* The state document of the specification, for hooks and `state`. */
int hooks_state(const struct state *s, enum state_status status,
		struct buf *out, struct err *err);

/* The engine's step: prestart and createRuntime. */
int hooks_early(struct run *r, struct err *err);
/* Behind the undoing of all other steps: poststop, if any hook may have run. */
void hooks_undo(struct run *r);
/* What a poststart hook that fails is, by the config's own version: up to 1.2 a
 * warning, from 1.3 on (and for runc in any) an error of `start`. */
bool hooks_poststart_warns(const char *version);
/* Of a program that has just begun; an error: it must be stopped. */
int hooks_poststart(struct run *r, struct err *err);

#endif

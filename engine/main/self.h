/* self.h - what the engine does about itself before anything else. */
#ifndef ENGINE_MAIN_SELF_H
#define ENGINE_MAIN_SELF_H

#include "lib/err.h"
#include "lib/opt.h"

/* Closes all descriptors but 0, 1, 2 and those that are passed on (E04).
 * preserve: the option's text, NULL for none. */
int self_shed(const char *preserve, struct err *err);
/*
 * E01: a container whose root is the host's root could open our executable
 * for writing through /proc/PID/exe.  For commands that put a process of ours
 * into a container the engine executes itself once more from a detached
 * read-only clone of its own mount: whatever is reached through that link can
 * then be written by nobody.  No copy is made.
 */
int self_cover(const struct opt_command *cmd, char *const *argv,
	       struct err *err);

#endif

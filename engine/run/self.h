/* self.h - what the engine does about itself before anything else. */
#ifndef ENGINE_RUN_SELF_H
#define ENGINE_RUN_SELF_H

#include "engine/namespace/idmap.h"
#include "lib/buf.h"
#include "lib/err.h"

#define SELF_FDS_MAX 1024

/* First of all: 0, 1 and 2 are open, or what we open would take their place and
 * get our messages; a pipe that nobody reads is an error and not our end; our
 * children can be waited for, whatever the caller ignored. */
int self_stand(struct err *err);
/* Closes all descriptors but 0, 1, 2 and those that are passed on (E04): from
 * 3 on listen of them, then as many as the option's text preserve says (NULL:
 * none); *out_n is their sum.  ERR_INPUT if one of them is not open.  file: a
 * path to be read, NULL: none; where it is /dev/fd/N (as of a shell's <(...)),
 * that one stays until the container's process closes it. */
int self_shed(const char *preserve, unsigned int listen, const char *file,
	      unsigned int *out_n, struct err *err);
/* Reads a regular file, standard input ("-"), or a descriptor that is named by
 * such a path.  Limits as file_read(). */
int self_read(const char *file, size_t max, struct buf *out, struct err *err);
/*
 * E01: a container whose root is the owner of our executable could open it for
 * writing through /proc/PID/exe.  Before a process of ours goes into such a
 * container the engine executes itself once more from a detached read-only
 * clone of its own mount: whatever is reached through that link can then be
 * written by nobody.  No copy is made.
 *
 * map: the ids that the container has.  Where the owner and the group of the
 * executable are none of them, and nobody else may write to it, the kernel
 * refuses the opening already (no capability counts for an inode whose ids are
 * not mapped), and the second execution is saved.
 */
int self_cover(const struct idmap *map, char *const *argv, struct err *err);

#endif

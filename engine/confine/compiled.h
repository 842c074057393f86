/*
 * compiled.h - filters that were compiled before.
 *
 * Compiling takes longer than all else in a start, and most containers of a
 * host have the same few profiles.  So the program is kept in the folder of
 * the states, beside the whole input that it was made from:
 *
 *   .filter-XX   struct compiled_head, key, program
 *
 * XX comes from a hash of the key and only says where to look: 64 files at
 * most, the later one replaces the earlier.  Runs in the engine on the host.
 *
 * Invariants: (1) a program is used only for a key that is equal byte for
 * byte; the key has every member of the profile, our own executable and the
 * architecture; (2) folder and file are ours alone, the sum over all of the
 * file fits, or it is compiled again; (3) nothing here fails a start.
 */
#ifndef ENGINE_CONFINE_COMPILED_H
#define ENGINE_CONFINE_COMPILED_H

#include "engine/confine/filter.h"

/* As filter_compile(); root_fd is the folder of the states (borrowed). */
int compiled_filter(int root_fd, const struct spec_seccomp *s,
		    struct filter *out, struct err *err);

#endif

/*
 * ident.h - limits, ids, environment of the process to be: everything of
 * process.* that is neither a namespace nor a capability nor a filter.
 */
#ifndef ENGINE_CONFINE_IDENT_H
#define ENGINE_CONFINE_IDENT_H

#include "engine/spec/spec.h"
#include "lib/err.h"

/* "RLIMIT_NOFILE" to its number, -1. */
int ident_rlimit(const char *name);
int ident_set_rlimits(const struct spec_process *p, struct err *err);
/* Supplementary groups exactly as given (E55), then gid, uid. */
int ident_set_user(const struct spec_user *u, bool keep_caps, struct err *err);
/* chdir, then proof that we are inside the root (E03).  make: create it when
 * it is missing, as other runtimes do. */
int ident_set_cwd(const char *cwd, struct err *err);
/* Why a program cannot be executed, in the words by which clients tell exit
 * status 127 from 126 (those of Go's standard library, lower case). */
int ident_fail(int why, const char *program, struct err *err);
/* Finds the executable for args[0] in PATH of env, in the container.
 * *out in the arena.  ERR_NOTFOUND, ERR_DENIED (not executable). */
int ident_find(const struct spec_process *p, struct arena *arena,
	       const char **out, struct err *err);

#endif

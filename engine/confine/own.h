/*
 * own.h - the engine's own capabilities: a named set, each with its reason.
 *
 * What is not on the list stays permitted, so that a container may be given it
 * and a hook of the caller finds the caller's rights again by its execve, but
 * no system call of the engine itself can use it.
 */
#ifndef ENGINE_CONFINE_OWN_H
#define ENGINE_CONFINE_OWN_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

struct own_row {
	int cap; /* CAP_* */
	const char *why;
};

/* NULL past the end. */
const struct own_row *own_row(size_t i);
/* The rows as a set. */
uint64_t own_set(void);
/* The effective set becomes what it has of own_set(), the inheritable one
 * empty (E53).  ERR_SYS. */
int own_narrow(struct err *err);

#endif

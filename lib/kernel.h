/*
 * kernel.h - what the kernel must offer, asked before anything is changed, so
 * that a missing feature is one clear message and no half-made container.
 */
#ifndef LIB_KERNEL_H
#define LIB_KERNEL_H

#include "lib/err.h"

/* All system calls that the engine cannot do without are there: 0, or ERR_SYS
 * with every one that lacks and the version that has it.  Changes nothing;
 * about a dozen calls. */
int kernel_check_calls(struct err *err);

/* User namespaces may be made: 0, or ERR_SYS with what switches them off.
 * proc: where procfs is mounted, "/proc". */
int kernel_check_userns(const char *proc, struct err *err);

#endif

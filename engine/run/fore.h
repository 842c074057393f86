/*
 * fore.h - waiting in the foreground for a process that is our child: signals
 * are passed on, a terminal is carried, its exit status becomes ours.
 */
#ifndef ENGINE_RUN_FORE_H
#define ENGINE_RUN_FORE_H

#include "engine/run/tty.h"

/* Blocks the signals that fore_wait() will pass on; before the clone, so that
 * none is lost. */
int fore_block(struct err *err);
/* In each child before its work: no signal is blocked or ignored, neither by us
 * nor by who called us. */
void fore_child(void);
/* t: begun or without a terminal.  *out_status: exit status or 128 +
 * signal. */
int fore_wait(int pidfd, struct tty *t, int *out_status, struct err *err);

#endif

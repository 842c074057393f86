/*
 * notify.h - the last word before a program begins, and the listener of a
 * seccomp filter with SCMP_ACT_NOTIFY (runtime-spec, "The Container Process
 * State").
 *
 *   process to be               engine, `start` or `exec`         listener
 *   second thread
 *   loads the filter
 *   thread: LINK_NOTIFY + fd -> takes the descriptor
 *                               connects, state + fd -----------> takes it
 *                            <- LINK_NEXT
 *   execve ends the thread
 *
 * The thread is there before the filter and hence not under it, so that any
 * system call may be notified: between filter and execve there is none of ours
 * that would wait for a listener who does not have the descriptor yet.
 *
 * Hostile: the listener is the client's; the container has no part in this.
 */
#ifndef ENGINE_RUN_NOTIFY_H
#define ENGINE_RUN_NOTIFY_H

#include "engine/run/run.h"

struct notify_to { /* all borrowed */
	const struct spec *spec;
	const struct state *state; /* its pid: the container's */
	enum state_status status;
	pid_t pid; /* of the process with the filter */
};

/* Process to be: loads r->filter, and gives its listener away over r->conn. */
int notify_load(struct run *r, struct err *err);
/* Other side: waits until the program has begun (its end of the connection is
 * closed then).  *out_fd -1, or a listener that wants notify_deliver(). */
int notify_wait(int sock, int *out_fd, struct err *err);
/* Sends fd to the listener that the config names, lets the process go on and
 * waits for its beginning.  fd is consumed. */
int notify_deliver(int sock, int fd, const struct notify_to *to,
		   struct err *err);
/* Both in one, where the spec is at hand. */
int notify_begin(int sock, const struct notify_to *to, struct err *err);

#endif

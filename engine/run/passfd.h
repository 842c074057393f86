/*
 * passfd.h - descriptors over unix sockets: a terminal's master or a pidfd to
 * the socket that a client named, or between two processes of ours.
 */
#ifndef ENGINE_RUN_PASSFD_H
#define ENGINE_RUN_PASSFD_H

#include "lib/err.h"

/* Connects to the client's stream socket at path; option is its name for
 * messages.  *out_fd owned. */
int passfd_connect(const char *option, const char *path, int *out_fd,
		   struct err *err);
int passfd_send(int sock, int fd, struct err *err);
/* Waits for one; *out_fd owned.  ERR_PROTO if something else came. */
int passfd_receive(int sock, int *out_fd, struct err *err);

#endif

/*
 * notify.h - telling the service manager that a daemon is ready: sd_notify(3)'s
 * datagram to NOTIFY_SOCKET.
 */
#ifndef CHANNEL_NOTIFY_H
#define CHANNEL_NOTIFY_H

#include "lib/err.h"

/* Opens a socket to path (NOTIFY_SOCKET's value; "@" begins an abstract name);
 * path NULL: *out_fd is -1.  Before the sandbox.  ERR_INPUT, ERR_SYS. */
int notify_open(const char *path, int *out_fd, struct err *err);
/* Sends a state such as "READY=1"; nothing when fd is -1. */
void notify_send(int fd, const char *state);

#endif

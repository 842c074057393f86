/*
 * link.h - messages between the engine and the container's first process:
 * fixed-size packets over a socketpair, and over start.sock.  The end of the
 * connection in place of a message means that the other side is gone (or, from
 * a process that has just called execve, that it worked).
 */
#ifndef ENGINE_RUN_LINK_H
#define ENGINE_RUN_LINK_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum link_type {
	LINK_NONE,   /* end of the connection */
	LINK_GO,     /* engine: ids, cgroups and mounts are ready for you */
	LINK_HOOKS,  /* child: namespaces stand, nothing is pivoted yet */
	LINK_NEXT,   /* engine: the hooks have run */
	LINK_READY,  /* child: everything stands; engine: value = filter size */
	LINK_KEEP,   /* engine: you are recorded, wait on start.sock */
	LINK_START,  /* engine or `start`: execute the program */
	LINK_NOTIFY, /* child: the seccomp listener, which comes with it */
	LINK_ERROR,  /* child: err says why it ends */
};

struct link_msg {
	uint32_t type;
	uint32_t value;
	struct err err;
};

int link_send(int sock, enum link_type type, uint32_t value,
	      const struct err *why, struct err *err);
/* Waits.  out->type LINK_NONE at the end of the connection; LINK_ERROR is
 * given back as that error. */
int link_recv(int sock, struct link_msg *out, struct err *err);
/* As link_recv(); *out_fd: a descriptor that came with the message, owned, or
 * -1. */
int link_recv_fd(int sock, struct link_msg *out, int *out_fd, struct err *err);
/* len bytes in one message, fd beside them; len sent, or -1 with errno. */
ssize_t link_pass(int sock, const void *bytes, size_t len, int fd);
/* recvmsg(2) of bytes and, if one came with them, of a descriptor (owned; else
 * -1).  Waits. */
ssize_t link_take(int sock, void *bytes, size_t len, int *out_fd);
/* As link_recv(), but anything else than want is an error. */
int link_want(int sock, enum link_type want, struct link_msg *out,
	      struct err *err);

#endif

/*
 * address.h - "address:port" of sockets: "10.0.0.1:7443", "[2001:db8::1]:7443",
 * "manager.example:7443".  Port 1 to 65535, 0 too where a free one is wanted.
 */
#ifndef CHANNEL_ADDRESS_H
#define CHANNEL_ADDRESS_H

#include "lib/err.h"

#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_MAX 300

struct address {
	char host[256]; /* without brackets */
	char port[6];
};

/* Splits and checks; nothing is looked up.  ERR_INPUT. */
int address_parse(const char *text, struct address *out, struct err *err);
/* Listening stream socket on a numeric address, non-blocking, close-on-exec.
 * ERR_INPUT, ERR_SYS. */
int address_listen(const struct address *at, int *out_fd, struct err *err);
/* Begins to connect a non-blocking socket, without Nagle's delay, that notices
 * when its peer is gone (address_tune()).  Host names are resolved, which may
 * block; `attempt` chooses among several addresses.  ERR_NOTFOUND (no such
 * name), ERR_AGAIN, ERR_SYS. */
int address_dial(const struct address *to, unsigned int attempt, int *out_fd,
		 struct err *err);
/* TCP_NODELAY, keep-alive and TCP_USER_TIMEOUT: a peer that is gone is noticed
 * after about 15 s, by the kernel. */
void address_tune(int fd);
/* "10.0.0.1:7443" of a socket address, for logs. */
void address_text(const struct sockaddr *sa, socklen_t len,
		  char out[ADDRESS_TEXT_MAX]);

#endif

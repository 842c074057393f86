/* dialer.h - reconcile-fetch's side of reconcile-dial: connected sockets to one
 * host and port, for a process that may not connect. */
#ifndef RECONCILER_FETCH_DIALER_H
#define RECONCILER_FETCH_DIALER_H

#include "lib/err.h"
#include "lib/proc.h"

#include <stdint.h>

struct dialer {
	struct proc proc;
	int sock; /* -1 */
};

/* Before the sandbox. */
int dialer_start(struct dialer *d, const char *host, uint16_t port,
		 struct err *err);
/* *out_fd owned.  ERR_AGAIN: not reachable. */
int dialer_connect(struct dialer *d, int timeout_ms, int *out_fd,
		   struct err *err);
/* It ends by itself when it has nobody to ask it. */
void dialer_release(struct dialer *d);

#endif

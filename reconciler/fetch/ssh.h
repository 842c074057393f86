/*
 * ssh.h - a wire over OpenSSH's own client, started without a shell before the
 * sandbox closes.  Host keys are checked strictly against the given file, which
 * may revoke them (A66).
 */
#ifndef RECONCILER_FETCH_SSH_H
#define RECONCILER_FETCH_SSH_H

#include "lib/err.h"
#include "lib/proc.h"
#include "reconciler/fetch/url.h"
#include "reconciler/fetch/wire.h"

struct ssh_files { /* absolute paths, "" for none */
	const char *key, *known_hosts;
};

struct ssh {
	struct wire wire;
	struct proc proc;
	int data, errors; /* pipes to ssh; -1 */
};

/* Before the sandbox.  v2: ask the server for protocol version 2.  What fails
 * later is ERR_AGAIN (unreachable), ERR_TRUST (host key), ERR_DENIED (login),
 * ERR_NOTFOUND (repository). */
int ssh_start(struct ssh *s, const struct url *url,
	      const struct ssh_files *files, bool v2, struct budget *budget,
	      struct err *err);

#endif

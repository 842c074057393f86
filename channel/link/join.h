/*
 * join.h - reconcile-link --join: a token becomes a certificate for exactly one
 * host name, and the trust root that the token names.
 */
#ifndef CHANNEL_LINK_JOIN_H
#define CHANNEL_LINK_JOIN_H

#include "channel/agent.pb-c.h"
#include "lib/err.h"

struct join_result {
	Channel__JoinReply *reply; /* owned: join_result_release() */
	char host[254];
	int64_t not_after; /* unix seconds */
};

/* Connects to the manager of the token, whose CA must be the token's, asks, and
 * waits until the manager has decided.  Nothing but host.key is written before
 * every part of the answer was checked.
 * ERR_TRUST: the manager's CA or trust root is not the token's, or its answer
 * does not hold together.  ERR_DENIED: the manager said no.  ERR_AGAIN,
 * ERR_NOTFOUND: the connection failed. */
int join_run(const Channel__JoinToken *token, int dirfd,
	     struct join_result *out, struct err *err);
void join_result_release(struct join_result *result);

#endif

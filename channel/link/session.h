/*
 * session.h - reconcile-link's main work: one TLS session to the manager, kept
 * up, with frames passed between it and reconcile-agent.
 *
 *   DOWN --timer--> DIALLING --handshake--> UP --lost--> DOWN
 *                       \------failed-------------------/
 *
 * In UP the certificate is renewed at two thirds of its life by a CertRequest
 * on the session itself, which goes on: the new certificate is used from the
 * next connection.
 */
#ifndef CHANNEL_LINK_SESSION_H
#define CHANNEL_LINK_SESSION_H

#include "channel/link/store.h"
#include "lib/err.h"

#define SESSION_BACKOFF_MIN_MS 100
#define SESSION_BACKOFF_MAX_MS 4000 /* reconnected within 5 s (R14) */

/* Runs until the agent closes its end or a signal to stop: 0.  store consumed.
 * ERR_PROTO: the agent broke the protocol. */
int session_run(int dirfd, int agent_fd, struct store *store, struct err *err);

#endif

/*
 * job.h - the requests of fetch.proto.  Each enters the sandbox itself,
 * with the paths it needs, before it reads a byte that is not its starter's.
 */
#ifndef RECONCILER_FETCH_JOB_H
#define RECONCILER_FETCH_JOB_H

#include "lib/err.h"
#include "lib/msg.h"
#include "reconciler/fetch/fetch.pb-c.h"

/* Answers go to sock; errors are returned and sent by the caller. */
int job_mirror(int sock, const struct msg *m, struct err *err);
int job_pack(int sock, const struct msg *m, struct err *err);
int job_ingest(int sock, const struct msg *m, struct err *err);
/* Stays until the starter closes the socket, or a poll fails. */
int job_poll(int sock, const struct msg *m, struct err *err);

#endif

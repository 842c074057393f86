/*
 * systemd.h - what reconcile-engine and reconcile-engine-systemd say to each
 * other over descriptor 3, a stream.
 *
 *   arguments  start UNIT SLICE DESCRIPTION | set UNIT | stop UNIT, "user"
 * behind them for the caller's own manager; "where" [user] request    lines
 * "PROPERTY VALUE", a 0 byte ends it reply      one struct systemd_reply
 *
 * After `start` the program stays, as the one process of the new scope, until
 * the other end is closed: a scope without processes is taken away.
 *
 *   type of a property   VALUE
 *   number               decimal, or "infinity"
 *   mask                 bytes in hexadecimal, lowest first
 *   text                 as it is
 *   device               "PATH ACCESS", one more; "-": none so far
 */
#ifndef ENGINE_SYSTEMD_SYSTEMD_H
#define ENGINE_SYSTEMD_SYSTEMD_H

#include "lib/err.h"

#define SYSTEMD_PROGRAM "reconcile-engine-systemd"
#define SYSTEMD_FD 3
#define SYSTEMD_REQUEST_BYTES 65536
#define SYSTEMD_UNIT_BYTES 256
#define SYSTEMD_PATH_BYTES 1024
#define SYSTEMD_JOB_MS 30000

struct systemd_reply {
	struct err err;			 /* code 0: done */
	char cgroup[SYSTEMD_PATH_BYTES]; /* of the unit, or of the manager */
};

#endif

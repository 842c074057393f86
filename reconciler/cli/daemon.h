/* daemon.h - passes without end. */
#ifndef RECONCILER_CLI_DAEMON_H
#define RECONCILER_CLI_DAEMON_H

#include "reconciler/cli/cli.h"
#include "reconciler/core/pass.h"

/* Until SIGTERM or SIGINT: a pass at once, then on every report of a host that
 * changes something, and every daemon.interval_s for new commits.  A refusal or
 * an unreachable repository does not end it. */
int daemon_run(struct cli *cli, struct core *core,
	       const struct pass_options *options, struct err *err);

#endif

/* propose.h - --from BASE --to HEAD: what a pull request would do, and who has
 * to sign it.  No host, no credential, no network; nothing of it runs. */
#ifndef RECONCILER_CLI_PROPOSE_H
#define RECONCILER_CLI_PROPOSE_H

#include "reconciler/cli/cli.h"

int propose_command(struct cli *cli, const char *from, const char *to,
		    struct err *err);

#endif

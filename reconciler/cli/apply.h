/* apply.h - saved plans, and the pass that carries one out. */
#ifndef RECONCILER_CLI_APPLY_H
#define RECONCILER_CLI_APPLY_H

#include "reconciler/cli/cli.h"
#include "reconciler/core/pass.h"

/* --out FILE of a dry run: 0600, whole or not at all.  Nothing without it. */
int apply_save(struct cli *cli, struct core *core, const struct pass_result *p,
	       struct err *err);

/* --- pass.c --- */
int pass_options_of(const struct cli *cli, struct pass_options *out,
		    struct err *err);
/* A pass and what it says of itself; cli->exit. */
int pass_once(struct cli *cli, const struct pass_options *options,
	      struct err *err);

#endif

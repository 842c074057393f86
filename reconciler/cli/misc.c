/* misc.c - init, completion, version. */
#include "reconciler/cli/cli.h"

#include "reconciler/core/audit_log.h"
#include "reconciler/core/membership.h"

#include <stdio.h>

int misc_init(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	struct state *state = NULL;
	const char *vkey = NULL;
	int r = cli_load(cli, err);

	if (r == 0)
		r = membership_init(&cli->conf, err);
	if (r == 0)
		r = state_open(cli->conf.state_dir, false, &state, err);
	state_close(state);
	if (r == 0)
		r = audit_log_vkey(&cli->conf, cli->arena, &vkey, err);
	if (r < 0)
		return r;
	(void)printf("Made %s.\nPublic key of the audit log (keep a copy "
		     "elsewhere):\n  %s\nNext: reconcile host token NAME\n",
		     cli->conf.state_dir, vkey);
	return 0;
}

int misc_completion(void *ctx, struct err *err)
{
	return opt_completion(&commands_program, cli_operand(ctx, 0), stdout,
			      err);
}

int misc_version(void *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	(void)printf("reconcile %s\nplan format reconcile.plan/v1\n"
		     "report format reconcile.report/v1\n"
		     "policy format reconcile/v1alpha1\n",
		     RECONCILE_VERSION);
	return 0;
}

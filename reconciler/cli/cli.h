/*
 * cli.h - what the commands of reconcile(1) share.
 */
#ifndef RECONCILER_CLI_CLI_H
#define RECONCILER_CLI_CLI_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/opt.h"
#include "reconciler/core/conf.h"
#include "reconciler/core/core.h"

#include <stdbool.h>

struct cli {
	struct opt_values values;
	struct core_conf conf; /* loaded when the command wants it */
	struct arena *arena;
	struct core_ui ui;
	bool color; /* standard output */
	bool tty;   /* standard error */
	int exit;   /* status when run() returned 0 */
	bool progress_shown;
};

/* Loads --config (default: the system's); a friendly error without one. */
int cli_load(struct cli *cli, struct err *err);
int cli_open(struct cli *cli, bool readonly, struct core *out, struct err *err);
/* What a person named is not there: wrong usage (exit 3), no failed change.
 * Returns r, or ERR_INPUT for ERR_NOTFOUND. */
int cli_no_such(int r, struct err *err);
/* Writes out and flushes; ERR_SYS when standard output is closed or full. */
int cli_print(const struct buf *out, struct err *err);
const char *cli_operand(const struct cli *cli, size_t i); /* or NULL */
/* --output: true for "json"; ERR_INPUT for anything but text and json. */
int cli_json(const struct cli *cli, bool *out, struct err *err);

/* The commands; ctx is the struct cli. */
int pass_command(void *ctx, struct err *err);
int apply_command(void *ctx, struct err *err);
int misc_init(void *ctx, struct err *err);
int status_command(void *ctx, struct err *err);
int host_list_command(void *ctx, struct err *err);
int host_token_command(void *ctx, struct err *err);
int host_cordon_command(void *ctx, struct err *err);
int host_uncordon_command(void *ctx, struct err *err);
int host_drain_command(void *ctx, struct err *err);
int host_revoke_command(void *ctx, struct err *err);
int trust_anchor_command(void *ctx, struct err *err);
int trust_check_command(void *ctx, struct err *err);
int trust_show_command(void *ctx, struct err *err);
int trust_approve_command(void *ctx, struct err *err);
int audit_show_command(void *ctx, struct err *err);
int audit_verify_command(void *ctx, struct err *err);
int explain_command(void *ctx, struct err *err);
int rollback_command(void *ctx, struct err *err);
int verify_command(void *ctx, struct err *err);
int lint_command(void *ctx, struct err *err);
int schema_command(void *ctx, struct err *err);
int logs_command(void *ctx, struct err *err);
int misc_completion(void *ctx, struct err *err);
int misc_version(void *ctx, struct err *err);

extern const struct opt_program commands_program;

#endif

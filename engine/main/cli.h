/*
 * cli.h - the command line of reconcile-engine, as the clients of OCI runtimes
 * call it (runc's command line, version 1.1, is what they know).
 */
#ifndef ENGINE_MAIN_CLI_H
#define ENGINE_MAIN_CLI_H

#include "engine/main/log.h"
#include "lib/opt.h"

#include <stdbool.h>

struct cli {
	struct opt_values values;
	const char *root; /* of the state; root_text or the command line's */
	char root_text[256];
	bool rootless;
	char *const *argv; /* as main() got it */
	struct log log;
	/* from 3 on: those of socket activation, and all that pass */
	unsigned int listen_fds, preserve_fds;
	int status; /* of the program, when a command ends well */
};

const struct opt_program *cli_program(void);
/* --systemd-cgroup, or --cgroup-manager systemd. */
bool cli_is_systemd(const struct opt_values *v);
/* exec and ps: their own options end at the container's id; the words behind
 * it belong to the program.  A copy of argv with a "--" there; opt_parse() will
 * permute it, and argv is still wanted.  Owned (free()); NULL: no memory. */
char **cli_stop_at_id(int argc, char **argv, int *out_argc);

/* Commands, each in the file of its name's first word. */
int make_create(void *ctx, struct err *err);
int make_run(void *ctx, struct err *err);
int make_exec(void *ctx, struct err *err);
int change_start(void *ctx, struct err *err);
int change_kill(void *ctx, struct err *err);
int change_delete(void *ctx, struct err *err);
int change_pause(void *ctx, struct err *err);
int change_resume(void *ctx, struct err *err);
int change_update(void *ctx, struct err *err);
int query_state(void *ctx, struct err *err);
int query_list(void *ctx, struct err *err);
int ps_command(void *ctx, struct err *err);
int events_command(void *ctx, struct err *err);
int about_features(void *ctx, struct err *err);
int about_spec(void *ctx, struct err *err);
int about_help(void *ctx, struct err *err);
int about_plain(void *ctx, struct err *err); /* --version, --steps, --help */
int about_refused(void *ctx, struct err *err);

#endif

/*
 * main.c - reconcile-agent: runs on each host as root; applies assignments
 * that follow from what this host itself verified.
 *
 * Parses its own files and typed frames of its siblings; holds no secret; acts
 * through reconcile-engine, reconcile-net and the monitors.  See
 * reconcile-agent(8).
 */
#include "agent/main/agent.h"
#include "lib/log.h"
#include "lib/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONFIG RECONCILE_SYSCONF "/agent.conf"
#define TOKEN_BYTES_MAX 4096

static const struct opt globals[] = {
	{"config", 'c', "FILE", "configuration (default " DEFAULT_CONFIG ")"},
	{"print-conf-mdoc", 0, NULL, "print the manual page of its keys"},
};

static const struct opt join_opts[] = {
	{"again", 0, NULL, "join although this host has joined before"},
};

static const struct opt anchor_opts[] = {
	{"reason", 0, "TEXT", "why, for the audit log"},
};

static const struct opt reset_opts[] = {
	{"purge", 0, NULL, "also forget the join, images and the audit log"},
};

static const struct opt_command commands[] = {
	{.name = "", .args = "", .doc = "run the agent"},
	{.name = "join",
	 .args = "TOKEN",
	 .doc = "join the manager that made TOKEN; - reads standard input",
	 .opts = join_opts,
	 .n_opts = 1,
	 .min_args = 1,
	 .max_args = 1},
	{.name = "status", .args = "", .doc = "print what runs, as JSON"},
	{.name = "anchor",
	 .args = "COMMIT",
	 .doc = "go on from this commit, on your word",
	 .opts = anchor_opts,
	 .n_opts = 1,
	 .min_args = 1,
	 .max_args = 1},
	{.name = "reset",
	 .args = "",
	 .doc = "stop all pods and remove everything that was made",
	 .opts = reset_opts,
	 .n_opts = 1},
};

static const struct opt_program program = {
	.name = "reconcile-agent",
	.doc = "runs what was signed on this host",
	.globals = globals,
	.n_globals = sizeof(globals) / sizeof(globals[0]),
	.commands = commands,
	.n_commands = sizeof(commands) / sizeof(commands[0]),
};

static int run_agent(struct agent *a, struct err *err)
{
	int r = agent_init(a, err);

	if (r == 0)
		r = agent_run(a, err);
	agent_release(a);
	return r;
}

static int join(struct agent *a, const struct opt_values *v, struct err *err)
{
	bool again = opt_get(v, "again") != NULL;
	char token[TOKEN_BYTES_MAX];

	if (strcmp(v->operands[0], "-") != 0)
		return commands_join(&a->conf, v->operands[0], again, err);
	if (!fgets(token, sizeof(token), stdin))
		return err_set(err, ERR_INPUT, "standard input: want a token");
	token[strcspn(token, "\r\n")] = '\0';
	return commands_join(&a->conf, token, again, err);
}

static int run(struct agent *a, const struct opt_values *v, struct err *err)
{
	const char *path = opt_get(v, "config");
	const char *command = v->command ? v->command->name : "";
	enum log_level level = LOG_LEVEL_INFO;
	int r;

	if (!path && access(DEFAULT_CONFIG, R_OK) == 0)
		path = DEFAULT_CONFIG;
	r = config_load(path, &a->conf, a->arena, err);
	if (r < 0)
		return r;
	if (!log_level_parse(a->conf.log_level, &level))
		return err_set(err, ERR_INPUT,
			       "log-level: want error, warn, info or debug");
	log_init("reconcile-agent", level);
	if (strcmp(command, "status") == 0)
		return commands_status(&a->conf, err);
	if (geteuid() != 0)
		return err_set(err, ERR_SYS,
			       "want root, have user id %u: pods are made "
			       "with its capabilities",
			       (unsigned int)geteuid());
	if (strcmp(command, "join") == 0)
		return join(a, v, err);
	if (strcmp(command, "anchor") == 0)
		return trust_anchor(a, v->operands[0], opt_get(v, "reason"),
				    err);
	if (strcmp(command, "reset") == 0)
		return commands_reset(&a->conf, opt_get(v, "purge") != NULL,
				      err);
	return run_agent(a, err);
}

int main(int argc, char **argv)
{
	struct agent *a = calloc(1, sizeof(*a));
	struct opt_values v = {0};
	struct err err = {0};
	int r;

	if (!a)
		return 75;
	a->arena = arena_new(4u << 20);
	r = opt_parse(&program, argc, argv, &v, &err);
	if (r == 0 && opt_get(&v, "help")) {
		opt_help(&program, v.command, stdout);
	} else if (r == 0 && opt_get(&v, "print-conf-mdoc")) {
		config_print_mdoc(stdout);
	} else if (r == 0) {
		r = run(a, &v, &err);
	}
	if (r < 0)
		(void)fprintf(stderr, "reconcile-agent: %s: %s\n", err_name(r),
			      err.msg);
	arena_free(a->arena);
	free(a);
	return err_exit_status(r);
}

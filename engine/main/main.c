/*
 * main.c - reconcile-engine, the OCI runtime.
 *
 * Runs as root on the host, or as a user (run/rootless.h), once per command,
 * and ends; nothing stays but the container.  The first lines shed what the
 * caller left open; then the command's table row runs.  Errors go to standard
 * error and to --log, in the form that clients of OCI runtimes read; exit
 * status 1, or the container's own.
 */
#include "engine/main/cli.h"
#include "engine/confine/own.h"
#include "engine/run/rootless.h"
#include "engine/run/self.h"
#include "engine/state/state.h"
#include "lib/kernel.h"
#include "lib/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAIN_FAILED = 1, MAIN_EXEC_FAILED = 255 };

static bool main_makes(const struct opt_command *cmd)
{
	return cmd != NULL && (cmd->run == make_create || cmd->run == make_run);
}

/* A state directory at "/" would make every folder of the system the state of
 * a container, to be removed. */
static int main_root(struct cli *c, struct err *err)
{
	const char *word = opt_get(&c->values, "rootless");
	int r;

	if (word != NULL && word[0] == '\0')
		word = NULL; /* the flag of `spec` */
	r = rootless_find(word, &c->rootless, err);
	if (r < 0)
		return r;
	c->root = opt_get(&c->values, "root");
	if (c->root == NULL && c->rootless)
		c->root = rootless_root(c->root_text, sizeof(c->root_text));
	if (c->root == NULL)
		c->root = STATE_ROOT;
	if (c->root[0] == '\0' || strspn(c->root, "/") == strlen(c->root))
		return err_set(err, ERR_INPUT,
			       "--root: want a directory of its own");
	return 0;
}

static int main_check(const struct opt_values *v, struct err *err)
{
	const char *manager = opt_get(v, "cgroup-manager");

	if (manager != NULL && strcmp(manager, "cgroupfs") != 0 &&
	    strcmp(manager, "systemd") != 0)
		return err_set(err, ERR_INPUT,
			       "--cgroup-manager: want cgroupfs or systemd");
	return 0;
}

/* A command that makes something has failed: is it for want of a call of the
 * kernel, then that is what the user should read. */
static void main_kernel(const struct opt_command *cmd, struct err *err)
{
	struct err why = {0};

	if (!main_makes(cmd) && (cmd == NULL || cmd->run != make_exec))
		return;
	if (kernel_check_calls(&why) < 0)
		*err = why;
}

/* Socket activation: descriptors from 3 on are for the program, if they were
 * meant for us.  Some clients write the 1 that the program will see, or no
 * pid at all. */
static int main_listen(const struct cli *c, unsigned int *out, struct err *err)
{
	const char *text = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	char own[24];
	uint64_t n = 0;

	(void)snprintf(own, sizeof(own), "%d", getpid());
	if (text == NULL || !main_makes(c->values.command) ||
	    (pid != NULL && strcmp(pid, "1") != 0 && strcmp(pid, own) != 0))
		return 0;
	if (!num_parse_u64(text, strlen(text), SELF_FDS_MAX, &n))
		return err_set(err, ERR_INPUT, "LISTEN_FDS: want 0 to %d",
			       SELF_FDS_MAX);
	*out = (unsigned int)n;
	return 0;
}

static int main_prepare(struct cli *c, struct err *err)
{
	const struct opt_values *v = &c->values;
	const char *file = opt_get(v, "process");
	unsigned int listen = 0;
	int r = main_listen(c, &listen, err);

	if (r == 0)
		r = self_shed(opt_get(v, "preserve-fds"), listen,
			      file != NULL ? file : opt_get(v, "resources"),
			      &c->preserve_fds, err);
	if (r < 0)
		return r;
	c->listen_fds = listen;
	r = log_init(&c->log, opt_get(v, "log"), opt_get(v, "log-format"),
		     opt_get(v, "debug") != NULL, err);
	if (r == 0)
		r = main_check(v, err);
	if (r == 0)
		r = main_root(c, err);
	return r;
}

static int main_run(struct cli *c, struct err *err)
{
	const struct opt_command *cmd = c->values.command;
	int r;

	if (opt_get(&c->values, "help") != NULL) {
		opt_help(cli_program(), cmd, stdout);
		return 0;
	}
	log_debug(&c->log, "command", cmd->name);
	r = cmd->run(c, err);
	if (r < 0)
		main_kernel(cmd, err);
	log_debug(&c->log, "command", r == 0 ? "done" : "failed");
	return r;
}

/* Statuses that clients know from others of our kind. */
static int main_failed(const struct opt_command *cmd)
{
	return cmd != NULL && cmd->run == make_exec ? MAIN_EXEC_FAILED
						    : MAIN_FAILED;
}

int main(int argc, char **argv)
{
	struct cli cli = {.argv = argv, .log = {.fd = -1}};
	struct err err = {0};
	int n = argc;
	char **words;
	int r;

	words = cli_stop_at_id(argc, argv, &n);
	r = self_stand(&err);
	if (r == 0)
		r = own_narrow(&err);
	if (r == 0)
		r = words != NULL ? opt_parse(cli_program(), n, words,
					      &cli.values, &err)
				  : err_set(&err, ERR_NOMEM, "no memory");
	if (r == 0)
		r = main_prepare(&cli, &err);
	if (r == 0)
		r = main_run(&cli, &err);
	if (r == 0 && fflush(stdout) != 0)
		r = err_set(&err, ERR_SYS, "standard output");
	if (r < 0)
		log_error(&cli.log, &err);
	log_release(&cli.log);
	free(words);
	return r == 0 ? cli.status : main_failed(cli.values.command);
}

/*
 * main.c - reconcile-engine, the OCI runtime.
 *
 * Runs as root on the host, once per command, and ends; nothing stays but the
 * container.  The first lines shed what the caller left open; then the
 * command's table row runs.  Errors go to standard error and to --log, in the
 * form that clients of OCI runtimes read; exit status 1, or the container's
 * own.
 */
#include "engine/main/cli.h"
#include "engine/run/self.h"
#include "engine/state/state.h"
#include "lib/kernel.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/jsonw.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void main_log(const struct opt_values *v, const struct err *err)
{
	const char *path = opt_get(v, "log");
	const char *format = opt_get(v, "log-format");
	char now[CLOCK_RFC3339_BYTES];
	struct jsonw w;
	struct buf b;
	int fd;

	(void)fprintf(stderr, "reconcile-engine: %s: %s\n", err_name(err->code),
		      err->msg);
	if (path == NULL)
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	(void)clock_rfc3339(clock_unix_ms(), now);
	buf_init(&b, 65536);
	if (format != NULL && strcmp(format, "json") == 0) {
		jsonw_init(&w, &b);
		jsonw_obj(&w);
		jsonw_kstr(&w, "level", "error");
		jsonw_kstr(&w, "msg", err->msg);
		jsonw_kstr(&w, "time", now);
		jsonw_obj_end(&w);
		buf_putc(&b, '\n');
	} else {
		buf_printf(&b, "time=\"%s\" level=error msg=\"%s\"\n", now,
			   err->msg);
	}
	if (b.data != NULL)
		(void)!write(fd, b.data, b.len);
	(void)close(fd);
	buf_release(&b);
}

static int main_check(const struct opt_values *v, struct err *err)
{
	const char *manager = opt_get(v, "cgroup-manager");
	const char *format = opt_get(v, "log-format");

	if (opt_get(v, "systemd-cgroup") != NULL)
		return err_set(err, ERR_INPUT,
			       "--systemd-cgroup: this runtime writes cgroupfs "
			       "itself; use --cgroup-manager cgroupfs");
	if (manager != NULL && strcmp(manager, "cgroupfs") != 0)
		return err_set(err, ERR_INPUT,
			       "--cgroup-manager: want cgroupfs");
	if (format != NULL && strcmp(format, "json") != 0 &&
	    strcmp(format, "text") != 0)
		return err_set(err, ERR_INPUT,
			       "--log-format: want text or json");
	return 0;
}

/* Commands that make something: said at once, before anything is made. */
static int main_kernel(const struct opt_command *cmd, struct err *err)
{
	if (cmd == NULL || (cmd->run != make_create && cmd->run != make_run &&
			    cmd->run != make_exec))
		return 0;
	return kernel_check_calls(err);
}

int main(int argc, char **argv)
{
	struct cli cli = {.root = STATE_ROOT, .argv = argv};
	struct err err = {0};
	const char *root;
	int n = argc;
	char **words;
	int r;

	words = cli_stop_at_id(argc, argv, &n);
	r = self_stand(&err);
	if (r == 0)
		r = words != NULL ? opt_parse(cli_program(), n, words,
					      &cli.values, &err)
				  : err_set(&err, ERR_NOMEM, "no memory");
	if (r == 0)
		r = main_check(&cli.values, &err);
	if (r == 0)
		r = main_kernel(cli.values.command, &err);
	if (r == 0)
		r = self_shed(opt_get(&cli.values, "preserve-fds"), &err);
	root = r == 0 ? opt_get(&cli.values, "root") : NULL;
	if (root != NULL)
		cli.root = root;
	if (r == 0 && opt_get(&cli.values, "help") != NULL)
		opt_help(cli_program(), cli.values.command, stdout);
	else if (r == 0)
		r = cli.values.command->run(&cli, &err);
	if (r == 0 && fflush(stdout) != 0)
		r = err_set(&err, ERR_SYS, "standard output");
	if (r < 0)
		main_log(&cli.values, &err);
	free(words);
	if (r == 0)
		return cli.status;
	return cli.status != 0 ? cli.status : 1;
}

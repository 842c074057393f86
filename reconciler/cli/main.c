/*
 * main.c - the program reconcile: command line in, one pass (or a daemon) out.
 *
 * Runs on the manager as user reconcile, or as any user for --dry-run --from
 * --to; no capability.  It parses its own configuration and typed frames of its
 * siblings; everything hostile is parsed by them.
 */
#include "reconciler/cli/cli.h"

#include "lib/log.h"
#include "lib/text.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)1 << 30)
#define LINE_MAX_BYTES ((size_t)1 << 20)

static void clear_progress(struct cli *cli)
{
	if (cli->progress_shown)
		(void)fputs("\r\033[K", stderr);
	cli->progress_shown = false;
}

/* In the log of a CI service a line could be a command to it. */
static void put_line(const char *before, const char *line)
{
	struct buf out;

	buf_init(&out, LINE_MAX_BYTES);
	text_inert(&out, line, strlen(line), true);
	(void)fprintf(stderr, "%s%s\n", before,
		      out.data == NULL ? "" : out.data);
	buf_release(&out);
}

static void show_line(void *ctx, const char *line)
{
	clear_progress(ctx);
	put_line("", line);
}

static void show_progress(void *ctx, const char *line)
{
	struct cli *cli = ctx;

	if (!cli->tty)
		return;
	(void)fprintf(stderr, "\r\033[K%s", line);
	cli->progress_shown = true;
}

int cli_load(struct cli *cli, struct err *err)
{
	return cli_no_such(core_conf_load(opt_get(&cli->values, "config"),
					  cli->arena, &cli->conf, err),
			   err);
}

int cli_open(struct cli *cli, bool readonly, struct core *out, struct err *err)
{
	int r = cli_load(cli, err);

	return r < 0 ? r : core_open(&cli->conf, &cli->ui, readonly, out, err);
}

int cli_no_such(int r, struct err *err)
{
	if (r == ERR_NOTFOUND && err != NULL)
		err->code = r = ERR_INPUT;
	return r;
}

int cli_print(const struct buf *out, struct err *err)
{
	int r = buf_check(out, err);

	if (r == 0 && out->len > 0 &&
	    fwrite(out->data, 1, out->len, stdout) != out->len)
		r = err_set(err, ERR_SYS, "standard output is closed");
	if (r == 0 && fflush(stdout) != 0)
		r = err_set(err, ERR_SYS, "standard output: cannot be written");
	return r;
}

const char *cli_operand(const struct cli *cli, size_t i)
{
	return i < cli->values.n_operands ? cli->values.operands[i] : NULL;
}

int cli_json(const struct cli *cli, bool *out, struct err *err)
{
	const char *format = opt_get(&cli->values, "output");

	if (format != NULL && strcmp(format, "json") != 0 &&
	    strcmp(format, "text") != 0)
		return err_set(err, ERR_INPUT,
			       "want --output text or json, have \"%s\"",
			       format);
	*out = format != NULL && strcmp(format, "json") == 0;
	return 0;
}

/* Descriptors 0 to 2 exist whatever the caller did. */
static void check_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 3);
	if (fd >= 3)
		(void)close(fd);
}

static void report_error(struct cli *cli, const struct err *err)
{
	char before[64];

	clear_progress(cli);
	(void)snprintf(before, sizeof(before),
		       "reconcile: error %s: ", err_name(err->code));
	put_line(before, err->msg);
}

int main(int argc, char **argv)
{
	struct cli cli = {0};
	struct err err = {0};
	int status;
	int r;

	check_descriptors();
	(void)umask(077);
	log_init("reconcile", LOG_LEVEL_WARN);
	/* it will hold the CA key: no OPENSSL_CONF of whoever starts it */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	cli.arena = arena_new(ARENA_MAX);
	cli.tty = isatty(STDERR_FILENO) == 1;
	cli.color = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
	cli.ui = (struct core_ui){show_line, show_progress, &cli};
	r = opt_parse(&commands_program, argc, argv, &cli.values, &err);
	if (r == 0 && opt_get(&cli.values, "help") != NULL)
		opt_help(&commands_program, cli.values.command, stdout);
	else if (r == 0)
		r = cli.values.command->run(&cli, &err);
	status = r == 0 ? cli.exit : err_exit_status(r);
	if (r < 0)
		report_error(&cli, &err);
	clear_progress(&cli);
	if (status == 0 && (fflush(stdout) != 0 || ferror(stdout) != 0)) {
		(void)fputs("reconcile: error SYS: standard output cannot be "
			    "written\n",
			    stderr);
		status = err_exit_status(ERR_SYS);
	}
	arena_free(cli.arena);
	return status;
}

/* opt_help.c - the help pages, printed from the tables of opt.h. */
#include "lib/opt.h"

#include <string.h>

#define COLUMN 26 /* where descriptions begin */

static void put_padded(FILE *out, const char *left, const char *right)
{
	size_t len = strlen(left);

	if (len + 4 > COLUMN)
		(void)fprintf(out, "  %s\n%*s%s\n", left, COLUMN, "", right);
	else
		(void)fprintf(out, "  %-*s%s\n", COLUMN - 2, left, right);
}

static void put_opts(FILE *out, const char *title, const struct opt *opts,
		     size_t n)
{
	if (n == 0)
		return;
	(void)fprintf(out, "\n%s\n", title);
	for (size_t i = 0; i < n; i++) {
		char letter[8] = "    ", left[96];

		if (opts[i].letter)
			(void)snprintf(letter, sizeof(letter), "-%c, ",
				       opts[i].letter);
		(void)snprintf(left, sizeof(left), "%s--%s%s%s", letter,
			       opts[i].name, opts[i].arg ? " " : "",
			       opts[i].arg ? opts[i].arg : "");
		put_padded(out, left, opts[i].doc);
	}
}

static void put_usage(FILE *out, const struct opt_program *prog,
		      const struct opt_command *cmd)
{
	(void)fprintf(out, "%s%s%s [options]%s%s\n", prog->name,
		      cmd->name[0] ? " " : "", cmd->name,
		      cmd->args && cmd->args[0] ? " " : "",
		      cmd->args ? cmd->args : "");
}

static void put_program(FILE *out, const struct opt_program *prog,
			const struct opt_command *plain)
{
	size_t named = 0;

	for (size_t i = 0; i < prog->n_commands; i++)
		named += prog->commands[i].name[0] != '\0';
	(void)fprintf(out, "%s\n\nUsage\n", prog->doc);
	if (plain) {
		(void)fputs("  ", out);
		put_usage(out, prog, plain);
	}
	if (named)
		(void)fprintf(out, "  %s COMMAND [options]\n\nCommands\n",
			      prog->name);
	for (size_t i = 0; i < prog->n_commands; i++)
		if (prog->commands[i].name[0] != '\0')
			put_padded(out, prog->commands[i].name,
				   prog->commands[i].doc);
	if (plain)
		put_opts(out, "Options", plain->opts, plain->n_opts);
	put_opts(out, "General options", prog->globals, prog->n_globals);
	if (named)
		(void)fprintf(out,
			      "\n\"%s COMMAND --help\" says more about one "
			      "command.\n",
			      prog->name);
}

void opt_help(const struct opt_program *prog, const struct opt_command *cmd,
	      FILE *out)
{
	const struct opt_command *plain = NULL;

	for (size_t i = 0; i < prog->n_commands; i++)
		if (prog->commands[i].name[0] == '\0')
			plain = &prog->commands[i];
	if (!cmd || cmd->name[0] == '\0') {
		put_program(out, prog, plain);
		return;
	}
	(void)fprintf(out, "%s\n\nUsage\n  ", cmd->doc);
	put_usage(out, prog, cmd);
	put_opts(out, "Options", cmd->opts, cmd->n_opts);
	put_opts(out, "General options", prog->globals, prog->n_globals);
}

/*
 * opt_completion.c - completion scripts for bash, zsh and fish, printed from
 * the tables of opt.h.  The scripts hold words only; nothing in them runs a
 * command of ours.
 */
#include "lib/opt.h"

#include <ctype.h>
#include <string.h>

/* The program's name as part of a shell function's name. */
static void put_function_name(FILE *out, const char *name)
{
	(void)fputc('_', out);
	for (; *name; name++)
		(void)fputc(isalnum((unsigned char)*name) ? *name : '_', out);
}

static void put_opt_words(FILE *out, const struct opt *opts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)fprintf(out, " --%s", opts[i].name);
}

/* Text within single quotes of a shell. */
static void put_quoted(FILE *out, const char *text)
{
	(void)fputc('\'', out);
	for (; *text; text++)
		if (*text == '\'')
			(void)fputs("'\\''", out);
		else
			(void)fputc(*text, out);
	(void)fputc('\'', out);
}

/* First words of commands, and second words after each, as case arms. */
static void put_bash_case(FILE *out, const struct opt_program *prog)
{
	for (size_t i = 0; i < prog->n_commands; i++) {
		const struct opt_command *c = &prog->commands[i];

		(void)fprintf(out, "\t\"%s\")\n\t\twords=\"", c->name);
		put_opt_words(out, c->opts, c->n_opts);
		put_opt_words(out, prog->globals, prog->n_globals);
		(void)fputs(" --help\" ;;\n", out);
	}
}

static void put_command_words(FILE *out, const struct opt_program *prog)
{
	for (size_t i = 0; i < prog->n_commands; i++)
		if (prog->commands[i].name[0] != '\0')
			(void)fprintf(out, "\n%s", prog->commands[i].name);
}

static void put_bash(const struct opt_program *prog, FILE *out)
{
	(void)fputs("# shellcheck shell=bash\n", out);
	put_function_name(out, prog->name);
	(void)fputs("() {\n"
		    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} cmd= words= w i\n"
		    "\tlocal commands='",
		    out);
	put_command_words(out, prog);
	(void)fputs("'\n"
		    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		    "\t\tw=${COMP_WORDS[i]}\n"
		    "\t\tcase $w in -*) continue ;; esac\n"
		    "\t\tgrep -q \"^${cmd:+$cmd }$w\\\\( \\\\|\\$\\\\)\" "
		    "<<<\"$commands\" &&\n"
		    "\t\t\tcmd=${cmd:+$cmd }$w\n"
		    "\tdone\n"
		    "\tcase $cmd in\n",
		    out);
	put_bash_case(out, prog);
	(void)fputs("\tesac\n"
		    "\tif [[ $cur != -* ]]; then\n"
		    "\t\twords=$(sed -n \"s/^${cmd:+$cmd }"
		    "\\\\([^ ]*\\\\).*/\\\\1/p\" <<<\"$commands\" | sort -u)\n"
		    "\tfi\n"
		    "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
		    "\"$cur\")\n}\ncomplete -o default -F ",
		    out);
	put_function_name(out, prog->name);
	(void)fprintf(out, " %s\n", prog->name);
}

static void put_zsh(const struct opt_program *prog, FILE *out)
{
	(void)fprintf(out,
		      "#compdef %s\nautoload -U +X bashcompinit && "
		      "bashcompinit\n",
		      prog->name);
	put_bash(prog, out);
}

static void put_fish_opts(const struct opt_program *prog, const char *when,
			  const struct opt *opts, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		(void)fprintf(out, "complete -c %s", prog->name);
		if (when)
			(void)fprintf(out,
				      " -n '__fish_seen_subcommand_from %s'",
				      when);
		(void)fprintf(out, " -l %s", opts[i].name);
		if (opts[i].letter)
			(void)fprintf(out, " -s %c", opts[i].letter);
		(void)fputs(opts[i].arg ? " -r -d " : " -d ", out);
		put_quoted(out, opts[i].doc);
		(void)fputc('\n', out);
	}
}

static void put_fish_command(const struct opt_program *prog,
			     const struct opt_command *c, FILE *out)
{
	size_t first = strcspn(c->name, " ");

	if (c->name[0] == '\0') {
		put_fish_opts(prog, NULL, c->opts, c->n_opts, out);
		return;
	}
	(void)fprintf(out, "complete -c %s", prog->name);
	if (c->name[first] == '\0')
		(void)fprintf(out, " -n __fish_use_subcommand -a %s -d ",
			      c->name);
	else
		(void)fprintf(out,
			      " -n '__fish_seen_subcommand_from %.*s' -a %s "
			      "-d ",
			      (int)first, c->name, c->name + first + 1);
	put_quoted(out, c->doc);
	(void)fputc('\n', out);
	put_fish_opts(prog, c->name, c->opts, c->n_opts, out);
}

/* One line for the first word of two-word commands, each word once. */
static void put_fish_groups(const struct opt_program *prog, FILE *out)
{
	for (size_t i = 0; i < prog->n_commands; i++) {
		const char *name = prog->commands[i].name;
		size_t len = strcspn(name, " ");

		if (name[len] == '\0' ||
		    (i > 0 &&
		     strncmp(prog->commands[i - 1].name, name, len + 1) == 0))
			continue;
		(void)fprintf(out,
			      "complete -c %s -n __fish_use_subcommand -a "
			      "%.*s\n",
			      prog->name, (int)len, name);
	}
}

static void put_fish(const struct opt_program *prog, FILE *out)
{
	put_fish_groups(prog, out);
	for (size_t i = 0; i < prog->n_commands; i++)
		put_fish_command(prog, &prog->commands[i], out);
	put_fish_opts(prog, NULL, prog->globals, prog->n_globals, out);
}

int opt_completion(const struct opt_program *prog, const char *shell, FILE *out,
		   struct err *err)
{
	static const struct {
		const char *name;
		void (*put)(const struct opt_program *prog, FILE *out);
	} shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(shell, shells[i].name) == 0) {
			shells[i].put(prog, out);
			return 0;
		}
	return err_set(err, ERR_INPUT, "want bash, zsh or fish as shell");
}

/*
 * opt.h - one table of commands and options per program: parsing
 * (getopt_long), --help, per-command help, did-you-mean and shell completion.
 */
#ifndef LIB_OPT_H
#define LIB_OPT_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct opt {
	const char *name; /* long name without dashes */
	char letter;	  /* 0: none */
	const char *arg;  /* placeholder, NULL: a flag */
	const char *doc;
};

struct opt_command {
	const char *name; /* "host list"; "" is the command-less form */
	const char *args; /* usage of its operands, e.g. "NAME..." */
	const char *doc;  /* one line */
	const struct opt *opts;
	size_t n_opts;
	int min_args, max_args;			/* operands; max -1: any */
	int (*run)(void *ctx, struct err *err); /* for the program's main() */
};

struct opt_program {
	const char *name;
	const char *doc;
	const struct opt *globals;
	size_t n_globals;
	const struct opt_command *commands;
	size_t n_commands;
};

#define OPT_VALUES_MAX 256

struct opt_values { /* result; borrowed from argv */
	const struct opt_command *command;
	struct {
		const struct opt *opt;
		const char *arg;
	} given[OPT_VALUES_MAX];
	size_t n_given;
	const char *const *operands;
	size_t n_operands;
};

/* ERR_INPUT with usage hint, out untouched.  Options may stand before, between
 * and behind operands until "--"; operands are gathered within argv (its
 * pointers move).  "--help" gives an option named "help" in given, and as
 * command the one that was named, else that of name "" (NULL if there is
 * none); operands are then not counted. */
int opt_parse(const struct opt_program *prog, int argc, char **argv,
	      struct opt_values *out, struct err *err);
/* Last value of option `name`, "" for a flag (also for "--flag=true"), NULL if
 * not given (or "--flag=false"). */
const char *opt_get(const struct opt_values *v, const char *name);
/* cmd NULL or of name "": the page of the whole program. */
void opt_help(const struct opt_program *prog, const struct opt_command *cmd,
	      FILE *out);
/* shell: "bash", "zsh" or "fish"; ERR_INPUT otherwise. */
int opt_completion(const struct opt_program *prog, const char *shell, FILE *out,
		   struct err *err);

#endif

/*
 * opt.c - command line by tables: parsing, help, completion.  The operator's
 * own input, but also what a script pastes into it: echoed escaped.
 *
 * Own scanner instead of getopt_long(): that one has global state, permutes
 * argv and prints its own messages.
 */
#include "lib/opt.h"
#include "lib/text.h"

#include <stdio.h>
#include <string.h>

#define NAMES_MAX 128

static const struct opt opt_help_flag = {
	.name = "help",
	.letter = 'h',
	.doc = "show help and exit",
};

/* A word of the command line, made safe to print. */
struct shown {
	char text[128];
};

static const char *show(struct shown *s, const char *word)
{
	return text_safe(s->text, sizeof(s->text), word, strlen(word));
}

/* How many words of argv name cmd ("host list" is two); 0 if they do not. */
static int match_command(const struct opt_command *cmd, int argc, char **argv)
{
	const char *name = cmd->name;
	int words = 0;

	while (*name != '\0') {
		size_t len = strcspn(name, " ");

		if (words >= argc || strlen(argv[words]) != len ||
		    memcmp(argv[words], name, len) != 0)
			return 0;
		words++;
		name += len + (name[len] == ' ' ? 1 : 0);
	}
	return words;
}

static const struct opt_command *command_named(const struct opt_program *prog,
					       const char *name)
{
	for (size_t i = 0; i < prog->n_commands; i++)
		if (strcmp(prog->commands[i].name, name) == 0)
			return &prog->commands[i];
	return NULL;
}

/* "host" when "host list" exists: the first words of some command. */
static bool is_group(const struct opt_program *prog, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < prog->n_commands; i++)
		if (strncmp(prog->commands[i].name, word, len) == 0 &&
		    prog->commands[i].name[len] == ' ')
			return true;
	return false;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static const char *suggest_command(const struct opt_program *prog,
				   const char *word)
{
	const char *names[NAMES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < prog->n_commands && n < NAMES_MAX; i++)
		if (prog->commands[i].name[0] != '\0')
			names[n++] = prog->commands[i].name;
	return text_nearest(word, names, n);
}

static int unknown_command(const struct opt_program *prog, const char *word,
			   const char *second, struct err *err)
{
	struct shown a, b;
	char both[128];
	const char *near;

	if (is_group(prog, word) && second)
		(void)snprintf(both, sizeof(both), "%s %s", word, second);
	else
		(void)snprintf(both, sizeof(both), "%s", word);
	near = suggest_command(prog, both);
	if (is_group(prog, word) && !second)
		return err_set(err, ERR_INPUT,
			       "want a command after \"%s\", have none; see "
			       "\"%s --help\"",
			       show(&a, word), prog->name);
	if (near)
		return err_set(err, ERR_INPUT,
			       "unknown command \"%s\"; did you mean \"%s\"?",
			       show(&b, both), near);
	return err_set(err, ERR_INPUT,
		       "unknown command \"%s\"; see \"%s --help\"",
		       show(&b, both), prog->name);
}

/* --- options -------------------------------------------------------------- */

struct scan {
	const struct opt_program *prog;
	struct opt_values *out;
	int argc, at;
	char **argv;
};

static const struct opt *find_in(const struct opt *opts, size_t n,
				 const char *name, size_t len, char letter)
{
	for (size_t i = 0; i < n; i++)
		if (letter ? opts[i].letter == letter
			   : strlen(opts[i].name) == len &&
				     memcmp(opts[i].name, name, len) == 0)
			return &opts[i];
	return NULL;
}

static const struct opt *find_opt(const struct scan *s, const char *name,
				  size_t len, char letter)
{
	const struct opt_command *cmd = s->out->command;
	const struct opt *o = NULL;

	if (cmd)
		o = find_in(cmd->opts, cmd->n_opts, name, len, letter);
	if (!o)
		o = find_in(s->prog->globals, s->prog->n_globals, name, len,
			    letter);
	return o ? o : find_in(&opt_help_flag, 1, name, len, letter);
}

static int unknown_option(const struct scan *s, const char *word, size_t len,
			  struct err *err)
{
	const struct opt_command *cmd = s->out->command;
	const char *names[NAMES_MAX];
	struct shown a;
	char name[64];
	const char *near = NULL;
	size_t n = 0;

	for (size_t i = 0; cmd && i < cmd->n_opts && n < NAMES_MAX; i++)
		names[n++] = cmd->opts[i].name;
	for (size_t i = 0; i < s->prog->n_globals && n < NAMES_MAX; i++)
		names[n++] = s->prog->globals[i].name;
	if (len < sizeof(name)) {
		memcpy(name, word, len);
		name[len] = '\0';
		near = text_nearest(name, names, n);
	}
	if (near)
		return err_set(err, ERR_INPUT,
			       "unknown option \"%s\"; did you mean \"--%s\"?",
			       show(&a, s->argv[s->at]), near);
	return err_set(err, ERR_INPUT,
		       "unknown option \"%s\"; see \"%s%s%s --help\"",
		       show(&a, s->argv[s->at]), s->prog->name,
		       cmd && cmd->name[0] ? " " : "", cmd ? cmd->name : "");
}

static int add_value(struct scan *s, const struct opt *o, const char *arg,
		     struct err *err)
{
	if (s->out->n_given == OPT_VALUES_MAX)
		return err_set(err, ERR_INPUT, "want at most %d options",
			       OPT_VALUES_MAX);
	s->out->given[s->out->n_given].opt = o;
	s->out->given[s->out->n_given].arg = arg;
	s->out->n_given++;
	return 0;
}

/* The argument: what follows in the word, else the next word. */
static int take_value(struct scan *s, const struct opt *o, const char *inside,
		      struct err *err)
{
	/* --flag=false takes back what came before; scripts write that */
	if (!o->arg && inside && strcmp(inside, "false") == 0)
		return add_value(s, o, NULL, err);
	if (!o->arg && inside && strcmp(inside, "true") == 0)
		return add_value(s, o, "", err);
	if (!o->arg && inside)
		return err_set(err, ERR_INPUT, "option --%s takes no value",
			       o->name);
	if (!o->arg)
		return add_value(s, o, "", err);
	if (!inside && s->at + 1 >= s->argc)
		return err_set(err, ERR_INPUT,
			       "option --%s: want %s, have "
			       "nothing",
			       o->name, o->arg);
	return add_value(s, o, inside ? inside : s->argv[++s->at], err);
}

static int take_long(struct scan *s, struct err *err)
{
	const char *name = s->argv[s->at] + 2;
	size_t len = strcspn(name, "=");
	const struct opt *o = find_opt(s, name, len, '\0');

	if (!o || len == 0)
		return unknown_option(s, name, len, err);
	return take_value(s, o, name[len] == '=' ? name + len + 1 : NULL, err);
}

static int take_letters(struct scan *s, struct err *err)
{
	const char *word = s->argv[s->at];

	for (size_t i = 1; word[i] != '\0'; i++) {
		const struct opt *o = find_opt(s, "", 0, word[i]);
		int r;

		if (!o)
			return unknown_option(s, word + i, 1, err);
		if (o->arg)
			return take_value(
				s, o, word[i + 1] ? word + i + 1 : NULL, err);
		r = add_value(s, o, "", err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Options up to the first operand or "--"; *stop is where operands begin. */
static int take_options(struct scan *s, struct err *err)
{
	for (; s->at < s->argc; s->at++) {
		const char *word = s->argv[s->at];
		int r;

		if (word[0] != '-' || word[1] == '\0')
			return 0;
		if (strcmp(word, "--") == 0)
			return 0;
		r = word[1] == '-' ? take_long(s, err) : take_letters(s, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Options may also stand between and behind operands: operands are gathered
 * at the front of the rest of argv (pointers move, strings do not). */
static int take_rest(struct scan *s, struct err *err)
{
	char **operands = s->argv + s->at;
	size_t n = 0;
	int r = 0;

	while (r == 0 && s->at < s->argc) {
		r = take_options(s, err);
		if (r < 0 || s->at >= s->argc)
			break;
		if (strcmp(s->argv[s->at], "--") == 0) {
			for (s->at++; s->at < s->argc; s->at++)
				operands[n++] = s->argv[s->at];
			break;
		}
		operands[n++] = s->argv[s->at++];
	}
	s->out->operands = (const char *const *)operands;
	s->out->n_operands = n;
	return r;
}

static int check_operands(const struct scan *s, struct err *err)
{
	const struct opt_command *cmd = s->out->command;
	int have = (int)s->out->n_operands;
	struct shown a;

	if (opt_get(s->out, "help"))
		return 0;
	if (have < cmd->min_args)
		return err_set(err, ERR_INPUT,
			       "want %d operand%s (%s), have %d; usage: %s "
			       "%s%s%s",
			       cmd->min_args, cmd->min_args == 1 ? "" : "s",
			       cmd->args, have, s->prog->name, cmd->name,
			       cmd->name[0] ? " " : "", cmd->args);
	if (cmd->max_args >= 0 && have > cmd->max_args)
		return err_set(err, ERR_INPUT,
			       "want at most %d operand%s, have \"%s\" too",
			       cmd->max_args, cmd->max_args == 1 ? "" : "s",
			       show(&a, s->out->operands[cmd->max_args]));
	return 0;
}

static int choose_command(struct scan *s, struct err *err)
{
	const struct opt_command *best = NULL;
	int best_words = 0;

	for (size_t i = 0; i < s->prog->n_commands; i++) {
		const struct opt_command *cmd = &s->prog->commands[i];
		int words =
			match_command(cmd, s->argc - s->at, s->argv + s->at);

		if (words > best_words) {
			best = cmd;
			best_words = words;
		}
	}
	s->at += best_words;
	if (!best)
		best = command_named(s->prog, "");
	if (best && best_words == 0 && s->at < s->argc &&
	    strcmp(s->argv[s->at], "--") != 0 && best->max_args == 0)
		best = NULL; /* a word that no command takes */
	s->out->command = best;
	if (best)
		return 0;
	if (s->at + 1 < s->argc && is_group(s->prog, s->argv[s->at]) &&
	    is_help(s->argv[s->at + 1])) {
		s->out->command = command_named(s->prog, "");
		s->at++; /* "host --help": the page of the program lists them */
		return 0;
	}
	if (s->at >= s->argc)
		return err_set(err, ERR_INPUT,
			       "want a command, have none; see \"%s --help\"",
			       s->prog->name);
	return unknown_command(s->prog, s->argv[s->at],
			       s->at + 1 < s->argc ? s->argv[s->at + 1] : NULL,
			       err);
}

/* `prog --dry-run host list`: an option given before the command must be one
 * of that command too, or it would be ignored in silence. */
static int check_early(const struct scan *s, struct err *err)
{
	for (size_t i = 0; i < s->out->n_given; i++) {
		const struct opt *o = s->out->given[i].opt;
		const struct opt *now =
			find_opt(s, o->name, strlen(o->name), '\0');

		if (now != o)
			return err_set(err, ERR_INPUT,
				       "option --%s is not one of \"%s %s\"",
				       o->name, s->prog->name,
				       s->out->command->name);
	}
	return 0;
}

int opt_parse(const struct opt_program *prog, int argc, char **argv,
	      struct opt_values *out, struct err *err)
{
	struct opt_values v = {0};
	struct scan s = {
		.prog = prog, .out = &v, .argc = argc, .at = 1, .argv = argv};
	int r;

	/* the command-less form's options may be given before any command */
	v.command = command_named(prog, "");
	r = take_options(&s, err);
	if (r == 0 && !(opt_get(&v, "help") && s.at >= argc))
		r = choose_command(&s, err);
	if (r == 0 && v.command)
		r = check_early(&s, err);
	if (r == 0)
		r = take_rest(&s, err);
	if (r == 0 && v.command)
		r = check_operands(&s, err);
	if (r == 0)
		*out = v;
	return r;
}

const char *opt_get(const struct opt_values *v, const char *name)
{
	for (size_t i = v->n_given; i > 0; i--)
		if (strcmp(v->given[i - 1].opt->name, name) == 0)
			return v->given[i - 1].arg;
	return NULL;
}

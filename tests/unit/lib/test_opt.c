/* test_opt.c - parsing by table, suggestions, help and completion. */
#include "lib/opt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

static const struct opt globals[] = {
	{"config", 'c', "FILE", "configuration file"},
	{"verbose", 'v', NULL, "say more"},
};
static const struct opt plain_opts[] = {
	{"dry-run", 'n', NULL, "only show the plan"},
	{"from", 0, "REV", "start here; it's a revision"},
};
static const struct opt list_opts[] = {
	{"output", 'o', "FORMAT", "text or json"},
};
static const struct opt_command commands[] = {
	{"", "", "Reconcile once.", plain_opts, 2, 0, 0, NULL},
	{"status", "", "Show pods.", NULL, 0, 0, 0, NULL},
	{"host list", "", "List hosts.", list_opts, 1, 0, 0, NULL},
	{"host drain", "NAME...", "Drain.", NULL, 0, 1, -1, NULL},
	{"explain", "FIELD", "Explain.", NULL, 0, 1, 1, NULL},
};
static const struct opt_program prog = {
	"reconcile", "Reconcile containers.", globals, 2, commands, 5};

static int parse(char *line, struct opt_values *v, struct err *e)
{
	static char *argv[32]; /* results are borrowed from it */
	int argc = 0;

	for (char *save, *w = strtok_r(line, " ", &save); w;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	*v = (struct opt_values){0};
	return opt_parse(&prog, argc, argv, v, e);
}

static void good_lines(void **state)
{
	char a[] = "reconcile -n --config=x --from r1 --config y -v",
	     b[] = "reconcile host drain a --verbose b -- -c",
	     c[] = "reconcile -v host list -ojson", d[] = "reconcile --help",
	     f[] = "reconcile explain --help", g[] = "reconcile -nv",
	     h[] = "reconcile explain -";
	struct opt_values v;
	struct err e = {0};

	(void)state;
	assert_int_equal(parse(a, &v, &e), 0);
	assert_string_equal(v.command->name, "");
	assert_string_equal(opt_get(&v, "config"), "y");
	assert_string_equal(opt_get(&v, "from"), "r1");
	assert_string_equal(opt_get(&v, "dry-run"), "");
	assert_null(opt_get(&v, "output"));
	assert_int_equal(parse(b, &v, &e), 0);
	assert_string_equal(v.command->name, "host drain");
	assert_int_equal(v.n_operands, 3);
	assert_string_equal(v.operands[0], "a");
	assert_string_equal(v.operands[1], "b");
	assert_string_equal(v.operands[2], "-c");
	assert_int_equal(parse(c, &v, &e), 0);
	assert_string_equal(opt_get(&v, "output"), "json");
	assert_int_equal(parse(d, &v, &e), 0);
	assert_non_null(opt_get(&v, "help"));
	assert_string_equal(v.command->name, "");
	assert_int_equal(parse(f, &v, &e), 0);
	assert_string_equal(v.command->name, "explain");
	assert_int_equal(parse(g, &v, &e), 0);
	assert_int_equal(v.n_given, 2);
	assert_int_equal(parse(h, &v, &e), 0);
	assert_string_equal(v.operands[0], "-");
}

static void bad_lines(void **state)
{
	static const char *const rows[][2] = {
		{"reconcile statsu",
		 "unknown command \"statsu\"; did you mean \"status\"?"},
		{"reconcile host lits",
		 "unknown command \"host lits\"; did you mean \"host list\"?"},
		{"reconcile host", "want a command after \"host\", have none; "
				   "see \"reconcile --help\""},
		{"reconcile frobnicate", "unknown command \"frobnicate\"; see "
					 "\"reconcile --help\""},
		{"reconcile --dry-rum", "unknown option \"--dry-rum\"; did you "
					"mean \"--dry-run\"?"},
		{"reconcile explain -z x", "unknown option \"-z\"; see "
					   "\"reconcile explain --help\""},
		{"reconcile --from", "option --from: want REV, have nothing"},
		{"reconcile --dry-run=1", "option --dry-run takes no value"},
		{"reconcile --dry-run host list",
		 "option --dry-run is not one of \"reconcile host list\""},
		{"reconcile explain", "want 1 operand (FIELD), have 0; usage: "
				      "reconcile explain FIELD"},
		{"reconcile explain a b",
		 "want at most 1 operand, have \"b\" too"},
		{"reconcile status x", "want at most 0 operands, have \"x\" "
				       "too"},
		{"reconcile --=x", "unknown option \"--=x\"; see \"reconcile "
				   "--help\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct opt_values v;
		struct err e = {0};
		char line[128];

		(void)snprintf(line, sizeof(line), "%s", rows[i][0]);
		assert_int_equal(parse(line, &v, &e), ERR_INPUT);
		assert_string_equal(e.msg, rows[i][1]);
		assert_null(v.command);
	}
}

static void hostile_words_are_escaped(void **state)
{
	char word[] = "\x1b[31mred";
	char name[] = "reconcile";
	char *argv[] = {name, word, NULL};
	struct opt_values v = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(opt_parse(&prog, 2, argv, &v, &e), ERR_INPUT);
	assert_non_null(strstr(e.msg, "\\x1b[31mred"));
}

static void help_pages(void **state)
{
	char text[4000] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(f);
	opt_help(&prog, NULL, f);
	(void)fclose(f);
	assert_non_null(strstr(text, "\n  host list               List "
				     "hosts.\n"));
	assert_non_null(strstr(text, "  -n, --dry-run           only show"));
	assert_non_null(strstr(text, "      --from REV          start here"));
	f = fmemopen(text, sizeof(text), "w");
	assert_non_null(f);
	opt_help(&prog, &commands[3], f);
	(void)fclose(f);
	assert_non_null(
		strstr(text, "reconcile host drain [options] NAME...\n"));
}

/* The script is loaded by bash and asked, as readline would. */
static void bash_completion_completes(void **state)
{
	static const char ask[] =
		"COMP_WORDS=(reconcile host l); COMP_CWORD=2; _reconcile;"
		"echo ${COMPREPLY[*]}; COMP_WORDS=(reconcile --f); "
		"COMP_CWORD=1;"
		"_reconcile; echo ${COMPREPLY[*]}\n";
	char path[] = "/tmp/test-opt-XXXXXX", out[200] = "";
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	struct err e = {0};
	int p[2], status = 1;

	(void)state;
	assert_non_null(f);
	assert_int_equal(opt_completion(&prog, "bash", f, &e), 0);
	(void)fputs(ask, f);
	(void)fclose(f);
	assert_int_equal(pipe(p), 0);
	pid_t pid = fork();

	if (pid == 0) {
		(void)dup2(p[1], 1);
		(void)execl("/bin/bash", "bash", path, (char *)NULL);
		_exit(1);
	}
	(void)close(p[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(read(p[0], out, sizeof(out) - 1) > 0);
	(void)close(p[0]);
	(void)unlink(path);
	assert_int_equal(status, 0);
	assert_string_equal(out, "list\n--from\n");
}

static void completion_of_other_shells(void **state)
{
	char text[8000] = "";
	struct err e = {0};
	FILE *f = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(f);
	assert_int_equal(opt_completion(&prog, "fish", f, &e), 0);
	(void)fclose(f);
	assert_non_null(strstr(text, "-d 'start here; it'\\''s a revision'"));
	f = fmemopen(text, sizeof(text), "w");
	assert_non_null(f);
	assert_int_equal(opt_completion(&prog, "zsh", f, &e), 0);
	(void)fclose(f);
	assert_ptr_equal(strstr(text, "#compdef reconcile\n"), text);
	assert_int_equal(opt_completion(&prog, "tcsh", stdout, &e), ERR_INPUT);
	assert_string_equal(e.msg, "want bash, zsh or fish as shell");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(hostile_words_are_escaped),
		cmocka_unit_test(help_pages),
		cmocka_unit_test(bash_completion_completes),
		cmocka_unit_test(completion_of_other_shells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

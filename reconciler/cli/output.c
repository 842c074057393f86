/*
 * output.c - renders a report in each format that was asked for and writes it.
 *
 * GitHub Actions obeys commands in everything a step prints.  Where annotations
 * go to standard output, any text there stands between "stop-commands" and its
 * end, which nobody can guess (A100); the markdown goes to the step summary.
 */
#include "reconciler/cli/output.h"

#include "lib/encode.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_MAX ((size_t)512 << 20)
#define TOKEN_BYTES 16
#define SUMMARY_LEAST 4096

static int parse_one(const char *arg, struct arena *arena, struct output *out,
		     struct err *err)
{
	const char *equals = strchr(arg, '=');
	const char *path = NULL;
	const struct format *format = NULL;
	int r;

	if (out->n == OUTPUT_MAX)
		return err_set(err, ERR_INPUT, "want at most %d --output",
			       OUTPUT_MAX);
	if (equals != NULL && strcmp(equals + 1, "-") != 0)
		path = equals + 1;
	if (path != NULL && path[0] == '\0')
		return err_set(err, ERR_INPUT, "--output %s: want a path", arg);
	r = format_find(equals == NULL ? arg
				       : arena_strndup(arena, arg,
						       (size_t)(equals - arg)),
			&format, err);
	if (r < 0)
		return err_wrap(err, "--output");
	out->items[out->n].format = format;
	out->items[out->n++].path = path;
	return 0;
}

static bool is_format(const struct output *o, size_t i, const char *name)
{
	return strcmp(o->items[i].format->name, name) == 0;
}

/* Only text and annotations may share standard output. */
static int check_places(const struct output *o, struct err *err)
{
	for (size_t i = 0; i < o->n; i++)
		for (size_t k = i + 1; k < o->n; k++) {
			const char *a = o->items[i].path;
			const char *b = o->items[k].path;
			bool pair = (is_format(o, i, "text") &&
				     is_format(o, k, "github")) ||
				    (is_format(o, i, "github") &&
				     is_format(o, k, "text"));

			if (a == NULL && b == NULL && !pair)
				return err_set(err, ERR_INPUT,
					       "both %s and %s would go to "
					       "standard output; give one a "
					       "file: -o %s=FILE",
					       o->items[i].format->name,
					       o->items[k].format->name,
					       o->items[k].format->name);
			if (a != NULL && b != NULL && strcmp(a, b) == 0)
				return err_set(err, ERR_INPUT,
					       "both %s and %s would be "
					       "written to one file",
					       o->items[i].format->name,
					       o->items[k].format->name);
		}
	return 0;
}

int output_parse(const struct cli *cli, struct output *out, struct err *err)
{
	const struct opt_values *v = &cli->values;
	struct output o = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < v->n_given; i++)
		if (strcmp(v->given[i].opt->name, "output") == 0)
			r = parse_one(v->given[i].arg, cli->arena, &o, err);
	if (r == 0 && o.n == 0)
		r = parse_one("text", cli->arena, &o, err);
	if (r == 0)
		r = check_places(&o, err);
	if (r == 0)
		*out = o;
	return r;
}

static bool goes_out(const struct output *o, const char *name)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->items[i].path == NULL && is_format(o, i, name))
			return true;
	return false;
}

static int write_file(const char *path, const struct buf *text, struct err *err)
{
	struct stat st;

	/* a device or a pipe would be replaced by a file of its name */
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, "%s is not a plain file", path);
	return file_replace(AT_FDCWD, path, 0644,
			    text->data == NULL ? "" : text->data, text->len,
			    err);
}

/* Text between the commands that stop and resume the reading of commands. */
static int wrap(struct buf *text, struct err *err)
{
	unsigned char bytes[TOKEN_BYTES];
	char token[2 * TOKEN_BYTES + 1];
	struct buf whole;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(err, errno, "getrandom");
	encode_hex(token, bytes, sizeof(bytes));
	buf_init(&whole, OUT_MAX);
	buf_printf(&whole, "::stop-commands::%s\n", token);
	buf_put(&whole, text->data, text->len);
	buf_printf(&whole, "::%s::\n", token);
	buf_release(text);
	*text = whole;
	return buf_check(text, err);
}

/* Appends to the file of the step summary what still fits into it. */
static int write_summary(const struct report *r, const struct format_ask *ask,
			 struct err *err)
{
	const char *path = getenv("GITHUB_STEP_SUMMARY");
	struct format_ask to = *ask;
	struct stat st;
	struct buf text;
	int fd;
	int ret;

	if (path == NULL || path[0] == '\0')
		return 0;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		  0644);
	if (fd < 0)
		return err_sys(err, errno, "GITHUB_STEP_SUMMARY %s", path);
	buf_init(&text, OUT_MAX);
	ret = fstat(fd, &st) < 0 ? err_sys(err, errno, "stat") : 0;
	if (ret == 0 && S_ISREG(st.st_mode) &&
	    (size_t)st.st_size + SUMMARY_LEAST > FORMAT_SUMMARY_BYTES) {
		(void)fputs("reconcile: note: no room is left in the step "
			    "summary\n",
			    stderr);
	} else if (ret == 0) {
		to.limit = FORMAT_SUMMARY_BYTES -
			   (S_ISREG(st.st_mode) ? (size_t)st.st_size : 0);
		ret = report_markdown(r, &to, &text, err);
	}
	if (ret == 0 && text.len > 0)
		ret = file_write_fd(fd, text.data, text.len, err);
	buf_release(&text);
	(void)close(fd);
	return ret < 0 ? err_wrap(err, "GITHUB_STEP_SUMMARY %s", path) : 0;
}

static struct format_ask ask_of(const struct cli *cli, const char *path)
{
	struct format_ask ask = {.style.color = cli->color && path == NULL};
	struct winsize ws;

	if (path == NULL && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0)
		ask.style.width = ws.ws_col;
	return ask;
}

static int write_all(const struct output *o, struct buf *texts, bool wrapped,
		     struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->n; i++) {
		if (o->items[i].path != NULL)
			r = write_file(o->items[i].path, &texts[i], err);
		else if (wrapped && is_format(o, i, "text"))
			r = wrap(&texts[i], err);
		if (r == 0 && o->items[i].path == NULL)
			r = cli_print(&texts[i], err);
		if (r < 0)
			r = err_wrap(err, "--output %s",
				     o->items[i].format->name);
	}
	return cli_no_such(r, err);
}

/* For a person, when standard output is for a machine. */
static int say_refusal(const struct report *report, struct err *err)
{
	struct buf out;
	int r = 0;

	buf_init(&out, OUT_MAX);
	if (report->exit > CORE_EXIT_PENDING)
		report_text_refusal(report, &out);
	if (out.len > 0 && fwrite(out.data, 1, out.len, stderr) != out.len)
		r = err_set(err, ERR_SYS, "standard error is closed");
	buf_release(&out);
	return r;
}

int output_write(struct cli *cli, const struct output *o,
		 const struct report *report, struct err *err)
{
	bool github = goes_out(o, "github");
	struct buf texts[OUTPUT_MAX];
	struct format_ask ask;
	int r = 0;

	for (size_t i = 0; i < o->n; i++)
		buf_init(&texts[i], OUT_MAX);
	for (size_t i = 0; r == 0 && i < o->n; i++) {
		ask = ask_of(cli, o->items[i].path);
		r = o->items[i].format->render(report, &ask, &texts[i], err);
	}
	if (r == 0)
		r = write_all(o, texts, github && goes_out(o, "text"), err);
	if (r == 0 && github)
		r = write_summary(report, &(struct format_ask){0}, err);
	if (r == 0 && !goes_out(o, "text"))
		r = say_refusal(report, err);
	for (size_t i = 0; i < o->n; i++)
		buf_release(&texts[i]);
	return r;
}

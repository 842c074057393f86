/*
 * ps.c - ps: the processes of a container, by number or as the host's own ps
 * shows them.
 *
 * Nothing of the container is executed or asked (E09).  ps gets an environment
 * of ours; of what it prints, the lines with a process of the container are
 * passed on.
 */
#include "engine/main/cli.h"
#include "engine/run/fore.h"
#include "engine/run/life.h"
#include "engine/sys/esys.h"
#include "lib/file.h"
#include "lib/num.h"
#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PS_PIDS_MAX 65536
#define PS_OUT_BYTES (64u << 20)
#define PS_BLANKS " \t"

static void ps_child(char *const *argv, int out)
{
	static const char *const paths[] = {"/usr/bin/ps", "/bin/ps"};
	char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C";
	char *env[] = {path, locale, NULL};
	size_t i;

	fore_child();
	if (dup2(out, 1) >= 0 && sys_close_range(3, ~0u, 0) >= 0)
		for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
			(void)esys_execve(paths[i], argv, env);
	_exit(127);
}

static int ps_run(char *const *argv, struct buf *out, struct err *err)
{
	int pidfd = -1, pipes[2], status = 0, r = 0;
	struct clone_args args = {.flags = CLONE_PIDFD,
				  .exit_signal = SIGCHLD,
				  .pidfd = (uint64_t)(uintptr_t)&pidfd};
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe2");
	pid = esys_clone3(&args);
	if (pid == 0)
		ps_child(argv, pipes[1]);
	(void)close(pipes[1]);
	if (pid < 0)
		r = err_sys(err, errno, "clone3");
	else
		r = file_read_fd(pipes[0], PS_OUT_BYTES, out, err);
	(void)close(pipes[0]);
	if (pid < 0)
		return r;
	if (esys_waitid_pidfd(pidfd, &status, 0) < 0 && r == 0)
		r = err_sys(err, errno, "wait");
	(void)close(pidfd);
	if (r == 0 && status == 127)
		r = err_set(err, ERR_NOTFOUND,
			    "ps: the host has no /usr/bin/ps; --format json "
			    "does without");
	else if (r == 0 && status != 0)
		r = err_set(err, ERR_INPUT, "ps: exit status %d", status);
	return r;
}

/* Word n of a line; *out_len 0 if it has fewer. */
static const char *ps_word(const char *line, const char *end, size_t n,
			   size_t *out_len)
{
	for (;;) {
		const char *stop;

		while (line < end && strchr(PS_BLANKS, *line) != NULL)
			line++;
		for (stop = line;
		     stop < end && strchr(PS_BLANKS, *stop) == NULL; stop++)
			;
		*out_len = (size_t)(stop - line);
		if (n-- == 0 || stop == line)
			return line;
		line = stop;
	}
}

static int ps_column(const char *line, const char *end, struct err *err)
{
	size_t n, len = 1;

	for (n = 0; len > 0; n++) {
		const char *word = ps_word(line, end, n, &len);

		if (len == 3 && memcmp(word, "PID", 3) == 0)
			return (int)n;
	}
	return err_set(err, ERR_INPUT, "ps: these options show no column PID");
}

static bool ps_is_one(const char *line, const char *end, int column,
		      const pid_t *pids, size_t n)
{
	uint64_t pid = 0;
	size_t len, i;
	const char *word = ps_word(line, end, (size_t)column, &len);

	if (!num_parse_u64(word, len, INT32_MAX, &pid))
		return false;
	for (i = 0; i < n; i++)
		if ((uint64_t)pids[i] == pid)
			return true;
	return false;
}

static int ps_print(const struct buf *b, const pid_t *pids, size_t n,
		    struct err *err)
{
	const char *line = b->data, *all_end = b->data + b->len;
	int column = -1;

	while (line < all_end) {
		const char *end = memchr(line, '\n', (size_t)(all_end - line));

		if (end == NULL)
			end = all_end;
		if (column < 0) {
			column = ps_column(line, end, err);
			if (column < 0)
				return column;
			(void)printf("%.*s\n", (int)(end - line), line);
		} else if (ps_is_one(line, end, column, pids, n)) {
			(void)printf("%.*s\n", (int)(end - line), line);
		}
		line = end + 1;
	}
	return 0;
}

static int ps_table(const struct cli *c, struct arena *arena, const pid_t *pids,
		    size_t n, struct err *err)
{
	const struct opt_values *v = &c->values;
	char **argv = arena_calloc(arena, v->n_operands + 2, sizeof(*argv));
	struct buf b;
	size_t i;
	int r;

	argv[0] = arena_strdup(arena, "ps");
	argv[1] = arena_strdup(arena, "-ef");
	for (i = 1; i < v->n_operands; i++)
		argv[i] = arena_strdup(arena, v->operands[i]);
	buf_init(&b, PS_OUT_BYTES);
	r = ps_run(argv, &b, err);
	if (r == 0 && b.len > 0)
		r = ps_print(&b, pids, n, err);
	buf_release(&b);
	return r;
}

static void ps_json(const pid_t *pids, size_t n)
{
	size_t i;

	(void)putchar('[');
	for (i = 0; i < n; i++)
		(void)printf("%s%d", i > 0 ? "," : "", pids[i]);
	(void)printf("]\n");
}

int ps_command(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	const char *format = opt_get(&c->values, "format");
	bool json = format != NULL && strcmp(format, "json") == 0;
	pid_t *pids = NULL;
	size_t n = 0;
	struct life l;
	int r;

	if (format != NULL && !json && strcmp(format, "table") != 0)
		return err_set(err, ERR_INPUT, "--format: want table or json");
	r = life_open(&l, c->root, c->values.operands[0], err);
	if (r < 0)
		return r;
	pids = arena_calloc(l.arena, PS_PIDS_MAX, sizeof(*pids));
	r = cgproc_pids(&l.cgroup, pids, PS_PIDS_MAX, &n, err);
	if (r == 0 && json)
		ps_json(pids, n);
	else if (r == 0)
		r = ps_table(c, l.arena, pids, n, err);
	life_release(&l);
	return r;
}

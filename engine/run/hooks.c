/* hooks.c - see hooks.h. */
#include "engine/run/hooks.h"

#include "engine/run/fore.h"
#include "engine/sys/esys.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/jsonw.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HOOKS_WORDS_BYTES 512

int hooks_state(const struct state *s, enum state_status status,
		const struct decode_strv *annotations, struct buf *out,
		struct err *err)
{
	struct jsonw w;
	size_t i;

	jsonw_init(&w, out);
	jsonw_obj(&w);
	jsonw_kstr(&w, "ociVersion", s->version);
	jsonw_kstr(&w, "id", s->id);
	jsonw_kstr(&w, "status", state_status_name(status));
	jsonw_kint(&w, "pid", status == STATE_STOPPED ? 0 : s->pid);
	jsonw_kstr(&w, "bundle", s->bundle);
	if (annotations->n > 0) {
		jsonw_key(&w, "annotations");
		jsonw_obj(&w);
		for (i = 0; i + 1 < annotations->n; i += 2)
			jsonw_kstr(&w, annotations->v[i],
				   annotations->v[i + 1]);
		jsonw_obj_end(&w);
	}
	jsonw_obj_end(&w);
	return buf_check(out, err);
}

/* What a hook says: the first of it for the message of its failure. */
struct hooks_words {
	char text[HOOKS_WORDS_BYTES];
	size_t len;
	int fd; /* end of a pipe, non-blocking */
};

/* A file and no pipe: a hook that does not read its input can neither keep us
 * waiting nor, when it ends, send us SIGPIPE. */
static int hooks_input(const struct buf *state, int *out_fd, struct err *err)
{
	int fd = memfd_create("state", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "memfd_create");
	r = file_write_fd(fd, state->data, state->len, err);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = err_sys(err, errno, "state of a hook");
	if (r < 0)
		(void)close(fd);
	else
		*out_fd = fd;
	return r;
}

static void hooks_child(const struct spec_hook *h, const char *dir, int in,
			int out)
{
	char *none[] = {NULL};
	char *self[] = {h->path, NULL};

	fore_child();
	if (dir != NULL && chdir(dir) < 0)
		(void)!chdir("/");
	if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(out, 2) >= 0 &&
	    sys_close_range(3, ~0u, 0) >= 0)
		(void)esys_execve(h->path, h->args.n > 0 ? h->args.v : self,
				  h->env.n > 0 ? h->env.v : none);
	(void)dprintf(2, "%s", strerror(errno));
	_exit(127);
}

/* False at the end of what there is to be read now. */
static bool hooks_listen(struct hooks_words *w)
{
	char more[512];
	ssize_t n = read(w->fd, more, sizeof(more));
	size_t room = sizeof(w->text) - w->len;

	if (n <= 0)
		return false;
	if ((size_t)n < room)
		room = (size_t)n;
	memcpy(w->text + w->len, more, room);
	w->len += room;
	return true;
}

/* The hook's end counts, not the end of its output: what it has left running
 * may hold that open for ever. */
static int hooks_wait(int pidfd, struct hooks_words *w, int64_t timeout_ms,
		      int *out_status, struct err *err)
{
	struct pollfd p[2] = {{.fd = pidfd, .events = POLLIN},
			      {.fd = w->fd, .events = POLLIN}};
	int64_t end = clock_boot_ms() + timeout_ms;

	for (;;) {
		int64_t left = timeout_ms < 0 ? -1 : end - clock_boot_ms();
		int n = timeout_ms >= 0 && left <= 0 ? 0
						     : poll(p, 2, (int)left);

		if (n == 0) {
			(void)sys_pidfd_signal(pidfd, SIGKILL);
			(void)esys_waitid_pidfd(pidfd, out_status, 0);
			return err_set(err, ERR_AGAIN, "no end after %lld ms",
				       (long long)timeout_ms);
		}
		if (n < 0)
			continue;
		if (p[1].revents != 0 && !hooks_listen(w))
			p[1].fd = -1;
		if (p[0].revents != 0)
			break;
	}
	while (hooks_listen(w))
		;
	if (esys_waitid_pidfd(pidfd, out_status, 0) < 0)
		return err_sys(err, errno, "wait");
	return 0;
}

static int hooks_spawn(const struct spec_hook *h, const char *dir, int in,
		       int *out_pidfd, struct hooks_words *w, struct err *err)
{
	struct clone_args args = {.flags = CLONE_PIDFD,
				  .exit_signal = SIGCHLD,
				  .pidfd = (uint64_t)(uintptr_t)out_pidfd};
	int pipes[2], r = 0;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe2");
	pid = esys_clone3(&args);
	if (pid == 0)
		hooks_child(h, dir, in, pipes[1]);
	if (pid < 0)
		r = err_sys(err, errno, "clone3");
	(void)close(pipes[1]);
	if (r < 0)
		(void)close(pipes[0]);
	else
		w->fd = pipes[0];
	if (r == 0)
		(void)fcntl(w->fd, F_SETFL, O_NONBLOCK);
	return r;
}

static int hooks_failed(const struct hooks_words *w, int status,
			struct err *err)
{
	char safe[HOOKS_WORDS_BYTES];
	size_t len = w->len;

	while (len > 0 && (w->text[len - 1] == '\n' || w->text[len - 1] == ' '))
		len--;
	return err_set(err, ERR_SYS, "exit status %d%s%s", status,
		       len > 0 ? ": " : "",
		       text_safe(safe, sizeof(safe), w->text, len));
}

static int hooks_one(const struct spec_hook *h, const char *dir,
		     const struct buf *state, struct err *err)
{
	struct hooks_words w = {.fd = -1};
	int pidfd = -1, in = -1, status = 0, r;
	int64_t timeout = -1;

	if (h->timeout.set)
		timeout = h->timeout.v * 1000;
	r = hooks_input(state, &in, err);
	if (r < 0)
		return r;
	r = hooks_spawn(h, dir, in, &pidfd, &w, err);
	(void)close(in);
	if (r < 0)
		return r;
	r = hooks_wait(pidfd, &w, timeout, &status, err);
	(void)close(pidfd);
	(void)close(w.fd);
	if (r == 0 && status != 0)
		r = hooks_failed(&w, status, err);
	return r;
}

int hooks_run(const struct spec_hook_list *list, const char *name,
	      const char *dir, const struct buf *state, const struct warn *warn,
	      struct err *err)
{
	struct err one = {0};
	char safe[160];
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (hooks_one(&list->v[i], dir, state, &one) == 0)
			continue;
		(void)err_wrap(&one, "hook %s[%zu] %s", name, i,
			       text_safe(safe, sizeof(safe), list->v[i].path,
					 strlen(list->v[i].path)));
		if (warn == NULL)
			return err_set(err, one.code, "%s", one.msg);
		warn_say(warn, "%s", one.msg);
	}
	return 0;
}

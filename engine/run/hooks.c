/* hooks.c - see hooks.h. */
#include "engine/run/hooks.h"

#include "engine/run/fore.h"
#include "engine/run/link.h"
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
		struct buf *out, struct err *err)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_obj(&w);
	jsonw_kstr(&w, "ociVersion", s->version);
	jsonw_kstr(&w, "id", s->id);
	jsonw_kstr(&w, "status", state_status_name(status));
	jsonw_kint(&w, "pid", status == STATE_STOPPED ? 0 : s->pid);
	jsonw_kstr(&w, "bundle", s->bundle);
	state_annotations(&w, s);
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

/* A hook that names no environment has always been given the runtime's. */
static char *const *hooks_env(const struct spec_hook *h,
			      const struct hooks_how *how)
{
	if (h->env.v != NULL)
		return h->env.v;
	return how->env != NULL ? how->env : environ;
}

static void hooks_child(const struct spec_hook *h, const struct hooks_how *how,
			int in, int out)
{
	char *self[] = {h->path, NULL};
	struct err err = {0};

	fore_child();
	if (how->dir != NULL && chdir(how->dir) < 0)
		(void)!chdir("/");
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
	    sys_close_range(3, ~0u, 0) < 0)
		(void)err_sys(&err, errno, "descriptors");
	else if (how->confine != NULL)
		(void)how->confine(how->ctx, &err);
	if (err.code == 0) {
		(void)esys_execve(h->path, h->args.n > 0 ? h->args.v : self,
				  hooks_env(h, how));
		(void)err_sys(&err, errno, "execve");
	}
	(void)dprintf(2, "%s", err.msg);
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

static int hooks_spawn(const struct spec_hook *h, const struct hooks_how *how,
		       int in, int *out_pidfd, struct hooks_words *w,
		       struct err *err)
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
		hooks_child(h, how, in, pipes[1]);
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

static int hooks_one(const struct spec_hook *h, const struct hooks_how *how,
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
	r = hooks_spawn(h, how, in, &pidfd, &w, err);
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
	      const struct hooks_how *how, const struct buf *state,
	      struct err *err)
{
	struct err one = {0};
	char safe[160];
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (hooks_one(&list->v[i], how, state, &one) == 0)
			continue;
		/* the words that runc's clients know */
		(void)err_wrap(&one, "error running %s hook #%zu: %s", name, i,
			       text_safe(safe, sizeof(safe), list->v[i].path,
					 strlen(list->v[i].path)));
		if (how->warn == NULL)
			return err_set(err, one.code, "%s", one.msg);
		warn_say(how->warn, "%s", one.msg);
	}
	return 0;
}

static int hooks_of(struct run *r, const struct spec_hook_list *list,
		    const char *name, enum state_status status,
		    const struct warn *warn, struct err *err)
{
	struct hooks_how how = {.dir = r->state.bundle, .warn = warn};
	struct buf b;
	int rc;

	if (list->n == 0)
		return 0;
	buf_init(&b, SPEC_MAX_BYTES);
	rc = hooks_state(&r->state, status, &b, err);
	if (rc == 0)
		rc = hooks_run(list, name, &how, &b, err);
	buf_release(&b);
	return rc;
}

int hooks_early(struct run *r, struct err *err)
{
	const struct spec_hooks *h = &r->spec.hooks;
	struct link_msg m;
	int rc;

	if (!r->hooks_early)
		return 0;
	rc = link_want(r->link[0], LINK_HOOKS, &m, err);
	if (rc < 0)
		return rc;
	r->hooked = true;
	rc = hooks_of(r, &h->prestart, "prestart", STATE_CREATED, NULL, err);
	if (rc == 0)
		rc = hooks_of(r, &h->create_runtime, "createRuntime",
			      STATE_CREATED, NULL, err);
	if (rc == 0)
		rc = link_send(r->link[0], LINK_NEXT, 0, NULL, err);
	return rc;
}

/* runtime.md, "Lifecycle": a hook that fails is followed by the destruction
 * and by these.  It is the undoing of the first step, hence done last. */
void hooks_undo(struct run *r)
{
	if (r->hooked)
		(void)hooks_of(r, &r->spec.hooks.poststop, "poststop",
			       STATE_STOPPED, &r->opt.warn, NULL);
}

bool hooks_poststart_warns(const char *version)
{
	return version != NULL && strncmp(version, "1.", 2) == 0 &&
	       version[2] >= '0' && version[2] <= '2' &&
	       (version[3] == '.' || version[3] == '-');
}

int hooks_poststart(struct run *r, struct err *err)
{
	const struct warn *warn =
		hooks_poststart_warns(r->spec.version) ? &r->opt.warn : NULL;

	return hooks_of(r, &r->spec.hooks.poststart, "poststart", STATE_RUNNING,
			warn, err);
}

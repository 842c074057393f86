/* hooks.c - see hooks.h. */
#include "engine/run/hooks.h"

#include "engine/run/fore.h"
#include "engine/sys/esys.h"
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

static void hooks_child(const struct spec_hook *h, int in)
{
	char *none[] = {NULL};
	char *self[] = {h->path, NULL};

	fore_child();
	if (dup2(in, 0) >= 0 && sys_close_range(3, ~0u, 0) >= 0)
		(void)esys_execve(h->path, h->args.n > 0 ? h->args.v : self,
				  h->env.n > 0 ? h->env.v : none);
	_exit(127);
}

static int hooks_wait(int pidfd, int timeout_ms, int *out_status,
		      struct err *err)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int n;

	do {
		n = poll(&p, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n == 0) {
		(void)sys_pidfd_signal(pidfd, SIGKILL);
		(void)esys_waitid_pidfd(pidfd, out_status, 0);
		return err_set(err, ERR_AGAIN, "no end after %d ms",
			       timeout_ms);
	}
	if (esys_waitid_pidfd(pidfd, out_status, 0) < 0)
		return err_sys(err, errno, "wait");
	return 0;
}

/* The state in a file of its own: a hook need not read it, and however long
 * it is nobody has to wait for one that does not. */
static int hooks_input(const struct buf *state, int *out_fd, struct err *err)
{
	int fd = memfd_create("state", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "memfd_create");
	r = file_write_fd(fd, state->data, state->len, err);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = err_sys(err, errno, "lseek");
	if (r < 0)
		(void)close(fd);
	else
		*out_fd = fd;
	return r;
}

static int hooks_one(const struct spec_hook *h, const struct buf *state,
		     struct err *err)
{
	int pidfd = -1, status = 0, in = -1, timeout = -1, r;
	struct clone_args args = {.flags = CLONE_PIDFD,
				  .exit_signal = SIGCHLD,
				  .pidfd = (uint64_t)(uintptr_t)&pidfd};
	pid_t pid;

	if (h->path[0] != '/')
		return err_set(err, ERR_INPUT, "want an absolute path");
	if (h->timeout.set &&
	    (h->timeout.v <= 0 || h->timeout.v > INT32_MAX / 1000))
		return err_set(err, ERR_INPUT, "want a timeout over 0");
	if (h->timeout.set)
		timeout = (int)h->timeout.v * 1000;
	r = hooks_input(state, &in, err);
	if (r < 0)
		return r;
	pid = esys_clone3(&args);
	if (pid == 0)
		hooks_child(h, in);
	if (pid < 0)
		r = err_sys(err, errno, "clone3");
	(void)close(in);
	if (r == 0) {
		r = hooks_wait(pidfd, timeout, &status, err);
		(void)close(pidfd);
	}
	if (r == 0 && status != 0)
		r = err_set(err, ERR_SYS, "exit status %d", status);
	return r;
}

int hooks_run(const struct spec_hook_list *list, const char *name,
	      const struct buf *state, bool tolerant, struct err *err)
{
	struct err one = {0};
	char safe[160];
	size_t i;
	int r = 0;

	for (i = 0; i < list->n; i++) {
		if (hooks_one(&list->v[i], state, &one) == 0)
			continue;
		r = err_set(err, one.code, "hook %s[%zu] %s: %s", name, i,
			    text_safe(safe, sizeof(safe), list->v[i].path,
				      strlen(list->v[i].path)),
			    one.msg);
		if (!tolerant)
			break;
	}
	return r;
}

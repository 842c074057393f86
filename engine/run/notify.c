/* notify.c - see notify.h. */
#include "engine/run/notify.h"

#include "engine/run/hooks.h"
#include "engine/run/link.h"
#include "engine/sys/esys.h"
#include "lib/file.h"
#include "lib/jsonw.h"
#include "lib/text.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define NOTIFY_STACK_BYTES 65536
#define NOTIFY_STATE_BYTES (1u << 20)
#define NOTIFY_CONNECT_S 10

enum notify_step { NOTIFY_LOADING, NOTIFY_LOADED, NOTIFY_FAILED, NOTIFY_DONE };

struct notify_thread {
	_Atomic int step;
	int sock, listener;
	int rc;
	struct err err;
};

/* Shares memory and descriptors with the process that loads the filter, but
 * not the filter. */
static int notify_thread(void *arg)
{
	struct notify_thread *t = arg;
	struct link_msg m = {.type = LINK_NOTIFY};

	while (atomic_load(&t->step) == NOTIFY_LOADING)
		(void)sched_yield();
	if (atomic_load(&t->step) == NOTIFY_FAILED)
		return 0;
	if (link_pass(t->sock, &m, offsetof(struct link_msg, err),
		      t->listener) < 0)
		t->rc = err_sys(&t->err, errno, "seccomp: give the listener");
	else
		t->rc = link_want(t->sock, LINK_NEXT, &m, &t->err);
	atomic_store(&t->step, NOTIFY_DONE);
	return 0;
}

/* No system call from the filter to the end of the loop: it might be one that
 * the filter holds until somebody listens. */
static int notify_load_and_wait(struct run *r, struct notify_thread *t,
				struct err *err)
{
	int rc = filter_load(&r->filter, &t->listener, err);

	atomic_store(&t->step, rc == 0 ? NOTIFY_LOADED : NOTIFY_FAILED);
	if (rc < 0)
		return rc;
	while (atomic_load(&t->step) != NOTIFY_DONE)
		continue;
	if (t->rc < 0 && err != NULL)
		*err = t->err;
	return t->rc;
}

int notify_load(struct run *r, struct err *err)
{
	struct notify_thread t = {
		.step = NOTIFY_LOADING, .sock = r->conn, .listener = -1};
	char *stack;

	if (!filter_has_listener(&r->filter))
		return filter_load(&r->filter, NULL, err);
	/* Never unmapped: the thread may stand on it until execve. */
	stack = mmap(NULL, NOTIFY_STACK_BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return err_sys(err, errno, "mmap");
	if (esys_thread(notify_thread, stack + NOTIFY_STACK_BYTES, &t) < 0)
		return err_sys(err, errno, "seccomp: thread for the listener");
	return notify_load_and_wait(r, &t, err);
}

static int notify_state(const struct notify_to *to, struct buf *out,
			struct err *err)
{
	const char *metadata = to->spec->linux_.seccomp->listener_metadata;
	struct jsonw w;
	struct buf state;
	int r;

	buf_init(&state, NOTIFY_STATE_BYTES);
	r = hooks_state(to->state, to->status, &state, err);
	if (r == 0) {
		jsonw_init(&w, out);
		jsonw_obj(&w);
		jsonw_kstr(&w, "ociVersion", SPEC_VERSION);
		jsonw_key(&w, "fds");
		jsonw_arr(&w);
		jsonw_str(&w, "seccompFd");
		jsonw_arr_end(&w);
		jsonw_kint(&w, "pid", to->pid);
		if (metadata != NULL && metadata[0] != '\0')
			jsonw_kstr(&w, "metadata", metadata);
		jsonw_key(&w, "state");
		jsonw_raw(&w, state.data, state.len);
		jsonw_obj_end(&w);
		r = buf_check(out, err);
	}
	buf_release(&state);
	return r;
}

static int notify_connect(const char *path, int *out_sock, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = NOTIFY_CONNECT_S};
	size_t len = strlen(path);
	char safe[160];
	int sock;

	(void)text_safe(safe, sizeof(safe), path, len);
	if (len >= sizeof(addr.sun_path))
		return err_set(err, ERR_INPUT,
			       "config: linux.seccomp.listenerPath: too long");
	memcpy(addr.sun_path, path, len);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_sys(err, errno, "socket");
	(void)setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int saved = errno;

		(void)close(sock);
		return err_sys(err, saved,
			       "linux.seccomp.listenerPath: failed to connect "
			       "with seccomp agent at %s",
			       safe);
	}
	*out_sock = sock;
	return 0;
}

static int notify_send(int fd, const struct notify_to *to, struct err *err)
{
	struct buf b;
	ssize_t n;
	int sock = -1, r;

	r = notify_connect(to->spec->linux_.seccomp->listener_path, &sock, err);
	if (r < 0)
		return r;
	buf_init(&b, NOTIFY_STATE_BYTES);
	r = notify_state(to, &b, err);
	if (r == 0) {
		n = link_pass(sock, b.data, b.len, fd);
		if (n < 0)
			r = err_sys(err, errno, "send to the seccomp agent");
		else if ((size_t)n < b.len)
			r = file_write_fd(sock, b.data + n, b.len - (size_t)n,
					  err);
	}
	buf_release(&b);
	(void)close(sock);
	return r;
}

static int notify_ended(const struct link_msg *m, struct err *err)
{
	if (m->type == LINK_NONE)
		return 0;
	return err_set(err, ERR_PROTO, "the first process answered %u",
		       m->type);
}

int notify_wait(int sock, int *out_fd, struct err *err)
{
	struct link_msg m;
	int fd = -1, r;

	*out_fd = -1;
	r = link_recv_fd(sock, &m, &fd, err);
	if (r == 0 && m.type == LINK_NOTIFY && fd >= 0) {
		*out_fd = fd;
		return 0;
	}
	if (fd >= 0)
		(void)close(fd);
	return r < 0 ? r : notify_ended(&m, err);
}

int notify_deliver(int sock, int fd, const struct notify_to *to,
		   struct err *err)
{
	struct link_msg m;
	int r = 0;

	if (to->spec->linux_.seccomp == NULL)
		r = err_set(err, ERR_PROTO, "a listener without a filter");
	if (r == 0)
		r = notify_send(fd, to, err);
	(void)close(fd);
	if (r == 0)
		r = link_send(sock, LINK_NEXT, 0, NULL, err);
	if (r == 0)
		r = link_recv(sock, &m, err);
	return r < 0 ? r : notify_ended(&m, err);
}

int notify_begin(int sock, const struct notify_to *to, struct err *err)
{
	int fd = -1;
	int r = notify_wait(sock, &fd, err);

	if (r == 0 && fd >= 0)
		r = notify_deliver(sock, fd, to, err);
	return r;
}

/*
 * main.c - reconcile-engine-systemd: asks systemd for the scope of a container,
 * for one command of reconcile-engine, and ends.
 *
 * Runs as whoever runs the engine, with no capability: systemd decides by user
 * id.  It has libsystemd, so that the engine, which is static and may do all,
 * need not have it.  Its only input is the engine's, typed by a table: no name
 * of a property can come from anywhere else (E28: annotations are never read).
 * It speaks to systemd by its own socket, not through a message bus, as
 * systemctl does for root.
 */
#include "engine/systemd/bus.h"
#include "engine/systemd/systemd.h"
#include "lib/buf.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static const struct sandbox main_profile = {
	.name = SYSTEMD_PROGRAM,
	.allow = SANDBOX_FILE_READ | SANDBOX_CONNECT,
};

static int main_request(struct buf *out, struct err *err)
{
	char part[4096];
	ssize_t n;

	for (;;) {
		n = read(SYSTEMD_FD, part, sizeof(part));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, ERR_PROTO, "request: cut short");
		buf_put(out, part, (size_t)n);
		if (buf_check(out, err) < 0)
			return err->code;
		if (part[n - 1] == '\0')
			return 0;
	}
}

static int main_work(struct bus *b, char **argv, int argc,
		     const struct buf *request, struct systemd_reply *reply,
		     struct err *err)
{
	if (argc == 5 && strcmp(argv[1], "start") == 0)
		return bus_start(b, argv[2], argv[3], argv[4], request->data,
				 reply->cgroup, err);
	if (argc == 3 && strcmp(argv[1], "set") == 0)
		return bus_set(b, argv[2], request->data, err);
	if (argc == 3 && strcmp(argv[1], "stop") == 0)
		return bus_stop(b, argv[2], err);
	if (argc == 2 && strcmp(argv[1], "where") == 0)
		return bus_where(b, reply->cgroup, err);
	return err_set(err, ERR_INPUT,
		       "started by reconcile-engine, of no use "
		       "by hand");
}

/* The scope is ours until the engine has put the container's process in. */
static void main_hold(void)
{
	struct pollfd p = {.fd = SYSTEMD_FD, .events = POLLIN};
	char c;

	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	(void)!read(SYSTEMD_FD, &c, 1);
}

int main(int argc, char **argv)
{
	const char *user =
		argc > 2 && argv[argc - 1][0] == '/' ? argv[argc - 1] : NULL;
	struct systemd_reply reply = {.err = {0}};
	struct bus *b = NULL;
	struct buf request;
	int r;

	log_init(SYSTEMD_PROGRAM, LOG_LEVEL_INFO);
	buf_init(&request, SYSTEMD_REQUEST_BYTES);
	r = sandbox_enter(&main_profile, &reply.err);
	if (r == 0)
		r = main_request(&request, &reply.err);
	if (r == 0)
		r = bus_new(user, &b, &reply.err);
	if (r == 0)
		r = main_work(b, argv, user != NULL ? argc - 1 : argc, &request,
			      &reply, &reply.err);
	if (r == 0) /* what was tried again has left a reason */
		reply.err = (struct err){0};
	bus_free(b);
	buf_release(&request);
	if (write(SYSTEMD_FD, &reply, sizeof(reply)) != sizeof(reply))
		return 1;
	if (r == 0 && strcmp(argv[1], "start") == 0)
		main_hold();
	return r == 0 ? 0 : 1;
}

/* daemon.c - see daemon.h. */
#include "reconciler/cli/daemon.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "reconciler/core/fetcher.h"
#include "reconciler/core/fleet.h"
#include "reconciler/core/membership.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PASS_ARENA ((size_t)1 << 30)
#define SLICE_MS 1000

static volatile sig_atomic_t stop_asked;

static void on_stop(int sig)
{
	(void)sig;
	stop_asked = 1;
}

static void catch_stop(void)
{
	struct sigaction sa = {.sa_handler = on_stop};

	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
}

/* sd_notify(3), without its library. */
static void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	socklen_t len;
	int fd;

	if (path == NULL || strlen(path) >= sizeof(sa.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(sa.sun_path, path, strlen(path));
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			  strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		     (const struct sockaddr *)&sa, len);
	(void)close(fd);
}

static int one_pass(struct core *core, const struct pass_options *options,
		    struct err *err)
{
	struct arena *arena = arena_new(PASS_ARENA);
	struct pass_result p;
	int r = pass_run(core, options, arena, &p, err);

	if (r == 0 && (p.acted || p.exit != CORE_EXIT_DONE))
		log_line(p.exit == CORE_EXIT_DONE ? LOG_LEVEL_INFO
						  : LOG_LEVEL_WARN,
			 "pass", "exit=%d commit=%s summary=\"%s\"", p.exit,
			 p.target.commit != NULL ? p.target.commit : "-",
			 p.summary != NULL ? p.summary : "");
	arena_free(arena);
	return r;
}

/* In slices: a signal ends no wait for a frame, and systemd waits for us. */
static int wait_for_cause(struct core *core, struct err *err)
{
	int64_t until = clock_boot_ms() + core->conf->interval_s * 1000;
	bool changed = false;
	int r = 0;

	while (r == 0 && !changed && !stop_asked) {
		int64_t left = until - clock_boot_ms();

		if (left <= 0)
			break;
		r = fleet_poll(core, (int)(left < SLICE_MS ? left : SLICE_MS),
			       &changed, err);
	}
	return r;
}

int daemon_run(struct cli *cli, struct core *core,
	       const struct pass_options *options, struct err *err)
{
	struct pass_options each = *options;
	int r = 0;

	(void)cli;
	if (each.timeout_s < 0)
		each.timeout_s = core->conf->interval_s;
	each.stop = &stop_asked;
	core->fetcher = fetcher_new();
	if (core->fetcher == NULL)
		return err_set(err, ERR_NOMEM, "fetcher");
	catch_stop();
	notify("READY=1");
	while (!stop_asked) {
		r = one_pass(core, &each, err);
		if (r == ERR_AUDIT)
			break;
		if (r < 0)
			log_line(LOG_LEVEL_ERROR, "pass", "code=%s msg=\"%s\"",
				 err_name(r), err->msg);
		r = wait_for_cause(core, err);
		if (r == 0)
			r = membership_maintain(core, err);
		if (r == 0)
			r = fleet_reload(core, err);
		if (r < 0)
			break;
	}
	notify("STOPPING=1");
	return stop_asked ? 0 : r;
}

/*
 * main.c - reconcile-channel: the manager's end of the channel to the hosts.
 *
 * Opens its sockets and certificates, gives up everything else (sandbox.h), and
 * then serves: TLS sessions of hosts on one side, one core on the other.  Holds
 * the server's TLS key; parses TLS and frames, which are hostile.  See
 * reconcile-channel(8).
 */
#include "channel/address.h"
#include "channel/notify.h"
#include "channel/server/core.h"
#include "channel/server/peer.h"
#include "channel/server/server.h"
#include "channel/tls.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/num.h"
#include "lib/opt.h"
#include "lib/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	FILES_WANTED = SERVER_PEERS_MAX + 256,
	RATE_PER_SECOND = 64,
	RATE_BURST = 1024,
	CRL_ALARM_S = 3600,
	CORE_BACKLOG = 8,
};

struct program {
	struct server srv;
	int listener, core_listener, notify;
	uint32_t rate, burst;
	struct event *events[6];
	size_t n_events;
};

static const struct opt options[] = {
	{"socket", 0, "PATH", "unix socket for the manager program"},
	{"listen", 0, "ADDR:PORT", "address for hosts, numeric"},
	{"listen-fd", 0, "N", "listening socket that was passed"},
	{"pki", 0, "DIR",
	 "folder with ca.pem, server.pem, server.key, crl.pem"},
	{"rate", 0, "N", "connections a second and address (default 64)"},
	{"log-level", 0, "LEVEL", "error, warn, info or debug"},
};

static const struct opt_command commands[] = {
	{.name = "",
	 .args = "",
	 .doc = "serve hosts and one manager program",
	 .opts = options,
	 .n_opts = sizeof(options) / sizeof(options[0])},
};

static const struct opt_program program = {
	.name = "reconcile-channel",
	.doc = "the manager's end of the channel to the hosts",
	.commands = commands,
	.n_commands = 1,
};

/* --- sockets ---------------------------------------------------------------
 */
/* A socket that nobody listens on is what a killed channel left. */
static int remove_stale(const struct sockaddr_un *at, struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;
	int cause = 0;

	if (fd < 0)
		return err_sys(err, errno, "socket");
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) < 0)
		cause = errno;
	(void)close(fd);
	if (cause == 0)
		return err_set(err, ERR_CONFLICT,
			       "%s: a channel is running already",
			       at->sun_path);
	if (cause == ECONNREFUSED && lstat(at->sun_path, &st) == 0 &&
	    S_ISSOCK(st.st_mode) && unlink(at->sun_path) < 0)
		return err_sys(err, errno, "remove %s", at->sun_path);
	return 0;
}

static int listen_core(const char *path, int *out_fd, struct err *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, r;

	if (strlen(path) >= sizeof(at.sun_path))
		return err_set(err, ERR_INPUT, "--socket: path is too long");
	memcpy(at.sun_path, path, strlen(path) + 1);
	r = remove_stale(&at, err);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, errno, "socket");
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fd, CORE_BACKLOG) < 0) {
		r = err_sys(err, errno, "listen on %s", path);
		(void)close(fd);
	} else {
		*out_fd = fd;
	}
	(void)umask(mask);
	return r;
}

static int passed_socket(const char *text, int *out_fd, struct err *err)
{
	int listening = 0;
	socklen_t len = sizeof(listening);
	uint64_t n;

	if (!num_parse_u64(text, strlen(text), 1024, &n) || n < 3)
		return err_set(err, ERR_INPUT,
			       "--listen-fd: want a number from 3");
	if (getsockopt((int)n, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) <
		    0 ||
	    !listening)
		return err_set(err, ERR_INPUT,
			       "--listen-fd: descriptor %d does not listen",
			       (int)n);
	if (fcntl((int)n, F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl((int)n, F_SETFD, FD_CLOEXEC) < 0)
		return err_sys(err, errno, "--listen-fd");
	*out_fd = (int)n;
	return 0;
}

static int open_listener(const struct opt_values *v, int *out_fd,
			 struct err *err)
{
	const char *at = opt_get(v, "listen");
	const char *fd = opt_get(v, "listen-fd");
	char text[ADDRESS_TEXT_MAX];
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct address address;
	int r;

	if (!at == !fd)
		return err_set(err, ERR_INPUT,
			       "want one of --listen and --listen-fd");
	if (fd)
		return passed_socket(fd, out_fd, err);
	r = address_parse(at, &address, err);
	if (r == 0)
		r = address_listen(&address, out_fd, err);
	if (r < 0)
		return r == ERR_INPUT ? err_wrap(err, "--listen") : r;
	if (getsockname(*out_fd, (struct sockaddr *)&sa, &len) == 0) {
		address_text((struct sockaddr *)&sa, len, text);
		log_line(LOG_LEVEL_INFO, "channel.listen", "address=%s", text);
	}
	return 0;
}

/* --- events ----------------------------------------------------------------
 */
static void on_host(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;

	(void)what;
	peer_accept(&p->srv, fd);
}

static void on_core(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (conn >= 0)
		core_accept(&p->srv, conn);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;

	(void)fd;
	(void)what;
	(void)event_base_loopbreak(p->srv.base);
}

static void on_reload(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	struct err err = {0};

	(void)fd;
	(void)what;
	(void)core_reload(&p->srv, &err);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	struct server *srv = &p->srv;
	int64_t now = clock_unix_ms() / 1000;

	(void)fd;
	(void)what;
	peer_sweep(srv, false);
	if (srv->tls && tls_crl_until(srv->tls) <= now &&
	    now - srv->crl_alarm >= CRL_ALARM_S) {
		srv->crl_alarm = now;
		log_line(LOG_LEVEL_ERROR, "channel.crl",
			 "reason=\"revocation list has ended: nobody new is "
			 "let in\"");
	}
}

static int watch(struct program *p, int fd, short what, int seconds,
		 event_callback_fn fn, struct err *err)
{
	struct timeval tv = {.tv_sec = seconds};
	struct event *ev =
		event_new(p->srv.base, fd, (short)(what | EV_PERSIST), fn, p);

	if (!ev || event_add(ev, seconds ? &tv : NULL) < 0)
		return err_set(err, ERR_NOMEM, "event");
	p->events[p->n_events++] = ev;
	return 0;
}

static int watch_all(struct program *p, struct err *err)
{
	int r;

	r = watch(p, p->listener, EV_READ, 0, on_host, err);
	if (r == 0)
		r = watch(p, p->core_listener, EV_READ, 0, on_core, err);
	if (r == 0)
		r = watch(p, SIGTERM, EV_SIGNAL, 0, on_stop, err);
	if (r == 0)
		r = watch(p, SIGINT, EV_SIGNAL, 0, on_stop, err);
	if (r == 0)
		r = watch(p, SIGHUP, EV_SIGNAL, 0, on_reload, err);
	if (r == 0)
		r = watch(p, -1, 0, SERVER_SWEEP_S, on_sweep, err);
	return r;
}

/* --- start -----------------------------------------------------------------
 */
static int read_level(const struct opt_values *v, struct err *err)
{
	const char *want = opt_get(v, "log-level");
	enum log_level level = LOG_LEVEL_INFO;

	if (want && !log_level_parse(want, &level))
		return err_set(err, ERR_INPUT,
			       "--log-level: want error, warn, info or debug");
	log_init("reconcile-channel", level);
	return 0;
}

static int read_rate(struct program *p, const struct opt_values *v,
		     struct err *err)
{
	const char *text = opt_get(v, "rate");
	uint64_t n = RATE_PER_SECOND;
	uint64_t key;

	if (text && (!num_parse_u64(text, strlen(text), 100000, &n) || n == 0))
		return err_set(err, ERR_INPUT, "--rate: want 1 to 100000");
	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return err_sys(err, errno, "random numbers");
	p->srv.rate =
		rate_new((uint32_t)n, text ? (uint32_t)n : RATE_BURST, key);
	return p->srv.rate ? 0 : err_set(err, ERR_NOMEM, "rate table");
}

static int open_pki(struct program *p, const char *dir, struct err *err)
{
	p->srv.pki_dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->srv.pki_dir < 0)
		return err_sys(err, errno, "open %s", dir);
	return tls_server_new(p->srv.pki_dir, &p->srv.tls, err);
}

static int confine(const char *pki, struct err *err)
{
	const struct sandbox_path paths[] = {{pki, false}};
	const struct sandbox profile = {
		.name = "reconcile-channel",
		.allow = SANDBOX_FILE_READ | SANDBOX_ACCEPT,
		.paths = paths,
		.n_paths = 1,
		.landlock = true,
	};
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max
							       : FILES_WANTED;
		files.rlim_max = files.rlim_cur;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	return sandbox_enter(&profile, err);
}

static int start(struct program *p, const struct opt_values *v, struct err *err)
{
	const char *socket_path = opt_get(v, "socket");
	const char *pki = opt_get(v, "pki");
	int r;

	if (!socket_path || !pki)
		return err_set(err, ERR_INPUT, "want --socket and --pki");
	r = read_level(v, err);
	if (r == 0)
		r = read_rate(p, v, err);
	if (r == 0)
		r = tls_start(err);
	if (r == 0)
		r = open_pki(p, pki, err);
	if (r == 0)
		r = notify_open(getenv("NOTIFY_SOCKET"), &p->notify, err);
	if (r == 0)
		r = open_listener(v, &p->listener, err);
	if (r == 0)
		r = listen_core(socket_path, &p->core_listener, err);
	if (r < 0)
		return r;
	(void)signal(SIGPIPE, SIG_IGN);
	p->srv.base = event_base_new();
	if (!p->srv.base)
		return err_set(err, ERR_NOMEM, "event loop");
	r = watch_all(p, err);
	return r == 0 ? confine(pki, err) : r;
}

static void stop(struct program *p)
{
	if (p->srv.base) {
		notify_send(p->notify, "STOPPING=1");
		peer_end_all(&p->srv, "STOPPED", "the channel is stopping");
		core_release(&p->srv);
	}
	for (size_t i = 0; i < p->n_events; i++)
		event_free(p->events[i]);
	if (p->srv.base)
		event_base_free(p->srv.base);
	tls_free(p->srv.tls);
	rate_free(p->srv.rate);
}

int main(int argc, char **argv)
{
	struct program p = {.listener = -1,
			    .core_listener = -1,
			    .notify = -1,
			    .srv = {.pki_dir = -1}};
	struct opt_values v;
	struct err err = {0};
	int r;

	log_init("reconcile-channel", LOG_LEVEL_INFO);
	r = opt_parse(&program, argc, argv, &v, &err);
	if (r == 0 && opt_get(&v, "help")) {
		opt_help(&program, &commands[0], stdout);
		return 0;
	}
	if (r == 0)
		r = start(&p, &v, &err);
	if (r == 0) {
		notify_send(p.notify, "READY=1");
		log_line(LOG_LEVEL_INFO, "channel.ready", "crl_until=%lld",
			 (long long)tls_crl_until(p.srv.tls));
		if (event_base_dispatch(p.srv.base) < 0)
			r = err_set(&err, ERR_SYS, "event loop");
	}
	stop(&p);
	if (r < 0)
		(void)fprintf(stderr, "reconcile-channel: %s: %s\n",
			      err_name(r), err.msg);
	return err_exit_status(r);
}

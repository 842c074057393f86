/* life.c - see life.h.  Runs on the host. */
#include "engine/run/life.h"

#include "engine/run/group.h"
#include "engine/run/hooks.h"
#include "engine/run/link.h"
#include "engine/run/notify.h"
#include "lib/file.h"
#include "lib/num.h"
#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LIFE_ARENA_BYTES (64u << 20)
#define LIFE_KILL_MS 10000

static const struct {
	const char *name;
	int sig;
} life_signals[] = {
	{"ABRT", SIGABRT},     {"ALRM", SIGALRM},     {"BUS", SIGBUS},
	{"CHLD", SIGCHLD},     {"CLD", SIGCHLD},      {"CONT", SIGCONT},
	{"FPE", SIGFPE},       {"HUP", SIGHUP},	      {"ILL", SIGILL},
	{"INT", SIGINT},       {"IO", SIGIO},	      {"IOT", SIGIOT},
	{"KILL", SIGKILL},     {"PIPE", SIGPIPE},     {"POLL", SIGPOLL},
	{"PROF", SIGPROF},     {"PWR", SIGPWR},	      {"QUIT", SIGQUIT},
	{"SEGV", SIGSEGV},     {"STKFLT", SIGSTKFLT}, {"STOP", SIGSTOP},
	{"SYS", SIGSYS},       {"TERM", SIGTERM},     {"TRAP", SIGTRAP},
	{"TSTP", SIGTSTP},     {"TTIN", SIGTTIN},     {"TTOU", SIGTTOU},
	{"URG", SIGURG},       {"USR1", SIGUSR1},     {"USR2", SIGUSR2},
	{"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH},   {"XCPU", SIGXCPU},
	{"XFSZ", SIGXFSZ},
};

static int life_realtime(const char *text)
{
	uint64_t n = 0;
	bool from_end = strncasecmp(text, "RTMAX-", 6) == 0;

	if (strcasecmp(text, "RTMIN") == 0)
		return 34;
	if (strcasecmp(text, "RTMAX") == 0)
		return 64;
	if (!from_end && strncasecmp(text, "RTMIN+", 6) != 0)
		return -1;
	if (!num_parse_u64(text + 6, strlen(text + 6), 30, &n))
		return -1;
	return from_end ? 64 - (int)n : 34 + (int)n;
}

int life_signal(const char *text)
{
	uint64_t n = 0;
	size_t i;

	if (num_parse_u64(text, strlen(text), 64, &n))
		return (int)n;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (i = 0; i < sizeof(life_signals) / sizeof(life_signals[0]); i++)
		if (strcasecmp(text, life_signals[i].name) == 0)
			return life_signals[i].sig;
	return life_realtime(text);
}

int life_read_spec(struct life *l, struct err *err)
{
	struct buf b;
	int r;

	buf_init(&b, SPEC_MAX_BYTES);
	r = file_read(l->dir_fd, "config.json", SPEC_MAX_BYTES, &b, err);
	if (r == 0)
		r = spec_read(b.data, b.len, l->arena, &l->spec, err);
	buf_release(&b);
	l->has_spec = r == 0;
	return r;
}

int life_find(struct life *l, const char *root, const char *id, struct err *err)
{
	int r;

	*l = (struct life){.root_fd = -1, .dir_fd = -1};
	l->arena = arena_new(LIFE_ARENA_BYTES);
	r = state_check_id(id, err);
	if (r == 0) {
		r = state_open_root(root, false, &l->root_fd, err);
		if (r == ERR_NOTFOUND)
			r = err_set(err, ERR_NOTFOUND,
				    "container \"%s\" does not exist", id);
	}
	if (r == 0)
		r = state_open(l->root_fd, id, &l->dir_fd, err);
	if (r == 0)
		r = state_read(l->dir_fd, l->arena, &l->state, err);
	if (r < 0) {
		life_release(l);
		return r;
	}
	if (l->state.id == NULL)
		l->state.id = arena_strdup(l->arena, id);
	r = state_status(l->dir_fd, &l->state, &l->status, err);
	if (r < 0)
		life_release(l);
	return r;
}

static bool life_may_be_frozen(const struct life *l)
{
	return l->status == STATE_RUNNING || l->status == STATE_CREATED;
}

int life_groups(struct life *l, struct err *err)
{
	int r = 0;

	/* rootless: an empty path where no group could be made */
	l->cgroup.marks = -1;
	if (l->state.cgroup != NULL && l->state.cgroup[0] != '\0') {
		r = cgroup_init(&l->cgroup, CGROUP_ROOT, false, l->state.cgroup,
				err);
		l->cgroup.marks = l->root_fd;
		if (r == 0)
			r = cgroup_open_few(&l->cgroup, err);
		/* where no hierarchy is mounted none was used */
		if (r == ERR_NOTFOUND)
			r = 0;
	}
	if (r == 0 && life_may_be_frozen(l) && cgproc_is_frozen(&l->cgroup))
		l->status = STATE_PAUSED;
	return r;
}

int life_look(struct life *l, const char *root, const char *id, struct err *err)
{
	int frozen, r = life_find(l, root, id, err);

	if (r < 0 || !life_may_be_frozen(l) || l->state.cgroup == NULL)
		return r;
	frozen = cgproc_peek_frozen(CGROUP_ROOT, l->state.cgroup);
	if (frozen > 0)
		l->status = STATE_PAUSED;
	else if (frozen < 0)
		r = life_groups(l, err);
	if (r < 0)
		life_release(l);
	return r;
}

int life_open(struct life *l, const char *root, const char *id, struct err *err)
{
	int r = life_find(l, root, id, err);

	if (r == 0) {
		r = life_groups(l, err);
		if (r < 0)
			life_release(l);
	}
	return r;
}

void life_release(struct life *l)
{
	cgroup_release(&l->cgroup);
	if (l->dir_fd >= 0)
		(void)close(l->dir_fd);
	if (l->root_fd >= 0)
		(void)close(l->root_fd);
	arena_free(l->arena);
	*l = (struct life){.root_fd = -1, .dir_fd = -1};
}

static int life_hooks(struct life *l, const char *name, struct err *err)
{
	bool stop = strcmp(name, "poststop") == 0;
	bool warn = stop || hooks_poststart_warns(l->state.version);
	struct hooks_how how = {.dir = l->state.bundle,
				.warn = warn ? &l->warn : NULL};
	const struct spec_hook_list *list;
	struct buf b;
	int r;

	if (!(stop ? l->state.poststop : l->state.poststart))
		return 0;
	if (!l->has_spec && life_read_spec(l, err) < 0)
		return stop ? 0 : err->code;
	list = stop ? &l->spec.hooks.poststop : &l->spec.hooks.poststart;
	buf_init(&b, SPEC_MAX_BYTES);
	r = hooks_state(&l->state, stop ? STATE_STOPPED : STATE_RUNNING, &b,
			err);
	if (r == 0)
		r = hooks_run(list, name, &how, &b, err);
	buf_release(&b);
	return r;
}

static int life_connect(struct life *l, int *out_sock, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return err_sys(err, errno, "socket");
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path),
		       "/proc/self/fd/%d/" STATE_SOCKET, l->dir_fd);
	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int saved = errno;

		(void)close(sock);
		return err_sys(err, saved, "connect to the first process");
	}
	*out_sock = sock;
	return 0;
}

/* Until its program runs; the spec is read only where a listener wants it. */
static int life_begin(struct life *l, int sock, struct err *err)
{
	struct notify_to to = {&l->spec, &l->state, STATE_CREATING,
			       l->state.pid};
	int fd = -1;
	int r = notify_wait(sock, &fd, err);

	if (r < 0 || fd < 0)
		return r;
	if (!l->has_spec)
		r = life_read_spec(l, err);
	if (r == 0)
		return notify_deliver(sock, fd, &to, err);
	(void)close(fd);
	return r;
}

int life_start(struct life *l, struct err *err)
{
	bool destroy = false;
	int sock = -1, r;

	if (l->status != STATE_CREATED)
		return err_set(err, ERR_CONFLICT,
			       "cannot start a container that is %s, want "
			       "created",
			       state_status_name(l->status));
	r = life_connect(l, &sock, err);
	if (r < 0)
		return r;
	r = link_send(sock, LINK_START, 0, NULL, err);
	if (r == 0)
		r = life_begin(l, sock, err);
	(void)close(sock);
	(void)unlinkat(l->dir_fd, STATE_SOCKET, 0);
	if (r < 0 && life_read_spec(l, NULL) == 0)
		destroy = l->spec.hooks.start_container.n > 0;
	if (r == 0) {
		r = life_hooks(l, "poststart", err);
		destroy = r < 0;
	}
	/* runtime.md, "Lifecycle", 7 and 9: on with step 12 */
	if (destroy && life_groups(l, NULL) == 0)
		(void)life_delete(l, true, NULL);
	return r;
}

int life_kill(struct life *l, int sig, bool all, struct err *err)
{
	int pidfd, r = 0;

	/* What init has left running without a pid namespace is there after
	 * its end too; that nothing is, is no error then. */
	if (all && l->status != STATE_CREATING && l->cgroup.n > 0) {
		r = sig == SIGKILL ? cgproc_kill(&l->cgroup, err)
				   : cgproc_signal(&l->cgroup, sig, err);
		return r == ERR_NOTFOUND ? 0 : r;
	}
	pidfd = state_pidfd(&l->state);
	if (pidfd < 0 || l->status == STATE_STOPPED ||
	    l->status == STATE_CREATING) {
		if (pidfd >= 0)
			(void)close(pidfd);
		return err_set(err, ERR_CONFLICT, "container not running (%s)",
			       state_status_name(l->status));
	}
	if (sys_pidfd_signal(pidfd, sig) < 0)
		r = err_sys(err, errno, "signal %d", sig);
	(void)close(pidfd);
	/* v1 keeps even a killed process in the freezer. */
	if (r == 0 && sig == SIGKILL && l->status == STATE_PAUSED)
		(void)cgproc_freeze(&l->cgroup, false, NULL);
	return r;
}

static int life_end(struct life *l, struct err *err)
{
	struct pollfd p = {.fd = state_pidfd(&l->state), .events = POLLIN};
	int r;

	if (p.fd < 0 && errno != ESRCH)
		return err_sys(err, errno, "look at process %d", l->state.pid);
	if (p.fd >= 0)
		(void)sys_pidfd_signal(p.fd, SIGKILL);
	r = cgproc_kill(&l->cgroup, err);
	if (r == 0 && p.fd >= 0 && poll(&p, 1, LIFE_KILL_MS) == 0)
		r = err_set(err, ERR_AGAIN, "process %d survives SIGKILL",
			    l->state.pid);
	if (p.fd >= 0)
		(void)close(p.fd);
	return r;
}

int life_delete(struct life *l, bool force, struct err *err)
{
	int r = 0;

	if (!force && l->status != STATE_STOPPED)
		return err_set(err, ERR_CONFLICT,
			       "cannot delete container %s that is not "
			       "stopped: %s",
			       l->state.id, state_status_name(l->status));
	if (l->state.cgroup != NULL) {
		r = life_end(l, err);
		if (r == 0)
			r = group_remove(l, err);
	}
	/* The spec wants failures of poststop logged, not fatal; the state
	 * goes in any case so that delete stays harmless when repeated. */
	if (r == 0 && l->state.pid > 0)
		(void)life_hooks(l, "poststop", err);
	if (r == 0)
		r = state_remove(l->root_fd, l->state.id, err);
	return r;
}

int life_pause(struct life *l, bool frozen, struct err *err)
{
	enum state_status want = frozen ? STATE_RUNNING : STATE_PAUSED;

	if (l->status != want && !(frozen && l->status == STATE_CREATED))
		return err_set(err, ERR_CONFLICT,
			       "cannot %s a container that is %s",
			       frozen ? "pause" : "resume",
			       state_status_name(l->status));
	return cgproc_freeze(&l->cgroup, frozen, err);
}

int life_update(struct life *l, const struct spec_resources *res,
		struct err *err)
{
	if (l->status == STATE_STOPPED || l->status == STATE_CREATING)
		return err_set(err, ERR_CONFLICT,
			       "cannot update a container that is %s",
			       state_status_name(l->status));
	return group_update(l, res, err);
}

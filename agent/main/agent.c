/*
 * agent.c - set-up in order, the loop, and leaving: pods stay.
 */
#include "agent/main/agent.h"
#include "audit/key.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/kernel.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_MS 1000
#define INIT_BYTES_MAX (4u << 20)
#define JOIN_BYTES_MAX (1u << 20)

struct agent_pod *agent_io(struct pod *p)
{
	return p->io;
}

void agent_coded(char dst[POD_TEXT_BYTES], enum code_id code, const char *text)
{
	char all[POD_TEXT_BYTES];

	(void)snprintf(all, sizeof(all), "%s %s", code_id(code), text);
	pod_message(dst, all);
}

int64_t agent_now(void)
{
	return clock_boot_ms();
}

int agent_read(int dirfd, const char *name, size_t max, struct buf *out,
	       struct err *err)
{
	return file_read(dirfd, name, max, out, err);
}

int agent_write(int dirfd, const char *name, const struct buf *b,
		struct err *err)
{
	char temp[80];
	int fd, r;

	(void)snprintf(temp, sizeof(temp), ".%.64s.tmp", name);
	fd = openat(dirfd, temp,
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return err_sys(err, errno, "make %s", temp);
	r = file_write_fd(fd, b->data, b->len, err);
	(void)close(fd);
	if (r == 0 && renameat(dirfd, temp, dirfd, name) < 0)
		r = err_sys(err, errno, "replace %s", name);
	if (r < 0)
		(void)unlinkat(dirfd, temp, 0);
	return r;
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct agent *a = ctx;

	(void)fd;
	(void)what;
	act_turn(a);
	if (a->dirty && !evtimer_pending(a->report_timer, NULL)) {
		struct timeval tv = {.tv_usec = AGENT_COALESCE_MS * 1000};

		(void)evtimer_add(a->report_timer, &tv);
	}
}

void agent_kick(struct agent *a)
{
	a->dirty = true;
	event_active(a->turn, EV_TIMEOUT, 0);
}

static void on_report(evutil_socket_t fd, short what, void *ctx)
{
	struct agent *a = ctx;

	(void)fd;
	(void)what;
	a->dirty = false;
	netcall_services(a);
	report_send(a);
	report_status_file(a);
}

static void on_beat(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	trust_beat(ctx);
	report_send(ctx);
}

static void on_signal(evutil_socket_t fd, short what, void *ctx)
{
	struct agent *a = ctx;

	(void)fd;
	(void)what;
	a->stopping = true;
	(void)event_base_loopbreak(a->base);
}

/* sd_notify(3): one datagram; nothing when not under systemd. */
static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n < 2 || n >= sizeof(sa.sun_path))
		return;
	memcpy(sa.sun_path, path, n);
	if (sa.sun_path[0] == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		     (struct sockaddr *)&sa,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	(void)close(fd);
}

/* --- set-up
 * -------------------------------------------------------------------- */

/* Pods come and go together, and ext4 puts neighbours of one folder into one
 * group of inodes, where without a journal it walks past all that were freed
 * in the last minutes: half of a start's time after some roll-outs.  This flag
 * gives each pod a group of its own.  Other file systems refuse it. */
static int open_pods(int dirfd, struct err *err)
{
	int fd, flags = 0, r = file_mkdirs(dirfd, "pods", 0711, &fd, err);

	if (r < 0)
		return r;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & FS_TOPDIR_FL) == 0) {
		flags |= FS_TOPDIR_FL;
		(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	(void)close(fd);
	return 0;
}

/* A child that an agent killed just now had under way may hold its lock for the
 * moment until it has executed. */
static int take_lock(struct agent *a, struct err *err)
{
	int64_t until = clock_boot_ms() + LOCK_MS;
	int r;

	while ((r = file_lock(a->state_fd, "lock", &a->lock_fd, err)) ==
		       ERR_AGAIN &&
	       clock_boot_ms() < until)
		(void)usleep(10000);
	if (r == ERR_AGAIN)
		r = err_set(err, ERR_AGAIN,
			    "another reconcile-agent works on %s",
			    a->conf.state_dir);
	return r;
}

static int open_dirs(struct agent *a, struct err *err)
{
	int fd, r = file_mkdirs(AT_FDCWD, a->conf.state_dir, 0700, &a->state_fd,
				err);

	if (r == 0)
		r = file_mkdirs(AT_FDCWD, a->conf.run_dir, 0711, &a->run_fd,
				err);
	/* Containers reach their binds by descriptor, but their ids must be
	 * able to pass through. */
	if (r == 0 && fchmod(a->run_fd, 0711) < 0)
		r = err_sys(err, errno, "mode of %s", a->conf.run_dir);
	if (r == 0)
		r = take_lock(a, err);
	if (r == 0) {
		r = file_mkdirs(a->run_fd, "engine", 0700, &fd, err);
		if (r == 0)
			(void)close(fd);
	}
	if (r == 0)
		r = open_pods(a->state_fd, err);
	if (r == 0)
		r = open_pods(a->run_fd, err);
	return r;
}

/* The sandbox's root: a folder with nothing but init in it. */
static int make_pause(struct agent *a, struct err *err)
{
	char path[4300];
	struct buf b;
	int fd, r;

	(void)snprintf(path, sizeof(path), "%s/reconcile-init",
		       a->conf.libexec);
	buf_init(&b, INIT_BYTES_MAX);
	r = file_read(AT_FDCWD, path, INIT_BYTES_MAX, &b, err);
	if (r == 0)
		r = file_mkdirs(a->run_fd, "pause", 0755, &fd, err);
	if (r == 0) {
		static const char *const dirs[] = {"dev", "proc", "sys"};

		if (fchmod(fd, 0755) < 0)
			r = err_sys(err, errno, "mode of pause");
		for (size_t i = 0; i < 3; i++)
			(void)mkdirat(fd, dirs[i], 0755);
		if (r == 0)
			r = file_replace(fd, "init", 0755, b.data, b.len, err);
		(void)close(fd);
	}
	buf_release(&b);
	return r < 0 ? err_wrap(err, "sandbox") : 0;
}

static int read_boot_id(struct agent *a, struct err *err)
{
	struct buf b;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "boot id");
	buf_init(&b, 256);
	r = file_read_fd(fd, 128, &b, err);
	(void)close(fd);
	if (r == 0)
		(void)snprintf(a->boot_id, sizeof(a->boot_id), "%.*s",
			       (int)strcspn(b.data, "\n"), b.data);
	buf_release(&b);
	return r;
}

static int read_packed(struct agent *a, const char *name, struct buf *b,
		       struct err *err)
{
	int r = agent_read(a->state_fd, name, JOIN_BYTES_MAX, b, err);

	if (r == ERR_NOTFOUND)
		return err_set(err, ERR_NOTFOUND,
			       "this host has not joined: run "
			       "reconcile-agent join TOKEN");
	return r;
}

static char *taint_part(struct arena *arena, const char *value, bool effect)
{
	const char *colon = strrchr(value, ':');

	if (!colon)
		return arena_strdup(arena, effect ? value : "");
	return effect ? arena_strdup(arena, colon + 1)
		      : arena_strndup(arena, value, (size_t)(colon - value));
}

static void take_join(struct agent *a)
{
	Channel__JoinReply *j = a->join;
	const char **keys = arena_calloc(a->arena, j->n_taints + 1, 8);
	const char **values = arena_calloc(a->arena, j->n_taints + 1, 8);
	const char **effects = arena_calloc(a->arena, j->n_taints + 1, 8);

	a->host.name = a->conf.name;
	a->host.labels.items =
		arena_calloc(a->arena, j->n_labels + 1, sizeof(struct keyval));
	for (size_t i = 0; i < j->n_labels; i++)
		a->host.labels.items[a->host.labels.n++] =
			(struct keyval){j->labels[i]->key, j->labels[i]->value,
					strlen(j->labels[i]->value)};
	for (size_t i = 0; i < j->n_taints; i++) {
		keys[i] = j->taints[i]->key;
		values[i] = taint_part(a->arena, j->taints[i]->value, false);
		effects[i] = taint_part(a->arena, j->taints[i]->value, true);
	}
	a->host.taint_keys = keys;
	a->host.taint_values = values;
	a->host.taint_effects = effects;
	a->host.n_taints = j->n_taints;
}

/* What the join pinned, from our own copies. */
int agent_load_join(struct agent *a, struct err *err)
{
	struct buf b;
	int r;

	buf_init(&b, JOIN_BYTES_MAX);
	r = read_packed(a, "trust-root.pb", &b, err);
	if (r == 0)
		a->trust = verify__trust_root__unpack(NULL, b.len,
						      (uint8_t *)b.data);
	buf_reset(&b);
	if (r == 0)
		r = read_packed(a, "join.pb", &b, err);
	if (r == 0)
		a->join = channel__join_reply__unpack(NULL, b.len,
						      (uint8_t *)b.data);
	buf_release(&b);
	if (r < 0)
		return r;
	if (!a->trust || !a->join ||
	    !assign_cidr(a->join->pod_cidr, &a->pod_cidr, &a->pod_prefix))
		return err_set(err, ERR_INPUT,
			       "trust-root.pb, join.pb: not as the join "
			       "wrote them");
	if (a->join->service_cidr[0] != '\0' &&
	    !assign_cidr(a->join->service_cidr, &a->host.service_cidr,
			 &a->host.service_prefix))
		return err_set(err, ERR_INPUT, "join.pb: service network");
	a->gateway = a->pod_cidr + 1;
	take_join(a);
	return 0;
}

static int open_audit(struct agent *a, struct err *err)
{
	char dir[4300], key[4300], origin[320];
	int fd = -1;
	int r;

	(void)snprintf(dir, sizeof(dir), "%s/audit", a->conf.state_dir);
	(void)snprintf(key, sizeof(key), "%s/audit/log.key", a->conf.state_dir);
	(void)snprintf(origin, sizeof(origin), "reconcile/host/%s",
		       a->conf.name);
	r = file_mkdirs(a->state_fd, "audit", 0700, &fd, err);
	if (r < 0)
		return r;
	(void)close(fd);
	r = audit_key_generate(key, err);
	if (r < 0 && r != ERR_CONFLICT)
		return r;
	return audit_client_open(a->conf.libexec, dir, key, origin, &a->audit,
				 err);
}

static int open_pools(struct agent *a, struct err *err)
{
	uint32_t n = 1u << (32 - a->pod_prefix);
	int r = pool_init(&a->ranges, (uint32_t)a->conf.userns_count, err);

	if (r == 0)
		r = pool_init(&a->addresses, n < POOL_MAX ? n : POOL_MAX, err);
	/* network, gateway and broadcast are nobody's */
	if (r == 0)
		r = pool_claim(&a->addresses, 0, err);
	if (r == 0)
		r = pool_claim(&a->addresses, 1, err);
	if (r == 0 && n <= POOL_MAX)
		r = pool_claim(&a->addresses, n - 1, err);
	return r;
}

static int open_images(struct agent *a, struct err *err)
{
	char path[4300];
	struct image_store_config c = {
		.path = path,
		.libexec = a->conf.libexec,
		.uid_base = (uid_t)a->conf.userns_base,
		.gid_base = (gid_t)a->conf.userns_base,
	};

	(void)snprintf(path, sizeof(path), "%s/images", a->conf.state_dir);
	return image_store_new(&c, &a->images, err);
}

static int open_loop(struct agent *a, struct err *err)
{
	struct timeval beat = {.tv_sec = AGENT_REPORT_MS / 1000};

	a->base = event_base_new();
	if (!a->base)
		return err_set(err, ERR_NOMEM, "event loop");
	a->turn = event_new(a->base, -1, 0, on_turn, a);
	a->turn_timer = evtimer_new(a->base, on_turn, a);
	a->report_timer = evtimer_new(a->base, on_report, a);
	a->beat_timer = event_new(a->base, -1, EV_PERSIST, on_beat, a);
	a->on_term = evsignal_new(a->base, SIGTERM, on_signal, a);
	a->on_int = evsignal_new(a->base, SIGINT, on_signal, a);
	if (!a->turn || !a->turn_timer || !a->report_timer || !a->beat_timer ||
	    !a->on_term || !a->on_int ||
	    evtimer_add(a->beat_timer, &beat) < 0 ||
	    evsignal_add(a->on_term, NULL) < 0 ||
	    evsignal_add(a->on_int, NULL) < 0)
		return err_set(err, ERR_NOMEM, "event loop");
	return 0;
}

static int check_kernel(struct agent *a, struct err *err)
{
	int r = kernel_check_calls(err);

	(void)a;
	return r == 0 ? kernel_check_userns("/proc", err) : r;
}

struct step {
	const char *name;
	int (*run)(struct agent *a, struct err *err);
};

/* In this order: nothing acts before the audit log is open. */
static const struct step steps[] = {
	{"kernel", check_kernel},  {"folders", open_dirs},
	{"boot id", read_boot_id}, {"join", agent_load_join},
	{"audit", open_audit},	   {"loop", open_loop},
	{"numbers", open_pools},   {"images", open_images},
	{"sandbox", make_pause},   {"ratchet", apply_restore},
	{"pods", adopt_all},	   {"network", netcall_open},
};

int agent_init_offline(struct agent *a, struct err *err)
{
	int r;

	a->state_fd = a->run_fd = a->lock_fd = -1;
	(void)signal(SIGPIPE, SIG_IGN);
	r = open_dirs(a, err);
	if (r == ERR_AGAIN)
		r = err_set(err, ERR_AGAIN, "the agent runs: stop it first");
	if (r == 0)
		r = agent_load_join(a, err);
	return r == 0 ? open_audit(a, err) : r;
}

int agent_init(struct agent *a, struct err *err)
{
	a->state_fd = a->run_fd = a->lock_fd = -1;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(022);
	if (getrandom(&a->session, sizeof(a->session), 0) != sizeof(a->session))
		return err_sys(err, errno, "random session number");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int r = steps[i].run(a, err);

		if (r < 0)
			return err_wrap(err, "%s", steps[i].name);
	}
	return 0;
}

int agent_run(struct agent *a, struct err *err)
{
	record_about(a, "agent.start", AUDIT_FACT, a->conf.name, a->accepted,
		     "", RECONCILE_VERSION);
	if (record_flush(a, err) < 0)
		return ERR_AUDIT;
	link_open(a);
	verify_begin(a);
	agent_kick(a);
	notify("READY=1");
	log_line(LOG_LEVEL_INFO, "agent.start", "host=%s epoch=%llu pods=%zu",
		 a->conf.name, (unsigned long long)a->epoch, a->n_pods);
	(void)event_base_dispatch(a->base);
	notify("STOPPING=1");
	(void)record_flush(a, NULL);
	return 0;
}

void agent_release(struct agent *a)
{
	struct event *events[] = {a->turn,	 a->turn_timer, a->report_timer,
				  a->beat_timer, a->on_term,	a->on_int,
				  a->link_timer, a->net_timer};

	sibling_stop(&a->link);
	sibling_stop(&a->verify);
	sibling_stop(&a->fetch);
	while (a->n_pods > 0)
		adopt_drop(a, a->pods[a->n_pods - 1]);
	sibling_stop(&a->net);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i])
			event_free(events[i]);
	if (a->base)
		event_base_free(a->base);
	audit_client_close(a->audit);
	image_store_free(a->images);
	pool_release(&a->ranges);
	pool_release(&a->addresses);
	if (a->now)
		channel__assignment__free_unpacked(a->now, NULL);
	if (a->next)
		channel__assignment__free_unpacked(a->next, NULL);
	verify__trust_root__free_unpacked(a->trust, NULL);
	channel__join_reply__free_unpacked(a->join, NULL);
	arena_free(a->snap.arena);
	arena_free(a->queue_arena);
}

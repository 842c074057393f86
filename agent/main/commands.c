/*
 * commands.c - join, status and reset.
 */
#include "agent/main/agent.h"
#include "agent/pod/volume.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define PB_BYTES_MAX (1u << 20)
#define STATUS_BYTES_MAX (8u << 20)
#define ENGINE_MS 10000
#define NET_MS 30000

/* --- join
 * ------------------------------------------------------------------------ */

/* The link has said why on standard error; its status is handed on. */
static int link_failed(int status, struct err *err)
{
	static const int codes[] = {ERR_INPUT,	  ERR_TRUST, ERR_DENIED,
				    ERR_CONFLICT, ERR_AGAIN, ERR_SYS};
	size_t i = 0;

	while (codes[i] != ERR_SYS && err_exit_status(codes[i]) != status)
		i++;
	return err_set(err, codes[i],
		       "nothing was joined (reconcile-link ended with "
		       "%d and said why)",
		       status);
}

static int run_link(const struct config *conf, const char *dir,
		    const char *token, bool again, struct err *err)
{
	char path[4300];
	const char *argv[] = {
		"reconcile-link", "--dir", dir, "--join", "-", NULL, NULL};
	int status = 0, p[2], r;
	struct proc proc;
	struct proc_spec spec = {.path = path,
				 .argv = argv,
				 .out = STDOUT_FILENO,
				 .err = STDERR_FILENO,
				 .die_with_parent = true};

	if (again)
		argv[5] = "--again";
	(void)snprintf(path, sizeof(path), "%s/reconcile-link", conf->libexec);
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	spec.in = p[0];
	r = proc_spawn(&spec, &proc, err);
	(void)close(p[0]);
	/* The token is a secret: not on a command line that others can read. */
	if (r == 0)
		r = file_write_fd(p[1], token, strlen(token), err);
	(void)close(p[1]);
	if (r == 0)
		r = proc_wait(&proc, -1, &status, err);
	if (r == 0 && status != 0)
		r = link_failed(status, err);
	return r;
}

/* Copies to a place that the link cannot write, so that what was pinned at the
 * join stays so whatever becomes of the link. */
static int pin(int state, const char *name, struct err *err)
{
	char from[64];
	struct buf b;
	int r;

	(void)snprintf(from, sizeof(from), "link/%s", name);
	buf_init(&b, PB_BYTES_MAX);
	r = file_read(state, from, PB_BYTES_MAX, &b, err);
	if (r == 0)
		r = file_replace(state, name, 0600, b.data, b.len, err);
	buf_release(&b);
	return r;
}

int commands_join(struct config *conf, const char *token, bool again,
		  struct err *err)
{
	char dir[4300];
	int state, link, r;

	(void)snprintf(dir, sizeof(dir), "%s/link", conf->state_dir);
	r = file_mkdirs(AT_FDCWD, conf->state_dir, 0700, &state, err);
	if (r < 0)
		return r;
	r = file_mkdirs(state, "link", 0700, &link, err);
	if (r == 0) {
		(void)close(link);
		r = run_link(conf, dir, token, again, err);
	}
	if (r == 0)
		r = pin(state, "trust-root.pb", err);
	if (r == 0)
		r = pin(state, "join.pb", err);
	(void)close(state);
	return r;
}

/* --- status
 * ---------------------------------------------------------------------- */

int commands_status(const struct config *conf, struct err *err)
{
	char path[4300];
	struct buf b;
	int r;

	(void)snprintf(path, sizeof(path), "%s/status.json", conf->run_dir);
	buf_init(&b, STATUS_BYTES_MAX);
	r = file_read(AT_FDCWD, path, STATUS_BYTES_MAX, &b, err);
	if (r == ERR_NOTFOUND)
		r = err_set(err, ERR_NOTFOUND,
			    "no status in %s: the agent has not run since the "
			    "last boot or reset",
			    conf->run_dir);
	if (r == 0)
		r = file_write_fd(STDOUT_FILENO, b.data, b.len, err);
	buf_release(&b);
	return r;
}

/* --- reset
 * ------------------------------------------------------------------------- */

static void engine_delete(const struct config *conf, const char *id)
{
	char path[4300], root[4300];
	const char *argv[] = {"reconcile-engine", "--root", root, "delete",
			      "--force",	  id,	    NULL};
	struct proc_spec spec = {.path = path,
				 .argv = argv,
				 .in = -1,
				 .out = -1,
				 .err = STDERR_FILENO};
	struct proc proc;
	int status;

	(void)snprintf(path, sizeof(path), "%s/reconcile-engine",
		       conf->libexec);
	(void)snprintf(root, sizeof(root), "%s/engine", conf->run_dir);
	if (proc_spawn(&spec, &proc, NULL) == 0 &&
	    proc_wait(&proc, ENGINE_MS, &status, NULL) < 0)
		proc_kill(&proc);
}

static int each_entry(int dir, const char *name,
		      void (*fn)(const struct config *, int, const char *),
		      const struct config *conf)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			fn(conf, dirfd(d), e->d_name);
	if (d)
		(void)closedir(d);
	return 0;
}

static void delete_container(const struct config *conf, int dir, const char *id)
{
	(void)dir;
	engine_delete(conf, id);
}

/* The monitor has no containers any more: ask it to end, as the agent does. */
static void end_monitor(const struct config *conf, int dir, const char *uid)
{
	struct agent a = {.conf = *conf};
	struct agent_pod io = {.agent = &a, .conn = -1};
	struct pod p = {.io = &io};
	struct monitor_event e;

	io.pod = &p;
	io.run_fd = openat(dir, uid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	a.base = event_base_new();
	for (int i = 0; i < 100 && io.run_fd >= 0 && a.base; i++) {
		if (watch_connect(&p, NULL) < 0)
			break;
		(void)watch_send(&p, MONITOR_END, "", 0, 0, NULL);
		(void)fcntl(io.conn, F_SETFL, 0);
		while (recv(io.conn, &e, sizeof(e), 0) > 0 &&
		       e.kind != MONITOR_REFUSED)
			continue;
		watch_release(&io);
	}
	if (a.base)
		event_base_free(a.base);
	if (io.run_fd >= 0)
		(void)close(io.run_fd);
}

static int reset_net(struct agent *a, struct err *err)
{
	static const char *const args[] = {NULL};
	struct net_setup s = {.gateway = a->gateway,
			      .cidr = a->pod_cidr,
			      .prefix = a->pod_prefix,
			      .service_cidr = a->host.service_cidr,
			      .service_prefix = a->host.service_prefix};
	struct net_plain t = {0};
	struct proc proc;
	struct msg in;
	int sock, r;

	(void)snprintf(s.bridge, sizeof(s.bridge), "%.15s", a->conf.bridge);
	(void)snprintf(s.table, sizeof(s.table), "reconcile_%.50s",
		       a->conf.name);
	for (char *p = s.table; *p; p++)
		if (*p == '.' || *p == '-')
			*p = '_';
	r = proc_sibling(a->conf.libexec, "reconcile-net", args, &proc, &sock,
			 err);
	if (r < 0)
		return r;
	msg_init(&in, 4096);
	r = msg_send(sock, NET_SETUP, &s, sizeof(s), NULL, 0, err);
	if (r == 0)
		r = msg_send(sock, NET_TEARDOWN, &t, sizeof(t), NULL, 0, err);
	for (int i = 0; r == 0 && i < 2; i++)
		r = msg_recv(sock, &in, NET_MS, err);
	msg_release(&in);
	(void)close(sock);
	proc_kill(&proc);
	return r;
}

/* Our parent cgroup in each hierarchy; only when it is empty. */
static void remove_cgroups(const struct config *conf)
{
	DIR *d = opendir("/sys/fs/cgroup");
	struct dirent *e;
	char path[4400];

	(void)snprintf(path, sizeof(path), "/sys/fs/cgroup%s",
		       conf->cgroup_parent);
	(void)rmdir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%.64s%s",
			       e->d_name, conf->cgroup_parent);
		(void)rmdir(path);
	}
	if (d)
		(void)closedir(d);
}

static int clear_run(struct agent *a, struct err *err)
{
	static const char *const gone[] = {"pods", "engine", "pause",
					   "status.json"};
	char pods[4300];
	int r;

	(void)snprintf(pods, sizeof(pods), "%s/pods", a->conf.run_dir);
	r = volume_unmount(pods, err);
	for (size_t i = 0; r == 0 && i < sizeof(gone) / sizeof(gone[0]); i++) {
		r = file_remove_tree(a->run_fd, gone[i], err);
		if (r == ERR_NOTFOUND)
			r = 0;
	}
	return r;
}

static int clear_state(struct agent *a, bool purge, struct err *err)
{
	static const char *const gone[] = {
		"pods",	    "assignment.pb", "images", "git",
		"accepted", "accepting",     "clock",  "trust-root.pb",
		"join.pb",  "link",	     "audit"};
	size_t n = purge ? sizeof(gone) / sizeof(gone[0]) : 2;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = file_remove_tree(a->state_fd, gone[i], err);
		if (r == ERR_NOTFOUND)
			r = 0;
	}
	return r;
}

int commands_reset(struct config *conf, bool purge, struct err *err)
{
	struct agent a = {.conf = *conf, .state_fd = -1, .run_fd = -1};
	struct err ignored = {0};
	int r;

	a.arena = arena_new(1u << 20);
	r = file_mkdirs(AT_FDCWD, conf->state_dir, 0700, &a.state_fd, err);
	if (r == 0)
		r = file_mkdirs(AT_FDCWD, conf->run_dir, 0711, &a.run_fd, err);
	if (r == 0)
		r = file_lock(a.state_fd, "lock", &a.lock_fd, err);
	if (r == ERR_AGAIN)
		r = err_set(err, ERR_AGAIN, "the agent runs: stop it first");
	if (r == 0) {
		(void)each_entry(a.run_fd, "engine", delete_container, conf);
		(void)each_entry(a.run_fd, "pods", end_monitor, conf);
		r = clear_run(&a, err);
	}
	if (r == 0 && agent_load_join(&a, &ignored) == 0)
		r = reset_net(&a, err);
	if (r == 0)
		remove_cgroups(conf);
	if (r == 0)
		r = clear_state(&a, purge, err);
	verify__trust_root__free_unpacked(a.trust, NULL);
	channel__join_reply__free_unpacked(a.join, NULL);
	arena_free(a.arena);
	return r;
}

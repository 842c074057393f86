/*
 * child.c - the first process's steps of run.h.
 *
 * Runs inside the new namespaces, at first with all capabilities of the
 * container's user namespace.  Hostile: the tree it mounts in, and whoever
 * shares a joined namespace.  Not dumpable from its first line, so that such
 * neighbours see neither its memory nor its descriptors (E02).
 */
#include "engine/run/child.h"

#include "engine/confine/ident.h"
#include "engine/confine/lsm.h"
#include "engine/rootfs/inroot.h"
#include "engine/rootfs/newfs.h"
#include "engine/run/final.h"
#include "engine/run/fore.h"
#include "engine/run/hooks.h"
#include "engine/run/link.h"
#include "engine/run/passfd.h"
#include "engine/run/sysctl.h"
#include "engine/sys/esys.h"
#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool child_is_mapped_by_user(const struct run *r)
{
	return r->opt.rootless && (r->ns.create & CLONE_NEWUSER) != 0;
}

int child_hide(struct run *r, struct err *err)
{
	/* The maps of one who cannot be dumped are root's alone to write. */
	bool open = child_is_mapped_by_user(r);

	(void)err;
#ifndef GUARD_OFF_DUMPABLE
	if (sys_prctl(PR_SET_DUMPABLE, open ? 1 : 0, 0, 0, 0) < 0)
		return err_sys(err, errno, "prctl");
#else
	(void)open;
#endif
	return 0;
}

int child_time_ns(struct run *r, struct err *err)
{
	if (!r->ns.create_time)
		return 0;
	return ns_time(&r->spec.linux_.offsets, !ns_joins(&r->ns), err);
}

int child_cgroup(struct run *r, struct err *err)
{
	return cgproc_enter(&r->cgroup, err);
}

int child_label(struct run *r, struct err *err)
{
	return lsm_open(r->spec.process, r->label_fd, &r->label_fd, err);
}

int child_wait(struct run *r, struct err *err)
{
	struct link_msg m;

	int rc = link_want(r->link[1], LINK_GO, &m, err);

	if (rc == 0 && child_is_mapped_by_user(r) &&
	    sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		rc = err_sys(err, errno, "prctl");
	return rc;
}

int child_ids(struct run *r, struct err *err)
{
	(void)umask(0022);
	if (r->map.n_uid == 0)
		return 0;
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return err_sys(err, errno, "setgroups");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(err, errno,
			       "become the container's root (want a mapping "
			       "of container id 0)");
	return 0;
}

/* Whoever possesses a keyring may read its keys, whatever user and namespace
 * he is in.  A system call that is not there for us is not there for the
 * container either. */
static int child_keyring(const struct run *r, struct err *err)
{
#ifndef GUARD_OFF_KEYRING
	if (!r->opt.keep_keyring && esys_new_keyring() < 0 && errno != ENOSYS &&
	    errno != EPERM)
		return err_sys(err, errno,
			       "new session keyring (--no-new-keyring keeps "
			       "the caller's)");
#else
	(void)r;
	(void)err;
#endif
	return 0;
}

int child_session(struct run *r, struct err *err)
{
	/* EPERM: already a leader, as pid 1 of a new namespace may be. */
	if (setsid() < 0 && errno != EPERM)
		return err_sys(err, errno, "setsid");
	return child_keyring(r, err);
}

int child_cgroup_ns(struct run *r, struct err *err)
{
	if (r->ns.create_cgroup && sys_unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(err, errno, "new cgroup namespace");
	return 0;
}

int child_names(struct run *r, struct err *err)
{
	const char *host = r->spec.hostname, *domain = r->spec.domainname;

	if (host != NULL && host[0] != '\0' &&
	    sethostname(host, strlen(host)) < 0)
		return err_sys(err, errno, "hostname");
	if (domain != NULL && domain[0] != '\0' &&
	    setdomainname(domain, strlen(domain)) < 0)
		return err_sys(err, errno, "domainname");
	return 0;
}

int child_loopback(struct run *r, struct err *err)
{
	struct ifreq req = {.ifr_name = "lo"};
	int fd, rc = 0;

	if ((r->ns.create & CLONE_NEWNET) == 0)
		return 0;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, errno, "socket");
	req.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &req) < 0)
		rc = err_sys(err, errno, "set lo up");
	(void)close(fd);
	return rc;
}

int child_root(struct run *r, struct err *err)
{
	return attach_root(&r->rootfs, err);
}

int child_mounts(struct run *r, struct err *err)
{
	return attach_mounts(&r->rootfs, err);
}

int child_dev(struct run *r, struct err *err)
{
	return dev_make(&r->rootfs, err);
}

int child_console(struct run *r, struct err *err)
{
	int master = -1, slave = -1, rc;

	if (!r->spec.process->terminal)
		return 0;
	rc = dev_make_console(&r->rootfs, &r->spec.process->console, &master,
			      &slave, err);
	if (rc < 0)
		return rc;
	rc = passfd_send(r->console_fd, master, err);
	(void)close(master);
	if (rc == 0)
		rc = final_terminal(slave, r->spec.process->user.uid, err);
	(void)close(slave);
	return rc;
}

static int child_run_hooks(struct run *r, const struct spec_hook_list *list,
			   const char *name, const struct hooks_how *how,
			   struct err *err)
{
	struct buf b;
	int rc;

	if (list->n == 0)
		return 0;
	buf_init(&b, SPEC_MAX_BYTES);
	r->state.pid = getpid();
	rc = hooks_state(&r->state, STATE_CREATED, &b, err);
	if (rc == 0)
		rc = hooks_run(list, name, how, &b, err);
	buf_release(&b);
	return rc;
}

int child_hooks(struct run *r, struct err *err)
{
	const struct hooks_how how = {.dir = r->state.bundle};
	struct link_msg m;
	int rc;

	if (!r->hooks_early)
		return 0;
	rc = link_send(r->link[1], LINK_HOOKS, 0, NULL, err);
	if (rc == 0)
		rc = link_want(r->link[1], LINK_NEXT, &m, err);
	if (rc == 0)
		rc = child_run_hooks(r, &r->spec.hooks.create_container,
				     "createContainer", &how, err);
	return rc;
}

/* Their programs are the image's: they get no right that the container's own
 * program has not, and no look at our environment. */
int child_start_hooks(struct run *r, struct err *err)
{
	const struct hooks_how how = {
		.dir = "/", .env = r->env, .confine = final_confine, .ctx = r};

	return child_run_hooks(r, &r->spec.hooks.start_container,
			       "startContainer", &how, err);
}

/* Images rely on it.  What cannot be made is told by the step that goes there;
 * it comes when the root may be read-only. */
int child_make_cwd(struct run *r, struct err *err)
{
	int fd = -1;

	(void)err;
	if (strcmp(r->spec.process->cwd, "/") != 0 &&
	    inroot_make(r->rootfs.root_fd, r->spec.process->cwd, INROOT_DIR,
			&fd, NULL) == 0)
		(void)close(fd);
	return 0;
}

int child_sysctl(struct run *r, struct err *err)
{
#ifdef GUARD_OFF_SYSCTL_PROC
	(void)!fchdir(r->rootfs.root_fd);
#endif
	return sysctl_write(&r->spec, err);
}

int child_pivot(struct run *r, struct err *err)
{
	return attach_pivot(&r->rootfs, err);
}

int child_masks(struct run *r, struct err *err)
{
	return mask_paths(&r->rootfs, err);
}

int child_finish(struct run *r, struct err *err)
{
	return attach_finish(&r->rootfs, err);
}

int child_join_mounts(struct run *r, struct err *err)
{
	const int ns = r->ns.fd[SPEC_NS_MOUNT];

	if (ns < 0)
		return 0;
	if (sys_setns(ns, CLONE_NEWNS) < 0)
		return err_sys(err, errno, "join the mount namespace");
	return attach_enter(&r->rootfs, err);
}

int child_find(struct run *r, struct err *err)
{
	const char *path = NULL;

	return ident_find(r->spec.process, r->arena, &path, err);
}

static void child_end(int sig)
{
	_exit(128 + sig);
}

/* The kernel keeps from the first process of a pid namespace what it has no
 * handler for, and `kill` of a created container shall end it.  execve takes
 * the handlers away.  They are there before `create` can have ended. */
static void child_mortal(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction end = {.sa_handler = child_end};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &end, NULL);
}

int child_ready(struct run *r, struct err *err)
{
	struct link_msg m;
	int rc;

	if (!r->opt.direct)
		child_mortal();
	rc = link_send(r->link[1], LINK_READY, 0, NULL, err);
	if (rc == 0)
		rc = link_want(r->link[1], LINK_READY, &m, err);
	if (rc < 0)
		return rc;
	r->filter.bpf = r->shared; /* borrowed from here on */
	r->filter.n = m.value & RUN_FILTER_INSNS;
	r->filter.flags = m.value >> RUN_FILTER_SHIFT;
	return 0;
}

/* It may wait for days, and a created container shall hold nothing of the host:
 * no mount busy, no directory for a hook or a neighbour to find (E04). */
static int child_shed(struct run *r, struct err *err)
{
	int at = 3 + (int)r->opt.preserve_fds;

	/* Out of the way, above all that stays. */
	if (r->label_fd >= 0)
		r->label_fd = fcntl(r->label_fd, F_DUPFD_CLOEXEC, at + 1);
	if (r->start_fd != at && dup3(r->start_fd, at, O_CLOEXEC) < 0)
		return err_sys(err, errno, "dup3");
	r->start_fd = at++;
	r->link[1] = -1;
	if (r->label_fd >= 0) {
		if (sys_close_range((unsigned int)at,
				    (unsigned int)r->label_fd - 1, 0) < 0 &&
		    r->label_fd > at)
			return err_sys(err, errno, "close_range");
		at = r->label_fd + 1;
	}
	if (sys_close_range((unsigned int)at, ~0u, 0) < 0)
		return err_sys(err, errno, "close_range");
	return 0;
}

/* Waits for `start`; r->conn is where a failure is to be told.  A client that
 * goes away without a word changes nothing. */
static int child_await_start(struct run *r, struct err *err)
{
	struct link_msg m;
	int conn, rc;

	if (r->opt.direct)
		return link_want(r->link[1], LINK_START, &m, err);
	rc = link_want(r->link[1], LINK_KEEP, &m, err);
	if (rc == 0)
		rc = child_shed(r, err);
	if (rc < 0)
		return rc;
	for (;;) {
		conn = accept4(r->start_fd, NULL, NULL, SOCK_CLOEXEC);
		if (conn < 0 && errno == EINTR)
			continue;
		if (conn < 0)
			return err_sys(err, errno, "accept");
		rc = link_recv(conn, &m, err);
		if (rc == 0 && m.type == LINK_START)
			break;
		if (rc < 0) /* silence would mean that it runs */
			(void)link_send(conn, LINK_ERROR, 0, err, NULL);
		(void)close(conn);
	}
	r->conn = conn;
	return 0;
}

int child_main(void *run)
{
	struct run *r = run;
	struct err err = {0};
	int rc;

	/* The engine's end must not be held open by us: its closing is how
	 * we learn that the engine is gone. */
	(void)close(r->link[0]);
	r->link[0] = -1;
	r->conn = r->link[1];
	fore_child();
	rc = run_side(r, RUN_CHILD, &err);
	if (rc == 0)
		rc = child_await_start(r, &err);
	if (rc == 0)
		rc = run_side(r, RUN_START, &err);
	(void)link_send(r->conn, LINK_ERROR, 0, &err, NULL);
	return 1;
}

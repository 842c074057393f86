/* ns.c - see ns.h. */
#include "engine/namespace/ns.h"

#include "engine/sys/esys.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/nsfs.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct ns_result {
	pid_t pid;
	int pidfd;
	struct err err;
};

struct ns_helper {
	const struct ns_plan *plan; /* NULL: join by pidfd */
	int pidfd;
	uint64_t flags;
	struct ns_child *child;
	int out;
};

void ns_init(struct ns_plan *p)
{
	size_t i;

	*p = (struct ns_plan){.create = 0};
	for (i = 0; i < SPEC_NS_COUNT; i++)
		p->fd[i] = -1;
}

void ns_release(struct ns_plan *p)
{
	size_t i;

	for (i = 0; i < SPEC_NS_COUNT; i++)
		if (p->fd[i] >= 0)
			(void)close(p->fd[i]);
	ns_init(p);
}

bool ns_joins(const struct ns_plan *p)
{
	size_t i;

	for (i = 0; i < SPEC_NS_COUNT; i++)
		if (p->fd[i] >= 0 && i != SPEC_NS_MOUNT)
			return true;
	return false;
}

static int ns_open_one(const struct spec_ns *ns, const struct spec_ns_row *row,
		       int *out_fd, struct err *err)
{
	char safe[160];
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);
	int type;

	(void)text_safe(safe, sizeof(safe), ns->path, strlen(ns->path));
	if (fd < 0)
		return err_sys(err, errno, "namespace %s: open %s", row->type,
			       safe);
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0 || (uint64_t)(unsigned int)type != row->flag) {
		(void)close(fd);
		return err_set(err, ERR_INPUT,
			       "namespace %s: %s is no %s namespace", row->type,
			       safe, row->type);
	}
	*out_fd = fd;
	return 0;
}

static bool ns_same_inode(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
	       sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

static void ns_find_owners(struct ns_plan *p)
{
	int user = p->fd[SPEC_NS_USER], owner;
	size_t i;

	for (i = 0; i < SPEC_NS_COUNT; i++) {
		if (p->fd[i] < 0 || i == SPEC_NS_USER)
			continue;
		owner = ioctl(p->fd[i], NS_GET_USERNS);
		p->by_host[i] =
			user < 0 || owner < 0 || !ns_same_inode(owner, user);
		if (owner >= 0)
			(void)close(owner);
	}
}

int ns_open(const struct spec *s, struct ns_plan *p, struct err *err)
{
	const struct spec_ns_row *rows = spec_ns_rows();
	const struct spec_ns *ns;
	int own, r = 0;
	size_t i;

	for (i = 0; i < SPEC_NS_COUNT && r == 0; i++) {
		ns = spec_ns_find(s, (enum spec_ns_kind)i);
		if (ns == NULL)
			continue;
		if (ns->path != NULL && ns->path[0] != '\0') {
			r = ns_open_one(ns, &rows[i], &p->fd[i], err);
		} else if (i == SPEC_NS_CGROUP) {
			p->create_cgroup = true;
		} else if (i == SPEC_NS_TIME) {
			p->create_time = true;
		} else {
			p->create |= rows[i].flag;
		}
	}
	/* Joining one's own user namespace is an error for the kernel. */
	if (r == 0 && p->fd[SPEC_NS_USER] >= 0) {
		own = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
		if (own >= 0 && ns_same_inode(own, p->fd[SPEC_NS_USER])) {
			(void)close(p->fd[SPEC_NS_USER]);
			p->fd[SPEC_NS_USER] = -1;
		}
		if (own >= 0)
			(void)close(own);
	}
	ns_find_owners(p);
	return r;
}

static int ns_write_offset(int fd, const char *clock,
			   const struct spec_offset *o, struct err *err)
{
	char text[96];
	int n;

	if (o == NULL)
		return 0;
	n = snprintf(text, sizeof(text), "%s %" PRId64 " %" PRId64 "\n", clock,
		     o->secs.v, o->nanosecs.v);
	if (write(fd, text, (size_t)n) != n)
		return err_sys(err, errno, "time offset of %s", clock);
	return 0;
}

/* Files of a process that cannot be dumped are the host's root's.  Only where
 * nobody is beside us may we be seen for the length of one open. */
static int ns_open_offsets(bool alone, struct err *err)
{
	const char *path = "/proc/self/timens_offsets";
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == EACCES && alone &&
	    sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		(void)sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	}
	return fd < 0 ? err_sys(err, errno, "open %s", path) : fd;
}

static int ns_write_offsets(const struct spec_offsets *o, bool alone,
			    struct err *err)
{
	int fd, r;

	if (o->monotonic == NULL && o->boottime == NULL)
		return 0;
	fd = ns_open_offsets(alone, err);
	if (fd < 0)
		return fd;
	r = ns_write_offset(fd, "monotonic", o->monotonic, err);
	if (r == 0)
		r = ns_write_offset(fd, "boottime", o->boottime, err);
	(void)close(fd);
	return r;
}

/* unshare(2) makes it for children; who enters it by its descriptor is in it
 * himself, and its offsets are fixed from then on. */
int ns_time(const struct spec_offsets *o, bool alone, struct err *err)
{
	int fd, r;

	if (sys_unshare(CLONE_NEWTIME) < 0)
		return err_sys(err, errno, "new time namespace");
	r = ns_write_offsets(o, alone, err);
	if (r < 0)
		return r;
	fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || sys_setns(fd, CLONE_NEWTIME) < 0)
		r = err_sys(err, errno, "enter the new time namespace");
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int ns_clone_child(struct ns_child *c, uint64_t flags, bool sibling,
			  struct err *err)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD |
			 (sibling ? (uint64_t)CLONE_PARENT : 0),
		.pidfd = (uint64_t)(uintptr_t)&c->pidfd,
		.exit_signal = sibling ? 0 : SIGCHLD,
	};
	pid_t pid;

	if (c->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)c->cgroup_fd;
	}
	pid = esys_clone3(&args);
	if (pid < 0)
		return err_sys(
			err, errno, "clone3 with namespaces %#" PRIx64 "%s",
			flags,
			(flags & CLONE_NEWUSER) != 0 &&
					(errno == ENOSPC || errno == EPERM)
				? " (user namespaces are switched off "
				  "or used up: see sysctl "
				  "user.max_user_namespaces)"
				: "");
	if (pid == 0)
		_exit(c->run(c->arg));
	c->pid = pid;
	return 0;
}

static int ns_join_all(const struct ns_plan *p, struct err *err)
{
	const struct spec_ns_row *rows = spec_ns_rows();
	int phase;
	size_t i;

	for (phase = 0; phase < 3; phase++)
		for (i = 0; i < SPEC_NS_COUNT; i++) {
			int when = i == SPEC_NS_USER ? 1
				   : p->by_host[i]   ? 0
						     : 2;

			if (p->fd[i] < 0 || when != phase || i == SPEC_NS_MOUNT)
				continue;
			if (sys_setns(p->fd[i], (int)rows[i].flag) < 0)
				return err_sys(err, errno,
					       "join the %s namespace",
					       rows[i].type);
		}
	return 0;
}

/* E02: nobody in a joined namespace may look into us, from before we join. */
static int ns_helper_run(const struct ns_helper *h)
{
	struct ns_result res = {.pidfd = -1};
	int r = 0;

#ifndef GUARD_OFF_DUMPABLE
	if (sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = err_sys(&res.err, errno, "prctl");
#endif
	if (r == 0 && h->plan != NULL)
		r = ns_join_all(h->plan, &res.err);
	else if (r == 0 && sys_setns(h->pidfd, (int)h->flags) < 0)
		r = err_sys(&res.err, errno, "join the container");
	if (r == 0)
		r = ns_clone_child(h->child,
				   h->plan != NULL ? h->plan->create : 0, true,
				   &res.err);
	res.pid = h->child->pid;
	res.pidfd = h->child->pidfd;
	if (write(h->out, &res, sizeof(res)) != (ssize_t)sizeof(res))
		return 1;
	return r < 0;
}

static int ns_with_helper(struct ns_helper *h, struct err *err)
{
	struct clone_args args = {.flags = CLONE_FILES, .exit_signal = SIGCHLD};
	struct ns_result res = {.pidfd = -1};
	int pipes[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe2");
	h->out = pipes[1];
	pid = esys_clone3(&args);
	if (pid == 0)
		_exit(ns_helper_run(h));
	if (pid < 0) {
		n = -1;
		(void)err_sys(&res.err, errno, "clone3");
	} else {
		/* The helper shares our descriptors: no end of file here. */
		do {
			n = waitpid(pid, &status, 0);
		} while (n < 0 && errno == EINTR);
		if (n < 0)
			(void)err_sys(&res.err, errno, "wait");
		(void)fcntl(pipes[0], F_SETFL, O_NONBLOCK);
		if (n >= 0)
			n = read(pipes[0], &res, sizeof(res));
	}
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	if (n != (ssize_t)sizeof(res) && res.err.code == 0)
		return err_set(err, ERR_SYS, "the joining helper died");
	if (res.err.code != 0) {
		*err = res.err;
		return err->code;
	}
	h->child->pid = res.pid;
	h->child->pidfd = res.pidfd;
	return 0;
}

int ns_clone(const struct ns_plan *p, struct ns_child *c, struct err *err)
{
	struct ns_helper h = {.plan = p, .child = c};

	if (!ns_joins(p))
		return ns_clone_child(c, p->create, false, err);
	c->cgroup_fd = -1;
	return ns_with_helper(&h, err);
}

int ns_enter(int pidfd, uint64_t flags, struct ns_child *c, struct err *err)
{
	struct ns_helper h = {.pidfd = pidfd, .flags = flags, .child = c};

	c->cgroup_fd = -1;
	return ns_with_helper(&h, err);
}

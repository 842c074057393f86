/* exec.c - see exec.h. */
#include "engine/run/exec.h"

#include "engine/confine/attr.h"
#include "engine/confine/compiled.h"
#include "engine/confine/ident.h"
#include "engine/rootfs/dev.h"
#include "engine/run/child.h"
#include "engine/run/final.h"
#include "engine/run/fore.h"
#include "engine/run/host.h"
#include "engine/run/link.h"
#include "engine/run/notify.h"
#include "engine/run/passfd.h"
#include "engine/run/self.h"
#include "engine/run/shape.h"
#include "engine/run/tell.h"
#include "engine/sys/esys.h"
#include "lib/file.h"
#include "lib/num.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool exec_id(const char *text, size_t len, uint32_t *out)
{
	uint64_t v = 0;

	if (!num_parse_u64(text, len, UINT32_MAX - 1, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

int exec_user(const char *text, struct spec_user *out, struct err *err)
{
	const char *colon = strchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);
	uint32_t uid = 0, gid = out->gid;
	char safe[64];

	if (!exec_id(text, len, &uid) ||
	    (colon != NULL && !exec_id(colon + 1, strlen(colon + 1), &gid)))
		return err_set(
			err, ERR_INPUT,
			"--user \"%s\": want UID or UID:GID in decimal",
			text_safe(safe, sizeof(safe), text, strlen(text)));
	out->uid = uid;
	out->gid = gid;
	return 0;
}

static int exec_process_file(struct run *r, const char *path, struct err *err)
{
	struct buf b;
	int rc;

	buf_init(&b, SPEC_MAX_BYTES);
	rc = self_read(path, SPEC_MAX_BYTES, &b, err);
	if (rc == 0)
		rc = spec_read_process(b.data, b.len, r->arena, r->spec.process,
				       err);
	buf_release(&b);
	return rc;
}

static void exec_join(struct arena *a, struct decode_strv *to,
		      const struct exec_list *more)
{
	char **v = arena_calloc(a, to->n + more->n + 1, sizeof(*v));
	size_t i;

	for (i = 0; i < to->n; i++)
		v[i] = to->v[i];
	for (i = 0; i < more->n; i++)
		v[to->n + i] = arena_strdup(a, more->v[i]);
	to->v = v;
	to->n += more->n;
}

static bool exec_is_cap(const char *name)
{
	const char *known;
	size_t i;

	for (i = 0; (known = caps_name(i)) != NULL; i++)
		if (strcmp(name, known) == 0)
			return true;
	return false;
}

/* A name that a config has and this kernel has not is left out; one that was
 * typed is a mistake.  An ambient capability wants the inheritable one: added
 * only where the container has some of those. */
static int exec_add_caps(struct run *r, const struct exec_list *caps,
			 struct err *err)
{
	struct spec_process *p = r->spec.process;
	struct spec_caps *c = arena_alloc(r->arena, sizeof(*c));
	char safe[64];
	size_t i;

	if (caps->n == 0)
		return 0;
	for (i = 0; i < caps->n; i++)
		if (!exec_is_cap(caps->v[i]))
			return err_set(err, ERR_INPUT,
				       "--cap: unknown capability \"%s\"",
				       text_safe(safe, sizeof(safe), caps->v[i],
						 strlen(caps->v[i])));
	if (p->caps != NULL)
		*c = *p->caps;
	exec_join(r->arena, &c->bounding, caps);
	exec_join(r->arena, &c->effective, caps);
	exec_join(r->arena, &c->permitted, caps);
	if (c->inheritable.n > 0) {
		exec_join(r->arena, &c->inheritable, caps);
		exec_join(r->arena, &c->ambient, caps);
	}
	p->caps = c;
	return 0;
}

static int exec_add_gids(struct arena *a, const struct exec_list *gids,
			 struct decode_ids *to, struct err *err)
{
	uint32_t *v = arena_calloc(a, to->n + gids->n, sizeof(*v));
	char safe[64];
	size_t i;

	if (to->n > 0)
		memcpy(v, to->v, to->n * sizeof(*v));
	for (i = 0; i < gids->n; i++)
		if (!exec_id(gids->v[i], strlen(gids->v[i]), &v[to->n + i]))
			return err_set(err, ERR_INPUT,
				       "--additional-gids \"%s\": want a "
				       "decimal id",
				       text_safe(safe, sizeof(safe), gids->v[i],
						 strlen(gids->v[i])));
	to->v = v;
	to->n += gids->n;
	return 0;
}

/* The container's own process, changed by what the command line says. */
static int exec_process(struct run *r, const struct exec_options *opt,
			struct err *err)
{
	struct spec_process *p = arena_alloc(r->arena, sizeof(*p));
	int rc = 0;

	*p = *r->spec.process;
	r->spec.process = p;
	if (opt->process_file != NULL)
		return exec_process_file(r, opt->process_file, err);
	if (opt->args.n == 0)
		return err_set(err, ERR_INPUT,
			       "exec: want a command or --process");
	p->args.n = 0;
	exec_join(r->arena, &p->args, &opt->args);
	exec_join(r->arena, &p->env, &opt->env);
	p->terminal = opt->tty;
	p->no_new_privileges = p->no_new_privileges || opt->no_new_privs;
	if (opt->cwd != NULL)
		p->cwd = arena_strdup(r->arena, opt->cwd);
	if (opt->apparmor != NULL)
		p->apparmor = arena_strdup(r->arena, opt->apparmor);
	if (opt->label != NULL)
		p->selinux = arena_strdup(r->arena, opt->label);
	if (opt->user != NULL)
		rc = exec_user(opt->user, &p->user, err);
	if (rc == 0)
		rc = exec_add_gids(r->arena, &opt->gids, &p->user.groups, err);
	if (rc == 0)
		rc = exec_add_caps(r, &opt->caps, err);
	return rc < 0 ? rc : spec_check_process(p, err);
}

static int exec_terminal(struct run *r, struct err *err)
{
	const struct spec_process *p = r->spec.process;
	int root, master = -1, slave = -1, rc;

	if (!p->terminal)
		return 0;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, errno, "open /");
	rc = dev_open_pty(root, &p->console, &master, &slave, err);
	(void)close(root);
	if (rc < 0)
		return rc;
	rc = passfd_send(r->console_fd, master, err);
	(void)close(master);
	if (rc == 0)
		rc = final_terminal(slave, p->user.uid, err);
	(void)close(slave);
	return rc;
}

struct exec_job { /* what the child gets */
	struct run *r;
	const struct exec_options *opt;
};

static int exec_child_work(const struct exec_job *job, struct err *err)
{
	struct run *r = job->r;
	struct link_msg m;
	int rc;

	fore_child();
	rc = child_cgroup(r, err);
	if (rc == 0)
		rc = child_label(r, err);
	if (rc == 0)
		rc = link_want(r->link[1], LINK_GO, &m, err);
	/* GO: the engine has put us into the container's own group of v2 */
	if (rc == 0)
		rc = cgsub_enter(&r->cgroup, job->opt->cgroups.v,
				 job->opt->cgroups.n, err);
	if (rc == 0)
		rc = child_session(r, err);
	if (rc == 0 && spec_ns_find(&r->spec, SPEC_NS_USER) != NULL) {
		(void)setgroups(0, NULL);
		if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
			rc = err_sys(err, errno, "become the container's root");
	}
	if (rc == 0 && r->rootfs.root_fd >= 0)
		rc = attach_enter(&r->rootfs, err);
	if (rc == 0)
		rc = exec_terminal(r, err);
	if (rc == 0)
		rc = link_want(r->link[1], LINK_READY, &m, err);
	if (rc == 0) {
		r->spec.hooks.start_container.n = 0;
		rc = run_side(r, RUN_START, err);
	}
	return rc;
}

static int exec_child(void *arg)
{
	const struct exec_job *job = arg;
	struct run *r = job->r;
	struct err err = {0};

	(void)close(r->link[0]);
	r->link[0] = -1;
	r->conn = r->link[1];
	(void)exec_child_work(job, &err);
	(void)link_send(r->link[1], LINK_ERROR, 0, &err, NULL);
	return 255;
}

static bool exec_is_own_userns(pid_t pid)
{
	char path[40];
	struct stat own, its;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	return stat("/proc/self/ns/user", &own) == 0 && stat(path, &its) == 0 &&
	       own.st_ino == its.st_ino && own.st_dev == its.st_dev;
}

/* A root that hangs in no mount namespace is found through its first process,
 * which must be the same still once we have it. */
static int exec_find_root(struct run *r, int init, struct err *err)
{
	char path[64];

	if (!spec_is_detached(&r->spec))
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/root", r->state.pid);
	r->rootfs.root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->rootfs.root_fd < 0 || sys_pidfd_signal(init, 0) < 0)
		return err_sys(err, errno, "open %s", path);
	return 0;
}

/* Only what the container has of its own: joining what we are in already
 * costs, and is an error for a user namespace (that it named by path). */
static uint64_t exec_flags(const struct run *r)
{
	const struct spec_ns_row *rows = spec_ns_rows();
	const struct spec_ns *user = spec_ns_find(&r->spec, SPEC_NS_USER);
	uint64_t flags = 0;
	size_t i;

	for (i = 0; i < SPEC_NS_COUNT; i++)
		if (spec_ns_find(&r->spec, (enum spec_ns_kind)i) != NULL)
			flags |= rows[i].flag;
	if (user != NULL && user->path != NULL && user->path[0] != '\0' &&
	    exec_is_own_userns(r->state.pid))
		flags &= ~rows[SPEC_NS_USER].flag;
	return flags;
}

/* Before READY, so that the program finds a terminal of the right size.  When
 * none comes, the child says why. */
static int exec_take_tty(struct run *r, struct tty *t, struct err *err)
{
	struct link_msg m;

	(void)close(r->console_fd);
	r->console_fd = -1;
	if (r->tty_fd < 0 || tty_take(t, r->tty_fd, err) == 0)
		return 0;
	(void)link_recv(r->link[0], &m, err);
	return err->code;
}

static int exec_place(struct life *l, const struct run *r, struct err *err)
{
	const struct spec_affinity *aff = r->spec.process->affinity;
	int rc = cgproc_join(&l->cgroup, r->child.pid, l->state.pid, err);

	if (rc == 0 && aff != NULL)
		rc = attr_affinity(r->child.pid, aff->final, err);
	return rc;
}

static int exec_enter(const struct life *l, struct run *r, int init,
		      struct err *err)
{
	const struct spec_affinity *aff = r->spec.process->affinity;
	int rc = aff != NULL ? attr_affinity(0, aff->initial, err) : 0;

	r->cgroup = l->cgroup; /* for the child alone */
	if (rc == 0)
		rc = ns_enter(init, exec_flags(r), &r->child, err);
	r->cgroup.n = 0;
	return rc;
}

static int exec_spawn(struct life *l, struct run *r,
		      const struct exec_options *opt, struct tty *t,
		      struct err *err)
{
	struct exec_job job = {r, opt};
	int init = state_pidfd(&l->state);
	struct notify_to to = {&r->spec, &r->state, STATE_RUNNING, 0};
	int rc;

	if (init < 0)
		return err_set(err, ERR_CONFLICT,
			       "cannot exec in a container that is stopped");
	r->child.run = exec_child;
	r->child.arg = &job;
	rc = exec_find_root(r, init, err);
	if (rc == 0)
		rc = exec_enter(l, r, init, err);
	(void)close(init);
	(void)close(r->link[1]);
	r->link[1] = -1;
	to.pid = r->child.pid;
	if (rc == 0)
		rc = exec_place(l, r, err);
	if (rc == 0)
		rc = host_oom(r, err);
	if (rc == 0)
		rc = shape_apply(r, err);
	if (rc == 0)
		rc = link_send(r->link[0], LINK_GO, 0, NULL, err);
	if (rc == 0 && r->console_fd >= 0)
		rc = exec_take_tty(r, t, err);
	if (rc == 0)
		rc = link_send(r->link[0], LINK_READY, 0, NULL, err);
	if (rc == 0)
		rc = notify_begin(r->link[0], &to, err);
	if (rc == 0)
		rc = tell_pidfd(r, err);
	if (rc == 0)
		rc = tell_pid_file(r, err);
	return rc;
}

static int exec_prepare(struct life *l, struct run *r,
			const struct exec_options *opt, struct err *err)
{
	int rc;

	r->spec = l->spec;
	r->state = l->state;
	rc = exec_process(r, opt, err);
	if (rc == 0)
		rc = host_check_terminal(r, err);
	if (rc == 0)
		rc = shape_read(r, err);
	if (rc == 0)
		rc = compiled_filter(l->root_fd, r->spec.linux_.seccomp,
				     &r->filter, err);
	if (rc == 0 &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, r->link) < 0)
		rc = err_sys(err, errno, "socketpair");
	if (rc == 0)
		rc = host_console(r, err);
	if (rc == 0)
		rc = cgroup_open(&l->cgroup, err);
	return rc;
}

/* exec_spawn() makes sure of the process that is asked here. */
int exec_cover(const struct life *l, char *const *argv, struct err *err)
{
	struct idmap map = {.n_uid = 0};
	struct stat own, its;
	char path[64];

	if (l->status == STATE_STOPPED || l->status == STATE_CREATING)
		return 0; /* there is nothing to go into */
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", l->state.pid);
	if (stat("/proc/self/ns/user", &own) < 0 || stat(path, &its) < 0)
		return err_sys(err, errno, "%s", path);
	if ((own.st_ino != its.st_ino || own.st_dev != its.st_dev) &&
	    idmap_read_pid(l->state.pid, l->arena, &map, err) < 0)
		return err->code;
	return self_cover(&map, argv, err);
}

static int exec_allowed(const struct life *l, const struct exec_options *opt,
			struct err *err)
{
	if (l->status == STATE_RUNNING || l->status == STATE_CREATED ||
	    (l->status == STATE_PAUSED && opt->ignore_paused))
		return 0;
	if (l->status == STATE_PAUSED)
		return err_set(err, ERR_CONFLICT,
			       "cannot exec in a paused container "
			       "(--ignore-paused: it waits for resume)");
	return err_set(err, ERR_CONFLICT,
		       "cannot exec in a container that is %s",
		       state_status_name(l->status));
}

int exec_run(struct life *l, const struct exec_options *opt, int *out_status,
	     struct err *err)
{
	struct run_options ro = {.id = l->state.id,
				 .pid_file = opt->pid_file,
				 .console_socket = opt->console_socket,
				 .pidfd_socket = opt->pidfd_socket,
				 .foreground = !opt->detach,
				 .preserve_fds = opt->preserve_fds,
				 .warn = opt->warn};
	struct tty t;
	struct run r;
	int rc = exec_allowed(l, opt, err);

	if (rc < 0)
		return rc;
	tty_init(&t);
	run_init(&r, &ro);
	rc = exec_prepare(l, &r, opt, err);
	if (rc == 0 && !opt->detach)
		rc = fore_block(err);
	if (rc == 0) {
		rc = exec_spawn(l, &r, opt, &t, err);
		if (rc < 0)
			host_undo_clone(&r);
	}
	*out_status = 0;
	if (rc == 0 && !opt->detach)
		rc = tty_begin(&t, err);
	if (rc == 0 && !opt->detach)
		rc = fore_wait(r.child.pidfd, &t, out_status, err);
	tty_release(&t);
	run_release(&r);
	return rc;
}

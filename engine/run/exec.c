/* exec.c - see exec.h. */
#include "engine/run/exec.h"

#include "engine/confine/compiled.h"
#include "engine/confine/ident.h"
#include "engine/rootfs/dev.h"
#include "engine/run/child.h"
#include "engine/run/final.h"
#include "engine/run/fore.h"
#include "engine/run/host.h"
#include "engine/run/link.h"
#include "engine/run/notify.h"
#include "engine/run/self.h"
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
	rc = file_read(AT_FDCWD, path, SPEC_MAX_BYTES, &b, err);
	if (rc == 0)
		rc = spec_read_process(b.data, b.len, r->arena, r->spec.process,
				       err);
	buf_release(&b);
	return rc;
}

static void exec_join_strv(struct arena *a, struct decode_strv *to,
			   const char *const *more, size_t n)
{
	char **v = arena_calloc(a, to->n + n + 1, sizeof(*v));
	size_t i;

	for (i = 0; i < to->n; i++)
		v[i] = to->v[i];
	for (i = 0; i < n; i++)
		v[to->n + i] = arena_strdup(a, more[i]);
	to->v = v;
	to->n += n;
}

static void exec_add_caps(struct run *r, const struct exec_options *opt)
{
	struct spec_process *p = r->spec.process;
	struct spec_caps *c = arena_alloc(r->arena, sizeof(*c));

	if (opt->n_caps == 0)
		return;
	if (p->caps != NULL)
		*c = *p->caps;
	exec_join_strv(r->arena, &c->bounding, opt->caps, opt->n_caps);
	exec_join_strv(r->arena, &c->effective, opt->caps, opt->n_caps);
	exec_join_strv(r->arena, &c->permitted, opt->caps, opt->n_caps);
	p->caps = c;
}

/* The container's own process, changed by what the command line says. */
static int exec_process(struct run *r, const struct exec_options *opt,
			struct err *err)
{
	struct spec_process *p = arena_alloc(r->arena, sizeof(*p));
	struct decode_strv none = {.v = NULL};
	int rc = 0;

	*p = *r->spec.process;
	r->spec.process = p;
	if (opt->process_file != NULL)
		return exec_process_file(r, opt->process_file, err);
	if (opt->n_args == 0)
		return err_set(err, ERR_INPUT,
			       "exec: want a command or --process");
	p->args = none;
	exec_join_strv(r->arena, &p->args, opt->args, opt->n_args);
	exec_join_strv(r->arena, &p->env, opt->env, opt->n_env);
	p->terminal = opt->tty;
	if (opt->cwd != NULL) {
		if (opt->cwd[0] != '/')
			return err_set(err, ERR_INPUT,
				       "--cwd: want an absolute path");
		p->cwd = arena_strdup(r->arena, opt->cwd);
	}
	if (opt->user != NULL)
		rc = exec_user(opt->user, &p->user, err);
	if (opt->no_new_privs)
		p->no_new_privileges = true;
	exec_add_caps(r, opt);
	return rc;
}

static int exec_terminal(struct run *r, struct err *err)
{
	int root, master = -1, slave = -1, rc;

	if (!r->spec.process->terminal)
		return 0;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, errno, "open /");
	rc = dev_open_pty(root, &r->spec.process->console, &master, &slave,
			  err);
	(void)close(root);
	if (rc < 0)
		return rc;
	rc = child_send_fd(r->console_fd, master, err);
	(void)close(master);
	if (rc == 0)
		rc = final_terminal(slave, err);
	(void)close(slave);
	return rc;
}

static int exec_child_work(struct run *r, struct err *err)
{
	struct link_msg m;
	int rc;

	fore_child();
	rc = link_want(r->link[1], LINK_GO, &m, err);
	if (rc == 0 && setsid() < 0)
		rc = err_sys(err, errno, "setsid");
	if (rc == 0 && spec_ns_find(&r->spec, SPEC_NS_USER) != NULL) {
		(void)setgroups(0, NULL);
		if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
			rc = err_sys(err, errno, "become the container's root");
	}
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
	struct run *r = arg;
	struct err err = {0};

	(void)close(r->link[0]);
	r->link[0] = -1;
	r->conn = r->link[1];
	(void)exec_child_work(r, &err);
	(void)link_send(r->link[1], LINK_ERROR, 0, &err, NULL);
	return 255;
}

/* Only what the container has of its own: joining what we are in already is
 * an error for user namespaces and costs for the others. */
static uint64_t exec_flags(const struct spec *s)
{
	const struct spec_ns_row *rows = spec_ns_rows();
	uint64_t flags = 0;
	size_t i;

	for (i = 0; i < SPEC_NS_COUNT; i++)
		if (spec_ns_find(s, (enum spec_ns_kind)i) != NULL)
			flags |= rows[i].flag;
	return flags;
}

static int exec_spawn(struct life *l, struct run *r, struct err *err)
{
	int init = state_pidfd(&l->state);
	struct notify_to to = {&r->spec, &r->state, STATE_RUNNING, 0};
	int rc;

	if (init < 0)
		return err_set(err, ERR_CONFLICT, "the container has stopped");
	r->child.run = exec_child;
	r->child.arg = r;
	rc = ns_enter(init, exec_flags(&l->spec), &r->child, err);
	(void)close(init);
	(void)close(r->link[1]);
	r->link[1] = -1;
	to.pid = r->child.pid;
	if (rc == 0)
		rc = cgproc_attach(&l->cgroup, r->child.pid, -1, err);
	if (rc == 0)
		rc = host_oom(r, err);
	if (rc == 0)
		rc = link_send(r->link[0], LINK_GO, 0, NULL, err);
	if (rc == 0)
		rc = link_send(r->link[0], LINK_READY, 0, NULL, err);
	if (rc == 0)
		rc = notify_begin(r->link[0], &to, err);
	if (rc == 0)
		rc = host_pid_file(r, err);
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
		rc = caps_read(r->spec.process->caps, &r->caps, err);
	if (rc == 0)
		rc = compiled_filter(l->root_fd, r->spec.linux_.seccomp,
				     &r->filter, err);
	if (rc == 0 &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, r->link) < 0)
		rc = err_sys(err, errno, "socketpair");
	if (rc == 0 &&
	    r->spec.process->terminal != (opt->console_socket != NULL))
		rc = err_set(err, ERR_INPUT,
			     "a terminal and --console-socket want each "
			     "other");
	if (rc == 0 && opt->console_socket != NULL)
		rc = host_console_socket(r, err);
	return rc;
}

/* Before exec_spawn(), which makes sure of the process that was asked here. */
static int exec_cover(struct life *l, const struct exec_options *opt,
		      struct err *err)
{
	struct idmap map = {.n_uid = 0};
	int rc = 0;

	if (spec_ns_find(&l->spec, SPEC_NS_USER) != NULL)
		rc = idmap_read_pid(l->state.pid, l->arena, &map, err);
	return rc < 0 ? rc : self_cover(&map, opt->argv, err);
}

int exec_run(struct life *l, const struct exec_options *opt, int *out_status,
	     struct err *err)
{
	struct run_options ro = {.id = l->state.id,
				 .pid_file = opt->pid_file,
				 .console_socket = opt->console_socket,
				 .preserve_fds = opt->preserve_fds};
	struct run r;
	int rc = 0;

	if (l->status != STATE_RUNNING && l->status != STATE_CREATED)
		return err_set(err, ERR_CONFLICT,
			       "cannot exec in a container that is %s",
			       state_status_name(l->status));
	rc = exec_cover(l, opt, err);
	if (rc < 0)
		return rc;
	run_init(&r, &ro);
	rc = exec_prepare(l, &r, opt, err);
	if (rc == 0 && !opt->detach)
		rc = fore_block(err);
	if (rc == 0) {
		rc = exec_spawn(l, &r, err);
		if (rc < 0)
			host_undo_clone(&r);
	}
	*out_status = 0;
	if (rc == 0 && !opt->detach)
		rc = fore_wait(r.child.pidfd, out_status, err);
	run_release(&r);
	return rc;
}

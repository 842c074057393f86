/* make.c - create, run, exec. */
#include "engine/main/cli.h"
#include "engine/run/exec.h"
#include "engine/run/fore.h"
#include "engine/run/hooks.h"
#include "engine/run/host.h"
#include "engine/run/life.h"
#include "engine/run/link.h"
#include "engine/run/notify.h"

#include <string.h>

static void make_options(struct cli *c, struct run_options *out)
{
	const struct opt_values *v = &c->values;
	const char *bundle = opt_get(v, "bundle");

	*out = (struct run_options){
		.id = v->operands[0],
		.bundle = bundle != NULL ? bundle : ".",
		.config = opt_get(v, "config"),
		.root = c->root,
		.rootless = c->rootless,
		.no_pivot = opt_get(v, "no-pivot") != NULL,
		.pid_file = opt_get(v, "pid-file"),
		.console_socket = opt_get(v, "console-socket"),
		.pidfd_socket = opt_get(v, "pidfd-socket"),
		.overlay = opt_get(v, "overlay"),
		.argv = c->argv,
		.systemd = cli_is_systemd(v),
		.listen_fds = c->listen_fds,
		.preserve_fds = c->preserve_fds,
		.keep_keyring = opt_get(v, "no-new-keyring") != NULL,
		.note = c->log.debug ? log_debug : NULL,
		.note_ctx = &c->log,
		.warn = {log_warning, &c->log},
	};
}

int make_create(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	struct run_options opt;
	struct run r;
	int rc;

	make_options(c, &opt);
	run_init(&r, &opt);
	rc = run_side(&r, RUN_ENGINE, err);
	run_release(&r);
	return rc;
}

/* With what the run has in its hands: nothing is opened or read again. */
static int make_delete(struct run *r, struct err *err)
{
	struct life l = {.arena = r->arena,
			 .root_fd = r->root_fd,
			 .dir_fd = r->dir_fd,
			 .state = r->state,
			 .spec = r->spec,
			 .has_spec = true,
			 .cgroup = r->cgroup,
			 .status = STATE_RUNNING,
			 .warn = r->opt.warn,
			 .self = r->opt.argv[0]};
	int rc = life_delete(&l, true, err);

	r->cgroup = l.cgroup; /* its descriptors stay the run's */
	return rc;
}

static int make_start_direct(struct run *r, struct err *err)
{
	struct notify_to to = {&r->spec, &r->state, STATE_CREATING,
			       r->state.pid};
	int rc = link_send(r->link[0], LINK_START, 0, NULL, err);

	if (rc == 0)
		rc = notify_begin(r->link[0], &to, err);
	if (rc == 0)
		rc = hooks_poststart(r, err);
	return rc;
}

static int make_wait(struct run *r, int *out_status, struct err *err)
{
	struct tty t;
	int rc = 0;

	tty_init(&t);
	if (r->tty_fd >= 0)
		rc = tty_take(&t, r->tty_fd, err);
	if (rc == 0)
		rc = make_start_direct(r, err);
	if (rc == 0)
		rc = tty_begin(&t, err);
	if (rc == 0)
		rc = fore_wait(r->child.pidfd, &t, out_status, err);
	tty_release(&t);
	return rc;
}

int make_run(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	bool detach = opt_get(&c->values, "detach") != NULL;
	bool keep = opt_get(&c->values, "keep") != NULL;
	struct run_options opt;
	bool made = false;
	struct run r;
	int rc = 0;

	make_options(c, &opt);
	opt.direct = true;
	opt.foreground = !detach;
	run_init(&r, &opt);
	if (!detach)
		rc = fore_block(err);
	if (rc == 0)
		rc = run_side(&r, RUN_ENGINE, err);
	if (rc == 0) {
		made = true;
		rc = detach ? make_start_direct(&r, err)
			    : make_wait(&r, &c->status, err);
	}
	run_made(&r);
	if (made && rc < 0)
		(void)make_delete(&r, NULL);
	else if (made && !detach && !keep)
		rc = make_delete(&r, err);
	run_release(&r);
	return rc;
}

/* Values of a repeated option, into room for OPT_VALUES_MAX of them. */
static struct exec_list make_collect(const struct opt_values *v,
				     const char *name, const char **at)
{
	struct exec_list out = {.v = at};
	size_t i;

	for (i = 0; i < v->n_given; i++)
		if (strcmp(v->given[i].opt->name, name) == 0)
			at[out.n++] = v->given[i].arg;
	return out;
}

int make_exec(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	const struct opt_values *v = &c->values;
	const char *lists[4][OPT_VALUES_MAX];
	struct exec_options opt = {
		.process_file = opt_get(v, "process"),
		.cwd = opt_get(v, "cwd"),
		.user = opt_get(v, "user"),
		.apparmor = opt_get(v, "apparmor"),
		.label = opt_get(v, "process-label"),
		.args = {.v = v->operands + 1, .n = v->n_operands - 1},
		.env = make_collect(v, "env", lists[0]),
		.caps = make_collect(v, "cap", lists[1]),
		.gids = make_collect(v, "additional-gids", lists[2]),
		.cgroups = make_collect(v, "cgroup", lists[3]),
		.tty = opt_get(v, "tty") != NULL,
		.no_new_privs = opt_get(v, "no-new-privs") != NULL,
		.ignore_paused = opt_get(v, "ignore-paused") != NULL,
		.detach = opt_get(v, "detach") != NULL,
		.pid_file = opt_get(v, "pid-file"),
		.console_socket = opt_get(v, "console-socket"),
		.pidfd_socket = opt_get(v, "pidfd-socket"),
		.preserve_fds = c->preserve_fds,
		.warn = {log_warning, &c->log},
	};
	struct life l;
	int rc = life_find(&l, c->root, v->operands[0], err);

	if (rc == 0) {
		rc = exec_cover(&l, c->argv, err);
		if (rc == 0)
			rc = life_groups(&l, err);
		if (rc == 0)
			rc = life_read_spec(&l, err);
		if (rc == 0)
			rc = exec_run(&l, &opt, &c->status, err);
		life_release(&l);
	}
	return rc;
}

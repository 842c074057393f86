/* make.c - create, run, exec. */
#include "engine/main/cli.h"
#include "engine/run/exec.h"
#include "engine/run/fore.h"
#include "engine/run/hooks.h"
#include "engine/run/host.h"
#include "engine/run/life.h"
#include "engine/run/link.h"
#include "engine/run/notify.h"
#include "lib/num.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAKE_FDS_MAX 1024
#define MAKE_EXEC_FAILED 255

static int make_fds(const struct cli *c, unsigned int *out, struct err *err)
{
	const char *text = opt_get(&c->values, "preserve-fds");
	uint64_t n = 0;
	unsigned int i;

	if (text != NULL &&
	    !num_parse_u64(text, strlen(text), MAKE_FDS_MAX, &n))
		return err_set(err, ERR_INPUT, "--preserve-fds: want 0 to %d",
			       MAKE_FDS_MAX);
	for (i = 3; i < 3 + n; i++)
		if (fcntl((int)i, F_GETFD) < 0)
			return err_set(err, ERR_INPUT,
				       "--preserve-fds: descriptor %u is not "
				       "open",
				       i);
	*out = (unsigned int)n;
	return 0;
}

static int make_options(const struct cli *c, struct run_options *out,
			struct err *err)
{
	const struct opt_values *v = &c->values;
	const char *bundle = opt_get(v, "bundle");

	*out = (struct run_options){
		.id = v->operands[0],
		.bundle = bundle != NULL ? bundle : ".",
		.root = c->root,
		.pid_file = opt_get(v, "pid-file"),
		.console_socket = opt_get(v, "console-socket"),
		.overlay = opt_get(v, "overlay"),
		.argv = c->argv,
	};
	return make_fds(c, &out->preserve_fds, err);
}

int make_create(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	struct run_options opt;
	struct run r;
	int rc = make_options(c, &opt, err);

	if (rc < 0)
		return rc;
	run_init(&r, &opt);
	rc = run_side(&r, RUN_ENGINE, err);
	run_release(&r);
	return rc;
}

static int make_delete(const struct run_options *opt, struct err *err)
{
	struct life l;
	int rc = life_open(&l, opt->root, opt->id, err);

	if (rc < 0)
		return rc;
	rc = life_delete(&l, true, err);
	life_release(&l);
	return rc;
}

static int make_poststart(struct run *r, struct err *err)
{
	struct buf b;
	int rc;

	if (r->spec.hooks.poststart.n == 0)
		return 0;
	buf_init(&b, SPEC_MAX_BYTES);
	rc = hooks_state(&r->state, STATE_RUNNING, &r->spec.annotations, &b,
			 err);
	if (rc == 0)
		rc = hooks_run(&r->spec.hooks.poststart, "poststart", &b, true,
			       err);
	buf_release(&b);
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
		rc = make_poststart(r, err);
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
	int rc = make_options(c, &opt, err);

	if (rc < 0)
		return rc;
	opt.direct = true;
	run_init(&r, &opt);
	if (!detach)
		rc = fore_block(err);
	if (rc == 0)
		rc = run_side(&r, RUN_ENGINE, err);
	if (rc == 0) {
		made = true;
		rc = make_start_direct(&r, err);
		if (rc == 0 && !detach)
			rc = fore_wait(r.child.pidfd, &c->status, err);
	}
	run_release(&r); /* its descriptors are not needed twice */
	if (made && rc < 0)
		(void)make_delete(&opt, NULL);
	else if (made && !detach && !keep)
		rc = make_delete(&opt, err);
	return rc;
}

static size_t make_collect(const struct opt_values *v, const char *name,
			   const char **out)
{
	size_t i, n = 0;

	for (i = 0; i < v->n_given; i++)
		if (strcmp(v->given[i].opt->name, name) == 0)
			out[n++] = v->given[i].arg;
	return n;
}

int make_exec(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	const struct opt_values *v = &c->values;
	const char *env[OPT_VALUES_MAX], *caps[OPT_VALUES_MAX];
	struct exec_options opt = {
		.argv = c->argv,
		.process_file = opt_get(v, "process"),
		.cwd = opt_get(v, "cwd"),
		.user = opt_get(v, "user"),
		.env = env,
		.caps = caps,
		.args = v->operands + 1,
		.n_args = v->n_operands - 1,
		.tty = opt_get(v, "tty") != NULL,
		.no_new_privs = opt_get(v, "no-new-privs") != NULL,
		.pid_file = opt_get(v, "pid-file"),
		.console_socket = opt_get(v, "console-socket"),
		.detach = opt_get(v, "detach") != NULL,
	};
	struct life l;
	int rc = make_fds(c, &opt.preserve_fds, err);

	opt.n_env = make_collect(v, "env", env);
	opt.n_caps = make_collect(v, "cap", caps);
	if (rc == 0)
		rc = life_open(&l, c->root, v->operands[0], err);
	if (rc == 0) {
		rc = life_read_spec(&l, err);
		if (rc == 0)
			rc = exec_run(&l, &opt, &c->status, err);
		life_release(&l);
	}
	if (rc < 0)
		c->status = MAKE_EXEC_FAILED;
	return rc;
}

/*
 * trust.c - `reconcile trust show` and `reconcile trust check`: what a trust
 * policy says, and what is wrong with one.  Needs no configuration; with one,
 * `show` is about what the manager accepted last.  The file is parsed by
 * reconcile-verify; here it is only read and handed over.
 */
#include "reconciler/cli/cli.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/text.h"
#include "policy/verify/verify.pb-c.h"
#include "reconciler/cli/repository.h"
#include "reconciler/cli/trust_render.h"
#include "reconciler/core/anchor.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((size_t)4 << 20)
#define TRUST_FILE ".reconcile/trust.yaml"
#define OUT_MAX ((size_t)64 << 20)

struct looked {
	struct verdict verdict;
	struct object policy;
	const struct trust_line *lines;
	size_t n_lines;
};

static int ask(struct cli *cli, struct verify_args *args, struct looked *out,
	       struct err *err)
{
	const char *libexec = cli->conf.libexec;
	const struct trust_view *view;
	int r;

	if (libexec != NULL && *libexec == '\0')
		libexec = NULL; /* beside this program */
	args->mode = VERIFY__VERIFY_REQUEST__MODE__TRUST;
	r = siblings_verify(&cli->conf, libexec, args, cli->arena,
			    &out->verdict, err);
	view = out->verdict.trust;
	if (r == 0 && view == NULL && out->verdict.diags.n_errors == 0)
		r = err_set(err, ERR_PROTO, "no trust policy and no reason");
	if (r < 0 || view == NULL)
		return r;
	r = manifest_from_canonical(view->canonical, view->canonical_len,
				    cli->arena, &out->policy, err);
	if (r == 0 && out->policy.kind != MANIFEST_TRUSTPOLICY)
		r = err_set(err, ERR_PROTO, "not a trust policy");
	return r < 0 ? r
		     : trust_render_lines(&out->policy.trust, view, cli->arena,
					  &out->lines, &out->n_lines, err);
}

/* The configuration, if one is named: it may say where our programs are. */
static int setup(struct cli *cli, struct err *err)
{
	return opt_get(&cli->values, "config") != NULL ? cli_load(cli, err) : 0;
}

static int exit_of(const struct looked *l)
{
	if (l->verdict.kind == VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST)
		return CORE_EXIT_TRUST;
	return l->verdict.diags.n_errors > 0 ? CORE_EXIT_MANIFEST
					     : CORE_EXIT_DONE;
}

static int print_json(const struct looked *l, struct buf *out, struct err *err)
{
	trust_render_json(l->verdict.trust, l->lines, l->n_lines,
			  &l->verdict.diags, out);
	buf_putc(out, '\n');
	return cli_print(out, err);
}

/* With a configuration and nothing else: what the manager accepted last. */
static int in_force(struct cli *cli, struct verify_args *args, struct err *err)
{
	struct core core;
	int r = cli_open(cli, true, &core, err);

	if (r < 0)
		return r;
	r = anchor_load(&core, cli->arena, &args->target, err);
	if (r == 0 && args->target == NULL)
		r = err_set(err, ERR_INPUT, "nothing was accepted yet");
	args->repository = siblings_mirror(core.conf, cli->arena);
	core_close(&core);
	return r;
}

int trust_show_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *rev = cli_operand(cli, 0);
	const char *repo = opt_get(&cli->values, "repo");
	struct verify_args args = {.target = rev != NULL ? rev : "HEAD"};
	struct looked seen = {0};
	bool json = false;
	struct buf out;
	int r = setup(cli, err);

	if (r == 0)
		r = cli_json(cli, &json, err);
	if (r == 0 && rev == NULL && repo == NULL &&
	    opt_get(&cli->values, "config") != NULL)
		r = in_force(cli, &args, err);
	else if (r == 0)
		r = repository_find(repo, cli->arena, &args.repository, NULL,
				    err);
	if (r == 0)
		r = ask(cli, &args, &seen, err);
	if (r < 0)
		return r;
	buf_init(&out, OUT_MAX);
	cli->exit = exit_of(&seen);
	if (json) {
		r = print_json(&seen, &out, err);
	} else {
		if (seen.verdict.trust != NULL)
			trust_render_text(&seen.policy.trust,
					  seen.verdict.trust, seen.lines,
					  seen.n_lines, clock_unix_ms() / 1000,
					  &out);
		if (seen.verdict.diags.n > 0)
			buf_putc(&out, '\n');
		diags_print_text(&seen.verdict.diags, &out);
		r = cli_print(&out, err);
	}
	buf_release(&out);
	return r;
}

/* --- check ---------------------------------------------------------------- */

/* What is checked: a file that exists, else a revision; without either the
 * file of the working tree.  A file follows the policy of HEAD. */
static int choose(struct cli *cli, struct manifest_input *input,
		  struct verify_args *args, struct buf *bytes, struct err *err)
{
	const char *what = cli_operand(cli, 0);
	const char *repo = opt_get(&cli->values, "repo");
	bool file = what != NULL && access(what, F_OK) == 0;
	const char *path = what;
	const char *top = NULL;
	int r = repository_find(repo, cli->arena, &args->repository, &top, err);

	if (r < 0 && !(file && repo == NULL)) /* it may stand anywhere */
		return r;
	if (what != NULL && !file) {
		args->target = what;
		return 0;
	}
	if (what == NULL) {
		what = TRUST_FILE;
		path = arena_printf(cli->arena, "%s/" TRUST_FILE, top);
	}
	r = file_read(AT_FDCWD, path, FILE_MAX_BYTES, bytes, err);
	if (r < 0)
		return cli_no_such(r, err);
	*input = (struct manifest_input){
		.path = what, .bytes = bytes->data, .len = bytes->len};
	args->inputs = input;
	args->n_inputs = 1;
	args->accepted = args->repository != NULL ? "HEAD" : NULL;
	return 0;
}

static void say_result(const struct looked *l, struct buf *out)
{
	const struct trust_view *v = l->verdict.trust;
	const struct trust_spec *s = &l->policy.trust;

	diags_print_text(&l->verdict.diags, out);
	if (v == NULL || l->verdict.diags.n_errors > 0)
		return;
	if (strcmp(v->before, v->digest) == 0)
		buf_printf(out, "good: version %lld, as before\n",
			   (long long)s->version);
	else if (*v->before != '\0')
		buf_printf(out,
			   "good: version %lld follows; the root of the one "
			   "before signs it: reconcile trust show HEAD\n",
			   (long long)s->version);
	else
		buf_printf(out,
			   "good: version %lld, with none before; pin it where "
			   "trust begins:\ntrust.policy = %s\n",
			   (long long)s->version, v->digest);
}

int trust_check_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	struct manifest_input input = {0};
	struct verify_args args = {0};
	struct looked seen = {0};
	struct buf bytes, out;
	bool json = false;
	int r = setup(cli, err);

	buf_init(&bytes, FILE_MAX_BYTES);
	buf_init(&out, OUT_MAX);
	if (r == 0)
		r = cli_json(cli, &json, err);
	if (r == 0)
		r = choose(cli, &input, &args, &bytes, err);
	if (r == 0)
		r = ask(cli, &args, &seen, err);
	if (r < 0)
		goto out;
	cli->exit = exit_of(&seen);
	if (json) {
		r = print_json(&seen, &out, err);
	} else {
		say_result(&seen, &out);
		r = cli_print(&out, err);
	}
out:
	buf_release(&out);
	buf_release(&bytes);
	return r;
}

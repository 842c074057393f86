/* pass.c - `reconcile`, --dry-run, --daemon and --from/--to. */
#include "reconciler/cli/cli.h"

#include "lib/num.h"
#include "lib/text.h"
#include "policy/verify/verify.pb-c.h"
#include "reconciler/cli/daemon.h"
#include "reconciler/core/fleet.h"
#include "reconciler/core/membership.h"
#include "reconciler/core/pass.h"
#include "reconciler/plan/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define OUT_MAX ((size_t)256 << 20)

static struct plan_style style_of(const struct cli *cli)
{
	struct plan_style style = {.color = cli->color};
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0)
		style.width = ws.ws_col;
	return style;
}

/* Why a commit is refused: the commits, then every diagnostic. */
static void print_refusal(const struct verdict *v, const char *accepted,
			  struct buf *out)
{
	size_t errors = 0;

	buf_printf(out, "Commit %.12s is refused.\n", v->commit);
	diags_print_text(&v->diags, out);
	for (size_t i = 0; i < v->diags.n; i++)
		errors += v->diags.items[i].severity == DIAG_ERROR;
	if (errors > 0)
		buf_printf(out, "%zu error%s.\n", errors,
			   errors == 1 ? "" : "s");
	if (accepted != NULL)
		buf_printf(out, "Commit %.12s stays in force.\n", accepted);
}

static int print_plan(struct cli *cli, const struct snapshot *want,
		      const struct world *w, const struct plan *plan,
		      const struct diags *diags, struct err *err)
{
	struct plan_style style = style_of(cli);
	struct buf out;
	bool json = false;
	int r = cli_json(cli, &json, err);

	if (r < 0)
		return r;
	buf_init(&out, OUT_MAX);
	r = json ? plan_render_json(plan, want, w, diags, &out, err)
		 : plan_render_text(plan, want, w, diags, &style, &out, err);
	if (r == 0)
		r = cli_print(&out, err);
	buf_release(&out);
	return r;
}

/* with_plan: what the plan complains of, too. */
static int print_result(const struct pass_result *p, bool with_plan,
			struct err *err)
{
	struct buf out;
	int r = 0;

	buf_init(&out, OUT_MAX);
	if (p->target.refused)
		print_refusal(&p->target.verdict, p->target.accepted, &out);
	if (with_plan && p->exit != CORE_EXIT_DONE)
		diags_print_text(&p->diags, &out);
	if (out.len > 0 && fwrite(out.data, 1, out.len, stderr) != out.len)
		r = err_set(err, ERR_SYS, "standard error is closed");
	buf_release(&out);
	return r;
}

/* The repository that dir is in: dir or a folder above it, as git finds it. */
static int find_repository(struct cli *cli, const char *dir, const char **out,
			   struct err *err)
{
	char *at = realpath(dir, NULL);
	char *slash;

	if (at == NULL)
		return err_sys(err, errno, "--repo %s", dir);
	for (;;) {
		const char *git = arena_printf(cli->arena, "%s/.git", at);
		const char *head = arena_printf(cli->arena, "%s/HEAD", at);

		if (access(git, F_OK) == 0 || access(head, F_OK) == 0) {
			*out = access(git, F_OK) == 0
				       ? git
				       : arena_strdup(cli->arena, at);
			free(at);
			return 0;
		}
		slash = strrchr(at, '/');
		if (slash == NULL || slash == at)
			break;
		*slash = '\0';
	}
	free(at);
	return err_set(err, ERR_INPUT,
		       "%s is in no git repository: name one with --repo", dir);
}

static int one_verdict(struct cli *cli, const char *repository, const char *rev,
		       struct snapshot *out, struct err *err)
{
	struct verify_args args = {
		.repository = repository,
		.target = rev,
		.mode = VERIFY__VERIFY_REQUEST__MODE__UNTRUSTED,
	};
	struct verdict v;
	struct buf text;
	int r = siblings_verify(&cli->conf,
				cli->conf.libexec[0] != '\0' ? cli->conf.libexec
							     : NULL,
				&args, cli->arena, &v, err);

	if (r < 0)
		return r;
	if (v.kind != VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED) {
		buf_init(&text, OUT_MAX);
		print_refusal(&v, NULL, &text);
		(void)fwrite(text.data, 1, text.len, stderr);
		buf_release(&text);
		return v.kind == VERIFY__VERIFY_REPLY__VERDICT__REFUSED_POLICY
			       ? err_set(err, ERR_DENIED,
					 "revision is refused by policy")
			       : err_set(err, ERR_INPUT,
					 "revision has bad manifests");
	}
	if (v.snapshot == NULL)
		return err_set(err, ERR_PROTO, "no snapshot");
	return snapshot_decode(v.snapshot, v.snapshot_len, cli->arena, out,
			       err);
}

/* Two revisions: no host, no credential, nothing of the repository runs. */
static int compare(struct cli *cli, const char *from, const char *to,
		   struct err *err)
{
	const char *dir = opt_get(&cli->values, "repo");
	const char *repository = NULL;
	struct snapshot a;
	struct snapshot b;
	struct world none = {0};
	struct plan plan;
	struct diags diags;
	int r;

	if (from == NULL || to == NULL)
		return err_set(err, ERR_INPUT, "want both --from and --to");
	if (opt_get(&cli->values, "config") != NULL)
		r = cli_load(cli, err);
	else
		r = 0;
	if (cli->conf.libexec == NULL)
		cli->conf.libexec = "";
	diags_init(&diags, cli->arena, 1000);
	if (r == 0)
		r = find_repository(cli, dir == NULL ? "." : dir, &repository,
				    err);
	if (r == 0)
		r = one_verdict(cli, repository, from, &a, err);
	if (r < 0)
		return err_wrap(err, "--from %s", from);
	r = one_verdict(cli, repository, to, &b, err);
	if (r < 0)
		return err_wrap(err, "--to %s", to);
	r = plan_compare(&a, &b, cli->arena, &diags, &plan, err);
	if (r == 0)
		r = print_plan(cli, &b, &none, &plan, &diags, err);
	if (r == 0 && plan.n > 0 &&
	    opt_get(&cli->values, "detailed-exitcode") != NULL)
		cli->exit = CORE_EXIT_PENDING;
	return r;
}

static int dry_run(struct cli *cli, struct err *err)
{
	struct pass_options options = {.dry_run = true, .timeout_s = -1};
	struct pass_result p;
	struct core core;
	struct err why = {0};
	int r = cli_open(cli, true, &core, err);

	if (r < 0)
		return r;
	r = fleet_open(&core, false, &why);
	if (r < 0)
		core_say(&core,
			 "note: %s; comparing with what was reported "
			 "last",
			 why.msg);
	r = pass_run(&core, &options, cli->arena, &p, err);
	if (r == 0)
		r = print_result(&p, false, err);
	if (r == 0 && p.target.have_snapshot)
		r = print_plan(cli, &p.target.want, &p.world, &p.plan, &p.diags,
			       err);
	core_close(&core);
	if (r == 0 && p.exit != CORE_EXIT_DONE)
		cli->exit = p.exit;
	else if (r == 0 && p.plan.n > 0 &&
		 opt_get(&cli->values, "detailed-exitcode") != NULL)
		cli->exit = CORE_EXIT_PENDING;
	return r;
}

static void say_end(const struct core *core, const struct pass_result *p)
{
	const struct pass_target *t = &p->target;

	switch (p->exit) {
	case CORE_EXIT_INCOMPLETE:
		core_say(core, "Incomplete: %s.",
			 p->summary != NULL ? p->summary : "out of time");
		break;
	case CORE_EXIT_AGAIN:
		core_say(core, "Try again: %s.",
			 p->summary != NULL ? p->summary : "see above");
		break;
	case CORE_EXIT_AUDIT:
	case CORE_EXIT_APPLY:
	case CORE_EXIT_SAFEGUARD:
		core_say(core, "Stopped: %s.",
			 p->summary != NULL ? p->summary : "see above");
		break;
	default:
		if (t->refused && p->summary != NULL)
			core_say(core, "Incomplete: %s.", p->summary);
		else if (p->remembered)
			core_say(core, "Nothing to do: %.12s is in force.",
				 t->commit);
		else if (t->have_snapshot)
			core_say(core,
				 p->acted ? "Converged on %.12s, signed by %s."
					  : "Nothing to do: %.12s, signed by "
					    "%s, is in force.",
				 t->commit, t->want.signer);
		break;
	}
}

static int options_of(const struct cli *cli, struct pass_options *out,
		      struct err *err)
{
	const char *timeout = opt_get(&cli->values, "timeout");
	uint64_t seconds = 0;

	if (timeout != NULL &&
	    !num_parse_u64(timeout, strlen(timeout), 86400, &seconds))
		return err_set(err, ERR_INPUT,
			       "want --timeout in seconds, 0 to 86400, have "
			       "\"%s\"",
			       timeout);
	*out = (struct pass_options){
		.allow_deletes = opt_get(&cli->values, "allow-deletes") != NULL,
		.timeout_s = timeout == NULL ? -1 : (int64_t)seconds,
	};
	return 0;
}

int pass_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *from = opt_get(&cli->values, "from");
	const char *to = opt_get(&cli->values, "to");
	struct pass_options options;
	struct pass_result p;
	struct core core;
	int r = options_of(cli, &options, err);

	if (r < 0)
		return r;
	if (from != NULL || to != NULL)
		return compare(cli, from, to, err);
	if (opt_get(&cli->values, "dry-run") != NULL)
		return dry_run(cli, err);
	r = cli_open(cli, false, &core, err);
	if (r < 0)
		return r;
	core.patience_s = options.timeout_s;
	r = membership_maintain(&core, err);
	if (r == 0)
		r = fleet_open(&core, true, err);
	if (r == 0)
		r = fleet_reload(&core, err);
	if (r == 0 && opt_get(&cli->values, "daemon") != NULL) {
		r = daemon_run(cli, &core, &options, err);
	} else if (r == 0) {
		r = pass_run(&core, &options, cli->arena, &p, err);
		if (r == 0) {
			r = print_result(&p, true, err);
			say_end(&core, &p);
			cli->exit = p.exit;
		}
	}
	core_close(&core);
	return r;
}

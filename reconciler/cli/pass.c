/* pass.c - `reconcile`, --dry-run and --daemon. */
#include "reconciler/cli/cli.h"

#include "lib/num.h"
#include "lib/text.h"
#include "policy/verify/verify.pb-c.h"
#include "reconciler/cli/apply.h"
#include "reconciler/cli/daemon.h"
#include "reconciler/cli/output.h"
#include "reconciler/cli/propose.h"
#include "reconciler/core/fleet.h"
#include "reconciler/core/membership.h"
#include "reconciler/core/pass.h"
#include "reconciler/plan/plan.h"

#include <stdio.h>
#include <string.h>

#define OUT_MAX ((size_t)256 << 20)

/* The report of a pass that changed nothing. */
static struct report report_of(const struct pass_result *p)
{
	const struct pass_target *t = &p->target;
	const struct verdict *v = &t->verdict;
	const int kind = t->refused ? v->kind : -1;
	struct report r = {
		.base_id = t->accepted,
		.head_id = t->head,
		.exit = p->exit,
		.judged = true,
		.refused_trust =
			kind == VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST,
		.refused_manifest =
			kind == VERIFY__VERIFY_REPLY__VERDICT__REFUSED_MANIFEST,
		.refused_policy =
			kind == VERIFY__VERIFY_REPLY__VERDICT__REFUSED_POLICY,
		.trust_version = v->trust_version,
		.verified = v->verified,
		.requirements = v->requirements,
		.n_requirements = v->n_requirements,
		.commits = v->commits,
		.n_commits = v->n_commits,
		.facts = v->facts,
		.n_facts = v->n_facts,
		.diags = &v->diags,
	};

	if (t->have_snapshot) {
		r.plan = &p->plan;
		r.want = &t->want;
		r.world = &p->world;
		r.plan_diags = &p->diags;
	} else {
		r.no_plan = "no commit is in force";
	}
	return r;
}

/* What was refused and why, for standard error. */
static int print_result(const struct pass_result *p, struct err *err)
{
	struct report report = report_of(p);
	struct buf out;
	int r = 0;

	buf_init(&out, OUT_MAX);
	if (p->target.refused) {
		buf_printf(&out, "Commit %.12s is refused.\n",
			   p->target.verdict.commit);
		report_text_refusal(&report, &out);
		if (p->target.accepted != NULL)
			buf_printf(&out, "Commit %.12s stays in force.\n",
				   p->target.accepted);
	}
	if (p->exit != CORE_EXIT_DONE)
		diags_print_text(&p->diags, &out);
	if (out.len > 0 && fwrite(out.data, 1, out.len, stderr) != out.len)
		r = err_set(err, ERR_SYS, "standard error is closed");
	buf_release(&out);
	return r;
}

static int dry_run(struct cli *cli, struct err *err)
{
	struct pass_options options = {.dry_run = true, .timeout_s = -1};
	struct output out;
	struct pass_result p;
	struct report report;
	struct core core;
	struct err why = {0};
	int r = output_parse(cli, &out, err);

	if (r == 0)
		r = cli_open(cli, true, &core, err);
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
		r = apply_save(cli, &core, &p, err);
	if (r == 0) {
		if (p.exit == CORE_EXIT_DONE && p.plan.n > 0 &&
		    opt_get(&cli->values, "detailed-exitcode") != NULL)
			p.exit = CORE_EXIT_PENDING;
		report = report_of(&p);
		r = output_write(cli, &out, &report, err);
		cli->exit = p.exit;
	}
	core_close(&core);
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
	case CORE_EXIT_STALE_PLAN:
		core_say(core,
			 "The plan does not fit any more: %s. Make it and "
			 "read it again.",
			 p->summary != NULL ? p->summary : "see above");
		break;
	case CORE_EXIT_AUDIT:
	case CORE_EXIT_APPLY:
	case CORE_EXIT_SAFEGUARD:
		core_say(core, "Stopped: %s.",
			 p->summary != NULL ? p->summary : "see above");
		break;
	default:
		if (t->stale && !t->refused && p->summary != NULL)
			core_say(core, "Stale: %s.", p->summary);
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

int pass_options_of(const struct cli *cli, struct pass_options *out,
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
	int r = pass_options_of(cli, &options, err);

	if (r < 0)
		return r;
	if (from != NULL || to != NULL)
		return propose_command(cli, from, to, err);
	if (opt_get(&cli->values, "dry-run") == NULL &&
	    opt_get(&cli->values, "output") != NULL)
		return err_set(err, ERR_INPUT,
			       "--output is for --dry-run and --from --to");
	if (opt_get(&cli->values, "dry-run") != NULL)
		return dry_run(cli, err);
	if (opt_get(&cli->values, "out") != NULL)
		return err_set(err, ERR_INPUT, "--out is for --dry-run");
	return pass_once(cli, &options, err);
}

int pass_once(struct cli *cli, const struct pass_options *options,
	      struct err *err)
{
	struct pass_result p;
	struct core core;
	int r;

	r = cli_open(cli, false, &core, err);
	if (r < 0)
		return r;
	core.patience_s = options->timeout_s;
	r = membership_maintain(&core, err);
	if (r == 0)
		r = fleet_open(&core, true, err);
	if (r == 0)
		r = fleet_reload(&core, err);
	if (r == 0 && opt_get(&cli->values, "daemon") != NULL) {
		r = daemon_run(cli, &core, options, err);
	} else if (r == 0) {
		r = pass_run(&core, options, cli->arena, &p, err);
		if (r == 0) {
			r = print_result(&p, err);
			say_end(&core, &p);
			cli->exit = p.exit;
		}
	}
	core_close(&core);
	return r;
}

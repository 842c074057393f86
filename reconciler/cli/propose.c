/*
 * propose.c - see propose.h.
 *
 * HEAD is judged by the trust policy of BASE, which is taken as it is: whoever
 * runs this says that BASE is what they have.  Everything that can be known is
 * said, also when something is refused.
 */
#include "reconciler/cli/propose.h"

#include "policy/verify/verify.pb-c.h"
#include "reconciler/cli/output.h"
#include "reconciler/cli/repository.h"
#include "reconciler/core/siblings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIAGS_MAX 1000

struct side {
	const char *name; /* as the person named it */
	struct verdict verdict;
	struct snapshot set;
	bool known;  /* set is there */
	int content; /* kind of verdict on manifests and policy */
};

static int ask(struct cli *cli, const char *repository, int mode,
	       const char *accepted, struct side *io, struct err *err)
{
	struct verify_args args = {
		.repository = repository,
		.accepted = accepted,
		.target = io->name,
		.mode = mode,
	};
	struct verdict *v = &io->verdict;
	int r = siblings_verify(&cli->conf,
				cli->conf.libexec[0] != '\0' ? cli->conf.libexec
							     : NULL,
				&args, cli->arena, v, err);

	if (r == 0 && v->commit[0] == '\0')
		r = err_set(err, ERR_INPUT, "%s",
			    v->diags.n > 0 ? v->diags.items[0].message
					   : "no such revision");
	if (r == 0 && v->snapshot != NULL) {
		r = snapshot_decode(v->snapshot, v->snapshot_len, cli->arena,
				    &io->set, err);
		io->known = r == 0;
	}
	return r;
}

/* HEAD by the trust of BASE; where that ends the judgement, what it holds is
 * asked for all the same. */
static int ask_head(struct cli *cli, const char *repository,
		    const char *accepted, struct side *io, struct err *err)
{
	struct side content = {.name = io->name};
	struct verdict *v = &io->verdict;
	int r = ask(cli, repository, VERIFY__VERIFY_REQUEST__MODE__PROPOSAL,
		    accepted, io, err);

	io->content = v->kind;
	if (r < 0 || v->kind != VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST)
		return r;
	r = ask(cli, repository, VERIFY__VERIFY_REQUEST__MODE__UNTRUSTED, NULL,
		&content, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < content.verdict.diags.n; i++) {
		const struct diag *d = &content.verdict.diags.items[i];

		diags_add(&v->diags, d->code, d->severity, d->pos, d->pointer,
			  d->fix, "%s", d->message);
	}
	io->content = content.verdict.kind;
	io->set = content.set;
	io->known = content.known;
	return 0;
}

static int exit_of(const struct cli *cli, const struct report *r)
{
	if (r->refused_manifest)
		return CORE_EXIT_MANIFEST;
	if (r->refused_policy)
		return CORE_EXIT_POLICY;
	if (r->refused_trust || report_missing(r) > 0)
		return CORE_EXIT_TRUST;
	if (r->plan != NULL && r->plan->n > 0 &&
	    opt_get(&cli->values, "detailed-exitcode") != NULL)
		return CORE_EXIT_PENDING;
	return CORE_EXIT_DONE;
}

static void fill(const struct side *base, const struct side *head,
		 struct report *out)
{
	const struct verdict *v = &head->verdict;

	*out = (struct report){
		.base = base->name,
		.head = head->name,
		.base_id = base->verdict.commit,
		.head_id = v->commit,
		.refused_trust =
			v->kind == VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST,
		.refused_manifest =
			head->content ==
			VERIFY__VERIFY_REPLY__VERDICT__REFUSED_MANIFEST,
		.refused_policy = head->content ==
				  VERIFY__VERIFY_REPLY__VERDICT__REFUSED_POLICY,
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
	out->judged = v->n_requirements > 0 || v->trust_version > 0 ||
		      v->verified > 0 || out->refused_trust;
}

static int show(struct cli *cli, const struct output *to,
		const struct side *base, const struct side *head,
		struct err *err)
{
	struct world none = {0};
	struct report report;
	struct diags diags;
	struct plan plan;
	int r = 0;

	fill(base, head, &report);
	diags_init(&diags, cli->arena, DIAGS_MAX);
	if (base->known && head->known) {
		r = plan_compare(&base->set, &head->set, cli->arena, &diags,
				 &plan, err);
		report.plan = &plan;
		report.want = &head->set;
		report.world = &none;
		report.plan_diags = &diags;
	} else {
		report.no_plan = head->known
					 ? "the base cannot be read in whole"
					 : "the manifests cannot be read in "
					   "whole";
	}
	if (r < 0)
		return r;
	report.exit = exit_of(cli, &report);
	r = output_write(cli, to, &report, err);
	cli->exit = report.exit;
	return r;
}

int propose_command(struct cli *cli, const char *from, const char *to,
		    struct err *err)
{
	const char *dir = opt_get(&cli->values, "repo");
	struct side base = {.name = from};
	struct side head = {.name = to};
	const char *repository = NULL;
	struct output out;
	int r = output_parse(cli, &out, err);

	if (r == 0 && (from == NULL || to == NULL))
		r = err_set(err, ERR_INPUT, "want both --from and --to");
	if (r == 0 && opt_get(&cli->values, "config") != NULL)
		r = cli_load(cli, err);
	if (cli->conf.libexec == NULL)
		cli->conf.libexec = "";
	if (r == 0)
		r = repository_find(dir, cli->arena, &repository, NULL, err);
	if (r < 0)
		return r;
	r = ask(cli, repository, VERIFY__VERIFY_REQUEST__MODE__UNTRUSTED, NULL,
		&base, err);
	if (r < 0)
		return err_wrap(err, "--from %s", from);
	r = ask_head(cli, repository, base.verdict.commit, &head, err);
	if (r < 0)
		return err_wrap(err, "--to %s", to);
	return show(cli, &out, &base, &head, err);
}

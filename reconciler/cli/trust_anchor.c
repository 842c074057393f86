/* trust_anchor.c - `reconcile trust anchor`: where to go on when what was
 * accepted last is lost, or must be left behind.  On the operator's word, and
 * in the audit log before it holds. */
#include "reconciler/cli/cli.h"

#include "lib/text.h"
#include "policy/verify/verify.pb-c.h"
#include "reconciler/core/anchor.h"
#include "reconciler/core/fetcher.h"
#include "reconciler/core/siblings.h"

#include <string.h>

#define REASON_MAX 1000

/* The commit must be there, so that a slip of the pen does not end trust: what
 * is fetched now, else what was fetched before. */
static int find(struct core *c, const char *commit, struct arena *arena,
		struct err *err)
{
	struct verify_args args = {
		.repository = siblings_mirror(c->conf, arena),
		.target = commit,
		.mode = VERIFY__VERIFY_REQUEST__MODE__UNTRUSTED,
	};
	const char *head = NULL;
	struct err why = {0};
	struct verdict v;
	int r;

	if (fetcher_head(c, arena, &head, &why) < 0)
		core_say(c, "note: %s; looking in what was fetched before",
			 why.msg);
	r = siblings_verify(c->conf, c->libexec, &args, arena, &v, err);
	if (r == 0 && v.kind == VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST)
		r = err_set(err, ERR_INPUT, "commit %s is not in %s on %s: %s",
			    commit, c->conf->repository_url,
			    c->conf->repository_ref,
			    v.diags.n > 0 ? v.diags.items[0].message
					  : "it cannot be read");
	return r;
}

int trust_anchor_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *commit = cli_operand(cli, 0);
	const char *reason = opt_get(&cli->values, "reason");
	const char *state = "none";
	const char *log = "none";
	char safe[120];
	struct core core;
	int r;

	if (!text_is_hex(commit, 40))
		return err_set(
			err, ERR_INPUT,
			"want a whole commit id (40 lower-case hex "
			"digits), have \"%s\"",
			text_safe(safe, sizeof(safe), commit, strlen(commit)));
	if (reason != NULL && strlen(reason) > REASON_MAX)
		return err_set(err, ERR_INPUT,
			       "want --reason of at most %d bytes", REASON_MAX);
	r = cli_open(cli, false, &core, err);
	if (r < 0)
		return r;
	r = anchor_words(&core, cli->arena, &state, &log, err);
	if (r == 0)
		r = find(&core, commit, cli->arena, err);
	if (r == 0)
		r = anchor_set(&core, commit, reason, err);
	if (r == 0)
		core_say(&core,
			 "Trust goes on from %s (before: %s by the state, %s "
			 "by the audit log). Hosts keep their own: one that "
			 "refuses needs `reconcile-agent anchor`.",
			 commit, state, log);
	core_close(&core);
	return r;
}

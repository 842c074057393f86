/* misc.c - init, explain, completion, version. */
#include "reconciler/cli/cli.h"

#include "agent/code.h"
#include "manifest/manifest.h"
#include "policy/admission/admission.h"
#include "policy/trust/verdict.h"
#include "reconciler/core/audit_log.h"
#include "reconciler/core/membership.h"
#include "reconciler/plan/plan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX (1u << 20)

int misc_init(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	struct state *state = NULL;
	const char *vkey = NULL;
	int r = cli_load(cli, err);

	if (r == 0)
		r = membership_init(&cli->conf, err);
	if (r == 0)
		r = state_open(cli->conf.state_dir, false, &state, err);
	state_close(state);
	if (r == 0)
		r = audit_log_vkey(&cli->conf, cli->arena, &vkey, err);
	if (r < 0)
		return r;
	(void)printf("Made %s.\nPublic key of the audit log (keep a copy "
		     "elsewhere):\n  %s\nNext: reconcile host token NAME\n",
		     cli->conf.state_dir, vkey);
	return 0;
}

static bool is_code(const char *word)
{
	size_t n = strlen(word);

	if (n < 3 || n > 5 || !isupper((unsigned char)word[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!isdigit((unsigned char)word[i]))
			return false;
	return true;
}

/* What a host says; H codes have no longer text than their message. */
static int explain_host(const char *what, struct buf *out, struct err *err)
{
#define HOST_ROW(code, name, text) {#code, text},
	static const struct {
		const char *id, *text;
	} rows[] = {CODE_LIST(HOST_ROW)};
#undef HOST_ROW

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].id, what) == 0) {
			buf_printf(out, "%s (said by a host)\n  %s\n", what,
				   rows[i].text);
			return 0;
		}
	return err_set(err, ERR_NOTFOUND, "unknown code '%s'", what);
}

int misc_explain(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *what = cli_operand(cli, 0);
	struct buf out;
	int r;

	buf_init(&out, TEXT_MAX);
	if (!is_code(what))
		r = manifest_explain(what, &out, err);
	else if (what[0] == 'P')
		r = admission_explain(what, &out, err);
	else if (what[0] == 'R')
		r = plan_explain(what, &out, err);
	else if (what[0] == 'T')
		r = verdict_explain(what, &out, err);
	else if (what[0] == 'H')
		r = explain_host(what, &out, err);
	else
		r = manifest_explain_code(what, &out, err);
	r = cli_no_such(r, err);
	if (r == 0)
		r = cli_print(&out, err);
	buf_release(&out);
	return r;
}

int misc_completion(void *ctx, struct err *err)
{
	return opt_completion(&commands_program, cli_operand(ctx, 0), stdout,
			      err);
}

int misc_version(void *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	(void)printf("reconcile %s\nplan format reconcile.plan/v1\n"
		     "policy format reconcile/v1alpha1\n",
		     RECONCILE_VERSION);
	return 0;
}

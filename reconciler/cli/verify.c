/*
 * verify.c - `reconcile verify [A..B]`: who signed what, and whether it may
 * come after A.  With --config by the trust root that is configured there;
 * without, by the trust policy of A, which is taken as it is.
 */
#include "reconciler/cli/cli.h"

#include "lib/text.h"
#include "policy/verify/verify.pb-c.h"
#include "reconciler/cli/repository.h"
#include "reconciler/core/siblings.h"
#include "reconciler/report/format.h"

#include <string.h>

#define OUT_MAX ((size_t)64 << 20)

struct look {
	struct cli *cli;
	const char *repository;
	const char *from, *to; /* as named; from NULL: from nothing */
	bool pinned;	       /* by the configuration */
	struct verdict v;
};

static int parse(struct look *l, struct err *err)
{
	const char *range = cli_operand(l->cli, 0);
	const char *dots = range == NULL ? NULL : strstr(range, "..");
	char safe[120];

	l->to = range == NULL ? "HEAD" : range;
	if (dots == NULL)
		return 0;
	l->from = arena_strndup(l->cli->arena, range, (size_t)(dots - range));
	l->to = dots[2] == '\0' ? "HEAD" : dots + 2;
	if (l->from[0] == '\0' || l->to[0] == '.')
		return err_set(
			err, ERR_INPUT, "want A..B or B, have \"%s\"",
			text_safe(safe, sizeof(safe), range, strlen(range)));
	return 0;
}

static int ask(struct look *l, int mode, const char *from, const char *to,
	       struct verdict *v, struct err *err)
{
	struct verify_args args = {
		.repository = l->repository,
		.accepted = from,
		.target = to,
		.mode = mode,
		.every = true,
	};

	return siblings_verify(
		&l->cli->conf,
		l->cli->conf.libexec[0] != '\0' ? l->cli->conf.libexec : NULL,
		&args, l->cli->arena, v, err);
}

/* The id that rev names now. */
static int resolve(struct look *l, const char *rev, const char **out,
		   struct err *err)
{
	struct verdict v;
	int r = ask(l, VERIFY__VERIFY_REQUEST__MODE__UNTRUSTED, NULL, rev, &v,
		    err);

	if (r == 0 && v.commit[0] == '\0')
		r = err_set(err, ERR_INPUT, "%s",
			    v.diags.n > 0 ? v.diags.items[0].message
					  : "no such revision");
	if (r == 0)
		*out = v.commit;
	return r;
}

static int judge(struct look *l, struct err *err)
{
	const char *from = NULL;
	const char *to = NULL;
	int r;

	if (!l->pinned) {
		r = ask(l, VERIFY__VERIFY_REQUEST__MODE__PROPOSAL, l->from,
			l->to, &l->v, err);
		if (r == 0 && l->v.commit[0] == '\0')
			r = err_set(err, ERR_INPUT, "%s",
				    l->v.diags.n > 0
					    ? l->v.diags.items[0].message
					    : "no such revision");
		return r;
	}
	r = resolve(l, l->to, &to, err);
	if (r == 0 && l->from != NULL)
		r = resolve(l, l->from, &from, err);
	return r < 0 ? r
		     : ask(l, VERIFY__VERIFY_REQUEST__MODE__FULL, from, to,
			   &l->v, err);
}

static void fill(const struct look *l, struct report *out)
{
	const struct verdict *v = &l->v;

	*out = (struct report){
		.base = l->from,
		.head = l->to,
		.base_id = v->accepted,
		.head_id = v->commit,
		.refused_trust =
			v->kind == VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST,
		.trust_version = v->trust_version,
		.verified = v->verified,
		.requirements = v->requirements,
		.n_requirements = v->n_requirements,
		.commits = v->commits,
		.n_commits = v->n_commits,
		.facts = v->facts,
		.n_facts = v->n_facts,
		.diags = &v->diags,
		.no_plan = "verify looks at trust alone",
	};
	out->judged = l->pinned || v->n_requirements > 0 ||
		      v->trust_version > 0 || v->verified > 0 ||
		      out->refused_trust;
}

static void put_safe(struct buf *out, const char *text)
{
	char safe[200];

	buf_printf(out, " %s",
		   text == NULL || text[0] == '\0'
			   ? "-"
			   : text_safe(safe, sizeof(safe), text, strlen(text)));
}

/* A line a commit: id, code, signer, format, key, digest of the payload. */
static void put_commits(const struct report *r, struct buf *out)
{
	for (size_t i = 0; i < r->n_commits; i++) {
		const struct report_commit *c = &r->commits[i];

		buf_printf(out, "%.12s %-4s", c->commit, c->code);
		put_safe(out, c->signer);
		put_safe(out, c->format);
		put_safe(out, c->key);
		put_safe(out, c->payload);
		put_safe(out, c->subject);
		buf_putc(out, '\n');
		if (strcmp(c->code, "OK") != 0) {
			buf_puts(out, "  ");
			put_safe(out, c->reason);
			buf_putc(out, '\n');
		}
	}
}

/* Manifests and policy are lint's and the dry run's. */
static bool is_trusted(const struct report *r)
{
	return r->judged && !r->refused_trust && report_missing(r) == 0;
}

static int print(const struct look *l, const struct report *r, struct err *err)
{
	const struct format_ask none = {0};
	bool json = false;
	struct buf out;
	int ret = cli_json(l->cli, &json, err);

	if (ret < 0)
		return ret;
	buf_init(&out, OUT_MAX);
	if (json) {
		ret = report_json(r, &none, &out, err);
	} else {
		put_commits(r, &out);
		if (opt_get(&l->cli->values, "explain") != NULL)
			report_text_refusal(r, &out);
		else if (is_trusted(r))
			buf_printf(&out, "trusted, %llu commits looked at\n",
				   (unsigned long long)r->verified);
		else
			buf_printf(&out, "NOT trusted: %s; see --explain\n",
				   report_trust(r, l->cli->arena));
	}
	if (ret == 0)
		ret = cli_print(&out, err);
	buf_release(&out);
	return ret;
}

int verify_command(void *ctx, struct err *err)
{
	struct look l = {.cli = ctx};
	struct report report;
	int r = parse(&l, err);

	l.pinned = opt_get(&l.cli->values, "config") != NULL;
	if (r == 0 && l.pinned)
		r = cli_load(l.cli, err);
	if (l.cli->conf.libexec == NULL)
		l.cli->conf.libexec = "";
	if (r == 0)
		r = repository_find(opt_get(&l.cli->values, "repo"),
				    l.cli->arena, &l.repository, NULL, err);
	if (r == 0)
		r = judge(&l, err);
	if (r < 0)
		return r;
	fill(&l, &report);
	if (!is_trusted(&report))
		l.cli->exit = CORE_EXIT_TRUST;
	return print(&l, &report, err);
}

/*
 * ruled.c - see ruled.h.  Runs in reconcile-verify, sandboxed.
 */
#include "policy/verify/ruled.h"
#include "lib/hash.h"
#include "lib/text.h"
#include "policy/verify/judge.h"
#include "policy/verify/lines.h"
#include "policy/verify/pinned.h"

#include <string.h>

static bool is_digest(const char *text)
{
	return strncmp(text, "sha256:", 7) == 0 &&
	       text_is_hex(text + 7, (size_t)2 * HASH_BYTES);
}

int ruled_check_root(const Verify__TrustRoot *root, struct err *err)
{
	struct commit_id id;

	if (*root->trust_policy == '\0' && *root->anchor == '\0')
		return 0;
	if (root->allowed_signers.len > 0 || root->revoked_keys.len > 0)
		return err_set(err, ERR_INPUT,
			       "want allowed signers or a trust policy in the "
			       "trust root, have both");
	if (!is_digest(root->trust_policy))
		return err_set(err, ERR_INPUT,
			       "want sha256: and 64 lower-case hex digits as "
			       "trust policy of the trust root");
	if (*root->anchor != '\0' &&
	    !commit_id_parse(root->anchor, strlen(root->anchor), &id))
		return err_set(err, ERR_INPUT,
			       "want 40 lower-case hex digits as anchor of the "
			       "trust root");
	return 0;
}

static int check_tag(void *ctx, const struct signers *signers,
		     struct verdict *v)
{
	return pinned_check_tag(ctx, signers, v);
}

/* What was not met, as diagnostics; the first also as the verdict. */
static int refuse(struct errand *job, const struct line_result *line,
		  struct verdict *v)
{
	const struct history_result *h = job->history;
	char hex[COMMIT_ID_HEX];
	bool unmet = false;

	for (size_t i = 0; i < line->n_requirements; i++)
		unmet |= !line->requirements[i].met;
	if (unmet)
		reply_unmet(&job->reply, line);
	if (h->n_refused > 0) {
		*v = h->refused[0].verdict;
		return verdict_wrap(v, "commit %s",
				    commit_id_hex(&h->refused[0].id, hex));
	}
	if (unmet)
		v->code = TCODE_OK; /* it is told */
	return unmet ? ERR_TRUST : 0;
}

static struct line_ask ask_of(const struct errand *job)
{
	const Verify__VerifyRequest *req = job->req;

	return (struct line_ask){
		.target = job->target,
		.accepted = req->head_only ? job->target : job->accepted,
		.has_accepted = req->head_only || job->has_accepted,
		.proposal = job->proposal,
		.want_commits = req->want_commits,
		.repository = req->root != NULL ? req->root->repository_id : "",
		.ref = req->root != NULL ? req->root->ref : "",
		.now = req->now,
		.openpgp = job->openpgp,
	};
}

int ruled_check(struct errand *job, struct verdict *v)
{
	const Verify__TrustRoot *root = job->req->root;
	struct line_ask ask = ask_of(job);
	struct line_result *line = arena_alloc(job->arena, sizeof(*line));
	int r;

	ask.has_anchor = *root->anchor != '\0';
	if (ask.has_anchor)
		(void)commit_id_parse(root->anchor, strlen(root->anchor),
				      &ask.anchor);
	ask.first_policy = root->trust_policy;
	ask.at_target = check_tag;
	ask.target_ctx = job;
	r = lines_check(&job->store, &ask, job->arena, job->history, line, v);
	if (r == 0)
		reply_line(&job->reply, line);
	reply_history(&job->reply, job->history, &job->target);
	return r < 0 ? r : refuse(job, line, v);
}

/* Without a trust root: what BASE says of itself. */
static int read_binding(struct errand *job, struct line_ask *ask,
			struct verdict *v)
{
	struct judge_binding b = {0};
	int r;

	if (*ask->repository != '\0' && *ask->ref != '\0')
		return 0;
	r = judge_read_binding(
		&job->store, job->has_accepted ? &job->accepted : &job->target,
		job->arena, &b, v);
	ask->repository = b.repository_id != NULL ? b.repository_id : "";
	ask->ref = b.ref != NULL ? b.ref : "";
	return r;
}

static void add_facts(struct errand *job, const struct line_result *line)
{
	if (!line->has_policy)
		reply_fact(&job->reply, "BASE has no trust policy "
					"(.reconcile/trust.yaml)");
	if (line->by_merging)
		reply_fact(
			&job->reply,
			line->has_merged
				? "HEAD does not begin at BASE: judged as "
				  "merged into it"
				: "HEAD does not merge into BASE: rebase it, "
				  "or merge BASE into it");
	for (size_t i = 0; i < line->n_notes; i++)
		reply_fact(&job->reply, line->notes[i]);
}

/* What an approval of the whole change says. */
static void add_statement(struct errand *job, const struct line_ask *ask,
			  const struct line_result *line)
{
	struct approval a = {
		.has_from = line->has_from, .from = line->from, .to = line->to};
	struct approval again;
	struct buf text;

	if (!line->has_to || strlen(ask->repository) > APPROVAL_TEXT_MAX ||
	    strlen(ask->ref) > APPROVAL_TEXT_MAX)
		return;
	memcpy(a.repository, ask->repository, strlen(ask->repository) + 1);
	memcpy(a.ref, ask->ref, strlen(ask->ref) + 1);
	buf_init(&text, APPROVAL_BYTES_MAX);
	approval_statement(&a, &text);
	buf_puts(&text, "\n-\n");
	/* only what can be read again */
	if (!text.failed &&
	    approval_parse(text.data, text.len, &again, NULL) == 0)
		reply_statement(&job->reply, text.data, again.statement.len);
	buf_release(&text);
}

int ruled_propose(struct errand *job, struct verdict *v)
{
	const Verify__TrustRoot *root = job->req->root;
	struct line_ask ask = ask_of(job);
	struct line_result *line = arena_alloc(job->arena, sizeof(*line));
	int r = read_binding(job, &ask, v);

	if (r == 0)
		r = lines_check(&job->store, &ask, job->arena, job->history,
				line, v);
	if (r < 0)
		return r;
	job->has_merged = line->has_merged;
	job->merged = line->merged;
	add_facts(job, line);
	/* nothing was judged, so nothing may look as if it were good */
	if (line->has_policy && line->by_merging && !line->has_merged)
		return verdict_fail(v, TCODE_NOT_DESCENDANT,
				    "HEAD does not merge into BASE");
	if (!line->has_policy && root != NULL && root->allowed_signers.len > 0)
		return pinned_check(job, v);
	reply_line(&job->reply, line);
	reply_refusals(&job->reply, job->history);
	job->reply.message.commits_verified = job->history->verified;
	add_statement(job, &ask, line);
	return 0;
}

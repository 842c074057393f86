/*
 * pinned.c - see pinned.h.  Runs in reconcile-verify, sandboxed.
 */
#include "policy/verify/pinned.h"
#include "policy/verify/lines.h"

/* An accepted commit under a tag that we may have seen before. */
int pinned_check_tag(struct errand *job, const struct signers *signers,
		     struct verdict *v)
{
	struct signature_time t = {
		.now = job->req->now,
		.openpgp = job->openpgp,
		.first_seen = !job->has_accepted ||
			      !commit_id_equal(&job->target, &job->accepted)};
	struct signature_by by = {0};
	int r = tagged_check(&job->tag, signers, &t, &by, v);

	if (job->tag.found)
		reply_commit(&job->reply, &job->tag.id, &by, r < 0 ? v : NULL);
	return r;
}

/* A trust policy that nobody pinned would be believed to hold. */
static int check_unpinned(struct errand *job, struct verdict *v)
{
#ifndef GUARD_OFF_UNPINNED
	bool found = false;
	int r = lines_has_policy(&job->store, &job->history->tree, &found, v);

	if (r < 0)
		return r;
	if (found)
		return verdict_fail(v, TCODE_UNPINNED,
				    "%s stands in the commit, but lists of "
				    "keys are pinned",
				    PEOPLE_PATH);
#else
	(void)job;
	(void)v;
#endif
	return 0;
}

static int first_refused(const struct history_result *h, struct verdict *v)
{
	char hex[COMMIT_ID_HEX];

	if (h->n_refused == 0)
		return h->head_passed ? 0 : ERR_TRUST;
	*v = h->refused[0].verdict;
	return verdict_wrap(v, "commit %s",
			    commit_id_hex(&h->refused[0].id, hex));
}

static void list(void *ctx, const struct commit_id *id,
		 const struct signature_by *by, const struct verdict *why,
		 const struct commit *c)
{
	struct errand *job = ctx;
	char subject[COMMIT_SUBJECT];

	reply_listed(&job->reply, id, by, why, by->payload,
		     c != NULL ? commit_subject(c, subject) : "");
}

int pinned_check(struct errand *job, struct verdict *v)
{
	const Verify__TrustRoot *root = job->req->root;
	struct walk_source src = {store_read_commit, &job->store};
	struct history_ask ask = {.target = job->target,
				  .accepted = job->accepted,
				  .has_accepted = job->has_accepted,
				  .head_only = job->req->head_only,
				  .now = job->req->now};
	struct signers *signers = NULL;
	int r;

	if (job->req->want_commits || job->proposal) {
		ask.each = list;
		ask.each_ctx = job;
	}
	r = signers_new((const char *)root->allowed_signers.data,
			root->allowed_signers.len,
			(const char *)root->revoked_keys.data,
			root->revoked_keys.len, &signers, v);
	if (r < 0)
		return r;
	r = pinned_check_tag(job, signers, v);
	if (r == 0) {
		r = history_check(&src, signers, &ask, job->history, v);
		reply_history(&job->reply, job->history, &job->target);
	}
	signers_free(signers);
	if (r == 0 && !job->proposal)
		r = first_refused(job->history, v);
	return r == 0 ? check_unpinned(job, v) : r;
}

/*
 * verify.c - see verify.h.
 *
 * Trust is decided before one byte of a manifest is read; diagnostics of
 * manifests and policy come all at once.
 */
#include "policy/verify/verify.h"
#include "lib/arena.h"
#include "lib/text.h"
#include "policy/trust/history.h"
#include "policy/verify/judge.h"
#include "policy/verify/reply.h"
#include "policy/verify/tagged.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)768 << 20)
#define DIAGS_MAX 1000
#define SNAPSHOT_BYTES ((size_t)60 << 20)

struct errand {
	const Verify__VerifyRequest *req;
	bool trusted; /* mode FULL */
	struct arena *arena;
	struct reply reply;
	struct store store;
	struct commit_id target, accepted;
	bool has_accepted;
	struct tagged tag; /* in front of the target, if the ref is a tag */
	struct history_result *history;
};

static int bad_id(const char *what, const char *have, struct verdict *v)
{
	char shown[80];

	return verdict_fail(
		v, TCODE_REVISION,
		"%s: want 40 lower-case hex digits, have \"%s\"", what,
		text_safe(shown, sizeof(shown), have, strlen(have)));
}

static int read_ids(struct errand *job, struct verdict *v)
{
	const char *target = job->req->target;
	const char *accepted = job->req->accepted;

	job->has_accepted = *accepted != '\0';
	if (job->has_accepted &&
	    !commit_id_parse(accepted, strlen(accepted), &job->accepted))
		return bad_id("accepted", accepted, v);
	if (commit_id_parse(target, strlen(target), &job->target))
		return 0;
	if (job->trusted)
		return bad_id("target", target, v);
	return store_resolve(&job->store, target, &job->target, v);
}

static void add_verdicts(struct errand *job)
{
	struct history_result *h = job->history;

	for (size_t i = 0; i < h->n_refused; i++)
		reply_commit(&job->reply, &h->refused[i].id, &h->refused[i].by,
			     &h->refused[i].verdict);
	if (h->head_passed)
		reply_commit(&job->reply, &job->target, &h->head, NULL);
	job->reply.message.commits_verified = h->verified;
}

/* By the signers in force at the target: whoever may not sign any more may not
 * tag either.  An accepted commit under a tag that we may have seen before. */
static int check_tag(struct errand *job, const struct signers *signers,
		     struct verdict *v)
{
	struct signature_time t = {
		.now = job->req->now,
		.first_seen = !job->has_accepted ||
			      !commit_id_equal(&job->target, &job->accepted)};
	struct signature_by by = {0};
	int r = tagged_check(&job->tag, signers, &t, &by, v);

	if (job->tag.found)
		reply_commit(&job->reply, &job->tag.id, &by, r < 0 ? v : NULL);
	return r;
}

/* Signatures of everything new.  ERR_TRUST: refused, the reply says why. */
static int check_trust(struct errand *job, struct verdict *v)
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

	r = signers_new((const char *)root->allowed_signers.data,
			root->allowed_signers.len,
			(const char *)root->revoked_keys.data,
			root->revoked_keys.len, &signers, v);
	if (r < 0)
		return r;
	r = check_tag(job, signers, v);
	if (r == 0) {
		r = history_check(&src, signers, &ask, job->history, v);
		add_verdicts(job);
	}
	signers_free(signers);
	if (r == 0 &&
	    (job->history->n_refused > 0 || !job->history->head_passed)) {
		r = ERR_TRUST;
		if (job->history->n_refused > 0) {
			char hex[COMMIT_ID_HEX];

			*v = job->history->refused[0].verdict;
			(void)verdict_wrap(
				v, "commit %s",
				commit_id_hex(&job->history->refused[0].id,
					      hex));
		}
	}
	return r;
}

/* What an untrusted run needs of the target without asking who signed it. */
static int read_target(struct errand *job, struct verdict *v)
{
	struct history_result *h = job->history;
	struct commit_id tree;
	const char *bytes = NULL;
	size_t n_parents = 0;
	size_t len = 0;
	struct commit c;
	int r;

	r = store_read_commit(&job->store, &job->target, &bytes, &len, v);
	if (r < 0)
		return r;
	if (len < 46 || memcmp(bytes, "tree ", 5) != 0 ||
	    !commit_id_parse(bytes + 5, 40, &tree) ||
	    !commit_parents(bytes, len, &h->parent, 1, &n_parents))
		return verdict_fail(v, TCODE_GRAMMAR, "not a commit object");
	h->tree = tree;
	h->has_parent = n_parents > 0;
	if (commit_parse(bytes, len, &c, NULL) == 0)
		h->commit_time = c.committer.when;
	return 0;
}

static Verify__VerifyReply__Verdict verdict_of(const struct diags *d)
{
	bool policy_only = true;

	if (d->n_errors == 0)
		return VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED;
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].severity == DIAG_ERROR &&
		    d->items[i].code[0] != 'P')
			policy_only = false;
	return policy_only ? VERIFY__VERIFY_REPLY__VERDICT__REFUSED_POLICY
			   : VERIFY__VERIFY_REPLY__VERDICT__REFUSED_MANIFEST;
}

static int judge(struct errand *job, struct verdict *v, struct err *err)
{
	const struct history_result *h = job->history;
	struct judge_result result = {0};
	struct judge_ask ask = {.commit = job->target,
				.tree = h->tree,
				.commit_time = h->commit_time,
				.want_snapshot = job->req->want_snapshot};
	struct diags diags;
	int r;

	if (h->has_parent)
		ask.before[0] = &h->parent;
	if (job->has_accepted && !commit_id_equal(&job->accepted, &job->target))
		ask.before[1] = &job->accepted;
	if (job->trusted) {
		ask.repository_id = job->req->root->repository_id;
		ask.ref = job->req->root->ref;
		ask.signer = arena_strdup(job->arena, h->head.principal);
	}
	buf_init(&result.snapshot, SNAPSHOT_BYTES);
	diags_init(&diags, job->arena, DIAGS_MAX);
	r = judge_commit(&job->store, &ask, job->arena, &diags, &result, v,
			 err);
	reply_diags(&job->reply, &diags);
	if (r == 0) {
		job->reply.message.verdict =
			result.trust_failed
				? VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST
				: verdict_of(&diags);
		/* what may not run is shown in a proposal, never sent to run */
		if (diags.n_errors == 0 || !job->trusted)
			reply_snapshot(&job->reply, &result.snapshot);
	}
	buf_release(&result.snapshot);
	return r;
}

static int run(struct errand *job, struct verdict *v, struct err *err)
{
	const Verify__VerifyRequest *req = job->req;
	int r;

	if (job->trusted &&
	    (req->root == NULL || *req->root->repository_id == '\0' ||
	     *req->root->ref == '\0'))
		return err_set(err, ERR_INPUT,
			       "want a trust root with repository id and ref");
	r = store_open(req->repository_path, job->trusted, &job->store, v, err);
	if (r < 0)
		return r;
	r = read_ids(job, v);
	if (r == 0 && job->trusted)
		r = tagged_open(&job->store, req->root->ref,
				job->has_accepted ? &job->accepted : NULL,
				job->arena, &job->target, &job->tag, v);
	if (r == 0) {
		reply_target(&job->reply, &job->target);
		r = job->trusted ? check_trust(job, v) : read_target(job, v);
	}
	if (r == 0)
		r = judge(job, v, err);
	return r;
}

int verify_answer(const Verify__VerifyRequest *req, struct buf *out,
		  struct err *err)
{
	struct errand job = {.req = req,
			     .trusted = req->mode ==
					VERIFY__VERIFY_REQUEST__MODE__FULL};
	struct verdict v = {0};
	struct err why = {0};
	int r;

	job.arena = arena_new(ARENA_BYTES);
	job.history = arena_alloc(job.arena, sizeof(*job.history));
	reply_init(&job.reply, job.arena);
	r = run(&job, &v, &why);
	if (r == ERR_TRUST)
		reply_refused(&job.reply, &v);
	else if (r < 0)
		reply_failed(&job.reply, &why);
	r = reply_pack(&job.reply, out, err);
	store_close(&job.store);
	arena_free(job.arena);
	return r;
}

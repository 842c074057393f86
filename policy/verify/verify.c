/*
 * verify.c - see verify.h.
 *
 * Trust is decided before one byte of a manifest is read; diagnostics of
 * manifests and policy come all at once.
 */
#include "policy/verify/verify.h"
#include "lib/arena.h"
#include "lib/text.h"
#include "policy/verify/judge.h"
#include "policy/verify/lint.h"
#include "policy/verify/pinned.h"
#include "policy/verify/ruled.h"
#include "policy/verify/trustfile.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)768 << 20)
#define DIAGS_MAX 1000
#define SNAPSHOT_BYTES ((size_t)60 << 20)

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
	    !commit_id_parse(accepted, strlen(accepted), &job->accepted)) {
		if (!job->proposal)
			return bad_id("accepted", accepted, v);
		if (store_resolve(&job->store, accepted, &job->accepted, v) < 0)
			return ERR_TRUST;
	}
	if (commit_id_parse(target, strlen(target), &job->target))
		return 0;
	if (job->trusted)
		return bad_id("target", target, v);
	return store_resolve(&job->store, target, &job->target, v);
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
	/* trust says the first fault alone; its author wants all of them */
	if (r == 0 && job->proposal)
		r = trustfile_faults(&job->store, &h->tree, job->arena, &diags,
				     v);
	diags_sort(&diags);
	reply_diags(&job->reply, &diags);
	if (r == 0) {
		reply_judged(&job->reply, &diags);
		if (result.trust_failed)
			job->reply.message.verdict =
				VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST;
		/* what may not run is shown in a proposal, never sent to run */
		if (diags.n_errors == 0 || !job->trusted)
			reply_snapshot(&job->reply, &result.snapshot);
	}
	buf_release(&result.snapshot);
	return r;
}

static int check_root(const struct errand *job, struct err *err)
{
	const Verify__TrustRoot *root = job->req->root;

	if (job->trusted && (root == NULL || *root->repository_id == '\0' ||
			     *root->ref == '\0'))
		return err_set(err, ERR_INPUT,
			       "want a trust root with repository id and ref");
	return root != NULL ? ruled_check_root(root, err) : 0;
}

/* By what the mode says; facts of the target are known afterwards. */
static int check_trust(struct errand *job, struct verdict *v)
{
	int r = 0;

	if (!job->trusted)
		r = read_target(job, v);
	else if (*job->req->root->trust_policy != '\0')
		return ruled_check(job, v);
	else
		return pinned_check(job, v);
	if (r == 0 && job->proposal) {
		reply_accepted(&job->reply,
			       job->has_accepted ? &job->accepted : NULL);
		r = ruled_propose(job, v);
	}
	if (r == 0)
		r = read_target(job, v);
	if (r == 0 && job->has_merged) {
		/* what BASE would have then, not what HEAD has without it */
		job->history->tree = job->merged;
		job->history->parent = job->accepted;
		job->history->has_parent = true;
	}
	return r;
}

static int run(struct errand *job, struct verdict *v, struct err *err)
{
	const Verify__VerifyRequest *req = job->req;
	int r = check_root(job, err);

	if (r == 0)
		r = store_open(req->repository_path, job->trusted, &job->store,
			       v, err);
	if (r < 0)
		return r;
	r = read_ids(job, v);
	if (r == 0 && job->trusted)
		r = tagged_open(&job->store, req->root->ref,
				job->has_accepted ? &job->accepted : NULL,
				job->arena, &job->target, &job->tag, v);
	if (r == 0) {
		reply_target(&job->reply, &job->target);
		r = check_trust(job, v);
	}
	job->reply.message.commit_time = job->history->commit_time;
	if (r == 0)
		r = judge(job, v, err);
	return r;
}

int verify_answer(const Verify__VerifyRequest *req,
		  const struct openpgp_run *openpgp, struct buf *out,
		  struct err *err)
{
	struct errand job = {
		.req = req,
		.openpgp = openpgp,
		.trusted = req->mode == VERIFY__VERIFY_REQUEST__MODE__FULL,
		.proposal = req->mode == VERIFY__VERIFY_REQUEST__MODE__PROPOSAL,
	};
	struct verdict v = {0};
	struct err why = {0};
	int r;

	job.arena = arena_new(ARENA_BYTES);
	job.history = arena_alloc(job.arena, sizeof(*job.history));
	reply_init(&job.reply, job.arena);
	if (req->mode == VERIFY__VERIFY_REQUEST__MODE__TRUST)
		r = trustfile_answer(req, &job.store, &job.reply, &v, &why);
	else if (req->mode == VERIFY__VERIFY_REQUEST__MODE__LINT)
		r = lint_answer(req, &job.reply, &why);
	else
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

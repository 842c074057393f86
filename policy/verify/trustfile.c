/*
 * trustfile.c - see trustfile.h.  All of it is hostile.
 */
#include "policy/verify/trustfile.h"
#include "policy/trust/people.h"
#include "policy/verify/files.h"

#include <string.h>

#define DIAGS_MAX 1000

struct answer {
	const Verify__VerifyRequest *req;
	struct store *store;
	struct reply *reply;
	struct diags diags;
	struct manifest_pos pos; /* of the file, then of its version */
	struct verdict *v;
};

static void complain(struct answer *a, enum tcode code,
		     enum diag_severity severity, const char *message)
{
	diags_add(&a->diags, verdict_name(code), severity, a->pos, NULL,
		  severity == DIAG_NOTE ? NULL : verdict_fix(code), "%s",
		  message);
}

/* Tree and first parent of a commit. */
static int read_commit(struct answer *a, const struct commit_id *id,
		       struct commit_id *out_tree, struct commit_id *out_parent,
		       bool *out_has_parent)
{
	const char *bytes = NULL;
	size_t len = 0, n = 0;
	int r = store_read_commit(a->store, id, &bytes, &len, a->v);

	if (r == 0 && (!commit_parents(bytes, len, out_parent, 1, &n) ||
		       !commit_id_parse(bytes + 5, 40, out_tree)))
		r = verdict_fail(a->v, TCODE_GRAMMAR, "not a commit object");
	*out_has_parent = n > 0;
	return r;
}

static int read_file(struct answer *a, const struct commit_id *tree,
		     bool *out_found, struct manifest_input *out)
{
	return files_read(a->store, tree, PEOPLE_PATH, a->reply->arena,
			  out_found, out, a->v);
}

/* Is it what follows the policy of the tree `before`? */
static int compare(struct answer *a, const struct commit_id *before,
		   const struct manifest_input *in, const struct people *next,
		   Verify__TrustPolicy *view)
{
	struct arena *arena = a->reply->arena;
	struct people *old = NULL;
	struct manifest_input file = {0};
	char digest[PEOPLE_DIGEST];
	struct verdict v = {0};
	struct diags quiet;
	bool found = false;
	int r = read_file(a, before, &found, &file);

	if (r < 0 || !found)
		return r;
	people_digest(file.bytes, file.len, digest);
	view->before = arena_strdup(arena, digest);
	people_digest(in->bytes, in->len, digest);
	if (next == NULL || strcmp(digest, view->before) == 0)
		return 0;
	diags_init(&quiet, arena, 1);
	if (people_read(&file, arena, &quiet, &old, &v) < 0)
		complain(a, TCODE_TRUST_POLICY, DIAG_WARNING,
			 "the one before does not decode: versions are not "
			 "compared");
	else if (people_successor(old, next, &v) < 0)
		complain(a, v.code, DIAG_ERROR, v.reason);
	people_free(old);
	return 0;
}

/* What tells a key, in the order of people_signers(), which is that of the
 * file. */
static void put_keys(struct answer *a, const struct people *p,
		     Verify__TrustPolicy *view)
{
	const struct signers *all = people_signers(p);
	struct arena *arena = a->reply->arena;
	const struct signer *s = NULL;
	size_t n = 0;

	while ((s = signers_each(all, s)) != NULL)
		n++;
	view->keys = arena_calloc(arena, n, sizeof(view->keys[0]));
	view->revoked = arena_calloc(arena, n, sizeof(view->revoked[0]));
	while ((s = signers_each(all, s)) != NULL) {
		const char *id = s->kind == ARMOR_SSH ? s->key.fingerprint
				 : s->openpgp != NULL ? s->openpgp->fingerprint
						      : "";

		view->revoked[view->n_revoked++] =
			signers_fingerprint_revoked(all, id);
		view->keys[view->n_keys++] = arena_strdup(arena, id);
	}
}

static void put_view(struct answer *a, const struct manifest_input *in,
		     const struct people *p, Verify__TrustPolicy *view)
{
	const struct object *o = people_object(p);
	char digest[PEOPLE_DIGEST];

	people_digest(in->bytes, in->len, digest);
	view->digest = arena_strdup(a->reply->arena, digest);
	view->canonical.data = (uint8_t *)(uintptr_t)o->canonical;
	view->canonical.len = o->canonical_len;
	put_keys(a, p, view);
	a->reply->message.trust_policy = view;
}

static int judge(struct answer *a, const struct manifest_input *in,
		 const struct commit_id *before)
{
	struct arena *arena = a->reply->arena;
	Verify__TrustPolicy *view = arena_alloc(arena, sizeof(*view));
	struct people *p = NULL;
	struct verdict v = {0};
	int r = 0;

	verify__trust_policy__init(view);
	if (people_read(in, arena, &a->diags, &p, &v) < 0)
		p = NULL; /* the diagnostics say why */
	else
		a->pos = people_spec(p)->version_pos;
	if (before != NULL)
		r = compare(a, before, in, p, view);
	if (r == 0 && p != NULL)
		put_view(a, in, p, view);
	people_free(p);
	return r;
}

/* A file that is in no commit yet, after `accepted`, if there is that. */
static int answer_input(struct answer *a)
{
	const Verify__Input *given = a->req->inputs[0];
	struct manifest_input in = {.path = given->path,
				    .bytes = (const char *)given->data.data,
				    .len = given->data.len};
	struct commit_id id, tree, parent;
	bool has_parent = false;
	struct verdict none = {0};
	int r;

	a->pos.path = given->path;
	if (*a->req->accepted == '\0')
		return judge(a, &in, NULL);
	if (store_resolve(a->store, a->req->accepted, &id, &none) < 0) {
		complain(a, none.code, DIAG_NOTE,
			 arena_printf(a->reply->arena,
				      "nothing before to compare with: %s",
				      none.reason));
		return judge(a, &in, NULL);
	}
	r = read_commit(a, &id, &tree, &parent, &has_parent);
	return r == 0 ? judge(a, &in, &tree) : r;
}

static int answer_target(struct answer *a)
{
	struct commit_id id, tree, before, before_tree, next;
	struct manifest_input in = {0};
	bool has_before = false, found = false, more = false;
	int r = store_resolve(a->store, a->req->target, &id, a->v);

	if (r == 0) {
		reply_target(a->reply, &id);
		r = read_commit(a, &id, &tree, &before, &has_before);
	}
	if (r == 0 && *a->req->accepted != '\0') {
		has_before = true;
		r = store_resolve(a->store, a->req->accepted, &before, a->v);
	}
	if (r == 0 && has_before)
		r = read_commit(a, &before, &before_tree, &next, &more);
	if (r == 0)
		r = read_file(a, &tree, &found, &in);
	if (r < 0)
		return r;
	if (found)
		return judge(a, &in, has_before ? &before_tree : NULL);
	complain(a, TCODE_NO_TRUST, DIAG_ERROR,
		 "the commit has no such plain file");
	return 0;
}

int trustfile_faults(struct store *store, const struct commit_id *tree,
		     struct arena *arena, struct diags *diags,
		     struct verdict *v)
{
	struct manifest_input in = {0};
	struct people *p = NULL;
	struct verdict first = {0};
	bool found = false;
	int r = files_read(store, tree, PEOPLE_PATH, arena, &found, &in, v);

	if (r == 0 && found && people_read(&in, arena, diags, &p, &first) == 0)
		people_free(p);
	return r;
}

int trustfile_answer(const Verify__VerifyRequest *req, struct store *store,
		     struct reply *reply, struct verdict *v, struct err *err)
{
	struct answer a = {.req = req,
			   .store = store,
			   .reply = reply,
			   .pos = {.path = PEOPLE_PATH},
			   .v = v};
	int r = 0;

	diags_init(&a.diags, reply->arena, DIAGS_MAX);
	if (*req->repository_path != '\0')
		r = store_open(req->repository_path, false, store, v, err);
	else if (req->n_inputs == 0 || *req->accepted != '\0')
		r = err_set(err, ERR_INPUT, "want a repository");
	if (r == 0)
		r = req->n_inputs > 0 ? answer_input(&a) : answer_target(&a);
	if (r < 0)
		return r;
	diags_sort(&a.diags);
	reply_diags(reply, &a.diags);
	reply->message.verdict =
		a.diags.n_errors > 0
			? VERIFY__VERIFY_REPLY__VERDICT__REFUSED_MANIFEST
			: VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED;
	return 0;
}

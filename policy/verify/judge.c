/*
 * judge.c - see judge.h.  Runs in reconcile-verify, sandboxed, on hostile
 * bytes; manifest/ and policy/admission do the work, this is the order.
 */
#include "policy/verify/judge.h"
#include "lib/text.h"
#include "policy/admission/admission.h"
#include "policy/verify/files.h"
#include "policy/verify/subjects.h"

#include <string.h>

struct judge {
	struct store *store;
	const struct judge_ask *ask;
	struct arena *arena;
	struct diags *diags;
	struct judge_result *out;
	struct verdict *v;
	struct err *err;
};

struct policy_file {
	bool found; /* there is such a file */
	bool good;  /* and it decodes */
	const char *blob;
	struct cluster_policy policy;
};

static void complain(struct judge *j, enum tcode code, const char *path,
		     const char *message)
{
	struct manifest_pos pos = {.path = path};

	diags_add(j->diags, verdict_name(code), DIAG_ERROR, pos, NULL,
		  verdict_fix(code), "%s", message);
}

static int read_policy(struct judge *j, const struct commit_id *tree,
		       struct diags *diags, struct policy_file *out)
{
	struct manifest_input in = {0};
	struct objects set = {0};
	size_t errors = diags->n_errors;
	int r;

	*out = (struct policy_file){0};
	r = files_read(j->store, tree, FILES_POLICY_PATH, j->arena, &out->found,
		       &in, j->v);
	if (r < 0 || !out->found)
		return r;
	out->blob = in.blob;
	r = manifest_load(&in, 1, "default", j->arena, diags, &set, j->err);
	if (r < 0)
		return r;
	if (diags->n_errors != errors)
		return 0;
	if (set.n != 1 || set.items[0].kind != MANIFEST_CLUSTERPOLICY) {
		struct manifest_pos pos = {.path = FILES_POLICY_PATH};

		diags_add(diags, verdict_name(TCODE_NO_POLICY), DIAG_ERROR, pos,
			  NULL, verdict_fix(TCODE_NO_POLICY),
			  "want exactly one ClusterPolicy, have %zu objects",
			  set.n);
		return 0;
	}
	out->policy = set.items[0].policy;
	out->good = true;
	return 0;
}

/* The commit must say that it is for this repository and this ref (A20, A21).
 */
static void check_binding(struct judge *j, const struct cluster_policy *p)
{
	char have[128];
	char want[128];

#ifndef GUARD_OFF_BINDING
	if (j->ask->repository_id != NULL &&
	    strcmp(p->repository_id, j->ask->repository_id) != 0) {
		complain(j, TCODE_REPOSITORY, FILES_POLICY_PATH,
			 arena_printf(j->arena,
				      "want repository \"%s\", have \"%s\"",
				      text_safe(want, sizeof(want),
						j->ask->repository_id,
						strlen(j->ask->repository_id)),
				      text_safe(have, sizeof(have),
						p->repository_id,
						strlen(p->repository_id))));
		j->out->trust_failed = true;
	}
	if (j->ask->ref != NULL && strcmp(p->ref, j->ask->ref) != 0) {
		complain(j, TCODE_REF, FILES_POLICY_PATH,
			 arena_printf(j->arena, "want ref \"%s\", have \"%s\"",
				      text_safe(want, sizeof(want), j->ask->ref,
						strlen(j->ask->ref)),
				      text_safe(have, sizeof(have), p->ref,
						strlen(p->ref))));
		j->out->trust_failed = true;
	}
#else
	(void)have;
	(void)want;
	(void)j;
	(void)p;
#endif
}

/* Tree of a commit that was there before; false if it cannot be had. */
static bool tree_of(struct judge *j, const struct commit_id *commit,
		    struct commit_id *out)
{
	struct verdict v = {0};
	const char *bytes = NULL;
	size_t len = 0;

	return store_read_commit(j->store, commit, &bytes, &len, &v) == 0 &&
	       len > 46 && memcmp(bytes, "tree ", 5) == 0 &&
	       commit_id_parse(bytes + 5, 40, out);
}

/* The policy in force before this commit: that of the first of `before` which
 * has a good one.  A commit whose predecessors have none is judged alone. */
static int policy_before(struct judge *j, struct policy_file *out)
{
	for (size_t i = 0; i < 2; i++) {
		struct commit_id tree;
		struct diags quiet;
		int r;

		*out = (struct policy_file){0};
		if (j->ask->before[i] == NULL ||
		    !tree_of(j, j->ask->before[i], &tree))
			continue;
		diags_init(&quiet, j->arena, 8);
		r = read_policy(j, &tree, &quiet, out);
		if (r < 0)
			return r;
		if (out->good)
			return 0;
	}
	return 0;
}

static int admit(struct judge *j, struct snapshot *snap,
		 const struct policy_file *own)
{
	struct policy_file old = {0};
	struct diags more;
	int r;

	r = admission_check(snap, j->diags, j->err);
	if (r < 0)
		return r;
	r = policy_before(j, &old);
	if (r < 0)
		return r;
#ifdef GUARD_OFF_POLICY_BEFORE
	old.good = false;
#endif
	if (!old.good || strcmp(old.blob, own->blob) == 0)
		return 0;
	diags_init(&more, j->arena, j->diags->max);
	r = admission_check_under(snap, &old.policy, &more, j->err);
	for (size_t i = 0; r == 0 && i < more.n; i++) {
		const struct diag *d = &more.items[i];

		diags_add(j->diags, d->code, d->severity, d->pos, d->pointer,
			  d->fix,
			  "%s (by the policy in force before this commit)",
			  d->message);
	}
	return r;
}

/* Objects that are for the workload set; these two have a place of their own.
 */
static void check_kinds(struct judge *j, const struct objects *set)
{
	static const struct {
		enum manifest_kind kind;
		enum tcode code;
	} placed[] = {{MANIFEST_CLUSTERPOLICY, TCODE_POLICY_ELSEWHERE},
		      {MANIFEST_TRUSTPOLICY, TCODE_TRUST_ELSEWHERE}};

	for (size_t i = 0; i < set->n; i++)
		for (size_t k = 0; k < sizeof(placed) / sizeof(placed[0]); k++)
			if (set->items[i].kind == placed[k].kind)
				diags_add(j->diags,
					  verdict_name(placed[k].code),
					  DIAG_ERROR, set->items[i].pos, NULL,
					  verdict_fix(placed[k].code),
					  "a %s among the manifests",
					  manifest_kind_name(placed[k].kind));
}

/* Nothing wrong but that policy refuses: every object could be read. */
static bool is_whole(const struct diags *d)
{
	size_t refused = 0;

	for (size_t i = 0; i < d->n; i++)
		refused += d->items[i].severity == DIAG_ERROR &&
			   d->items[i].code[0] == 'P';
	return refused == d->n_errors;
}

static int judge_manifests(struct judge *j, const struct policy_file *own)
{
	const struct judge_ask *ask = j->ask;
	struct snapshot snap = {
		.repository_id = own->policy.repository_id,
		.ref = own->policy.ref,
		.signer = ask->signer != NULL ? ask->signer : "",
		.commit_time = ask->commit_time,
		.policy = own->policy,
	};
	char hex[COMMIT_ID_HEX];
	struct files files = {0};
	int r;

	snap.commit = arena_strdup(j->arena, commit_id_hex(&ask->commit, hex));
	r = files_collect(j->store, &ask->tree, own->policy.manifests_path,
			  ask->signer, j->arena, j->diags, &files, j->v);
	if (r < 0)
		return r;
	r = manifest_load(files.items, files.n, own->policy.default_namespace,
			  j->arena, j->diags, &snap.objects, j->err);
	if (r < 0)
		return r;
	check_kinds(j, &snap.objects);
	manifest_check_references(&snap.objects, j->diags);
	r = subjects_check(j->store, &ask->tree, j->arena, j->diags, &snap,
			   j->v);
	if (r == 0)
		r = admit(j, &snap, own);
	if (r < 0 || !ask->want_snapshot || !is_whole(j->diags))
		return r;
	return snapshot_encode(&snap, &j->out->snapshot, j->err);
}

int judge_commit(struct store *store, const struct judge_ask *ask,
		 struct arena *arena, struct diags *diags,
		 struct judge_result *out, struct verdict *v, struct err *err)
{
	struct judge j = {.store = store,
			  .ask = ask,
			  .arena = arena,
			  .diags = diags,
			  .out = out,
			  .v = v,
			  .err = err};
	struct policy_file own;
	int r;

	r = read_policy(&j, &ask->tree, diags, &own);
	if (r < 0)
		return r;
	if (!own.found) {
		complain(&j, TCODE_NO_POLICY, FILES_POLICY_PATH,
			 "the commit has no such plain file");
		out->trust_failed = ask->repository_id != NULL;
	}
	if (own.good) {
		check_binding(&j, &own.policy);
		r = judge_manifests(&j, &own);
	}
	diags_sort(diags);
	return r;
}

int judge_read_binding(struct store *store, const struct commit_id *commit,
		       struct arena *arena, struct judge_binding *out,
		       struct verdict *v)
{
	struct err err = {0};
	struct diags quiet;
	struct judge j = {.store = store, .arena = arena, .v = v, .err = &err};
	struct policy_file file = {0};
	struct commit_id tree;
	int r;

	*out = (struct judge_binding){0};
	if (!tree_of(&j, commit, &tree))
		return 0;
	diags_init(&quiet, arena, 8);
	r = read_policy(&j, &tree, &quiet, &file);
	if (file.good)
		*out = (struct judge_binding){file.policy.repository_id,
					      file.policy.ref};
	return r == ERR_TRUST ? r : 0;
}

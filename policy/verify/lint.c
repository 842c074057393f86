/* lint.c - see lint.h.  Every byte of every input is hostile. */
#include "policy/verify/lint.h"

#include "lib/text.h"
#include "policy/admission/admission.h"
#include "policy/trust/people.h"
#include "policy/trust/verdict.h"
#include "policy/verify/files.h"

#include <string.h>

#define DIAGS_MAX 1000

struct lint {
	const Verify__VerifyRequest *req;
	struct arena *arena;
	struct diags diags;
	struct manifest_input *inputs; /* manifests */
	size_t n;
	const struct manifest_input *policy, *trust; /* NULL: not given */
	struct snapshot snap;
};

static bool is_at(const char *path, const char *want)
{
	size_t len = strlen(path), n = strlen(want);

	return len >= n && strcmp(path + len - n, want) == 0 &&
	       (len == n || path[len - n - 1] == '/');
}

static void sort_out(struct lint *l)
{
	l->inputs = arena_calloc(l->arena, l->req->n_inputs + 1,
				 sizeof(*l->inputs));
	for (size_t i = 0; i < l->req->n_inputs; i++) {
		const Verify__Input *given = l->req->inputs[i];
		struct manifest_input in = {
			.path = given->path,
			.bytes = (const char *)given->data.data,
			.len = given->data.len,
		};

		if (is_at(in.path, FILES_POLICY_PATH))
			l->policy = arena_memdup(l->arena, &in, sizeof(in));
		else if (is_at(in.path, PEOPLE_PATH))
			l->trust = arena_memdup(l->arena, &in, sizeof(in));
		else
			l->inputs[l->n++] = in;
	}
}

/* *out_good: there is one and it decodes. */
static int read_policy(struct lint *l, bool *out_good, struct err *err)
{
	size_t errors = l->diags.n_errors;
	struct objects set = {0};
	struct manifest_pos pos = {0};
	int r;

	*out_good = false;
	if (l->policy == NULL)
		return 0;
	r = manifest_load(l->policy, 1, "default", l->arena, &l->diags, &set,
			  err);
	if (r < 0 || l->diags.n_errors != errors)
		return r;
	if (set.n == 1 && set.items[0].kind == MANIFEST_CLUSTERPOLICY) {
		l->snap.policy = set.items[0].policy;
		*out_good = true;
		return 0;
	}
	pos.path = l->policy->path;
	diags_add(&l->diags, verdict_name(TCODE_NO_POLICY), DIAG_ERROR, pos,
		  NULL, verdict_fix(TCODE_NO_POLICY),
		  "want exactly one ClusterPolicy, have %zu objects", set.n);
	return 0;
}

static void check_kinds(struct lint *l)
{
	static const struct {
		enum manifest_kind kind;
		enum tcode code;
		const char *what;
	} elsewhere[] = {
		{MANIFEST_CLUSTERPOLICY, TCODE_POLICY_ELSEWHERE,
		 "a ClusterPolicy"},
		{MANIFEST_TRUSTPOLICY, TCODE_TRUST_ELSEWHERE, "a TrustPolicy"},
	};

	for (size_t i = 0; i < l->snap.objects.n; i++)
		for (size_t k = 0; k < 2; k++)
			if (l->snap.objects.items[i].kind == elsewhere[k].kind)
				diags_add(&l->diags,
					  verdict_name(elsewhere[k].code),
					  DIAG_ERROR,
					  l->snap.objects.items[i].pos, NULL,
					  verdict_fix(elsewhere[k].code),
					  "%s among the manifests",
					  elsewhere[k].what);
}

/* What is not among some files may well be in the others. */
static void check_references(struct lint *l)
{
	struct diags found;

	diags_init(&found, l->arena, DIAGS_MAX);
	manifest_check_references(&l->snap.objects, &found);
	for (size_t i = 0; i < found.n; i++) {
		const struct diag *d = &found.items[i];
		bool soft = !l->req->whole && d->severity == DIAG_ERROR;

		diags_add(&l->diags, d->code, soft ? DIAG_WARNING : d->severity,
			  d->pos, d->pointer, d->fix, "%s%s", d->message,
			  soft ? " (among the files given)" : "");
	}
}

/* Of a whole tree, what a commit would take. */
static void narrow(struct lint *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (files_is_manifest(l->snap.policy.manifests_path,
				      l->inputs[i].path))
			l->inputs[n++] = l->inputs[i];
	l->n = n;
}

static int judge(struct lint *l, struct err *err)
{
	struct people *people = NULL;
	struct verdict first = {0};
	bool has_policy = false;
	int r = read_policy(l, &has_policy, err);

	if (r == 0 && l->trust != NULL &&
	    people_read(l->trust, l->arena, &l->diags, &people, &first) == 0)
		people_free(people);
	if (r == 0 && has_policy && l->req->whole)
		narrow(l);
	if (r == 0)
		r = manifest_load(l->inputs, l->n,
				  has_policy ? l->snap.policy.default_namespace
					     : "default",
				  l->arena, &l->diags, &l->snap.objects, err);
	if (r < 0)
		return r;
	check_kinds(l);
	check_references(l);
	if (has_policy)
		r = admission_check(&l->snap, &l->diags, err);
	return r;
}

int lint_answer(const Verify__VerifyRequest *req, struct reply *reply,
		struct err *err)
{
	struct lint l = {.req = req, .arena = reply->arena};
	int r;

	l.snap.repository_id = l.snap.ref = l.snap.commit = l.snap.signer = "";
	diags_init(&l.diags, reply->arena, DIAGS_MAX);
	sort_out(&l);
	r = judge(&l, err);
	if (r < 0)
		return r;
	diags_sort(&l.diags);
	reply_diags(reply, &l.diags);
	reply_judged(reply, &l.diags);
	return 0;
}

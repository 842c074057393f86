/*
 * siblings.c - the manager's side of the frames of reconcile-verify and
 * reconcile-pull.
 *
 * Each call starts a fresh sibling and ends it: no parser outlives its input.
 */
#include "reconciler/core/siblings.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/text.h"
#include "reconciler/core/call.h"

#include "engine/image/image.pb-c.h"
#include "policy/verify/verify.pb-c.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIGNERS_MAX (1u << 20)
#define PACK_MAX (1u << 30)

const char *siblings_mirror(const struct core_conf *conf, struct arena *arena)
{
	return arena_printf(arena, "%s/repository.git", conf->state_dir);
}

/* The two pinned lists. */
static int read_lists(const struct core_conf *conf, struct buf *signers,
		      struct buf *revoked, struct err *err)
{
	int r = file_read(AT_FDCWD, conf->allowed_signers, SIGNERS_MAX, signers,
			  err);

	if (r == 0)
		r = file_read(AT_FDCWD, conf->revoked_keys, SIGNERS_MAX,
			      revoked, err);
	if (r == 0 && revoked->len == 0)
		r = err_set(err, ERR_TRUST,
			    "%s is empty: want revoked keys, or one comment "
			    "line when there are none",
			    conf->revoked_keys);
	return r;
}

int siblings_trust_root(const struct core_conf *conf, struct arena *arena,
			const unsigned char **out, size_t *out_len,
			struct err *err)
{
	Verify__TrustRoot root;
	struct buf signers, revoked;
	unsigned char *bytes;
	int r = 0;

	verify__trust_root__init(&root);
	buf_init(&signers, SIGNERS_MAX);
	buf_init(&revoked, SIGNERS_MAX);
	if (conf->trust_policy[0] == '\0')
		r = read_lists(conf, &signers, &revoked, err);
	if (r < 0)
		goto out;
	root.repository_id = call_text(arena, conf->repository_id);
	root.ref = call_text(arena, conf->repository_ref);
	root.allowed_signers.data = (uint8_t *)signers.data;
	root.allowed_signers.len = signers.len;
	root.revoked_keys.data = (uint8_t *)revoked.data;
	root.revoked_keys.len = revoked.len;
	root.trust_policy = call_text(arena, conf->trust_policy);
	root.anchor = call_text(arena, conf->trust_anchor);
	root.openpgp = conf->trust_openpgp;
	*out_len = verify__trust_root__get_packed_size(&root);
	bytes = arena_alloc(arena, *out_len);
	(void)verify__trust_root__pack(&root, bytes);
	*out = bytes;
out:
	buf_release(&signers);
	buf_release(&revoked);
	return r < 0 ? err_wrap(err, "trust root") : 0;
}

static void copy_diagnostics(const Verify__VerifyReply *m, struct arena *arena,
			     struct verdict *v)
{
	diags_init(&v->diags, arena, 100000);
	for (size_t i = 0; i < m->n_diagnostics; i++) {
		const Verify__Diagnostic *d = m->diagnostics[i];
		struct manifest_pos pos = {
			.path = d->path[0] == '\0'
					? NULL
					: arena_strdup(arena, d->path),
			.line = d->line,
			.column = d->column,
		};

		diags_add(
			&v->diags, arena_strdup(arena, d->code),
			(enum diag_severity)d->severity, pos,
			d->pointer[0] == '\0' ? NULL
					      : arena_strdup(arena, d->pointer),
			d->fix[0] == '\0' ? NULL : arena_strdup(arena, d->fix),
			"%s", d->message);
	}
}

static const char *const *copy_list(struct arena *arena, char *const *items,
				    size_t n)
{
	const char **out = arena_calloc(arena, n + 1, sizeof(const char *));

	for (size_t i = 0; i < n; i++)
		out[i] = arena_strdup(arena, items[i]);
	return out;
}

static struct report_commit copy_commit(const Verify__CommitVerdict *c,
					struct arena *arena)
{
	return (struct report_commit){
		.commit = arena_strdup(arena, c->commit),
		.signer = arena_strdup(arena, c->signer),
		.key = arena_strdup(arena, c->key),
		.code = arena_strdup(arena, c->code),
		.reason = arena_strdup(arena, c->reason),
		.format = arena_strdup(arena, c->format),
		.payload = arena_strdup(arena, c->payload),
		.subject = arena_strdup(arena, c->subject),
	};
}

static struct report_requirement copy_requirement(const Verify__Requirement *q,
						  struct arena *arena)
{
	return (struct report_requirement){
		.from = arena_strdup(arena, q->from),
		.to = arena_strdup(arena, q->to),
		.rule = arena_strdup(arena, q->rule),
		.paths = copy_list(arena, q->paths, q->n_paths),
		.n_paths = q->n_paths,
		.paths_total = q->paths_total,
		.threshold = q->threshold,
		.have = copy_list(arena, q->have, q->n_have),
		.n_have = q->n_have,
		.could = copy_list(arena, q->could, q->n_could),
		.n_could = q->n_could,
		.met = q->met,
		.code = arena_strdup(arena, q->code),
		.message = arena_strdup(arena, q->message),
		.fix = arena_strdup(arena, q->fix),
	};
}

static void copy_trust(const Verify__VerifyReply *m, struct arena *arena,
		       struct verdict *v)
{
	struct report_commit *commits =
		arena_calloc(arena, m->n_commits, sizeof(*commits));
	struct report_requirement *requirements =
		arena_calloc(arena, m->n_requirements, sizeof(*requirements));

	for (size_t i = 0; i < m->n_commits; i++)
		commits[i] = copy_commit(m->commits[i], arena);
	for (size_t i = 0; i < m->n_requirements; i++)
		requirements[i] = copy_requirement(m->requirements[i], arena);
	v->commits = commits;
	v->n_commits = m->n_commits;
	v->requirements = requirements;
	v->n_requirements = m->n_requirements;
	v->facts = copy_list(arena, m->proposal, m->n_proposal);
	v->n_facts = m->n_proposal;
	v->trust_version = m->trust_version;
	v->verified = m->commits_verified;
}

static const struct trust_view *copy_view(const Verify__TrustPolicy *m,
					  struct arena *arena)
{
	struct trust_view *v = NULL;
	bool *revoked;

	if (m == NULL || m->n_revoked != m->n_keys)
		return NULL;
	v = arena_alloc(arena, sizeof(*v));
	revoked = arena_calloc(arena, m->n_keys, sizeof(bool));
	for (size_t i = 0; i < m->n_keys; i++)
		revoked[i] = m->revoked[i] != 0;
	*v = (struct trust_view){
		.digest = arena_strdup(arena, m->digest),
		.before = arena_strdup(arena, m->before),
		.canonical = arena_memdup(arena, m->canonical.data,
					  m->canonical.len),
		.canonical_len = m->canonical.len,
		.keys = copy_list(arena, m->keys, m->n_keys),
		.revoked = revoked,
		.n_keys = m->n_keys,
	};
	return v;
}

static void copy_verdict(const Verify__VerifyReply *m, struct arena *arena,
			 struct verdict *v)
{
	*v = (struct verdict){
		.kind = (int)m->verdict,
		.commit = arena_strdup(arena, m->commit),
		.accepted = arena_strdup(arena, m->accepted),
		.fresh_until = m->fresh_until,
		.commit_time = m->commit_time,
	};
	v->trust = copy_view(m->trust_policy, arena);
	copy_trust(m, arena, v);
	copy_diagnostics(m, arena, v);
	if (m->statement.len > 0)
		v->statement =
			arena_strndup(arena, (const char *)m->statement.data,
				      m->statement.len);
	if (m->snapshot.len > 0) {
		v->snapshot =
			arena_memdup(arena, m->snapshot.data, m->snapshot.len);
		v->snapshot_len = m->snapshot.len;
	}
}

/* A proposal is judged by what BASE says, by pinned lists only where there is a
 * configuration. */
static bool wants_root(const struct core_conf *conf,
		       const struct verify_args *args)
{
	return args->mode == VERIFY__VERIFY_REQUEST__MODE__FULL ||
	       (args->mode == VERIFY__VERIFY_REQUEST__MODE__PROPOSAL &&
		conf->repository_id != NULL);
}

static void put_inputs(Verify__VerifyRequest *q, const struct verify_args *args,
		       struct arena *arena)
{
	q->inputs = arena_calloc(arena, args->n_inputs, sizeof(q->inputs[0]));
	q->n_inputs = args->n_inputs;
	for (size_t i = 0; i < args->n_inputs; i++) {
		const struct manifest_input *in = &args->inputs[i];
		Verify__Input *to = arena_alloc(arena, sizeof(*to));

		verify__input__init(to);
		to->path = call_text(arena, in->path);
		to->data.data = (uint8_t *)(uintptr_t)in->bytes;
		to->data.len = in->len;
		q->inputs[i] = to;
	}
}

static int verify_ask(struct call *c, const struct core_conf *conf,
		      const struct verify_args *args, struct arena *arena,
		      struct err *err)
{
	Verify__VerifyRequest q;
	Verify__TrustRoot *root = NULL;
	const unsigned char *bytes = NULL;
	size_t len = 0;
	int r = 0;

	verify__verify_request__init(&q);
	if (wants_root(conf, args)) {
		r = siblings_trust_root(conf, arena, &bytes, &len, err);
		if (r < 0)
			return r;
		root = verify__trust_root__unpack(NULL, len, bytes);
		if (root == NULL)
			return err_set(err, ERR_NOMEM, "trust root");
	}
	q.mode = (Verify__VerifyRequest__Mode)args->mode;
	q.repository_path = call_text(arena, args->repository);
	q.root = root;
	q.accepted = call_text(arena, args->accepted);
	q.target = call_text(arena, args->target);
	q.now = args->now != 0 ? args->now : clock_unix_ms() / 1000;
	q.want_snapshot = true;
	put_inputs(&q, args, arena);
	q.whole = args->whole;
	q.want_commits = args->every;
	r = call_send(c, VERIFY__MSG_TYPE__MSG_VERIFY_REQUEST, &q.base, err);
	verify__trust_root__free_unpacked(root, NULL);
	return r;
}

/* None, or what is printed without a second look. */
static bool is_id(const char *text)
{
	return text[0] == '\0' || text_is_hex(text, 40);
}

static bool is_code(const char *text)
{
	size_t digits = strspn(text[0] != '\0' ? text + 1 : "", "0123456789");

	return text[0] == '\0' || strcmp(text, "OK") == 0 ||
	       (text[0] >= 'A' && text[0] <= 'Z' && digits == 3 &&
		text[4] == '\0');
}

/* proto3 lets any number pass as an enum, and any text as an id or a code. */
static bool is_known(const Verify__VerifyReply *m)
{
	for (size_t i = 0; i < m->n_commits; i++)
		if (!is_id(m->commits[i]->commit) ||
		    !is_code(m->commits[i]->code))
			return false;
	for (size_t i = 0; i < m->n_requirements; i++)
		if (!is_code(m->requirements[i]->code))
			return false;
	if (!is_id(m->commit) || !is_id(m->accepted))
		return false;
	for (size_t i = 0; i < m->n_diagnostics; i++)
		if (m->diagnostics[i]->severity > DIAG_NOTE ||
		    !is_code(m->diagnostics[i]->code))
			return false;
	return protobuf_c_enum_descriptor_get_value(
		       &verify__verify_reply__verdict__descriptor,
		       (int)m->verdict) != NULL;
}

int siblings_verify(const struct core_conf *conf, const char *libexec,
		    const struct verify_args *args, struct arena *arena,
		    struct verdict *out, struct err *err)
{
	Verify__VerifyReply *m = NULL;
	struct call c;
	int r = call_start(&c, libexec, "reconcile-verify", err);

	if (r == 0)
		r = verify_ask(&c, conf, args, arena, err);
	if (r == 0)
		r = call_next(&c, err);
	if (r < 0)
		goto out;
	if (c.msg.type == VERIFY__MSG_TYPE__MSG_VERIFY_REPLY)
		m = verify__verify_reply__unpack(
			NULL, c.msg.payload.len,
			(const uint8_t *)c.msg.payload.data);
	if (m == NULL)
		r = err_set(err, ERR_PROTO, "answer is not a verdict");
	else if (!is_known(m))
		r = err_set(err, ERR_PROTO,
			    "answer is no verdict that there is");
	else if (m->verdict == VERIFY__VERIFY_REPLY__VERDICT__FAILED)
		r = err_set(err, call_code(m->error_code), "%s", m->error);
	else
		copy_verdict(m, arena, out);
	verify__verify_reply__free_unpacked(m, NULL);
out:
	call_end(&c);
	return r < 0 ? err_wrap(err, "verify %s", args->target) : 0;
}

/* "registry = HOST ca=FILE": the authority of the registry that image names. */
static int registry_ca(const struct core_conf *conf, const char *image,
		       struct buf *out, struct err *err)
{
	for (size_t i = 0; i < conf->registries.n; i++) {
		const char *entry = conf->registries.items[i];
		size_t n = strcspn(entry, " \t");
		const char *ca = strstr(entry + n, "ca=");

		if (strncmp(image, entry, n) == 0 && image[n] == '/' &&
		    ca != NULL)
			return file_read(AT_FDCWD, ca + 3, SIGNERS_MAX, out,
					 err);
	}
	return 0;
}

static int resolve_answer(struct call *c, struct arena *arena,
			  const char **out_digest, struct err *err)
{
	const uint8_t *bytes = (const uint8_t *)c->msg.payload.data;
	int r = 0;

	if (c->msg.type == IMAGE__FRAME__FRAME_FAILED) {
		Image__Failed *e =
			image__failed__unpack(NULL, c->msg.payload.len, bytes);

		r = e == NULL ? err_set(err, ERR_PROTO, "error frame")
			      : err_set(err, call_code(e->name), "%s", e->msg);
		image__failed__free_unpacked(e, NULL);
	} else if (c->msg.type == IMAGE__FRAME__FRAME_PULL_RESOLVED) {
		Image__PullResolved *m = image__pull_resolved__unpack(
			NULL, c->msg.payload.len, bytes);

		if (m == NULL)
			return err_set(err, ERR_PROTO, "resolved frame");
		*out_digest = arena_strdup(arena, m->digest);
		image__pull_resolved__free_unpacked(m, NULL);
	} else {
		r = err_set(err, ERR_PROTO, "unexpected frame %u", c->msg.type);
	}
	return r;
}

int siblings_resolve(const struct core_conf *conf, const char *libexec,
		     const char *image, struct arena *arena,
		     const char **out_digest, struct err *err)
{
	Image__PullRequest q;
	struct buf ca;
	struct call c;
	int r;

	image__pull_request__init(&q);
	buf_init(&ca, SIGNERS_MAX);
	r = call_start(&c, libexec, "reconcile-pull", err);
	if (r == 0)
		r = registry_ca(conf, image, &ca, err);
	if (r < 0)
		goto out;
	q.reference = call_text(arena, image);
	q.ca_pem.data = (uint8_t *)ca.data;
	q.ca_pem.len = ca.len;
	q.resolve_only = true;
	q.os = call_text(arena, "linux");
	q.architecture = call_text(arena, "amd64");
	r = call_send(&c, IMAGE__FRAME__FRAME_PULL_REQUEST, &q.base, err);
	if (r == 0)
		r = call_next(&c, err);
	if (r == 0)
		r = resolve_answer(&c, arena, out_digest, err);
out:
	call_end(&c);
	buf_release(&ca);
	return r < 0 ? err_wrap(err, "resolve %s", image) : 0;
}

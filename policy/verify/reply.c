/*
 * reply.c - see reply.h.
 */
#include "policy/verify/reply.h"
#include "lib/encode.h"

#include <string.h>

void reply_init(struct reply *r, struct arena *arena)
{
	verify__verify_reply__init(&r->message);
	r->arena = arena;
	r->message.verdict = VERIFY__VERIFY_REPLY__VERDICT__FAILED;
}

static char *keep(struct reply *r, const char *text)
{
	return arena_strdup(r->arena, text != NULL ? text : "");
}

void reply_target(struct reply *r, const struct commit_id *id)
{
	char hex[COMMIT_ID_HEX];

	r->message.commit = keep(r, commit_id_hex(id, hex));
}

void reply_accepted(struct reply *r, const struct commit_id *id)
{
	char hex[COMMIT_ID_HEX];

	r->message.accepted = keep(r, id != NULL ? commit_id_hex(id, hex) : "");
}

/* The list with room for one more at its end. */
static void *grow(struct reply *r, const void *list, size_t n, size_t size)
{
	char *room;

	/* a power of two: it is full */
	if (n > 0 && (n & (n - 1)) != 0)
		return NULL;
	room = arena_calloc(r->arena, n > 0 ? 2 * n : 1, size);
	if (n > 0)
		memcpy(room, list, n * size);
	return room;
}

#define APPEND(r, list, n, item)                                               \
	do {                                                                   \
		void *room_ = grow(r, list, n, sizeof((list)[0]));             \
                                                                               \
		if (room_ != NULL)                                             \
			(list) = room_;                                        \
		(list)[(n)++] = (item);                                        \
	} while (0)

static Verify__CommitVerdict *add_commit(struct reply *r,
					 const struct commit_id *id,
					 const struct signature_by *by,
					 const struct verdict *v)
{
	static const char *const formats[ARMOR_KINDS] = {
		[ARMOR_SSH] = "ssh",
		[ARMOR_CMS] = "x509",
		[ARMOR_OPENPGP] = "openpgp",
	};
	Verify__CommitVerdict *c = arena_alloc(r->arena, sizeof(*c));
	char hex[COMMIT_ID_HEX];

	verify__commit_verdict__init(c);
	c->commit = keep(r, commit_id_hex(id, hex));
	c->signer = keep(r, by->principal);
	c->key = keep(r, by->key);
	c->code = keep(r, verdict_name(v != NULL ? v->code : TCODE_OK));
	c->reason = keep(r, v != NULL ? v->reason : "");
	if (*by->key != '\0')
		c->format = keep(r, formats[by->format]);
	APPEND(r, r->message.commits, r->message.n_commits, c);
	return c;
}

static void set_payload(struct reply *r, Verify__CommitVerdict *c,
			const uint8_t payload[HASH_BYTES])
{
	static const uint8_t none[HASH_BYTES];
	char hex[HASH_HEX];

	if (memcmp(payload, none, sizeof(none)) == 0)
		return;
	encode_hex(hex, payload, HASH_BYTES);
	c->payload = arena_printf(r->arena, "sha256:%s", hex);
}

void reply_commit(struct reply *r, const struct commit_id *id,
		  const struct signature_by *by, const struct verdict *v)
{
	set_payload(r, add_commit(r, id, by, v), by->payload);
}

static Verify__CommitVerdict *find_commit(struct reply *r,
					  const struct commit_id *id)
{
	char hex[COMMIT_ID_HEX];

	commit_id_hex(id, hex);
	for (size_t k = 0; k < r->message.n_commits; k++)
		if (strcmp(r->message.commits[k]->commit, hex) == 0)
			return r->message.commits[k];
	return NULL;
}

void reply_listed(struct reply *r, const struct commit_id *id,
		  const struct signature_by *by, const struct verdict *v,
		  const uint8_t payload[HASH_BYTES], const char *subject)
{
	Verify__CommitVerdict *c;

	if (r->message.n_commits == REPLY_COMMITS_MAX)
		return;
	c = add_commit(r, id, by, v);
	set_payload(r, c, payload);
	c->subject = keep(r, subject);
}

void reply_refusals(struct reply *r, const struct history_result *h)
{
	for (size_t i = 0; i < h->n_refused; i++) {
		const struct history_refused *from = &h->refused[i];
		Verify__CommitVerdict *have = find_commit(r, &from->id);

		if (have == NULL) {
			reply_commit(r, &from->id, &from->by, &from->verdict);
			continue;
		}
		have->code = keep(r, verdict_name(from->verdict.code));
		have->reason = keep(r, from->verdict.reason);
	}
}

void reply_history(struct reply *r, const struct history_result *h,
		   const struct commit_id *target)
{
	reply_refusals(r, h);
	if (h->head_passed && find_commit(r, target) == NULL)
		reply_commit(r, target, &h->head, NULL);
	r->message.commits_verified = h->verified;
}

static Verify__Diagnostic *add_diag(struct reply *r)
{
	Verify__Diagnostic *p = arena_alloc(r->arena, sizeof(*p));

	verify__diagnostic__init(p);
	APPEND(r, r->message.diagnostics, r->message.n_diagnostics, p);
	return p;
}

void reply_diags(struct reply *r, const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *from = &d->items[i];
		Verify__Diagnostic *p = add_diag(r);

		p->code = keep(r, from->code);
		p->severity = (uint32_t)from->severity;
		p->path = keep(r, from->pos.path);
		p->line = from->pos.line;
		p->column = from->pos.column;
		p->pointer = keep(r, from->pointer);
		p->message = keep(r, from->message);
		p->fix = keep(r, from->fix);
	}
	if (d->dropped > 0) {
		Verify__Diagnostic *p = add_diag(r);

		p->code = keep(r, "T000");
		p->severity = DIAG_NOTE;
		p->message = arena_printf(r->arena,
					  "%zu more findings are not shown",
					  d->dropped);
	}
}

static char **keep_list(struct reply *r, const char *const *from, size_t n)
{
	char **list = arena_calloc(r->arena, n + 1, sizeof(list[0]));

	for (size_t i = 0; i < n; i++)
		list[i] = keep(r, from[i]);
	return list;
}

static void add_requirement(struct reply *r, const struct line_requirement *q)
{
	Verify__Requirement *p = arena_alloc(r->arena, sizeof(*p));
	char hex[COMMIT_ID_HEX];

	verify__requirement__init(p);
	p->from = keep(r, q->has_from ? commit_id_hex(&q->from, hex) : "");
	p->to = keep(r, commit_id_hex(&q->to, hex));
	p->rule = keep(r, q->rule);
	p->paths = keep_list(r, q->paths, q->n_paths);
	p->n_paths = q->n_paths;
	p->paths_total = (uint32_t)q->paths_total;
	p->threshold = q->threshold;
	p->have = keep_list(r, q->have, q->n_have);
	p->n_have = q->n_have;
	p->could = keep_list(r, q->could, q->n_could);
	p->n_could = q->n_could;
	p->met = q->met;
	p->code = keep(r, q->met ? "" : verdict_name(q->code));
	p->message = keep(r, q->message);
	p->fix = keep(r, q->fix);
	APPEND(r, r->message.requirements, r->message.n_requirements, p);
}

void reply_line(struct reply *r, const struct line_result *line)
{
	for (size_t i = 0; i < line->n_requirements; i++)
		add_requirement(r, &line->requirements[i]);
	for (size_t i = 0; i < line->n_commits; i++) {
		static const struct signature_by nobody;
		const struct line_commit *c = &line->commits[i];

		reply_listed(r, &c->id, c->by != NULL ? c->by : &nobody,
			     c->verdict, c->payload, c->subject);
	}
	r->message.trust_version = line->version;
	r->message.fresh_until = line->fresh_until;
}

void reply_unmet(struct reply *r, const struct line_result *line)
{
	for (size_t i = 0; i < line->n_requirements; i++) {
		const struct line_requirement *q = &line->requirements[i];
		Verify__Diagnostic *p;

		if (q->met)
			continue;
		p = add_diag(r);
		p->code = keep(r, verdict_name(q->code));
		p->severity = DIAG_ERROR;
		p->path = keep(r, q->n_paths > 0 ? q->paths[0] : "");
		p->message = keep(r, q->message);
		p->fix = keep(r, q->fix);
	}
	for (size_t i = 0; i < line->n_notes; i++) {
		Verify__Diagnostic *p = add_diag(r);

		p->code = keep(r, verdict_name(TCODE_APPROVAL));
		p->severity = DIAG_NOTE;
		p->message = keep(r, line->notes[i]);
	}
}

void reply_fact(struct reply *r, const char *text)
{
	APPEND(r, r->message.proposal, r->message.n_proposal, keep(r, text));
}

void reply_statement(struct reply *r, const char *bytes, size_t len)
{
	r->message.statement.data = arena_memdup(r->arena, bytes, len);
	r->message.statement.len = len;
}

void reply_judged(struct reply *r, const struct diags *d)
{
	bool policy_only = true;

	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].severity == DIAG_ERROR &&
		    d->items[i].code[0] != 'P')
			policy_only = false;
	r->message.verdict =
		d->n_errors == 0 ? VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED
		: policy_only	 ? VERIFY__VERIFY_REPLY__VERDICT__REFUSED_POLICY
			      : VERIFY__VERIFY_REPLY__VERDICT__REFUSED_MANIFEST;
}

void reply_snapshot(struct reply *r, const struct buf *bytes)
{
	if (bytes->len == 0)
		return;
	r->message.snapshot.data =
		arena_memdup(r->arena, bytes->data, bytes->len);
	r->message.snapshot.len = bytes->len;
}

void reply_refused(struct reply *r, const struct verdict *v)
{
	if (v->code != TCODE_OK) {
		Verify__Diagnostic **list;
		Verify__Diagnostic *p = add_diag(r);
		size_t n = r->message.n_diagnostics;

		p->code = keep(r, verdict_name(v->code));
		p->severity = DIAG_ERROR;
		p->message = keep(r, v->reason);
		p->fix = keep(r, verdict_fix(v->code));
		list = r->message.diagnostics; /* it goes first */
		memmove(list + 1, list, (n - 1) * sizeof(list[0]));
		list[0] = p;
	}
	r->message.verdict = VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST;
	r->message.snapshot.len = 0;
}

void reply_failed(struct reply *r, const struct err *why)
{
	r->message.verdict = VERIFY__VERIFY_REPLY__VERDICT__FAILED;
	r->message.error_code = keep(r, err_name(why->code));
	r->message.error = keep(r, why->msg);
	r->message.snapshot.len = 0;
}

int reply_pack(const struct reply *r, struct buf *out, struct err *err)
{
	size_t len = verify__verify_reply__get_packed_size(&r->message);
	char *room = buf_reserve(out, len);

	if (room == NULL)
		return err_set(err, ERR_LIMIT, "the reply has %zu bytes", len);
	(void)verify__verify_reply__pack(&r->message, (uint8_t *)room);
	buf_commit(out, len);
	return 0;
}

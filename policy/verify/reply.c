/*
 * reply.c - see reply.h.
 */
#include "policy/verify/reply.h"

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

void reply_commit(struct reply *r, const struct commit_id *id,
		  const struct signature_by *by, const struct verdict *v)
{
	Verify__CommitVerdict *c = arena_alloc(r->arena, sizeof(*c));
	size_t n = r->message.n_commits;
	Verify__CommitVerdict **list =
		arena_calloc(r->arena, n + 1, sizeof(Verify__CommitVerdict *));
	char hex[COMMIT_ID_HEX];

	verify__commit_verdict__init(c);
	c->commit = keep(r, commit_id_hex(id, hex));
	c->signer = keep(r, by->principal);
	c->key = keep(r, by->key);
	c->code = keep(r, verdict_name(v != NULL ? v->code : TCODE_OK));
	c->reason = keep(r, v != NULL ? v->reason : "");
	if (n > 0)
		memcpy(list, r->message.commits, n * sizeof(list[0]));
	list[n] = c;
	r->message.commits = list;
	r->message.n_commits = n + 1;
}

static Verify__Diagnostic *new_diag(struct reply *r)
{
	Verify__Diagnostic *p = arena_alloc(r->arena, sizeof(*p));

	verify__diagnostic__init(p);
	return p;
}

void reply_diags(struct reply *r, const struct diags *d)
{
	Verify__Diagnostic **list =
		arena_calloc(r->arena, d->n + 1, sizeof(Verify__Diagnostic *));

	for (size_t i = 0; i < d->n; i++) {
		const struct diag *from = &d->items[i];
		Verify__Diagnostic *p = new_diag(r);

		p->code = keep(r, from->code);
		p->severity = (uint32_t)from->severity;
		p->path = keep(r, from->pos.path);
		p->line = from->pos.line;
		p->column = from->pos.column;
		p->pointer = keep(r, from->pointer);
		p->message = keep(r, from->message);
		p->fix = keep(r, from->fix);
		list[i] = p;
	}
	r->message.diagnostics = list;
	r->message.n_diagnostics = d->n;
	if (d->dropped > 0) {
		Verify__Diagnostic *p = new_diag(r);

		p->code = keep(r, "T000");
		p->severity = DIAG_NOTE;
		p->message = arena_printf(r->arena,
					  "%zu more findings are not shown",
					  d->dropped);
		list[r->message.n_diagnostics++] = p;
	}
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
	Verify__Diagnostic *p = new_diag(r);
	Verify__Diagnostic **list =
		arena_calloc(r->arena, r->message.n_diagnostics + 1,
			     sizeof(Verify__Diagnostic *));

	p->code = keep(r, verdict_name(v->code));
	p->severity = DIAG_ERROR;
	p->message = keep(r, v->reason);
	p->fix = keep(r, verdict_fix(v->code));
	list[0] = p;
	if (r->message.n_diagnostics > 0)
		memcpy(list + 1, r->message.diagnostics,
		       r->message.n_diagnostics * sizeof(list[0]));
	r->message.diagnostics = list;
	r->message.n_diagnostics++;
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

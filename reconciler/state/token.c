/* token.c - join tokens as rows; of the secret only its hash. */
#include "reconciler/state/private.h"
#include "reconciler/state/sql.h"
#include "reconciler/state/state.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (64u << 10)

int state_token_put(struct state *s, const struct state_token *t,
		    struct err *err)
{
	struct buf labels, taints;
	int r;

	buf_init(&labels, TEXT_MAX);
	buf_init(&taints, TEXT_MAX);
	fields_put_labels(&labels, &t->labels);
	fields_put_taints(&taints, t->taints, t->n_taints);
	r = buf_check(&labels, err);
	if (r == 0)
		r = buf_check(&taints, err);
	if (r == 0)
		r = sql_run(
			s->db, err, "INSERT INTO token VALUES(?,?,?,?,?,?,?)",
			"sssiiss", t->id, t->secret_sha256, t->host, t->expires,
			(int64_t)t->used, labels.len > 0 ? labels.data : "",
			taints.len > 0 ? taints.data : "");
	buf_release(&labels);
	buf_release(&taints);
	return r;
}

int state_token_get(struct state *s, const char *id, struct arena *arena,
		    struct state_token *out, struct err *err)
{
	sqlite3_stmt *q = NULL;
	int r = sql_prepare(s->db, &q, err, "SELECT * FROM token WHERE id = ?",
			    "s", id);

	if (r < 0)
		return r;
	r = sql_step(s->db, q, err);
	if (r > 0) {
		*out = (struct state_token){
			.id = sql_text(q, 0, arena),
			.secret_sha256 = sql_text(q, 1, arena),
			.host = sql_text(q, 2, arena),
			.expires = sqlite3_column_int64(q, 3),
			.used = sqlite3_column_int(q, 4) != 0,
		};
		fields_get_labels(sql_text(q, 5, arena), arena, &out->labels);
		fields_get_taints(sql_text(q, 6, arena), arena, &out->taints,
				  &out->n_taints);
		r = 0;
	} else if (r == 0) {
		r = err_set(err, ERR_NOTFOUND, "no such join token");
	}
	sqlite3_finalize(q);
	return r;
}

int state_token_use(struct state *s, const char *id, struct err *err)
{
	return sql_run(s->db, err, "UPDATE token SET used = 1 WHERE id = ?",
		       "s", id);
}

int state_token_end(struct state *s, const char *host, struct err *err)
{
	return sql_run(s->db, err, "UPDATE token SET used = 1 WHERE host = ?",
		       "s", host);
}

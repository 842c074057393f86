/* host.c - hosts as rows. */
#include "reconciler/state/private.h"
#include "reconciler/state/sql.h"
#include "reconciler/state/state.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (64u << 10)

void state_host_read(sqlite3_stmt *q, struct arena *a, struct state_host *out)
{
	struct world_host *h = &out->host;

	*out = (struct state_host){0};
	h->name = sql_text(q, 0, a);
	h->state = sqlite3_column_int(q, 1);
	h->cordoned = sqlite3_column_int(q, 2) != 0;
	h->draining = sqlite3_column_int(q, 3) != 0;
	fields_get_labels(sql_text(q, 4, a), a, &h->labels);
	fields_get_taints(sql_text(q, 5, a), a, &h->taints, &h->n_taints);
	h->cpu_m = sqlite3_column_int64(q, 6);
	h->memory = sqlite3_column_int64(q, 7);
	h->pods_max = sqlite3_column_int64(q, 8);
	h->epoch = (uint64_t)sqlite3_column_int64(q, 9);
	h->accepted_commit = sql_text(q, 10, a);
	h->lost_since_ms = sqlite3_column_int64(q, 11);
	h->settled = sqlite3_column_int(q, 12) != 0;
	h->last_refusal = sql_text(q, 13, a);
	out->cidr_index = sqlite3_column_int64(q, 14);
	out->serial = sql_text(q, 15, a);
	out->not_after = sqlite3_column_int64(q, 16);
	out->joined_ms = sqlite3_column_int64(q, 17);
}

int state_host_get(struct state *s, const char *name, struct arena *arena,
		   struct state_host *out, struct err *err)
{
	sqlite3_stmt *q = NULL;
	int r = sql_prepare(s->db, &q, err, "SELECT * FROM host WHERE name = ?",
			    "s", name);

	if (r < 0)
		return r;
	r = sql_step(s->db, q, err);
	if (r > 0) {
		state_host_read(q, arena, out);
		r = 0;
	} else if (r == 0) {
		r = err_set(err, ERR_NOTFOUND, "no host is named \"%s\"", name);
	}
	sqlite3_finalize(q);
	return r;
}

int state_host_put(struct state *s, const struct state_host *h, struct err *err)
{
	const struct world_host *w = &h->host;
	struct buf labels, taints;
	int r;

	buf_init(&labels, TEXT_MAX);
	buf_init(&taints, TEXT_MAX);
	fields_put_labels(&labels, &w->labels);
	fields_put_taints(&taints, w->taints, w->n_taints);
	r = buf_check(&labels, err);
	if (r == 0)
		r = buf_check(&taints, err);
	if (r == 0)
		r = sql_run(s->db, err,
			    "INSERT OR REPLACE INTO host VALUES"
			    "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
			    "siiissiiiisiisisii", w->name, (int64_t)w->state,
			    (int64_t)w->cordoned, (int64_t)w->draining,
			    labels.len > 0 ? labels.data : "",
			    taints.len > 0 ? taints.data : "", w->cpu_m,
			    w->memory, w->pods_max, (int64_t)w->epoch,
			    w->accepted_commit, w->lost_since_ms,
			    (int64_t)w->settled, w->last_refusal, h->cidr_index,
			    h->serial, h->not_after, h->joined_ms);
	buf_release(&labels);
	buf_release(&taints);
	return r;
}

int state_host_epoch(struct state *s, const char *name, uint64_t epoch,
		     struct err *err)
{
	return sql_run(s->db, err, "UPDATE host SET epoch = ? WHERE name = ?",
		       "is", (int64_t)epoch, name);
}

int state_host_delete(struct state *s, const char *name, struct err *err)
{
	return sql_run(s->db, err, "DELETE FROM host WHERE name = ?", "s",
		       name);
}

int state_host_block(struct state *s, int64_t *out, struct err *err)
{
	sqlite3_stmt *q = NULL;
	int64_t next = 0;
	int r = sql_prepare(s->db, &q, err,
			    "SELECT cidr FROM host ORDER BY cidr", "");

	if (r < 0)
		return r;
	while ((r = sql_step(s->db, q, err)) > 0 &&
	       sqlite3_column_int64(q, 0) == next)
		next++;
	sqlite3_finalize(q);
	if (r < 0)
		return r;
	*out = next;
	return 0;
}

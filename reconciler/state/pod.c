/* pod.c - pods as rows: assigned ones, and Job pods that have run. */
#include "reconciler/state/private.h"
#include "reconciler/state/sql.h"
#include "reconciler/state/state.h"

#include <stdlib.h>
#include <string.h>

int state_pod_put(struct state *s, const struct world_pod *p, struct err *err)
{
	return sql_run(s->db, err,
		       "INSERT OR REPLACE INTO pod VALUES"
		       "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		       "ssssssissiiiiiissiiiii", p->uid, p->namespace, p->name,
		       p->owner_kind, p->owner_name, p->template_hash,
		       (int64_t)p->index, p->host, p->commit, (int64_t)p->phase,
		       (int64_t)p->ready, p->ready_ms, p->started_ms,
		       p->created_ms, (int64_t)p->restarts, p->ip, p->reason,
		       p->cpu_m, p->memory, (int64_t)p->assigned,
		       p->finished_ms, p->unready_ms);
}

int state_pod_delete(struct state *s, const char *uid, struct err *err)
{
	return sql_run(s->db, err, "DELETE FROM pod WHERE uid = ?", "s", uid);
}

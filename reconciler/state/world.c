/* world.c - the stored part of struct world, in the order the planner wants. */
#include "reconciler/state/private.h"
#include "reconciler/state/sql.h"
#include "reconciler/state/state.h"

#include "lib/num.h"

#include <string.h>

/* Rows of a table, to allocate once. */
static int count_rows(struct state *s, const char *text, size_t *out,
		      struct err *err)
{
	sqlite3_stmt *q = NULL;
	int r = sql_prepare(s->db, &q, err, text, "");

	if (r < 0)
		return r;
	r = sql_step(s->db, q, err);
	if (r > 0)
		*out = (size_t)sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return r < 0 ? r : 0;
}

static void read_pod(sqlite3_stmt *q, struct arena *a, struct world_pod *p)
{
	*p = (struct world_pod){
		.uid = sql_text(q, 0, a),
		.namespace = sql_text(q, 1, a),
		.name = sql_text(q, 2, a),
		.owner_kind = sql_text(q, 3, a),
		.owner_name = sql_text(q, 4, a),
		.template_hash = sql_text(q, 5, a),
		.index = (unsigned int)sqlite3_column_int64(q, 6),
		.host = sql_text(q, 7, a),
		.commit = sql_text(q, 8, a),
		.phase = sqlite3_column_int(q, 9),
		.ready = sqlite3_column_int(q, 10) != 0,
		.ready_ms = sqlite3_column_int64(q, 11),
		.started_ms = sqlite3_column_int64(q, 12),
		.created_ms = sqlite3_column_int64(q, 13),
		.restarts = (unsigned int)sqlite3_column_int64(q, 14),
		.ip = sql_text(q, 15, a),
		.reason = sql_text(q, 16, a),
		.cpu_m = sqlite3_column_int64(q, 17),
		.memory = sqlite3_column_int64(q, 18),
		.assigned = sqlite3_column_int(q, 19) != 0,
		.finished_ms = sqlite3_column_int64(q, 20),
		.unready_ms = sqlite3_column_int64(q, 21),
	};
	p->reported = p->assigned && p->phase != POD_UNKNOWN;
}

static void read_object(sqlite3_stmt *q, struct arena *a,
			struct world_object *o)
{
	*o = (struct world_object){
		.kind = (enum manifest_kind)sqlite3_column_int(q, 0),
		.namespace = sql_text(q, 1, a),
		.name = sql_text(q, 2, a),
		.hash = sql_text(q, 3, a),
	};
}

static void read_service(sqlite3_stmt *q, struct arena *a,
			 struct world_service *v)
{
	*v = (struct world_service){
		.namespace = sql_text(q, 0, a),
		.name = sql_text(q, 1, a),
		.cluster_ip = sql_text(q, 2, a),
	};
}

static void read_world_host(sqlite3_stmt *q, struct arena *a,
			    struct world_host *h)
{
	struct state_host full;

	state_host_read(q, a, &full);
	*h = full.host;
}

/* One table of the world: what it reads and where it goes. */
enum { ROWS_HOST, ROWS_POD, ROWS_OBJECT, ROWS_SERVICE };
static const struct {
	const char *count, *select;
	size_t size;
} tables[] = {
	[ROWS_HOST] = {"SELECT count(*) FROM host",
		       "SELECT * FROM host ORDER BY name",
		       sizeof(struct world_host)},
	[ROWS_POD] = {"SELECT count(*) FROM pod",
		      "SELECT * FROM pod ORDER BY namespace, name, uid",
		      sizeof(struct world_pod)},
	[ROWS_OBJECT] = {"SELECT count(*) FROM object",
			 "SELECT * FROM object ORDER BY kind, namespace, name",
			 sizeof(struct world_object)},
	[ROWS_SERVICE] = {"SELECT count(*) FROM service",
			  "SELECT * FROM service ORDER BY namespace, name",
			  sizeof(struct world_service)},
};

static void read_row(int table, sqlite3_stmt *q, struct arena *a, void *row)
{
	switch (table) {
	case ROWS_HOST:
		read_world_host(q, a, row);
		break;
	case ROWS_POD:
		read_pod(q, a, row);
		break;
	case ROWS_OBJECT:
		read_object(q, a, row);
		break;
	default:
		read_service(q, a, row);
		break;
	}
}

static int read_table(struct state *s, int table, struct arena *arena,
		      void **out, size_t *out_n, struct err *err)
{
	sqlite3_stmt *q = NULL;
	size_t cap = 0;
	size_t n = 0;
	char *rows;
	int r = count_rows(s, tables[table].count, &cap, err);

	if (r < 0)
		return r;
	rows = arena_calloc(arena, cap, tables[table].size);
	r = sql_prepare(s->db, &q, err, tables[table].select, "");
	if (r < 0)
		return r;
	while (n < cap && (r = sql_step(s->db, q, err)) > 0)
		read_row(table, q, arena, rows + tables[table].size * n++);
	sqlite3_finalize(q);
	if (r < 0)
		return r;
	*out = rows;
	*out_n = n;
	return 0;
}

int state_world(struct state *s, struct arena *arena, struct world *out,
		struct err *err)
{
	struct world w = {0};
	void *rows = NULL;
	int r = state_get(s, "applied", arena, &w.applied_commit, err);

	if (r == 0 &&
	    (r = read_table(s, ROWS_HOST, arena, &rows, &w.n_hosts, err)) == 0)
		w.hosts = rows;
	if (r == 0 &&
	    (r = read_table(s, ROWS_POD, arena, &rows, &w.n_pods, err)) == 0)
		w.pods = rows;
	if (r == 0 && (r = read_table(s, ROWS_OBJECT, arena, &rows,
				      &w.n_objects, err)) == 0)
		w.objects = rows;
	if (r == 0 && (r = read_table(s, ROWS_SERVICE, arena, &rows,
				      &w.n_services, err)) == 0)
		w.services = rows;
	if (r == 0)
		*out = w;
	return r;
}

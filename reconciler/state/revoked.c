/* revoked.c - serials of revoked certificates. */
#include "reconciler/state/private.h"
#include "reconciler/state/sql.h"
#include "reconciler/state/state.h"

#include <stdlib.h>
#include <string.h>

int state_revoked_add(struct state *s, const char *serial, int64_t not_after,
		      struct err *err)
{
	return sql_run(s->db, err, "INSERT OR REPLACE INTO revoked VALUES(?,?)",
		       "si", serial, not_after);
}

int state_revoked_list(struct state *s, int64_t now, struct arena *arena,
		       const char ***out, size_t *out_n, struct err *err)
{
	sqlite3_stmt *q = NULL;
	size_t n = 0;
	size_t cap = 64;
	const char **list = arena_calloc(arena, cap, sizeof(*list));
	int r = sql_prepare(s->db, &q, err,
			    "SELECT serial FROM revoked WHERE not_after >= ? "
			    "ORDER BY serial",
			    "i", now);

	if (r < 0)
		return r;
	while ((r = sql_step(s->db, q, err)) > 0) {
		if (n == cap) {
			const char **more =
				arena_calloc(arena, cap * 2, sizeof(*more));

			memcpy(more, list, cap * sizeof(*more));
			list = more;
			cap *= 2;
		}
		list[n++] = sql_text(q, 0, arena);
	}
	sqlite3_finalize(q);
	if (r < 0)
		return r;
	*out = list;
	*out_n = n;
	return 0;
}

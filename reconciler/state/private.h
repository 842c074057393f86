/* private.h - what the files of reconciler/state share. */
#ifndef RECONCILER_STATE_PRIVATE_H
#define RECONCILER_STATE_PRIVATE_H

#include "lib/buf.h"
#include "reconciler/world.h"

#include <sqlite3.h>

struct arena;

struct state {
	sqlite3 *db;
};

/* Labels as "key=value\n", taints as "key=value:effect\n": both directions. */
void fields_put_labels(struct buf *out, const struct keyvals *labels);
void fields_put_taints(struct buf *out, const struct taint *taints, size_t n);
void fields_get_labels(const char *text, struct arena *arena,
		       struct keyvals *out);
void fields_get_taints(const char *text, struct arena *arena,
		       struct taint **out, size_t *out_n);

/* A row of SELECT * FROM host. */
struct state_host;
void state_host_read(sqlite3_stmt *q, struct arena *arena,
		     struct state_host *out);

#endif
